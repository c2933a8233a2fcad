//! Files as inputs. The modules that read inputs add their methods in an `impl Input` of their own.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::drive::{self, Map};
use crate::error::Error;
use crate::fs::fingerprint::FileFingerprint;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::scan::{Collector, Visitor};

/// A regular file, open for reading.
///
/// ```no_run
/// let metadata = sectile::Input::open("app.wasm")?.read()?;
/// println!("{} items", metadata.items().len());
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct Input {
    file: File,
    fingerprint: FileFingerprint,
    map: Option<Map>,
}

impl Input {
    /// Opens a regular file. Opening a FIFO or a device does not block.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or is not a regular file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_file(open(path.as_ref(), OpenOptions::new().read(true), Link::Followed)?)
    }

    /// Creates an input from an open file.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn from_file(file: File) -> Result<Self, Error> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Error::unreadable(describe_irregular(metadata.file_type())));
        }
        Ok(Self { fingerprint: FileFingerprint::new(&metadata), file, map: None })
    }

    /// Maps the file into memory. Later reads use the map instead of positioned reads.
    ///
    /// # Safety
    ///
    /// As for [`Map::new`]: no process may modify or truncate the file while the input exists.
    ///
    /// # Errors
    ///
    /// The file cannot be mapped.
    #[allow(unsafe_code)]
    pub unsafe fn map(mut self) -> Result<Self, Error> {
        // SAFETY: the caller guarantees that the file does not change.
        let map = unsafe { Map::new(&self.file) };
        self.map = Some(map?);
        Ok(self)
    }

    /// Length of the file in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.fingerprint.len
    }

    /// Whether the file was empty when it was opened.
    pub fn is_empty(&self) -> bool {
        self.fingerprint.len == 0
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn fingerprint(&self) -> FileFingerprint {
        self.fingerprint
    }

    /// Scans the file with a visitor.
    pub fn scan<V: for<'w> Visitor<'w> + ?Sized>(&self, visitor: &mut V, limits: Limits) -> Outcome<()> {
        match &self.map {
            Some(map) => drive::scan_slice(map, visitor, limits),
            None => drive::scan_at(&self.file, self.fingerprint.len, visitor, limits),
        }
    }

    /// Scans the file with a collector, within its limits, and returns what was collected.
    pub fn collect<C: Collector + for<'w> Visitor<'w>>(&self, mut collector: C) -> Outcome<C::Value> {
        let limits = collector.limits();
        self.scan(&mut collector, limits).and_then(|()| collector.finish())
    }

    /// As [`collect`](Self::collect). If the file changed during the scan, `record_change` records
    /// it in the value.
    pub(crate) fn collect_checked<C: Collector + for<'w> Visitor<'w>>(
        &self,
        collector: C,
        record_change: impl FnOnce(&mut C::Value),
    ) -> Outcome<C::Value> {
        let mut outcome = self.collect(collector);
        match (self.changed(), outcome.value_mut()) {
            (Err(error), _) => Outcome::unread(error.into()),
            (Ok(true), Some(value)) => {
                record_change(value);
                outcome
            }
            (Ok(_), _) => outcome,
        }
    }

    /// Whether the file's size or times have changed since it was opened.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn changed(&self) -> io::Result<bool> {
        Ok(FileFingerprint::new(&self.file.metadata()?) != self.fingerprint)
    }
}

impl drive::ReadAt for Input {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.map {
            Some(map) => map.read_at(buffer, offset),
            None => self.file.read_at(buffer, offset),
        }
    }
}

/// Treatment of a path whose last component is a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Opens the target.
    Followed,
    /// Fails.
    Refused,
}

/// Opens a file without blocking: opening a FIFO would otherwise wait for its other end.
///
/// # Errors
///
/// The error of the system.
pub fn open(path: &Path, options: &mut OpenOptions, link: Link) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        flags.set(OFlags::NOFOLLOW, link == Link::Refused);
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    {
        _ = link;
    }
    options.open(path)
}

/// The message for a file that is not regular.
fn describe_irregular(file_type: std::fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if file_type.is_fifo() {
            return "is a FIFO, not a regular file: use `-` to read a stream from standard input";
        }
        if file_type.is_block_device() || file_type.is_char_device() {
            return "is a device, not a regular file";
        }
        if file_type.is_socket() {
            return "is a socket, not a regular file";
        }
    }
    if file_type.is_dir() { "is a directory, not a regular file" } else { "is not a regular file" }
}
