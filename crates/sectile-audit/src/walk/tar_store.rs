//! An image layout, or an archive of `docker save`, in a tar that is a local file.

use std::ffi::OsStr;
use std::path::Path;

use super::archive::{Budget, tar_files};
use super::docker_save;
use super::embedded::{Embedded, EmbeddedEntry};
use super::file::StoredBlob;
use super::images::{BlobId, LayerIndex};
use super::layout;
use super::store_files::{StoreFiles, StoreKind, TarFiles, blob_at};
use crate::blob::WalkError;
use sectile::Input;
use sectile_oci::internal::{INDEX_FILE, MARKER_FILE};

/// The images in a tar.
pub(super) struct TarStore {
    images: LayerIndex,
    /// The layers that are not entries, but in descriptors, by the names that their entries would have.
    pub(super) embedded: Vec<(String, Embedded)>,
    pub(super) errors: Vec<WalkError>,
}

/// The files of which a store has one.
const SIGNS: [&str; 2] = [INDEX_FILE, docker_save::MANIFEST_FILE];

/// Lists the files of a tar that may be a store. Returns `None` if it is not one, or if readers may disagree about its
/// entries.
pub(super) fn store_files<'i>(input: &'i Input, head: &[u8], budget: &Budget) -> Option<TarFiles<'i>> {
    let files = if may_begin(head) { tar_files(input, budget)? } else { return None };
    SIGNS.iter().any(|sign| files.contains_key(*sign)).then_some(TarFiles { input, files })
}

impl TarStore {
    /// Reads the images in the tar with this path.
    pub(super) fn read(path: &OsStr, files: &TarFiles<'_>) -> Self {
        let mut errors = Vec::new();
        let store = StoreFiles::in_tar(files);
        let images = layout::read_images(&store, layout::prefix(Path::new(path)), &mut |error| {
            if errors.len() < MAX_ERRORS {
                errors.push(error);
            }
        });
        let entry_name = |blob: &BlobId| store.path(blob).to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
        let place = |EmbeddedEntry { blob, place, .. }| (entry_name(&blob), place);
        let embedded = images.embedded_layers(&store).map(place).collect();
        Self { images, embedded, errors }
    }

    /// The layer in an entry.
    pub(super) fn layer(&self, entry: &OsStr) -> Option<StoredBlob> {
        let blob = blob_at(normalized(entry.to_str()?), StoreKind::Layout)?;
        self.images.is_layer(&blob).then(|| StoredBlob::new(&blob, &self.images))
    }
}

/// Maximum number of findings on the images of one tar.
const MAX_ERRORS: usize = 1_000;

/// The name of an entry without a leading `./`.
pub(super) fn normalized(name: &str) -> &str {
    name.trim_start_matches("./")
}

/// Whether the first entry of a tar may be that of a store. Most tars are not examined further.
fn may_begin(head: &[u8]) -> bool {
    let name = head.get(..100).unwrap_or_default().split(|&byte| byte == 0).next().unwrap_or_default();
    let name = normalized(std::str::from_utf8(name).unwrap_or_default());
    let is_hexadecimal = name.len() >= 64 && name.bytes().take(64).all(|byte| byte.is_ascii_hexdigit());
    let starts = ["blobs", MARKER_FILE, INDEX_FILE, docker_save::MANIFEST_FILE, "repositories"];
    name.is_empty() || is_hexadecimal || starts.iter().any(|start| name.starts_with(start))
}
