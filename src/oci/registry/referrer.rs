//! An artifact beside an image that it is about. Source: the image specification, "Guidelines for Artifact Usage"; the
//! distribution specification, "Pushing Manifests with Subject".

use serde_json::{Value, json};

use super::client::Client;
use super::error::{Fault, RegistryError};
use super::package::{Package, Pushed};
use super::session::{Access, Session, Source};
use crate::digest::Digest;
use crate::oci::descriptor::Wire;
use crate::oci::manifest::Manifest;
use crate::oci::{Annotations, Descriptor, INDEX, MANIFEST, TITLE};

/// What a config is that says nothing, and its bytes.
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// Something that is said about an image, such as an SBOM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifact<'a> {
    /// What it is: `application/vnd.cyclonedx+json`.
    pub media_type: &'a str,
    /// All of it.
    pub bytes: &'a [u8],
    /// The name of the file that it would be.
    pub title: Option<&'a str>,
}

impl<'a> Artifact<'a> {
    /// These bytes, of this media type, without a title.
    pub const fn new(media_type: &'a str, bytes: &'a [u8]) -> Self {
        Self { media_type, bytes, title: None }
    }

    /// The same with this title.
    #[must_use]
    pub const fn titled(self, title: Option<&'a str>) -> Self {
        Self { title, ..self }
    }
}

/// Where an [`Artifact`] was put.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The tag under which it is listed, where the registry itself does not list what refers to an image.
    pub fallback: Option<String>,
}

impl Client {
    /// Pushes an artifact as a referrer of an image that was pushed. Where the registry does not list referrers itself, the
    /// artifact is added to the index under the tag that stands for the list, `sha256-` and the hexadecimal digits of the
    /// image's digest. (Of two that do so at the same time, one may be lost from the list.)
    ///
    /// # Errors
    ///
    /// The registry does not have it, and why; or what stands under that tag is no index of images.
    pub fn attach(&self, subject: &Pushed, artifact: &Artifact<'_>) -> Result<Attached, RegistryError> {
        let (config, layer) = (Descriptor::of(EMPTY.0, EMPTY.1), artifact.layer());
        let manifest = Manifest {
            artifact_type: Some(artifact.media_type),
            config: &config,
            layers: std::slice::from_ref(&layer),
            subject: Some(&subject.manifest),
            annotations: &Annotations::new(),
        };
        let manifest = manifest.to_json();
        let mut entry = Descriptor::of(MANIFEST, &manifest);
        let blobs: [(_, &dyn Source); 2] = [(config.digest, &EMPTY.1), (layer.digest, &artifact.bytes)];
        let mut session = Session::new(self, &subject.reference, Access::Push)?;
        let answer = session.put_untagged(&Package { manifest: &manifest, digest: entry.digest, blobs })?;
        let digest = entry.digest;
        if answer.field("oci-subject").is_some() {
            return Ok(Attached { digest, fallback: None });
        }
        entry.artifact_type = Some(artifact.media_type.to_owned());
        let tag = session.list_referrer(subject.manifest.digest, &entry)?;
        Ok(Attached { digest, fallback: Some(tag) })
    }
}

impl Artifact<'_> {
    fn layer(&self) -> Descriptor {
        let layer = Descriptor::of(self.media_type, self.bytes);
        match self.title {
            Some(title) => layer.annotated(TITLE, title),
            None => layer,
        }
    }
}

impl Session<'_> {
    /// Adds an entry to the index of what refers to an image, unless it is there. Gives the index's tag.
    fn list_referrer(&mut self, subject: Digest, entry: &Descriptor) -> Result<String, RegistryError> {
        let tag = subject.to_string().replace(':', "-");
        let mut index = match self.manifest(&tag, INDEX) {
            Ok(bytes) => {
                parsed(&bytes).map_err(|why| self.error(Some(format!("GET manifests/{tag}")), Fault::malformed(why)))?
            }
            Err(error) if error.is_missing() => json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}),
            Err(error) => return Err(error),
        };
        let digest = entry.digest.to_string();
        let entries = index["manifests"].as_array_mut().expect("it was looked at");
        if entries.iter().any(|other| other["digest"] == *digest) {
            return Ok(tag);
        }
        entries.push(serde_json::to_value(Wire::from(entry)).expect("it is made of texts and a number"));
        let index = index.to_string().into_bytes();
        self.put_manifest(&tag, Digest::of(&index), INDEX, &index)?;
        Ok(tag)
    }
}

/// An index that something can be added to.
fn parsed(bytes: &[u8]) -> Result<Value, &'static str> {
    const WHY: &str = "what stands under the tag for referrers is no index of images: it stays as it is";
    let index: Value = serde_json::from_slice(bytes).map_err(|_| WHY)?;
    let is_index = index["schemaVersion"] == 2
        && index.get("mediaType").is_none_or(|media_type| media_type == INDEX)
        && index["manifests"].is_array();
    if is_index { Ok(index) } else { Err(WHY) }
}
