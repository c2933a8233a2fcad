//! A locator becomes bytes to drive: the one way in for every command. What becomes of the bytes, the rooms that read them
//! say: each has an `impl Input` of its own.

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
    /// Opens a file. What is no regular file is refused, and never waited for: a directory, a FIFO, a device.
    ///
    /// # Errors
    ///
    /// What the system says, or that it is no regular file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_file(open(path.as_ref(), OpenOptions::new().read(true), Link::Followed)?)
    }

    /// Takes a file that is open already.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn from_file(file: File) -> Result<Self, Error> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Error::unreadable(kind(metadata.file_type())));
        }
        Ok(Self { fingerprint: FileFingerprint::new(&metadata), file, map: None })
    }

    /// Reads by a memory map from here on, instead of positioned reads.
    ///
    /// # Safety
    ///
    /// As for [`Map::new`]: no program may change or truncate the file as long as this exists.
    ///
    /// # Errors
    ///
    /// What the system says when it will not map the file.
    #[allow(unsafe_code)]
    pub unsafe fn map(mut self) -> Result<Self, Error> {
        // SAFETY: the caller promises that the file stays as it is.
        let map = unsafe { Map::new(&self.file) };
        self.map = Some(map?);
        Ok(self)
    }

    /// The file's length in bytes, as it was when it was opened.
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
    pub fn scan<V: for<'w> Visitor<'w>>(&self, visitor: &mut V, limits: Limits) -> Outcome<()> {
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

    /// As [`collect`](Self::collect); a change of the file meanwhile is recorded in the value.
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

    /// Whether the file's size or times are no longer what they were when it was opened.
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

/// What becomes of a path whose last name is a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Opens what the link leads to.
    Followed,
    /// Fails.
    Refused,
}

/// Opens a file, and waits for nobody: of a FIFO, that would be for its other end.
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

/// What something is that is no regular file.
fn kind(file_type: std::fs::FileType) -> &'static str {
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
