//! A locator becomes bytes to drive: the one way in for every command.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::drive::{self, Cost, Map};
use crate::error::{Error, Outcome};
use crate::finding::Code;
#[cfg(feature = "interface")]
use crate::interface::{self, Along, Interface};
use crate::limits::Limits;
use crate::metadata::{Metadata, Reader};
use crate::policy::{self, Policy, Reading};
use crate::read::outcome;
use crate::scan::Visitor;
use crate::stamp::Stamp;

pub(crate) const CHANGED: &str = "the file's size or times are not what they were before";

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
        let file = open(path.as_ref(), OpenOptions::new().read(true), Link::Followed);
        Self::of(file.map_err(|error| Error::io(error, None))?)
    }

    /// Opens what a locator names: an image's layer of WebAssembly, as `oci:DIR:NAME`, `oci:DIR@sha256:…` or `oci:DIR`
    /// name one in a layout on disk (see [`oci::Locator`](crate::oci::Locator)), which is read where it lies; or the file
    /// of this path.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and for [`oci::Stored::open`](crate::oci::Stored::open).
    #[cfg(feature = "oci")]
    pub fn locate(locator: impl AsRef<std::ffi::OsStr>) -> Result<Self, Error> {
        use crate::oci::{Locator, Stored};
        let stored = Locator::parse(locator.as_ref()).map(|locator| Stored::open(&locator?));
        match stored {
            Some(stored) => Ok(stored.map_err(Error::layout)?.into_input()),
            None => Self::open(Path::new(locator.as_ref())),
        }
    }

    /// Takes a file that is open already.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn of(file: File) -> Result<Self, Error> {
        let metadata = file.metadata().map_err(|error| Error::io(error, None))?;
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
        self.map = Some(map.map_err(|error| Error::io(error, None))?);
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

    /// Reads the file's metadata. A file that was changed meanwhile is a finding (`changed`).
    ///
    /// # Errors
    ///
    /// The file is no WebAssembly, or nothing of it can be read. Whatever else is wrong, what stands before it is read:
    /// see [`Outcome`].
    pub fn read(&self, limits: Limits) -> Result<Outcome<Metadata<'static>>, Error> {
        let mut reader = Reader::copying(limits);
        let (result, cost) = self.scan(&mut reader, limits);
        let mut outcome = outcome(reader.finish(), result, cost)?;
        if self.changed().map_err(|error| Error::io(error, None))? {
            outcome.value.find_in_root(Code::Changed, CHANGED);
        }
        Ok(outcome)
    }

    /// Reads what the file's root item imports and exports. A file that was changed meanwhile is a finding (`changed`).
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    #[cfg(feature = "interface")]
    pub fn interface(&self, limits: Limits) -> Result<Outcome<Interface>, Error> {
        let mut reader = interface::Reader::new(limits);
        let (result, cost) = self.scan(&mut reader, limits);
        let mut outcome = outcome(reader.finish(), result, cost)?;
        if self.changed().map_err(|error| Error::io(error, None))? {
            outcome.value.find_in_root(Code::Changed, CHANGED);
        }
        Ok(outcome)
    }

    /// Reads both in one pass: the file's metadata, and what its root item imports and exports.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    #[cfg(feature = "interface")]
    pub fn read_with_interface(&self, limits: Limits) -> Result<Outcome<(Metadata<'static>, Interface)>, Error> {
        let mut along = Along::new(Reader::copying(limits), Some(interface::Reader::new(limits)));
        let (result, cost) = self.scan(&mut along, limits);
        let interface = along.reader.and_then(interface::Reader::finish);
        let mut outcome = outcome(along.of_custom.finish().zip(interface), result, cost)?;
        if self.changed().map_err(|error| Error::io(error, None))? {
            outcome.value.0.find_in_root(Code::Changed, CHANGED);
        }
        Ok(outcome)
    }

    /// Reads what a policy asks for, in one pass and by its limits. A file that was changed meanwhile is a finding
    /// (`changed`).
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_for(&self, policy: &Policy) -> Result<Outcome<Reading<'static>>, Error> {
        if !policy.asks_more() {
            return Ok(self.read(policy.limits)?.map(Reading::from));
        }
        let mut reader = policy::Reader::copying(policy);
        let (result, cost) = self.scan(&mut reader, policy.limits);
        let mut outcome = outcome(reader.finish(), result, cost)?;
        if self.changed().map_err(|error| Error::io(error, None))? {
            outcome.value.metadata.find_in_root(Code::Changed, CHANGED);
        }
        Ok(outcome)
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

/// Opens a file, and waits for nobody: of a FIFO, that would be its other end.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn module(licenses: &[u8]) -> Vec<u8> {
        let name = b"\x08licenses";
        let header = [0, (name.len() + licenses.len()) as u8];
        [&b"\0asm\x01\0\0\0"[..], &header, name, licenses].concat()
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_a_finding() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&module(b"MIT")).unwrap();
        let input = Input::of(file.try_clone().unwrap()).unwrap();
        assert!(!input.changed().unwrap());
        file.write_all(&module(b"MIT")[8..]).unwrap();
        assert!(input.changed().unwrap());
        let outcome = input.read(Limits::default()).unwrap();
        let codes: Vec<_> = outcome.value.findings().iter().map(|finding| finding.code).collect();
        assert_eq!((codes, outcome.broken.is_none()), (vec![Code::Changed], true)); // as far as it went before
    }

    #[test]
    fn a_file_that_is_truncated_while_it_is_read_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[module(b"MIT"), vec![1, 0xff, 0x7f], vec![0; 0x3fff], vec![3, 0]].concat()).unwrap();
        let input = Input::of(file.try_clone().unwrap()).unwrap();
        file.set_len(0x2000).unwrap();
        let outcome = input.read(Limits::default()).unwrap();
        assert!(outcome.value.root().annotations().next().is_some());
        let error = outcome.broken.unwrap();
        assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    }
}
