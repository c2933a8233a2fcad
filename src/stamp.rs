//! Which file it is, and in what state: what tells that it was written to, or that another has taken its place.

use std::fs::Metadata;
use std::time::SystemTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) file: Option<FileId>,
    pub(crate) len: u64,
    modified: Option<SystemTime>,
    /// On Unix, when the inode was last changed, in seconds and nanoseconds: nobody can set it back.
    changed: (i64, i64),
}

/// The device and the inode; known on Unix alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl Stamp {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            file: Some(FileId { device: metadata.dev(), inode: metadata.ino() }),
            len: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { file: None, len: metadata.len(), modified: metadata.modified().ok(), changed: (0, 0) }
    }
}
