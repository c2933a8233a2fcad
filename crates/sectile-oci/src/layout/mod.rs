//! Image layouts on disk: `oci-layout`, `index.json`, and `blobs/sha256` with one file per blob. A
//! blob file is named after its digest.
//!
//! Source: `image-layout.md` of the OCI image specification.

mod error;
mod image;
pub(crate) mod index;
pub(crate) mod locator;
pub(crate) mod resolve;
mod write;

pub use self::error::LayoutError;
#[cfg(feature = "registry")]
pub(super) use self::image::listed;
pub(super) use self::image::select;
pub use self::image::{LayoutImage, open};
pub use self::locator::{Locator, Selector};
#[cfg(feature = "registry")]
pub(super) use self::resolve::ResolvedImage;
pub(super) use self::resolve::{Pointer, check_size};
pub use self::write::{AddedImage, Layout, RefName};

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::descriptor::MAX_MANIFEST_SIZE;
use sectile::digest::{Digest, DigestError};
use sectile::internal::{self, Link};

/// The file that marks a directory as a layout.
pub const MARKER_FILE: &str = "oci-layout";
/// The index of a layout's images.
pub const INDEX_FILE: &str = "index.json";

/// The annotation with an image's name, on its descriptor in `index.json`.
const REF_NAME_KEY: &str = "org.opencontainers.image.ref.name";

/// Returns the path of a blob.
///
/// The path stays within the layout, because a [`Digest`] is 32 bytes and not text from the input.
pub fn blob_path(directory: &Path, digest: Digest) -> PathBuf {
    directory.join("blobs").join("sha256").join(digest.hex())
}

/// Opens a file of a layout, which must be a regular file and not a link.
///
/// # Errors
///
/// The file does not exist, is not regular, or cannot be opened.
pub fn open_regular(path: &Path) -> Result<File, LayoutError> {
    let file = match internal::open(path, OpenOptions::new().read(true), Link::Refused) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LayoutError::Missing(path.to_owned())),
        Err(_) if path.is_symlink() => return Err(LayoutError::NotRegular(path.to_owned())),
        Err(error) => return Err(LayoutError::io(path, error)),
    };
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(file),
        Ok(_) => Err(LayoutError::NotRegular(path.to_owned())),
        Err(error) => Err(LayoutError::io(path, error)),
    }
}

/// Reads a JSON file of at most [`MAX_MANIFEST_SIZE`] bytes.
///
/// # Errors
///
/// As for [`open_regular`]; the file cannot be read or is too large.
pub fn read_json(path: &Path) -> Result<Vec<u8>, LayoutError> {
    read_json_file(path, &open_regular(path)?)
}

/// Reads an open JSON file of at most [`MAX_MANIFEST_SIZE`] bytes.
fn read_json_file(path: &Path, file: &File) -> Result<Vec<u8>, LayoutError> {
    let mut bytes = Vec::new();
    file.take(MAX_MANIFEST_SIZE + 1).read_to_end(&mut bytes).map_err(|error| LayoutError::io(path, error))?;
    if bytes.len() as u64 > MAX_MANIFEST_SIZE {
        return Err(LayoutError::malformed(path, format!("it has more than {MAX_MANIFEST_SIZE} bytes")));
    }
    Ok(bytes)
}

/// Checks that a directory is marked as a layout of the supported version.
///
/// # Errors
///
/// The directory is not a layout, or its marker is malformed or of another version.
pub fn check_marker(directory: &Path) -> Result<(), LayoutError> {
    let path = directory.join(MARKER_FILE);
    let bytes = match read_json(&path) {
        Err(LayoutError::Missing(_)) => return Err(LayoutError::NotLayout(directory.to_owned())),
        bytes => bytes?,
    };
    check_marker_json(&path, &bytes)
}

/// Checks the contents of the file that marks a directory as a layout.
fn check_marker_json(path: &Path, bytes: &[u8]) -> Result<(), LayoutError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct MarkerJson {
        image_layout_version: String,
    }

    let marker: MarkerJson = parse(path, bytes)?;
    match &*marker.image_layout_version {
        "1.0.0" => Ok(()),
        _ => Err(LayoutError::malformed(path, "it is not of version 1.0.0")),
    }
}

/// Decodes the JSON of a file.
pub(crate) fn parse<'a, T: serde::Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, LayoutError> {
    serde_json::from_slice(bytes).map_err(|error| LayoutError::malformed(path, error.to_string()))
}

/// Creates a [`LayoutError::Io`].
pub fn io_error(path: &Path, error: io::Error) -> LayoutError {
    LayoutError::io(path, error)
}

/// Creates a [`LayoutError::Malformed`].
pub fn malformed_error(path: &Path, reason: String) -> LayoutError {
    LayoutError::malformed(path, reason)
}

/// Creates a [`LayoutError::SizeMismatch`].
pub fn size_error(digest: Digest, found: u64, expected: u64) -> LayoutError {
    LayoutError::SizeMismatch { digest, found, expected }
}

/// Creates a [`LayoutError::DigestMismatch`].
pub fn mismatch_error(expected: Digest, found: Digest) -> LayoutError {
    LayoutError::DigestMismatch { expected, found }
}

/// Creates a [`LayoutError::InvalidDigest`].
pub fn digest_error(path: &Path, source: DigestError) -> LayoutError {
    LayoutError::InvalidDigest { file: path.to_owned(), source }
}
