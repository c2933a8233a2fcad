//! Image layouts: the names of the images that have a blob as a layer.
//!
//! The walk inspects all files of a layout as in any directory, including those that no image names. This module adds
//! the digest of each blob and the names of its images.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::docker_save;
use super::embedded::Embedded;
use super::images::{BlobId, ImageNames, LayerIndex, NamedTarget, Target, layout_error, target};
use super::store_files::StoreFiles;
use crate::blob::{BlobLocation, WalkError};
use sectile_oci::LayoutError;
use sectile_oci::internal::{INDEX_FILE, MARKER_FILE, check_marker};
use sectile_oci::internal::{Index, ParsedDescriptor, choose_manifest};

/// Whether a directory has the marker file of a layout, and an index or blobs.
///
/// Readers follow a marker that is a symbolic link.
pub(super) fn is_layout(directory: &Path) -> bool {
    let exists = |name: &str| directory.join(name).symlink_metadata().is_ok();
    directory.join(MARKER_FILE).metadata().is_ok_and(|marker| marker.is_file())
        && (exists(INDEX_FILE) || exists("blobs"))
}

/// Reads the images of a layout, and those in the manifest of `docker save`. The names begin with a prefix.
pub(super) fn read_images(
    files: &StoreFiles<'_>,
    prefix: OsString,
    report_error: &mut dyn FnMut(WalkError),
) -> LayerIndex {
    let path = |name: &str| files.directory.join(name);
    let saved = docker_save::read_images(files);
    // An older archive of `docker save` is not a layout.
    let is_layout = saved.is_empty() || files.state(&path(INDEX_FILE)).is_ok();
    let marker = if files.is_on_disk() && is_layout { check_marker(&files.directory) } else { Ok(()) };
    let index = path(INDEX_FILE);
    let named = match marker {
        Ok(()) if is_layout => read_index(files, &prefix, report_error).map_err(|error| (index, error)),
        Ok(()) => Ok(Vec::new()),
        Err(error) => Err((path(MARKER_FILE), error)),
    };
    let named = named.unwrap_or_else(|(path, error)| {
        report_error(layout_error(BlobLocation::new(path), &error));
        Vec::new()
    });
    LayerIndex::resolve(files, prefix, named, saved, report_error)
}

/// The images of a name as in [`NamedTarget::name`]. Without a name, the only image.
pub(super) fn named_images(files: &StoreFiles<'_>, name: &OsStr) -> Vec<NamedTarget> {
    let mut named = read_index(files, OsStr::new(""), &mut |_| {}).unwrap_or_default();
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
    files: &StoreFiles<'_>,
    prefix: &OsStr,
    report_error: &mut dyn FnMut(WalkError),
) -> Result<Vec<NamedTarget>, LayoutError> {
    let index = &files.directory.join(INDEX_FILE);
    let mut named = Vec::new();
    let entries = Index::parse(index, &files.read_json(index)?)?.descriptors(index)?;
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
                let image = [prefix, &*name].into_iter().collect();
                let images = ImageNames { names: vec![image], omits_some: false };
                report_error(layout_error(BlobLocation::of_images(index, images), &error));
            }
        }
    }
    Ok(named)
}

/// Whether each entry is the one that its name stands for, as readers choose it from the entries of that name.
fn chosen_entries(entries: &[ParsedDescriptor]) -> Vec<bool> {
    let mut groups: HashMap<&str, Vec<&ParsedDescriptor>> = HashMap::new();
    for entry in entries {
        if let Some(name) = entry.ref_name() {
            groups.entry(name).or_default().push(entry);
        }
    }
    let chosen: HashMap<&str, Option<&str>> =
        groups.into_iter().map(|(name, group)| (name, choose_manifest(group).map(|entry| &*entry.digest))).collect();
    let is_chosen = |entry: &ParsedDescriptor| {
        entry.ref_name().is_none_or(|name| chosen.get(name).copied().flatten() == Some(&*entry.digest))
    };
    entries.iter().map(is_chosen).collect()
}
