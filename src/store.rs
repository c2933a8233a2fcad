//! A locator becomes bytes to drive: the one way in for every command. What becomes of the bytes, the rooms that read them
//! say: each has an `impl Input` of its own.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::drive::{self, Cost, Map};
use crate::error::Error;
use crate::limits::Limits;
use crate::scan::Visitor;
use crate::stamp::Stamp;

/// A regular file, open for reading.
///
/// ```no_run
/// use sectile::{Input, Limits};
///
/// let metadata = Input::open("app.wasm")?.read(Limits::default())?.complete()?;
/// println!("{} items", metadata.items().len());
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct Input {
    file: File,
    stamp: Stamp,
    map: Option<Map>,
}

impl Input {
    /// Opens a file. What is no regular file is refused, and never waited for: a directory, a FIFO, a device.
    ///
    /// # Errors
    ///
    /// What the system says, or that it is no regular file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::of(open(path.as_ref(), OpenOptions::new().read(true), Link::Followed)?)
    }

    /// Takes a file that is open already.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn of(file: File) -> Result<Self, Error> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Error::unreadable(kind(metadata.file_type())));
        }
        Ok(Self { stamp: Stamp::of(&metadata), file, map: None })
    }

    /// Reads by a memory map from here on, instead of positioned reads.
    ///
    /// # Safety
    ///
    /// As for [`Map::of`]: nobody may change or truncate the file as long as this lives.
    ///
    /// # Errors
    ///
    /// What the system says when it will not map the file.
    #[allow(unsafe_code)]
    pub unsafe fn map(mut self) -> Result<Self, Error> {
        // SAFETY: the caller promises that the file stays as it is.
        let map = unsafe { Map::of(&self.file) };
        self.map = Some(map?);
        Ok(self)
    }

    /// The file's length in bytes, as it was when it was opened.
    pub fn len(&self) -> u64 {
        self.stamp.len
    }

    /// Whether the file was empty when it was opened.
    pub fn is_empty(&self) -> bool {
        self.stamp.len == 0
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Shows the file to a visitor.
    ///
    /// # Errors
    ///
    /// As for [`drive::read_at`].
    pub fn scan<V: for<'w> Visitor<'w>>(&self, visitor: &mut V, limits: Limits) -> (Result<(), Error>, Cost) {
        match &self.map {
            Some(map) => drive::slice(map, visitor, limits),
            None => drive::read_at(&self.file, self.stamp.len, visitor, limits),
        }
    }

    /// Whether the file's size or times are no longer what they were when it was opened.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn changed(&self) -> io::Result<bool> {
        Ok(Stamp::of(&self.file.metadata()?) != self.stamp)
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
pub(crate) enum Link {
    Followed,
    Refused,
}

/// Opens a file, and waits for nobody: of a FIFO, that would be for its other end.
pub(crate) fn open(path: &Path, options: &mut OpenOptions, link: Link) -> io::Result<File> {
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
