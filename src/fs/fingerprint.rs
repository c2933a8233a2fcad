//! Fingerprints of files, which detect that a file was modified or replaced.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// Identity and state of a file. Changes when the file is modified or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFingerprint {
    /// Identity of the file; `None` on other systems than Unix.
    pub file: Option<FileId>,
    /// Length in bytes.
    pub len: u64,
    modified: Option<SystemTime>,
    /// Change time of the inode (Unix only), in seconds and nanoseconds since 1970. Programs cannot
    /// set it.
    changed: (i64, i64),
    /// Number of hard links; 1 on other systems than Unix.
    pub links: u64,
}

/// Device and inode of a file (Unix only).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    /// Number of the device.
    pub device: u64,
    /// Number of the inode.
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
    /// Returns the time from which on a change of the file gets a different time stamp.
    ///
    /// A stamp without a fraction of a second may be from a file system with a resolution of up to
    /// two seconds. Other stamps have the resolution of the kernel's tick, at most 10 milliseconds.
    pub fn settles_at(&self) -> SystemTime {
        let (seconds, nanoseconds) = self.stamp();
        let resolution = if nanoseconds == 0 { COARSE_RESOLUTION } else { FINE_RESOLUTION };
        let stamp = Duration::new(seconds.unsigned_abs(), nanoseconds.unsigned_abs().try_into().unwrap_or(0));
        let epoch = SystemTime::UNIX_EPOCH;
        let stamp = if seconds < 0 { Some(epoch) } else { epoch.checked_add(stamp) };
        stamp.and_then(|stamp| stamp.checked_add(resolution)).unwrap_or(epoch + FAR_FUTURE)
    }

    /// The change time if the system has one, otherwise the modification time, in seconds and
    /// nanoseconds since 1970.
    fn stamp(&self) -> (i64, i64) {
        if self.file.is_some() { self.changed } else { self.modified() }
    }

    /// The modification time, in seconds and nanoseconds since 1970.
    fn modified(&self) -> (i64, i64) {
        let since = self.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
        (since.as_secs().cast_signed(), i64::from(since.subsec_nanos()))
    }
}

/// Resolution of FAT, the coarsest among common file systems.
const COARSE_RESOLUTION: Duration = Duration::from_secs(2);
/// Twice the longest tick of a kernel.
const FINE_RESOLUTION: Duration = Duration::from_millis(20);
/// A time in the far future, for stamps that overflow.
const FAR_FUTURE: Duration = Duration::from_secs(1 << 40);

#[cfg(feature = "json")]
impl FileFingerprint {
    /// The fingerprint as text. Every change of the file changes it. On Unix, programs cannot
    /// restore an earlier one.
    pub fn text(&self) -> String {
        use crate::json::put;
        let mut text = Vec::with_capacity(64);
        let FileId { device, inode } = self.file.unwrap_or(FileId { device: 0, inode: 0 });
        let (seconds, nanoseconds) = self.stamp();
        let put = put!(&mut text, device, ":", inode, ":", self.len, ":", seconds, ".", nanoseconds);
        put.unwrap_or_else(|error| unreachable!("writing to memory cannot fail: {error}"));
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
    fn a_timestamp_is_settled_after_its_tick() {
        let settles = |seconds, nanoseconds| {
            stamped(seconds, nanoseconds).settles_at().duration_since(SystemTime::UNIX_EPOCH).unwrap()
        };
        assert_eq!(settles(1_000, 0), Duration::from_secs(1_002));
        assert_eq!(settles(1_000, 5_000_000), Duration::from_millis(1_000_025));
        assert_eq!(settles(-7, 5), FINE_RESOLUTION);
        assert_eq!(settles(0, 0), COARSE_RESOLUTION);
        assert!(settles(i64::MAX, 1) >= FAR_FUTURE);
        // Without a change time, the modification time is used.
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        let elsewhere = FileFingerprint { file: None, modified: Some(modified), ..stamped(9, 9) };
        assert_eq!(elsewhere.settles_at(), modified + FINE_RESOLUTION);
    }
}
