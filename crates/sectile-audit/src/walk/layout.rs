//! Image layouts: the names of the images that have a blob as a layer.
//!
//! The walk inspects all files of a layout as in any directory, including those that no image names. This module adds
//! the digest of each blob and the names of its images.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::embedded::Embedded;
use super::images::{BlobId, ImageNames, LayerIndex, NamedTarget, Target, layout_error, target};
use crate::blob::{BlobLocation, WalkError};
use sectile_oci::LayoutError;
use sectile_oci::internal::{INDEX_FILE, MARKER_FILE, check_marker, read_json};
use sectile_oci::internal::{Index, ParsedDescriptor, choose_manifest};

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
        Ok(named) => LayerIndex::resolve(directory, prefix(directory), named, &blob_path(directory), report_error),
        Err((path, error)) => {
            report_error(layout_error(BlobLocation::new(path), &error));
            LayerIndex::default()
        }
    }
}

/// The path of a blob.
pub(super) fn blob_path(directory: &Path) -> impl Fn(&str, &str) -> PathBuf {
    move |algorithm, hex| directory.join("blobs").join(algorithm).join(hex)
}

/// The images of a name as in [`NamedTarget::name`]. Without a name, the only image.
pub(super) fn named_images(directory: &Path, name: &OsStr) -> Vec<NamedTarget> {
    let mut named = read_index(directory, &directory.join(INDEX_FILE), &mut |_| {}).unwrap_or_default();
    if name.is_empty() {
        named.retain(|image| image.is_chosen);
        return if named.len() == 1 { named } else { Vec::new() };
    }
    named.retain(|image| image.name == name);
    let blob = name.to_str().and_then(|name| BlobId::parse(name.strip_prefix('@')?));
    if let Some(blob) = blob.filter(|_| named.is_empty()) {
        // A manifest with a name, or below an index.
        let target = Target::new(blob);
        named.push(NamedTarget { target, name: name.to_owned(), is_chosen: true, embedded: None });
    }
    named
}

/// The start of the names `oci:DIR:NAME` and `oci:DIR@sha256:…`.
pub(super) fn prefix(directory: &Path) -> OsString {
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
    let entries = Index::parse(index, &read_json(index)?)?.descriptors(index)?;
    let chosen = chosen_entries(&entries);
    for (entry, is_chosen) in entries.into_iter().zip(chosen) {
        let mut name = OsString::new();
        if let Some(tag) = entry.ref_name() {
            name.push(":");
            name.push(tag);
        } else {
            name.push("@");
            name.push(&entry.digest);
        }
        let embedded = entry.data.as_ref().and_then(|_| Embedded::file(index).with_blob(&entry.digest));
        let embedded = embedded.map(|(_, place)| place);
        match target(index, entry) {
            Ok(target) => named.push(NamedTarget { target, name, is_chosen, embedded }),
            Err(error) => {
                let mut image = prefix(directory);
                image.push(name);
                let images = ImageNames { names: vec![image], omits_some: false };
                report_error(layout_error(BlobLocation::of_images(index, images), &error));
            }
        }
    }
    Ok(named)
}

/// Whether each entry is the one that its name stands for, as readers choose it from the entries of that name.
fn chosen_entries(entries: &[ParsedDescriptor]) -> Vec<bool> {
    let mut groups: HashMap<&str, Vec<ParsedDescriptor>> = HashMap::new();
    for entry in entries {
        if let Some(name) = entry.ref_name() {
            groups.entry(name).or_default().push(entry.clone());
        }
    }
    let chosen: HashMap<&str, Option<&str>> =
        groups.iter().map(|(name, group)| (*name, choose_manifest(group).map(|entry| &*entry.digest))).collect();
    let is_chosen = |entry: &ParsedDescriptor| {
        entry.ref_name().is_none_or(|name| chosen.get(name).copied().flatten() == Some(&*entry.digest))
    };
    entries.iter().map(is_chosen).collect()
}
