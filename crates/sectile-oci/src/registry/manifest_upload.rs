//! Uploads of a manifest with its blobs.

use super::blob_upload::BlobTransfer;
use super::error::{RegistryError, RegistryFault};
use super::reference::Reference;
use super::session::{BlobSource, Session};
use super::transport::Response;
use crate::{Descriptor, MANIFEST_MEDIA_TYPE};
use sectile::digest::Digest;

/// A manifest and the blobs that it names. The blobs are sent first.
pub(super) struct ManifestUpload<'a> {
    pub(super) manifest: &'a [u8],
    pub(super) digest: Digest,
    pub(super) blobs: [(Digest, &'a dyn BlobSource); 2],
}

/// The result of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedImage {
    reference: Reference,
    descriptor: Descriptor,
    bytes_sent: u64,
    is_new: bool,
}

impl PushedImage {
    /// Returns the reference of the image with the digest of its manifest.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Returns the descriptor of the manifest.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Returns the number of bytes of blobs that were sent. Blobs that the registry already had are
    /// not sent.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    /// Returns whether the manifest was sent. It is not sent if the reference's tag already named
    /// it.
    pub fn is_new(&self) -> bool {
        self.is_new
    }
}

impl Session<'_> {
    /// Sends the blobs that the registry does not have. Returns the number of bytes sent.
    pub(super) fn put_blobs(
        &mut self,
        upload: &ManifestUpload<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, RegistryError> {
        let total: u64 = upload.blobs.iter().map(|(_, source)| source.len()).sum();
        let (mut done, mut bytes_sent) = (0, 0);
        for (digest, source) in upload.blobs {
            if self.put_blob(digest, source, &mut |sent| progress(done + sent, total))? == BlobTransfer::Sent {
                bytes_sent += source.len();
            }
            done += source.len();
            progress(done, total);
        }
        Ok(bytes_sent)
    }

    /// Sends the blobs, and the manifest under the reference's tag, or under its digest if there is
    /// no tag.
    pub(super) fn put(
        &mut self,
        upload: &ManifestUpload<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<PushedImage, RegistryError> {
        let ManifestUpload { manifest, digest, .. } = *upload;
        let reference = self.reference();
        if let Some(requested) = reference.digest().filter(|requested| *requested != digest) {
            return Err(self.error(None, RegistryFault::Mismatch { requested, found: digest }));
        }
        self.check_manifest_size(manifest)?;
        let bytes_sent = self.put_blobs(upload, progress)?;
        let digest_name = digest.to_string();
        let name = reference.tag().unwrap_or(&digest_name);
        let is_new = !self.has_manifest(name, digest, MANIFEST_MEDIA_TYPE)?;
        if is_new {
            self.put_manifest(name, digest, MANIFEST_MEDIA_TYPE, manifest)?;
        }
        let reference = reference.clone().with_digest(digest);
        let descriptor = Descriptor::for_bytes(MANIFEST_MEDIA_TYPE, manifest);
        Ok(PushedImage { reference, descriptor, bytes_sent, is_new })
    }

    /// Sends the blobs, and the manifest under its digest. Returns the registry's response to the
    /// manifest.
    pub(super) fn put_untagged(&mut self, upload: &ManifestUpload<'_>) -> Result<Response, RegistryError> {
        self.check_manifest_size(upload.manifest)?;
        self.put_blobs(upload, &mut |_, _| {})?;
        self.put_manifest(&upload.digest.to_string(), upload.digest, MANIFEST_MEDIA_TYPE, upload.manifest)
    }
}
