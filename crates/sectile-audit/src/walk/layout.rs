//! Image layouts: the names of the images that have a blob as a layer.
//!
//! The walk inspects all files of a layout as in any directory, including those that no image names. This module adds
//! the digest of each blob and the names of its images.

use std::ffi::OsString;
use std::path::Path;

use super::images::{LayerIndex, NamedTarget, layout_error, target};
use crate::blob::{BlobLocation, WalkError};
use sectile_oci::LayoutError;
use sectile_oci::internal::Index;
use sectile_oci::internal::{INDEX_FILE, MARKER_FILE, check_marker, read_json};

/// Whether a directory has the marker file of a layout, and an index or blobs.
///
/// Readers follow a marker that is a symbolic link.
pub(super) fn is_layout(directory: &Path) -> bool {
    let exists = |name: &str| directory.join(name).symlink_metadata().is_ok();
    directory.join(MARKER_FILE).metadata().is_ok_and(|marker| marker.is_file())
        && (exists(INDEX_FILE) || exists("blobs"))
}

/// Reads the images of a layout.
pub(super) fn read_images(directory: &Path, report_error: &mut dyn FnMut(WalkError)) -> LayerIndex {
    let index = directory.join(INDEX_FILE);
    let marker = check_marker(directory).map_err(|error| (directory.join(MARKER_FILE), error));
    let named = marker.and_then(|()| read_index(directory, &index, report_error).map_err(|error| (index, error)));
    match named {
        Ok(named) => LayerIndex::resolve(
            directory,
            prefix(directory),
            named,
            &|algorithm, hex| directory.join("blobs").join(algorithm).join(hex),
            report_error,
        ),
        Err((path, error)) => {
            report_error(layout_error(BlobLocation::new(path), &error));
            LayerIndex::default()
        }
    }
}

/// The start of the names `oci:DIR:NAME` and `oci:DIR@sha256:…`.
fn prefix(directory: &Path) -> OsString {
    let mut prefix = OsString::from("oci:");
    prefix.push(directory);
    prefix
}

/// Reads the index of a layout. The names have no prefix.
fn read_index(
    directory: &Path,
    index: &Path,
    report_error: &mut dyn FnMut(WalkError),
) -> Result<Vec<NamedTarget>, LayoutError> {
    let mut named = Vec::new();
    for entry in Index::parse(index, &read_json(index)?)?.descriptors(index)? {
        let mut name = OsString::new();
        if let Some(tag) = entry.ref_name() {
            name.push(":");
            name.push(tag);
        } else {
            name.push("@");
            name.push(&entry.digest);
        }
        match target(index, entry) {
            Ok(target) => named.push(NamedTarget { target, name }),
            Err(error) => {
                let mut image = prefix(directory);
                image.push(name);
                let location = BlobLocation { other_names: vec![image], ..BlobLocation::new(index) };
                report_error(layout_error(location, &error));
            }
        }
    }
    Ok(named)
}
