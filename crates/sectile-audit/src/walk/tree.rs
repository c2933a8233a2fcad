//! Walks directory trees, and detects the content-addressed stores in them.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::file::{FileEntry, StoredBlob};
use super::images::{BlobId, LayerIndex};
use super::listing::{self, ListError, ListedEntry, ListedKind};
use super::options::WalkOptions;
use super::store_errors::StoreErrors;
use super::store_files::{StoreFiles, StoreKind};
use super::unit::{Units, WalkEntry};
use super::{docker_save, layout, registry};
use crate::blob::{BlobLocation, WalkError};
use sectile::FindingCode;

/// A content-addressed store in a tree.
struct BlobStore {
    files: StoreFiles<'static>,
    depth: usize,
    images: LayerIndex,
}

/// Walks a root: a file, or a directory with everything below it, or a link to one of them.
pub(super) fn walk(root: &Path, options: &WalkOptions, units: &mut Units<'_>) -> ControlFlow<()> {
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return units.add(WalkEntry::File(FileEntry { is_root: true, ..FileEntry::new(root.to_owned()) })),
        Err(error) => {
            let error = ListError { path: root.to_owned(), reason: error.to_string() };
            return units.add(WalkEntry::Error(unreadable(root, error)));
        }
    }
    let mut stores: Vec<BlobStore> = Vec::new();
    for listed in listing::list(root, options) {
        let ListedEntry { path, depth, kind } = match listed {
            Ok(listed) => listed,
            Err(error) => {
                units.add(WalkEntry::Error(unreadable(root, error)))?;
                continue;
            }
        };
        while stores.last().is_some_and(|store| depth <= store.depth) {
            stores.pop();
        }
        match kind {
            ListedKind::Directory => {
                let (store, errors) = BlobStore::detect(&path, depth);
                for error in errors {
                    units.add(WalkEntry::Error(error))?;
                }
                if let Some(store) = store {
                    for entry in store.images.embedded_layers(&store.files) {
                        units.add(WalkEntry::Embedded(Box::new(entry)))?;
                    }
                    stores.push(store);
                }
            }
            ListedKind::File => {
                // A directory of blobs that looks like a store itself does not hide the outer store.
                let entry = match stores.iter().rev().find_map(|store| store.stored_blob(&path)) {
                    Some(blob) => FileEntry::stored(path, blob),
                    None => FileEntry::new(path),
                };
                units.add(WalkEntry::File(entry))?;
            }
            ListedKind::Link => units.add(link(path))?,
            ListedKind::Other => units.add(special_file(path))?,
        }
    }
    ControlFlow::Continue(())
}

/// Whether a directory is a content-addressed store.
pub(super) fn is_store(directory: &Path, depth: usize) -> bool {
    store_kind(directory, depth).is_some()
}

fn store_kind(directory: &Path, depth: usize) -> Option<StoreKind> {
    let is_layout = layout::is_layout(directory);
    if may_be_registry(directory, depth == 0) && !is_layout {
        return Some(StoreKind::Registry);
    }
    let is_layout = is_layout || docker_save::is_archive(&StoreFiles::on_disk(directory, StoreKind::Layout));
    is_layout.then_some(StoreKind::Layout)
}

fn may_be_registry(directory: &Path, is_root: bool) -> bool {
    (is_root || directory.file_name().is_some_and(|name| name == "v2")) && registry::is_registry(directory)
}

impl BlobStore {
    /// Detects a store, and the errors in it.
    fn detect(directory: &Path, depth: usize) -> (Option<Self>, Vec<WalkError>) {
        let mut errors = StoreErrors::default();
        let mut report_error = |error| errors.add(error);
        let Some(kind) = store_kind(directory, depth) else { return (None, Vec::new()) };
        let files = StoreFiles::on_disk(directory, kind);
        let images = match kind {
            StoreKind::Registry => registry::read_images(&files, &mut report_error),
            StoreKind::Layout => layout::read_images(&files, layout::prefix(directory), &mut report_error),
        };
        (Some(Self { files, depth, images }), errors.finish(BlobLocation::new(directory)))
    }

    /// The digest and the names of a file, if it is a blob of the store.
    fn stored_blob(&self, file: &Path) -> Option<StoredBlob> {
        let blob = self.files.blob(file)?;
        let is_blob = !matches!(blob, BlobId::File(_)) || self.images.is_layer(&blob);
        is_blob.then(|| StoredBlob::new(&blob, &self.images))
    }
}

/// A symbolic link, which is not followed.
pub(super) fn link(path: PathBuf) -> WalkEntry {
    skipped(path, FindingCode::NotFollowed, "it is a symbolic link")
}

/// A FIFO, a socket or a device, which is not opened.
pub(super) fn special_file(path: PathBuf) -> WalkEntry {
    skipped(path, FindingCode::NotAFile, "it is a FIFO, a socket or a device")
}

fn skipped(path: PathBuf, code: FindingCode, message: &str) -> WalkEntry {
    WalkEntry::Error(WalkError::new(BlobLocation::new(path), code, message))
}

fn unreadable(root: &Path, ListError { path, reason }: ListError) -> WalkError {
    let path = if path.as_os_str().is_empty() { root.to_owned() } else { path };
    WalkError::new(BlobLocation::new(path), FindingCode::Unreadable, reason)
}
