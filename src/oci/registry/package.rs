//! A manifest with its blobs, on its way to a registry.

use super::error::{Fault, RegistryError};
use super::reference::Reference;
use super::session::{Session, Source};
use super::transport::Answer;
use crate::digest::Digest;
use crate::oci::{Descriptor, MANIFEST};

/// What goes to the registry: the blobs first, and then the manifest that names them.
pub(super) struct Package<'a> {
    pub(super) manifest: &'a [u8],
    pub(super) digest: Digest,
    pub(super) blobs: [(Digest, &'a dyn Source); 2],
}

/// What was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// What it is called, with its manifest's digest.
    pub reference: Reference,
    /// What points to its manifest.
    pub manifest: Descriptor,
    /// Bytes of blobs that had to be sent: those that the registry has already are not.
    pub sent: u64,
    /// Whether the manifest had to be sent: under the reference's tag there was another, or none.
    pub is_new: bool,
}

impl Session<'_> {
    /// Sends what the registry has not.
    pub(super) fn put_blobs(
        &mut self,
        package: &Package<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, RegistryError> {
        let whole: u64 = package.blobs.iter().map(|(_, source)| source.len()).sum();
        let (mut before, mut sent) = (0, 0);
        for (digest, source) in package.blobs {
            if self.put_blob(digest, source, &mut |sent| progress(before + sent, whole))? {
                sent += source.len();
            }
            before += source.len();
            progress(before, whole);
        }
        Ok(sent)
    }

    /// The same with its manifest, under the reference's tag, or by its digest where there is none.
    pub(super) fn put(
        &mut self,
        package: &Package<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Pushed, RegistryError> {
        let Package { manifest, digest, .. } = *package;
        let reference = self.reference();
        if let Some(asked) = reference.digest().filter(|asked| *asked != digest) {
            return Err(self.error(None, Fault::Mismatch { asked, found: digest }));
        }
        self.check_size(manifest)?;
        let sent = self.put_blobs(package, progress)?;
        let by_digest = digest.to_string();
        let name = reference.tag().unwrap_or(&by_digest);
        let is_new = !self.has_manifest(name, digest, MANIFEST)?;
        if is_new {
            self.put_manifest(name, digest, MANIFEST, manifest)?;
        }
        let reference = reference.clone().with_digest(digest);
        Ok(Pushed { reference, manifest: Descriptor::of(MANIFEST, manifest), sent, is_new })
    }

    /// The same by its digest, whatever is there; gives the registry's answer.
    pub(super) fn put_untagged(&mut self, package: &Package<'_>) -> Result<Answer, RegistryError> {
        self.check_size(package.manifest)?;
        self.put_blobs(package, &mut |_, _| {})?;
        self.put_manifest(&package.digest.to_string(), package.digest, MANIFEST, package.manifest)
    }
}
