//! Artifacts that refer to an image. Source: the image specification, "Guidelines for Artifact
//! Usage"; the distribution specification, "Pushing Manifests with Subject".

use std::time::Instant;

use serde_json::{Value, json};

use super::client::Client;
use super::error::{RegistryError, RegistryFault};
use super::manifest_upload::{ManifestUpload, PushedImage};
use super::session::{Access, BlobSource, Session};
use crate::descriptor::DescriptorJson;
use crate::manifest::Manifest;
use crate::shape::media_type;
use crate::{Annotations, Descriptor, INDEX_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, TITLE_KEY};
use sectile::digest::Digest;

/// The media type and the bytes of an empty config.
const EMPTY_CONFIG: (&str, &[u8]) = (media_type::EMPTY_CONFIG, b"{}");

/// A document about an image, such as an SBOM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Artifact<'a> {
    media_type: &'a str,
    bytes: &'a [u8],
    title: Option<&'a str>,
}

impl<'a> Artifact<'a> {
    /// Creates an artifact without a title, of a media type such as
    /// `application/vnd.cyclonedx+json`.
    pub const fn new(media_type: &'a str, bytes: &'a [u8]) -> Self {
        Self { media_type, bytes, title: None }
    }

    /// Sets the title, which is the artifact's file name.
    #[must_use]
    pub const fn with_title(self, title: Option<&'a str>) -> Self {
        Self { title, ..self }
    }

    fn layer(&self) -> Descriptor {
        let layer = Descriptor::for_bytes(self.media_type, self.bytes);
        match self.title {
            Some(title) => layer.with_annotation(TITLE_KEY, title),
            None => layer,
        }
    }
}

/// The result of attaching an [`Artifact`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedArtifact {
    digest: Digest,
    fallback_tag: Option<String>,
}

impl AttachedArtifact {
    /// Returns the digest of the artifact's manifest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the tag of the index that lists the artifact; `None` if the registry itself lists
    /// referrers.
    pub fn fallback_tag(&self) -> Option<&str> {
        self.fallback_tag.as_deref()
    }
}

impl Client {
    /// Pushes an artifact as a referrer of a pushed image.
    ///
    /// If the registry does not list referrers, the artifact is added to the index under the
    /// fallback tag. This tag is `sha256-` and the hexadecimal digits of the image's digest. If two
    /// clients update this index at the same time, one artifact may be missing from it.
    ///
    /// # Errors
    ///
    /// The registry rejected the artifact or cannot be reached, or the fallback tag does not name
    /// an index.
    pub fn attach(&self, subject: &PushedImage, artifact: &Artifact<'_>) -> Result<AttachedArtifact, RegistryError> {
        let (config, layer) = (Descriptor::for_bytes(EMPTY_CONFIG.0, EMPTY_CONFIG.1), artifact.layer());
        let manifest = Manifest {
            artifact_type: Some(artifact.media_type),
            config: &config,
            layers: std::slice::from_ref(&layer),
            subject: Some(subject.descriptor()),
            annotations: &Annotations::new(),
        };
        let manifest = manifest.to_json();
        let descriptor = Descriptor::for_bytes(MANIFEST_MEDIA_TYPE, &manifest);
        let digest = descriptor.digest();
        let blobs: [(_, &dyn BlobSource); 2] = [(config.digest(), &EMPTY_CONFIG.1), (layer.digest(), &artifact.bytes)];
        let mut session = Session::new(self, subject.reference(), Access::Push)?;
        let response = session.put_untagged(&ManifestUpload { manifest: &manifest, digest, blobs })?;
        if response.field("oci-subject").is_some() {
            return Ok(AttachedArtifact { digest, fallback_tag: None });
        }
        let descriptor = descriptor.with_artifact_type(artifact.media_type);
        let mut session = session.with_deadline(Instant::now().checked_add(self.options.total_timeout));
        let tag = session.list_referrer(subject.descriptor().digest(), &descriptor)?;
        Ok(AttachedArtifact { digest, fallback_tag: Some(tag) })
    }
}

impl Session<'_> {
    /// Adds a descriptor to the index of an image's referrers, unless it is already there. Returns
    /// the index's tag.
    pub(super) fn list_referrer(&mut self, subject: Digest, referrer: &Descriptor) -> Result<String, RegistryError> {
        let tag = fallback_tag(subject);
        let mut index = match self.manifest(&tag, INDEX_MEDIA_TYPE) {
            Ok(bytes) => parse_index(&bytes)
                .map_err(|reason| self.error(Some(format!("GET manifests/{tag}")), RegistryFault::malformed(reason)))?,
            Err(error) if error.is_missing() => {
                json!({"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": []})
            }
            Err(error) => return Err(error),
        };
        let digest = referrer.digest().to_string();
        let manifests = index["manifests"].as_array_mut().expect("checked when the index was parsed");
        if manifests.iter().any(|other| other["digest"] == *digest) {
            return Ok(tag);
        }
        let json = serde_json::to_value(DescriptorJson::from(referrer));
        manifests.push(json.expect("cannot fail: strings, a number and string keys only"));
        let index = index.to_string().into_bytes();
        self.put_manifest(&tag, Digest::new(&index), INDEX_MEDIA_TYPE, &index)?;
        Ok(tag)
    }
}

/// Returns the tag of the index of a manifest's referrers, for registries that do not list them.
pub(crate) fn fallback_tag(subject: Digest) -> String {
    subject.to_string().replace(':', "-")
}

/// Parses an index to which a descriptor can be added.
fn parse_index(bytes: &[u8]) -> Result<Value, &'static str> {
    const REASON: &str = "the tag for referrers does not name an image index; it is left unchanged";
    let index: Value = serde_json::from_slice(bytes).map_err(|_| REASON)?;
    let is_index = index["schemaVersion"] == 2
        && index.get("mediaType").is_none_or(|media_type| media_type == INDEX_MEDIA_TYPE)
        && index["manifests"].is_array();
    if is_index { Ok(index) } else { Err(REASON) }
}
