//! What a manifest says of a binary, against what the binary says of itself.

use super::layout::Stored;
use super::{AnnotationOptions, Annotations, Duplicates, TITLE, annotations};
use crate::error::Error;
use crate::escape::quoted;
use crate::finding::Code;
use crate::metadata::{Field, Metadata};

impl Stored {
    /// Compares the manifest's annotations with the metadata that was read of its layer. What differs becomes findings
    /// (`annotation-drift`): a value that is another one, or that one of them does not have. Annotations that no section
    /// says are not looked at; and neither is a date that the binary does not have: it is not meant to. Nor is a value of
    /// the binary that was too large to be read, which is a finding already.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        compare(self.annotations(), metadata);
    }

    /// Hashes the layer. If it is not what it is called by, that becomes a finding (`digest-mismatch`).
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn verify(&self, metadata: &mut Metadata<'_>) -> Result<(), Error> {
        let found = self.hash()?;
        let expected = self.layer().digest;
        if found != expected {
            let message = format!("the layer is called {expected}, and has the digest {found}");
            metadata.find_at(Code::DigestMismatch, 0, None, message);
        }
        Ok(())
    }
}

/// What differs between the annotations of a manifest and its layer's metadata becomes findings.
pub(super) fn compare(said_by_image: &Annotations, metadata: &mut Metadata<'_>) {
    // Of several sections the last is shown; what is wrong with values are findings already.
    let options = AnnotationOptions::new().duplicates(Duplicates::Last).allow_invalid();
    let root = metadata.root();
    let said = annotations(root, &options).unwrap_or_default(); // with these options, nothing is refused
    let fields = Field::ALL.into_iter().map(|field| (field.oci_key(), Some(field)));
    let rows = fields.chain([(TITLE, None)]).map(|(key, field)| {
        let value = field.map_or_else(|| root.name(), |field| root.annotation(field));
        let silence = match (value, field) {
            (Some(value), _) if value.as_str().is_none() => Some("what the binary says is not UTF-8"),
            // It says something, which was too large to be read.
            (None, Some(field)) if root.sections_of(field) > 0 => None,
            (None, Some(Field::Created)) => None,
            _ => Some("the binary says nothing"),
        };
        (key, field, value.map_or(0, |value| value.range().start), silence)
    });
    for (key, field, start, silence) in rows.collect::<Vec<_>>() {
        let message = match (said_by_image.get(key), said.get(key), silence) {
            (Some(image), Some(binary), _) if image != binary => {
                format!("the manifest's `{key}` is {}, and the binary says {}", quoted(image), quoted(binary))
            }
            (None, Some(binary), _) => {
                format!("the manifest has no `{key}`, and the binary says {}", quoted(binary))
            }
            (Some(image), None, Some(silence)) => {
                format!("the manifest's `{key}` is {}, and {silence}", quoted(image))
            }
            _ => continue,
        };
        metadata.find_at(Code::AnnotationDrift, start, field.map(Field::section), message);
    }
}
