//! Image layouts on disk: `oci-layout`, `index.json`, and `blobs/sha256`, a file for each blob, called by its digest.
//!
//! Source: the OCI image specification's `image-layout.md`.

mod error;
pub(crate) mod index;
mod locator;
pub(crate) mod picked;
mod stored;
mod write;

pub use self::error::LayoutError;
pub use self::locator::{Locator, Selector};
#[cfg(feature = "push")]
pub(super) use self::picked::{Picked, Pointer};
pub use self::stored::Stored;
pub use self::write::{Added, Layout, RefName};

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::descriptor::MAX_MANIFEST;
use crate::digest::Digest;
use crate::store::{self, Link};

/// The file that says that a directory is a layout.
pub(crate) const MARKER: &str = "oci-layout";
pub(crate) const INDEX_FILE: &str = "index.json";

/// The annotation that a descriptor in `index.json` is called by.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Where a blob lies. A digest is 32 bytes, so that its name leads nowhere else.
pub(crate) fn blob_path(directory: &Path, digest: Digest) -> PathBuf {
    directory.join("blobs").join("sha256").join(digest.hex())
}

/// Opens a file of a layout: a regular one, and no link to anything.
pub(crate) fn open_regular(path: &Path) -> Result<File, LayoutError> {
    let file = match store::open(path, OpenOptions::new().read(true), Link::Refused) {
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

/// Reads a file of JSON, which may be as large as a manifest.
pub(crate) fn read_json(path: &Path) -> Result<Vec<u8>, LayoutError> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_MANIFEST + 1).read_to_end(&mut bytes).map_err(|error| LayoutError::io(path, error))?;
    if bytes.len() as u64 > MAX_MANIFEST {
        return Err(LayoutError::malformed(path, format!("it has more than {MAX_MANIFEST} bytes")));
    }
    Ok(bytes)
}

/// Checks the file that says that a directory is a layout, and of which version.
pub(crate) fn check_marker(directory: &Path) -> Result<(), LayoutError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marker {
        image_layout_version: String,
    }

    let path = directory.join(MARKER);
    let bytes = match read_json(&path) {
        Err(LayoutError::Missing(_)) => return Err(LayoutError::NotLayout(directory.to_owned())),
        bytes => bytes?,
    };
    let marker: Marker = parse(&path, &bytes)?;
    match &*marker.image_layout_version {
        "1.0.0" => Ok(()),
        _ => Err(LayoutError::malformed(&path, "it is not of version 1.0.0".to_owned())),
    }
}

/// Decodes JSON that stands in this file.
fn parse<'a, T: serde::Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, LayoutError> {
    serde_json::from_slice(bytes).map_err(|error| LayoutError::malformed(path, error.to_string()))
}
