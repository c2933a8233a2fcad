//! Manifests and blobs of an image, fetched to check the image.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Instant;

use super::blob_download::BlobDownload;
use super::client::Client;
use super::error::RegistryError;
use super::image::{ACCEPTED_MEDIA_TYPES, DEFAULT_TAG, RegistryImageError};
use super::reference::Reference;
use super::session::{Access, Session};
use crate::consumer::{Consumer, ImageCheck, ImageSource};
use crate::layout::Pointer;
use sectile::digest::Digest;

impl Client {
    /// Checks an image against the rules of consumers, by the reference's digest, or else by its
    /// tag, or else by the tag `latest`.
    ///
    /// Fetches manifests and configs, and the part of a layer that a rule needs.
    ///
    /// # Errors
    ///
    /// - The registry does not have the image or denies access.
    /// - A document is malformed, or differs from its descriptor.
    pub fn check(&self, reference: &Reference, consumers: &[Consumer]) -> Result<ImageCheck, RegistryImageError> {
        let deadline = Instant::now().checked_add(self.options.total_timeout);
        let mut session = Session::new(self, reference, Access::Pull)?.with_deadline(deadline);
        let (digest, tagged) = session.root_document(reference)?;
        let mut source = RegistrySource { session, reference, tagged };
        ImageCheck::run(&mut source, &Pointer::new(digest), consumers)
    }
}

impl Session<'_> {
    /// Returns the digest of the document that a reference names, and the document if a request was
    /// needed to find the digest.
    pub(super) fn root_document(&mut self, reference: &Reference) -> Result<(Digest, Option<Vec<u8>>), RegistryError> {
        if let Some(digest) = reference.digest() {
            return Ok((digest, None));
        }
        let bytes = self.document(reference.tag().unwrap_or(DEFAULT_TAG))?;
        Ok((Digest::new(&bytes), Some(bytes)))
    }

    /// Returns the manifest or index with a tag or a digest.
    pub(super) fn document(&mut self, name: &str) -> Result<Vec<u8>, RegistryError> {
        self.manifest(name, &ACCEPTED_MEDIA_TYPES.join(", "))
    }
}

/// The repository of an image.
struct RegistrySource<'c> {
    session: Session<'c>,
    reference: &'c Reference,
    /// The document that the tag names.
    tagged: Option<Vec<u8>>,
}

impl ImageSource for RegistrySource<'_> {
    type Error = RegistryImageError;

    fn path(&self, digest: Digest) -> PathBuf {
        PathBuf::from(format!("{}/{}@{digest}", self.reference.registry(), self.reference.repository()))
    }

    fn document(&mut self, pointer: &Pointer) -> Result<Vec<u8>, RegistryImageError> {
        match self.tagged.take() {
            Some(bytes) => Ok(bytes),
            None => Ok(self.session.document(&pointer.digest.to_string())?),
        }
    }

    fn blob(&mut self, digest: Digest, size: u64) -> Result<Option<Box<dyn Read + '_>>, RegistryImageError> {
        match BlobDownload::begin(&mut self.session, digest, size) {
            Ok(reader) => Ok(Some(Box::new(reader))),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read_error(&self, digest: Digest, error: io::Error) -> RegistryImageError {
        error.downcast::<RegistryError>().map_or_else(
            |error| crate::LayoutError::malformed(&self.path(digest), error.to_string()).into(),
            RegistryImageError::from,
        )
    }
}
