//! What a manifest says of a binary, against what the binary says of itself.

use super::layout::Stored;
use super::{AnnotationOptions, Duplicates, TITLE, annotations};
use crate::error::Error;
use crate::escape::quoted;
use crate::finding::Code;
use crate::metadata::{Field, Metadata};

impl Stored {
    /// Compares the manifest's annotations with the metadata that was read of its layer. What differs becomes findings
    /// (`annotation-drift`): a value that is another one, or that one of them does not have. Annotations that no section
    /// says are not looked at; and neither is a date that the binary does not have: it is not meant to.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        // Of several sections the last is shown; what is wrong with values are findings already.
        let options = AnnotationOptions::new().duplicates(Duplicates::Last).allow_invalid();
        let root = metadata.root();
        let said = annotations(root, &options).unwrap_or_default(); // with these options, nothing is refused
        let fields = Field::ALL.into_iter().map(|field| (field.oci_key(), Some(field)));
        let rows = fields.chain([(TITLE, None)]).map(|(key, field)| {
            let value = field.map_or_else(|| root.name(), |field| root.annotation(field));
            let start = value.map_or(0, |value| value.range().start);
            (key, field, start)
        });
        for (key, field, start) in rows.collect::<Vec<_>>() {
            let message = match (self.annotations().get(key), said.get(key)) {
                (Some(image), Some(binary)) if image != binary => {
                    format!("the manifest's `{key}` is {}, and the binary says {}", quoted(image), quoted(binary))
                }
                (None, Some(binary)) => {
                    format!("the manifest has no `{key}`, and the binary says {}", quoted(binary))
                }
                (Some(image), None) if field != Some(Field::Created) => {
                    format!("the manifest's `{key}` is {}, and the binary says nothing", quoted(image))
                }
                _ => continue,
            };
            metadata.find_at(Code::AnnotationDrift, start, field.map(Field::section), message);
        }
    }

    /// Hashes the layer. If it is not what it is called by, that becomes a finding (`digest-mismatch`).
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn verify(&self, metadata: &mut Metadata<'_>) -> Result<(), Error> {
        let found = self.hash().map_err(|error| Error::io(error, None))?;
        let expected = self.layer().digest;
        if found != expected {
            let message = format!("the layer is called {expected}, and has the digest {found}");
            metadata.find_at(Code::DigestMismatch, 0, None, message);
        }
        Ok(())
    }
}
