//! The images in the manifest of an archive of `docker save`, as a tar or extracted.
//!
//! The archive has a `manifest.json`. Docker 25 also makes it an image layout; older versions have a directory for each
//! layer. Source: Docker's `image/tarexport`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::Deserialize;

use super::images::BlobId;
use super::store_files::{StoreFiles, file_blob};

/// The file with the images.
pub(super) const MANIFEST_FILE: &str = "manifest.json";

/// An image, and the layers as paths.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageJson {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// An image with its layers.
pub(super) struct SavedImage {
    /// Its names after `oci:DIR`.
    pub(super) names: Vec<OsString>,
    pub(super) layers: Vec<BlobId>,
}

impl SavedImage {
    /// The image by this name only, to which the name of a layer may be added after `@`.
    pub(super) fn named(self, name: &OsStr) -> Option<Self> {
        let is_named = |own: &OsString| {
            let rest = name.as_encoded_bytes().strip_prefix(own.as_encoded_bytes());
            matches!(rest, Some([] | [b'@', ..]))
        };
        let names: Vec<OsString> = self.names.into_iter().filter(is_named).collect();
        (!names.is_empty()).then_some(Self { names, layers: self.layers })
    }
}

/// Whether the files are those of an archive that is not a layout.
pub(super) fn is_archive(files: &StoreFiles<'_>) -> bool {
    !read_images(files).is_empty()
}

/// Reads the images. Returns none if the file does not exist or is something else: other formats use its name.
pub(super) fn read_images(files: &StoreFiles<'_>) -> Vec<SavedImage> {
    let Ok(bytes) = files.read_json(&files.directory.join(MANIFEST_FILE)) else { return Vec::new() };
    let images: Vec<ImageJson> = serde_json::from_slice(&bytes).unwrap_or_default();
    let blob = |path: &String| match files.blob(&files.directory.join(path)) {
        Some(BlobId::File(_)) | None => file_blob(path),
        blob => blob,
    };
    let saved = |image: ImageJson| {
        let tags = image.repo_tags.unwrap_or_default();
        let mut names: Vec<OsString> = tags.iter().map(|tag| format!(":{tag}").into()).collect();
        if names.is_empty() {
            let config = Path::new(&image.config).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            names.extend(BlobId::parse(&format!("sha256:{config}")).map(|id| format!("@{id}").into()));
        }
        SavedImage { names, layers: image.layers.iter().filter_map(blob).collect() }
    };
    images.into_iter().map(saved).collect()
}
