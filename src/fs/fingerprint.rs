//! Which file it is, and in what state: what tells that it was written to, or that another has taken its place.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// Identity and state of a file. It differs once the file was written to or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFingerprint {
    /// The file's identity; `None` where the system has none.
    pub file: Option<FileId>,
    /// Its length in bytes.
    pub len: u64,
    modified: Option<SystemTime>,
    /// On Unix, when the inode was last changed, in seconds and nanoseconds. No program can set it back.
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

impl FileFingerprint {
    /// The time after which a change of the file has another time stamp than this fingerprint.
    ///
    /// A stamp without a fraction of a second is taken for one of a file system that counts in seconds, or in two.
    /// Others have the precision of the kernel's tick, which is at most 10 milliseconds.
    pub fn settles_at(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.stamp();
        let resolution = if nanoseconds == 0 { COARSE } else { FINE };
        let stamp = Duration::new(seconds.unsigned_abs(), nanoseconds.unsigned_abs().try_into().unwrap_or(0));
        let epoch = SystemTime::UNIX_EPOCH;
        let stamp = if seconds < 0 { Some(epoch) } else { epoch.checked_add(stamp) };
        stamp.and_then(|stamp| stamp.checked_add(resolution)).unwrap_or(epoch + FAR)
    }

    /// The time of the last change that the system noted, in seconds and nanoseconds since 1970.
    fn stamp(&self) -> (i64, i64) {
        if self.file.is_some() { self.changed } else { self.modified() }
    }

    /// When it was written to, in seconds and nanoseconds since 1970.
    fn modified(&self) -> (i64, i64) {
        let since = self.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
        (since.as_secs().cast_signed(), i64::from(since.subsec_nanos()))
    }
}

/// The coarsest time stamps of common file systems, those of FAT.
const COARSE: Duration = Duration::from_secs(2);
/// Twice the longest tick of a kernel that stamps files with its tick.
const FINE: Duration = Duration::from_millis(20);
/// A time that is not reached.
const FAR: Duration = Duration::from_secs(1 << 40);

#[cfg(feature = "json")]
impl FileFingerprint {
    /// The fingerprint as a text. Every change of the file changes it. On Unix, no program can set it back.
    pub fn text(&self) -> String {
        use crate::json::put;
        let mut text = Vec::with_capacity(64);
        let FileId { device, inode } = self.file.unwrap_or(FileId { device: 0, inode: 0 });
        let (seconds, nanoseconds) = self.stamp();
        let put = put!(&mut text, device, ":", inode, ":", self.len, ":", seconds, ".", nanoseconds);
        put.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
        String::from_utf8(text).unwrap_or_default() // digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(seconds: i64, nanoseconds: i64) -> FileFingerprint {
        let file = Some(FileId { device: 1, inode: 2 });
        FileFingerprint { file, len: 3, modified: None, changed: (seconds, nanoseconds), links: 1 }
    }

    #[test]
    fn a_stamp_settles_when_its_tick_is_over() {
        let settles = |seconds, nanoseconds| {
            stamped(seconds, nanoseconds).settles_at().duration_since(SystemTime::UNIX_EPOCH).unwrap()
        };
        assert_eq!(settles(1_000, 0), Duration::from_secs(1_002));
        assert_eq!(settles(1_000, 5_000_000), Duration::from_millis(1_000_025));
        assert_eq!(settles(-7, 5), FINE);
        assert_eq!(settles(0, 0), COARSE);
        assert!(settles(i64::MAX, 1) >= FAR);
        // Without times that the system notes, that of the content counts.
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        let elsewhere = FileFingerprint { file: None, modified: Some(modified), ..stamped(9, 9) };
        assert_eq!(elsewhere.settles_at(), modified + FINE);
    }
}
