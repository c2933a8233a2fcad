//! Which file it is, and in what state: what tells that it was written to, or that another has taken its place.

use std::fs::Metadata;
use std::time::SystemTime;

/// Identity and state of a file. It differs once the file was written to or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFingerprint {
    /// The file's identity; `None` where the system has none.
    pub file: Option<FileId>,
    /// Its length in bytes.
    pub len: u64,
    modified: Option<SystemTime>,
    /// On Unix, when the inode was last changed, in seconds and nanoseconds: nobody can set it back.
    changed: (i64, i64),
    /// How many names the file has; on Unix alone, elsewhere 1.
    pub links: u64,
}

/// The device and the inode; known on Unix alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    /// The device's number.
    pub device: u64,
    /// The inode's number.
    pub inode: u64,
}

impl FileFingerprint {
    /// The fingerprint of a file with this metadata.
    #[cfg(unix)]
    pub fn new(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            file: Some(FileId { device: metadata.dev(), inode: metadata.ino() }),
            len: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            links: metadata.nlink(),
        }
    }

    /// The fingerprint of a file with this metadata.
    #[cfg(not(unix))]
    pub fn new(metadata: &Metadata) -> Self {
        Self { file: None, len: metadata.len(), modified: metadata.modified().ok(), changed: (0, 0), links: 1 }
    }
}

#[cfg(feature = "json")]
impl FileFingerprint {
    /// As a text: whatever changes the file changes it. On Unix, nobody can set back when that was.
    pub fn text(&self) -> String {
        use crate::json::put;
        let mut text = Vec::with_capacity(64);
        let FileId { device, inode } = self.file.unwrap_or(FileId { device: 0, inode: 0 });
        let (seconds, nanoseconds) = if self.file.is_some() { self.changed } else { self.modified() };
        let put = put!(&mut text, device, ":", inode, ":", self.len, ":", seconds, ".", nanoseconds);
        put.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
        String::from_utf8(text).unwrap_or_default() // digits
    }

    /// When it was written to, in seconds and nanoseconds since 1970.
    fn modified(&self) -> (i64, i64) {
        let since = self.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
        (since.as_secs().cast_signed(), i64::from(since.subsec_nanos()))
    }
}
