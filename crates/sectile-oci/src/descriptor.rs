//! Descriptors of blobs.

use serde::Serialize;

use crate::Annotations;
use sectile::digest::Digest;

/// The media type of an image manifest.
pub const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an image index.
pub const INDEX_MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of the config of a Wasm OCI artifact.
pub const CONFIG_MEDIA_TYPE: &str = "application/vnd.wasm.config.v0+json";
/// The media type of the layer of a Wasm OCI artifact.
pub const LAYER_MEDIA_TYPE: &str = "application/wasm";

/// Maximum size in bytes of a manifest or an index; registries may reject larger ones. Source: the
/// OCI distribution specification 1.1, *Pushing Manifests*.
pub const MAX_MANIFEST_SIZE: u64 = 4 << 20;

/// Media type, digest and size of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    artifact_type: Option<String>,
    annotations: Annotations,
}

impl Descriptor {
    /// Creates a descriptor from the digest and the size of a blob.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self { media_type: media_type.into(), digest, size, artifact_type: None, annotations: Annotations::new() }
    }

    /// Creates the descriptor of a blob with these bytes.
    pub fn for_bytes(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::new(bytes), bytes.len() as u64)
    }

    /// Returns the media type of the blob.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns the digest of the blob.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the size of the blob in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the artifact type, if the blob is a manifest that declares one.
    pub fn artifact_type(&self) -> Option<&str> {
        self.artifact_type.as_deref()
    }

    /// Returns the annotations of the descriptor, which are not those of a manifest.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    #[must_use]
    pub(crate) fn with_annotation(mut self, key: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }

    #[must_use]
    pub(crate) fn with_annotations(self, annotations: Annotations) -> Self {
        Self { annotations, ..self }
    }

    #[must_use]
    #[cfg(feature = "registry")]
    pub(crate) fn with_artifact_type(self, artifact_type: impl Into<String>) -> Self {
        Self { artifact_type: Some(artifact_type.into()), ..self }
    }
}

/// A descriptor in JSON, with its keys in the order of `descriptor.md` of the image specification.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescriptorJson {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub(crate) annotations: Annotations,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
}

impl From<&Descriptor> for DescriptorJson {
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
