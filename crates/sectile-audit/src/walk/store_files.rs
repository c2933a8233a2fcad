//! The files of a content-addressed store, on disk or in a tar.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::images::BlobId;
use crate::fill::fill_exact_at;
use sectile::Input;
use sectile_oci::LayoutError;
use sectile_oci::MAX_MANIFEST_SIZE;
use sectile_oci::internal::{io_error, malformed_error, read_json};

/// The paths of a store's blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreKind {
    /// `blobs/sha256/HEX`, or the paths in the manifest of `docker save`.
    Layout,
    /// `blobs/sha256/HE/HEX/data`.
    Registry,
}

/// The files of a store.
pub(super) struct StoreFiles<'t> {
    /// The directory, which is empty in a tar.
    pub(super) directory: PathBuf,
    pub(super) kind: StoreKind,
    tar: Option<&'t TarFiles<'t>>,
}

/// The type of a file.
pub(super) enum FileState {
    /// A regular file of this length.
    Regular(u64),
    Directory,
    Other,
}

/// The files in a tar.
pub(super) struct TarFiles<'i> {
    pub(super) input: &'i Input,
    pub(super) files: TarIndex,
}

/// The regular files in a tar with their ranges, and its links, which have none.
pub(super) type TarIndex = HashMap<String, Option<Range<u64>>>;

impl<'t> StoreFiles<'t> {
    pub(super) fn on_disk(directory: impl Into<PathBuf>, kind: StoreKind) -> Self {
        Self { directory: directory.into(), kind, tar: None }
    }

    pub(super) fn in_tar(tar: &'t TarFiles<'t>) -> Self {
        Self { directory: PathBuf::new(), kind: StoreKind::Layout, tar: Some(tar) }
    }

    /// Whether links to blobs may exist, which readers follow.
    pub(super) fn is_on_disk(&self) -> bool {
        self.tar.is_none()
    }

    /// The path of a blob.
    pub(super) fn path(&self, blob: &BlobId) -> PathBuf {
        let (algorithm, hex) = match blob {
            BlobId::Computed(digest) => ("sha256", digest.hex()),
            BlobId::Uncomputed(digest) => (digest.algorithm(), digest.hex().to_owned()),
            BlobId::File(path) => return self.directory.join(&**path),
        };
        let blobs = self.directory.join("blobs").join(algorithm);
        match self.kind {
            StoreKind::Layout => blobs.join(hex),
            StoreKind::Registry => blobs.join(&hex[..2]).join(hex).join("data"),
        }
    }

    /// The blob that a file of the store may be.
    pub(super) fn blob(&self, file: &Path) -> Option<BlobId> {
        blob_at(file.strip_prefix(&self.directory).ok()?.to_str()?, self.kind)
    }

    /// Reads a document.
    pub(super) fn read_json(&self, path: &Path) -> Result<Vec<u8>, LayoutError> {
        let Some(tar) = self.tar else { return read_json(path) };
        let range = tar.find(path).cloned().flatten().ok_or_else(|| LayoutError::Missing(path.to_owned()))?;
        let len = range.end - range.start;
        if len > MAX_MANIFEST_SIZE {
            return Err(malformed_error(path, format!("it has more than {MAX_MANIFEST_SIZE} bytes")));
        }
        let mut bytes = vec![0; len as usize];
        fill_exact_at(tar.input, &mut bytes, range.start).map_err(|error| io_error(path, error))?;
        Ok(bytes)
    }

    /// The type of a file.
    pub(super) fn state(&self, path: &Path) -> io::Result<FileState> {
        let Some(tar) = self.tar else {
            let metadata = path.symlink_metadata()?;
            return Ok(match () {
                () if metadata.is_file() => FileState::Regular(metadata.len()),
                () if metadata.is_dir() => FileState::Directory,
                () => FileState::Other,
            });
        };
        let range = tar.find(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(range.as_ref().map_or(FileState::Other, |range| FileState::Regular(range.end - range.start)))
    }
}

impl TarFiles<'_> {
    fn find(&self, path: &Path) -> Option<&Option<Range<u64>>> {
        self.files.get(&*path.to_str()?.replace(std::path::MAIN_SEPARATOR, "/"))
    }
}

/// The blob that a file at this path in a store may be.
pub(super) fn blob_at(path: &str, kind: StoreKind) -> Option<BlobId> {
    let digest = digest_at(path, kind).and_then(|digest| BlobId::parse(&digest));
    match kind {
        StoreKind::Layout => digest.or_else(|| file_blob(path)),
        StoreKind::Registry => digest,
    }
}

/// The digest in the path of a blob.
fn digest_at(path: &str, kind: StoreKind) -> Option<String> {
    let parts: Vec<&str> = path.split(std::path::is_separator).collect();
    match (kind, &parts[..]) {
        (StoreKind::Layout, ["blobs", algorithm, hex]) => Some(format!("{algorithm}:{hex}")),
        (StoreKind::Registry, ["blobs", algorithm, start, hex, "data"]) if hex.starts_with(start) => {
            Some(format!("{algorithm}:{hex}"))
        }
        _ => None,
    }
}

/// A blob with this path in the store, as the manifest of `docker save` names layers.
pub(super) fn file_blob(path: &str) -> Option<BlobId> {
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    (is_inside && !path.is_empty()).then(|| BlobId::File(path.into()))
}
