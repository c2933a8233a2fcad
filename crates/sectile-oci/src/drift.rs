//! Comparison of an image's manifest and layer.

use crate::layout::LayoutImage;
use crate::{AnnotationOptions, Annotations, Duplicates, TITLE_KEY, annotations};
use sectile::internal::{add_root_finding, quoted};
use sectile::metadata::{Field, Metadata};
use sectile::{Error, FindingCode};

impl LayoutImage {
    /// Compares the manifest's annotations with the metadata of its layer, and adds `annotation-drift` findings.
    ///
    /// A finding is a value that differs, or that only one of the two has. Not compared are annotations without a
    /// section, and values of the binary that were too large to read, which have a finding already. A `created`
    /// annotation is not compared if the binary has no date, because most binaries have none.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        compare(self.annotations(), metadata);
    }

    /// Hashes the layer, and adds a `digest-mismatch` finding if its digest differs from the one in the manifest.
    ///
    /// # Errors
    ///
    /// The layer cannot be read.
    pub fn verify(&self, metadata: &mut Metadata<'_>) -> Result<(), Error> {
        let found = self.hash_layer()?;
        let expected = self.layer().digest();
        if found != expected {
            let message = format!("the layer is called {expected}, and has the digest {found}");
            add_root_finding(metadata, FindingCode::DigestMismatch, 0, None, message);
        }
        Ok(())
    }
}

/// Adds the differences between a manifest's annotations and its layer's metadata as findings.
pub(super) fn compare(manifest: &Annotations, metadata: &mut Metadata<'_>) {
    // Invalid values and duplicates already have findings of their own.
    let options = AnnotationOptions::new().with_duplicates(Duplicates::Last).with_allow_invalid(true);
    let root = metadata.root();
    let binary = annotations(root, &options).unwrap_or_default(); // these options refuse nothing
    let fields = Field::ALL.into_iter().map(|field| (field.oci_key(), Some(field)));
    let rows = fields.chain([(TITLE_KEY, None)]).map(|(key, field)| {
        let value = field.map_or_else(|| root.name(), |field| root.annotation(field));
        let absence = match (value, field) {
            (Some(value), _) if value.as_str().is_none() => Some("what the binary says is not UTF-8"),
            // The value exists, but was too large to read.
            (None, Some(field)) if root.section_count(field) > 0 => None,
            (None, Some(Field::Created)) => None,
            _ => Some("the binary says nothing"),
        };
        (key, field, value.map_or(0, |value| value.range().start), absence)
    });
    for (key, field, start, absence) in rows.collect::<Vec<_>>() {
        let message = match (manifest.get(key), binary.get(key), absence) {
            (Some(image), Some(binary), _) if image != binary => {
                format!("the manifest's `{key}` is {}, and the binary says {}", quoted(image), quoted(binary))
            }
            (None, Some(binary), _) => {
                format!("the manifest has no `{key}`, and the binary says {}", quoted(binary))
            }
            (Some(image), None, Some(absence)) => {
                format!("the manifest's `{key}` is {}, and {absence}", quoted(image))
            }
            _ => continue,
        };
        add_root_finding(metadata, FindingCode::AnnotationDrift, start, field.map(Field::section), message);
    }
}
