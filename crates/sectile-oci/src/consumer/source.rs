//! Places from which the documents and blobs of an image are read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::LayoutError;
use crate::layout::{Pointer, blob_path, open_regular, read_json};
use sectile::digest::Digest;

/// A layout or a registry.
pub(crate) trait ImageSource {
    type Error: From<LayoutError>;

    /// Returns the name of a document or a blob in errors.
    fn path(&self, digest: Digest) -> PathBuf;

    /// Reads a manifest or an index.
    fn document(&mut self, pointer: &Pointer) -> Result<Vec<u8>, Self::Error>;

    /// Opens a blob of this size; `None` if it does not exist.
    fn blob(&mut self, digest: Digest, size: u64) -> Result<Option<Box<dyn Read + '_>>, Self::Error>;

    /// Converts an error of a reader of a blob.
    fn read_error(&self, digest: Digest, error: io::Error) -> Self::Error;
}

/// A layout on disk.
pub(super) struct LayoutSource<'a> {
    pub(super) directory: &'a Path,
}

impl ImageSource for LayoutSource<'_> {
    type Error = LayoutError;

    fn path(&self, digest: Digest) -> PathBuf {
        blob_path(self.directory, digest)
    }

    fn document(&mut self, pointer: &Pointer) -> Result<Vec<u8>, LayoutError> {
        read_json(&self.path(pointer.digest))
    }

    fn blob(&mut self, digest: Digest, _size: u64) -> Result<Option<Box<dyn Read + '_>>, LayoutError> {
        match open_regular(&self.path(digest)) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(LayoutError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_error(&self, digest: Digest, error: io::Error) -> LayoutError {
        LayoutError::io(&self.path(digest), error)
    }
}
