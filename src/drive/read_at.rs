use std::fs::File;
use std::io;

use super::buffer::Buffer;
use super::window_sizer::WindowSizer;
use crate::error::{Error, Reason};
use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{ItemPath, Scanner, Visitor, Window};

/// Something that can be read at any position, without one of its own.
pub trait ReadAt {
    /// Reads bytes from this absolute offset on into the beginning of `buffer`, and gives their number: fewer than it holds,
    /// maybe, 0 at the end and only there.
    ///
    /// # Errors
    ///
    /// The error of the system.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl<R: ReadAt + ?Sized> ReadAt for &R {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

/// Scans a file of `len` bytes, or anything else with positioned reads, in windows that adapt: small where sections
/// are large and far apart, larger where they are many and close. What lies between is not read.
///
/// # Errors
///
/// As for [`slice`](super::scan_slice()); and what the system says of a read, or that the file shrank meanwhile. (A read that
/// is [interrupted](io::ErrorKind::Interrupted) is made again.)
pub fn scan_at<R: ReadAt + ?Sized, V: for<'w> Visitor<'w>>(
    source: &R,
    len: u64,
    visitor: &mut V,
    limits: Limits,
) -> Outcome<()> {
    let mut cost = Cost::default();
    let result = scan(source, len, visitor, limits, &mut cost);
    Outcome::new(Some(()), result, cost)
}

fn scan<R: ReadAt + ?Sized, V: for<'w> Visitor<'w>>(
    source: &R,
    len: u64,
    visitor: &mut V,
    limits: Limits,
    cost: &mut Cost,
) -> Result<(), Error> {
    let mut scanner = Scanner::new(limits);
    let mut pace = WindowSizer::new(WindowSizer::FILE);
    let mut buffer = Buffer::default();
    let mut needed = 0..1;
    while needed.end <= len {
        let read = pace.next(&needed, len);
        // A need may begin inside what is at hand: keep that, and read what is missing.
        buffer.advance(read.start);
        let offset = buffer.end();
        let (filled, result) = fill(source, buffer.spare(read.end), offset, len, cost);
        buffer.filled(filled);
        // What came before a read failed was asked for together with more than was needed: it is not lost.
        needed = scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
        result?;
    }
    if needed.start < len && scanner.may_fail_early() {
        buffer.advance(needed.start);
        let offset = buffer.end();
        let (filled, result) = fill(source, buffer.spare(len), offset, len, cost);
        buffer.filled(filled);
        scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
        result?;
    }
    Ok(scanner.finish(len, visitor)?)
}

/// Fills the buffer, as far as it can be; gives how far, and why no further.
fn fill<R: ReadAt + ?Sized>(
    source: &R,
    buffer: &mut [u8],
    start: u64,
    len: u64,
    cost: &mut Cost,
) -> (usize, Result<(), Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_some(source, &mut buffer[filled..], start + filled as u64, len) {
            Ok(read) => {
                cost.reads += 1;
                cost.bytes += read as u64;
                filled += read;
            }
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}

/// One read of some bytes, at an offset before the end of an input of `len` bytes.
///
/// # Errors
///
/// As for [`scan_at`].
pub fn read_some<R: ReadAt + ?Sized>(source: &R, buffer: &mut [u8], offset: u64, len: u64) -> Result<usize, Error> {
    loop {
        match source.read_at(buffer, offset) {
            Ok(0) => return Err(Error::new(Reason::Shrank { was: len }, offset, ItemPath::root())),
            Ok(read) if read > buffer.len() => return Err(Error::new(Reason::Unasked, offset, ItemPath::root())),
            Ok(read) => return Ok(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(error, Some(offset))),
        }
    }
}
