//! Image layouts, wherever they are met: what their images call their blobs.
//!
//! All that lies in a layout is looked into as in every directory, also what no image names. Blobs know their digest, and the
//! images that have them as a layer.

use std::ffi::OsString;
use std::path::Path;

use super::images::{Images, Named, malformed, pointer};
use crate::audit::blob::{Place, Trouble};
use crate::oci::LayoutError;
use crate::oci::layout::index::Index;
use crate::oci::layout::{INDEX_FILE, MARKER, blob_path, check_marker, read_json};

/// Whether a directory says that it is a layout.
pub(super) fn is_layout(directory: &Path) -> bool {
    directory.join(MARKER).symlink_metadata().is_ok()
}

/// What the images of a layout call its blobs.
pub(super) fn images(directory: &Path, trouble: &mut dyn FnMut(Trouble)) -> Images {
    let index = directory.join(INDEX_FILE);
    match check_marker(directory).and_then(|()| named(directory, &index, trouble)) {
        Ok(named) => Images::resolve(directory, named, &|digest| blob_path(directory, digest), trouble),
        Err(error) => {
            trouble(malformed(Place::new(index), &error));
            Images::default()
        }
    }
}

/// What the index of a layout points to: as `oci:DIR:NAME`, or `oci:DIR@sha256:…`.
fn named(directory: &Path, index: &Path, trouble: &mut dyn FnMut(Trouble)) -> Result<Vec<Named>, LayoutError> {
    let mut named = Vec::new();
    for entry in Index::parse(index, &read_json(index)?)?.entries(index)? {
        let mut name = OsString::from("oci:");
        name.push(directory);
        if let Some(tag) = entry.ref_name() {
            name.push(":");
            name.push(tag);
        } else {
            name.push("@");
            name.push(&entry.digest);
        }
        match pointer(index, entry) {
            Ok(pointer) => named.push(Named { pointer, name }),
            Err(error) => trouble(malformed(Place { file: index.into(), others: vec![name] }, &error)),
        }
    }
    Ok(named)
}
