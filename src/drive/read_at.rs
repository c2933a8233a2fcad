use std::fs::File;
use std::io;

use super::buffer::Buffer;
use super::window_sizer::WindowSizer;
use crate::error::{Error, Reason};
use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{ItemPath, Scanner, Visitor, Window};

/// A source of positioned reads, without a cursor.
pub trait ReadAt {
    /// Reads bytes at this absolute offset into the start of `buffer` and returns their number. It
    /// may be less than the length of the buffer, and is 0 only at the end of the input.
    ///
    /// # Errors
    ///
    /// The error of the source.
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

    /// WebAssembly without WASI has no files.
    #[cfg(not(any(unix, windows)))]
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
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

/// Scans a file of `len` bytes, or any other source of positioned reads. The windows are small
/// where section headers are far apart, and grow where they are close together. The bytes between
/// windows are not read.
///
/// # Errors
///
/// As for [`scan_slice`](super::scan_slice()). Also: a read fails, or the source is shorter than
/// `len`. An [interrupted](io::ErrorKind::Interrupted) read is retried.
pub fn scan_at<R: ReadAt + ?Sized, V: for<'w> Visitor<'w> + ?Sized>(
    source: &R,
    len: u64,
    visitor: &mut V,
    limits: Limits,
) -> Outcome<()> {
    let mut cost = Cost::default();
    let result = scan(source, len, visitor, limits, &mut cost);
    Outcome::new(Some(()), result, cost)
}

fn scan<R: ReadAt + ?Sized, V: for<'w> Visitor<'w> + ?Sized>(
    source: &R,
    len: u64,
    visitor: &mut V,
    limits: Limits,
    cost: &mut Cost,
) -> Result<(), Error> {
    let mut scanner = Scanner::new(limits);
    let mut sizer = WindowSizer::new(WindowSizer::FILE_READ_COST);
    let mut buffer = Buffer::default();
    let mut needed = 0..1;
    loop {
        while needed.end <= len {
            let read = sizer.next(&needed, len);
            // The needed range may start inside the buffer: keep those bytes and read the missing ones.
            buffer.advance(read.start);
            let offset = buffer.end();
            let (filled, result) = fill(source, buffer.spare(read.end), offset, len, cost);
            buffer.add_filled(filled);
            // A window may hold more than is needed: bytes read before a failed read are scanned first.
            needed = scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
            result?;
        }
        match scanner.truncate(len, visitor) {
            Some(range) => needed = range,
            None => break,
        }
    }
    if needed.start < len && scanner.may_fail_early() {
        buffer.advance(needed.start);
        let offset = buffer.end();
        let (filled, result) = fill(source, buffer.spare(len), offset, len, cost);
        buffer.add_filled(filled);
        scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
        result?;
    }
    Ok(scanner.finish(len, visitor)?)
}

/// Fills the buffer. Returns the number of bytes filled, and the error if a read failed.
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

/// Makes one read at an absolute offset, in an input that has `len` bytes. Returns the number of
/// bytes read, at least 1.
///
/// # Errors
///
/// As for [`scan_at`].
pub fn read_some<R: ReadAt + ?Sized>(source: &R, buffer: &mut [u8], offset: u64, len: u64) -> Result<usize, Error> {
    loop {
        match source.read_at(buffer, offset) {
            Ok(0) => return Err(Error::new(Reason::Shrank { was: len }, offset, ItemPath::root())),
            Ok(read) if read > buffer.len() => {
                return Err(Error::new(Reason::MoreThanRequested, offset, ItemPath::root()));
            }
            Ok(read) => return Ok(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(error, Some(offset))),
        }
    }
}
