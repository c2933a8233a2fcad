//! What points to a blob.

use serde::Serialize;

use super::Annotations;
use crate::digest::Digest;

/// The media type of an image's manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index of manifests.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of the config of a Wasm OCI artifact.
pub const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The media type of the layer of a Wasm OCI artifact.
pub const LAYER: &str = "application/wasm";

/// The most bytes that a manifest or an index may have: registries need not take more. Source: the OCI distribution
/// specification 1.1, *Pushing Manifests*.
pub const MAX_MANIFEST: u64 = 4 << 20;

/// A blob: what it is, and how it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// What kind of artifact it is, where it is a manifest that says so.
    pub artifact_type: Option<String>,
    /// What is said of it where it is pointed to.
    pub annotations: Annotations,
}

impl Descriptor {
    /// A blob of this digest and size.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self { media_type: media_type.into(), digest, size, artifact_type: None, annotations: Annotations::new() }
    }

    /// A blob of these bytes.
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// The same, with an annotation.
    #[must_use]
    pub(crate) fn annotated(mut self, key: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }
}

/// A descriptor in JSON; its keys in the order of the image specification's `descriptor.md`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wire {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub(crate) annotations: Annotations,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
}

impl From<&Descriptor> for Wire {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest.to_string(),
            size: descriptor.size,
            annotations: descriptor.annotations.clone(),
            artifact_type: descriptor.artifact_type.clone(),
        }
    }
}
