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

/// The result of a push, or of its preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedImage {
    reference: Reference,
    descriptor: Descriptor,
    sent: Vec<Digest>,
    bytes_sent: u64,
    previous: Option<Digest>,
    is_new: bool,
}

/// Blobs that were sent.
#[derive(Default)]
pub(super) struct SentBlobs {
    digests: Vec<Digest>,
    bytes: u64,
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

    /// Returns the digests of the blobs that were sent.
    pub fn sent(&self) -> &[Digest] {
        &self.sent
    }

    /// Returns the digest that the reference's tag had before, if it existed.
    pub fn previous(&self) -> Option<Digest> {
        self.previous
    }

    /// Returns the digest that the reference's tag had before, if the tag named something else.
    pub fn moved_from(&self) -> Option<Digest> {
        self.previous.filter(|previous| *previous != self.descriptor.digest())
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
    /// Sends the blobs that the registry does not have.
    pub(super) fn put_blobs(
        &mut self,
        upload: &ManifestUpload<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<SentBlobs, RegistryError> {
        let total: u64 = upload.blobs.iter().map(|(_, source)| source.len()).sum();
        let (mut done, mut sent) = (0, SentBlobs::default());
        for (digest, source) in upload.blobs {
            if self.put_blob(digest, source, &mut |part| progress(done + part, total))? == BlobTransfer::Sent {
                sent.add(digest, source.len());
            }
            done += source.len();
            progress(done, total);
        }
        Ok(sent)
    }

    /// Finds the blobs that the registry does not have.
    fn missing_blobs(&mut self, upload: &ManifestUpload<'_>) -> Result<SentBlobs, RegistryError> {
        let mut missing = SentBlobs::default();
        for (digest, source) in upload.blobs {
            if !self.has_blob(digest)? {
                missing.add(digest, source.len());
            }
        }
        Ok(missing)
    }

    /// Sends the blobs, and the manifest under the reference's tag, or under its digest if there is
    /// no tag.
    pub(super) fn put(
        &mut self,
        upload: &ManifestUpload<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<PushedImage, RegistryError> {
        self.check_upload(upload)?;
        let sent = self.put_blobs(upload, progress)?;
        let pushed = self.compare_tag(upload, sent)?;
        if pushed.is_new {
            let digest_name = upload.digest.to_string();
            let name = self.reference().tag().unwrap_or(&digest_name);
            self.put_manifest(name, upload.digest, MANIFEST_MEDIA_TYPE, upload.manifest)?;
        }
        Ok(pushed)
    }

    /// Returns the result that [`put`](Self::put) would have, without sending anything.
    pub(super) fn preview(&mut self, upload: &ManifestUpload<'_>) -> Result<PushedImage, RegistryError> {
        self.check_upload(upload)?;
        let missing = self.missing_blobs(upload)?;
        self.compare_tag(upload, missing)
    }

    /// Checks the reference and the size of the manifest.
    fn check_upload(&self, upload: &ManifestUpload<'_>) -> Result<(), RegistryError> {
        let found = upload.digest;
        match self.reference().digest().filter(|requested| *requested != found) {
            Some(requested) => Err(self.error(None, RegistryFault::Mismatch { requested, found })),
            None => self.check_manifest_size(upload.manifest),
        }
    }

    /// Compares the manifest with the one that the reference names in the registry.
    fn compare_tag(&mut self, upload: &ManifestUpload<'_>, sent: SentBlobs) -> Result<PushedImage, RegistryError> {
        let (reference, digest) = (self.reference(), upload.digest);
        let named = self.named_digest(reference.tag().unwrap_or(&digest.to_string()))?;
        Ok(PushedImage {
            reference: reference.clone().with_digest(digest),
            descriptor: Descriptor::for_bytes(MANIFEST_MEDIA_TYPE, upload.manifest),
            sent: sent.digests,
            bytes_sent: sent.bytes,
            previous: named.filter(|_| reference.tag().is_some()),
            is_new: named != Some(digest),
        })
    }

    /// Sends the blobs, and the manifest under its digest. Returns the registry's response to the
    /// manifest.
    pub(super) fn put_untagged(&mut self, upload: &ManifestUpload<'_>) -> Result<Response, RegistryError> {
        self.check_manifest_size(upload.manifest)?;
        self.put_blobs(upload, &mut |_, _| {})?;
        self.put_manifest(&upload.digest.to_string(), upload.digest, MANIFEST_MEDIA_TYPE, upload.manifest)
    }
}

impl SentBlobs {
    fn add(&mut self, digest: Digest, size: u64) {
        self.digests.push(digest);
        self.bytes += size;
    }
}
