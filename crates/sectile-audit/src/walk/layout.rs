//! Image layouts: the names of the images that have a blob as a layer.
//!
//! The walk inspects all files of a layout as in any directory, including those that no image names. This module adds
//! the digest of each blob and the names of its images.

use std::ffi::OsString;
use std::path::Path;

use super::images::{LayerIndex, NamedPointer, layout_error, pointer};
use crate::blob::{BlobLocation, WalkError};
use sectile_oci::LayoutError;
use sectile_oci::internal::Index;
use sectile_oci::internal::{INDEX_FILE, MARKER_FILE, blob_path, check_marker, read_json};

/// Whether a directory has the marker file of a layout.
pub(super) fn is_layout(directory: &Path) -> bool {
    directory.join(MARKER_FILE).symlink_metadata().is_ok()
}

/// Reads the images of a layout.
pub(super) fn read_images(directory: &Path, report_error: &mut dyn FnMut(WalkError)) -> LayerIndex {
    let index = directory.join(INDEX_FILE);
    match check_marker(directory).and_then(|()| read_index(directory, &index, report_error)) {
        Ok(named) => LayerIndex::resolve(directory, named, &|digest| blob_path(directory, digest), report_error),
        Err(error) => {
            report_error(layout_error(BlobLocation::new(index), &error));
            LayerIndex::default()
        }
    }
}

/// Reads the index of a layout. The names are `oci:DIR:NAME` or `oci:DIR@sha256:…`.
fn read_index(
    directory: &Path,
    index: &Path,
    report_error: &mut dyn FnMut(WalkError),
) -> Result<Vec<NamedPointer>, LayoutError> {
    let mut named = Vec::new();
    for entry in Index::parse(index, &read_json(index)?)?.descriptors(index)? {
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
            Ok(pointer) => named.push(NamedPointer { pointer, name }),
            Err(error) => {
                report_error(layout_error(BlobLocation { file: index.into(), other_names: vec![name] }, &error));
            }
        }
    }
    Ok(named)
}
