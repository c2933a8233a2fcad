//! Random access to the bytes of an archive.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::Range;

use super::budget::Budget;
use super::tar::TarStream;
use crate::fill::{fill, fill_at, fill_exact_at, shrank};
use crate::reading;
use crate::walk::file_kind::TAR_BLOCK;
use sectile::Input;

/// The bytes of a zip.
pub(super) enum ZipBytes<'b> {
    /// A range of a file.
    FileWindow(FileWindow<'b>),
    /// The last bytes of a decoder's output.
    Held(HeldBytes<'b>),
}

/// The bytes of a stream from `origin` to its end. The bytes before were not kept.
#[derive(Clone, Copy)]
pub(super) struct HeldBytes<'b> {
    pub(super) origin: u64,
    pub(super) bytes: &'b [u8],
}

impl<'b> ZipBytes<'b> {
    /// A second reader of the same bytes, with its own position.
    pub(super) fn again(&self, budget: &'b Budget) -> ZipBytes<'b> {
        match self {
            Self::FileWindow(part) => ZipBytes::FileWindow(FileWindow::new(part.input, part.range.clone(), budget)),
            Self::Held(held) => ZipBytes::Held(*held),
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::FileWindow(part) => part.range.end - part.range.start,
            Self::Held(held) => held.origin + held.bytes.len() as u64,
        }
    }

    /// Offset of the first byte in the file, if they are a range of it.
    pub(super) fn file_offset(&self) -> Option<u64> {
        match self {
            Self::FileWindow(part) => Some(part.range.start),
            Self::Held(_) => None,
        }
    }

    /// Position of the first byte that can be read.
    pub(super) fn origin(&self) -> u64 {
        match self {
            Self::FileWindow(_) => 0,
            Self::Held(held) => held.origin,
        }
    }

    /// The next `len` bytes from a position, or fewer at the end.
    pub(super) fn peek_at(&mut self, position: u64, len: usize) -> io::Result<&[u8]> {
        match self {
            Self::FileWindow(part) => {
                part.seek(SeekFrom::Start(position.min(part.range.end - part.range.start)))?;
                part.peek(len)
            }
            Self::Held(held) => {
                let rest = held.from(position);
                Ok(&rest[..len.min(rest.len())])
            }
        }
    }

    /// Some bytes from a position, or none at the end.
    fn buffered_at(&mut self, position: u64) -> io::Result<&[u8]> {
        match self {
            Self::FileWindow(part) => {
                part.seek(SeekFrom::Start(position))?;
                part.fill_buf()
            }
            Self::Held(held) => Ok(held.from(position)),
        }
    }
}

impl<'b> HeldBytes<'b> {
    /// The bytes from a position, or none if it is not held.
    pub(super) fn from(&self, position: u64) -> &'b [u8] {
        let start = position.checked_sub(self.origin).and_then(|start| usize::try_from(start).ok());
        start.and_then(|start| self.bytes.get(start..)).unwrap_or_default()
    }
}

/// Reads a range of a zip from its start.
pub(super) struct RangeReader<'r, 'b> {
    pub(super) bytes: &'r mut ZipBytes<'b>,
    pub(super) range: Range<u64>,
}

impl BufRead for RangeReader<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(&[]);
        }
        let bytes = self.bytes.buffered_at(self.range.start)?;
        Ok(&bytes[..left.min(bytes.len())])
    }

    fn consume(&mut self, len: usize) {
        self.range.start += len as u64;
    }
}

impl Read for RangeReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// A range of a file, read once from its start. Its bytes are counted.
pub(super) struct CountedRange<'b> {
    input: &'b Input,
    range: Range<u64>,
    budget: &'b Budget,
}

impl<'b> CountedRange<'b> {
    pub(super) fn new(input: &'b Input, range: Range<u64>, budget: &'b Budget) -> Self {
        Self { input, range, budget }
    }
}

impl Read for CountedRange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { input, range, budget } = self;
        let mut reader = reading::RangeReader { input, range: range.clone() };
        let read = reader.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                budget.report_unreadable(error);
            }
        })?;
        *range = reader.range;
        budget.read(read as u64);
        Ok(read)
    }
}

/// A range of a file, read in windows: small ones while most is skipped, larger ones while all is read.
pub(super) struct FileWindow<'p> {
    pub(super) input: &'p Input,
    /// The range in the file.
    pub(super) range: Range<u64>,
    budget: &'p Budget,
    /// Space for the window. It is not cleared between reads.
    window: Vec<u8>,
    window_len: usize,
    /// Offset in the file of the first byte of the window.
    start: u64,
    /// Offset in the file of the next read.
    at: u64,
    /// Length of the next window.
    read_len: usize,
}

/// A tar header and the first bytes of its data.
const MIN_READ: usize = 512 + 4096;
const MAX_READ: usize = 64 << 10;

impl<'p> FileWindow<'p> {
    pub(super) fn new(input: &'p Input, range: Range<u64>, budget: &'p Budget) -> Self {
        let (start, at) = (range.start, range.start);
        Self { input, range, budget, window: Vec::new(), window_len: 0, start, at, read_len: MIN_READ }
    }

    /// Creates a range whose first bytes were read before.
    pub(super) fn beginning(input: &'p Input, range: Range<u64>, head: &[u8], budget: &'p Budget) -> Self {
        Self { window: head.to_vec(), window_len: head.len(), ..Self::new(input, range, budget) }
    }

    /// Offset in the file of the next read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Number of bytes left.
    pub(super) fn left(&self) -> u64 {
        self.range.end - self.at
    }

    /// Skips bytes, up to the end of the range.
    pub(super) fn skip(&mut self, len: u64) {
        self.at = self.at.saturating_add(len).min(self.range.end);
    }

    /// The next `len` bytes, or all that are left. A file that shrank in the meantime is an error.
    pub(super) fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        let len = usize::try_from(self.left()).map_or(len, |left| left.min(len));
        let end = self.start + self.window_len as u64;
        if self.at < self.start || self.at + len as u64 > end {
            self.fill(len).inspect_err(|error| self.budget.report_unreadable(error))?;
        }
        let from = (self.at - self.start) as usize;
        Ok(&self.window[from..from + len])
    }

    /// Fills a buffer from a position in the range.
    pub(super) fn read_exact_at(&mut self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        fill_exact_at(self.input, buffer, self.range.start + position)
            .inspect_err(|error| self.budget.report_unreadable(error))?;
        self.budget.read(buffer.len() as u64);
        Ok(())
    }

    /// Reads until the window has `len` bytes from the current offset.
    #[cold]
    fn fill(&mut self, len: usize) -> io::Result<()> {
        let end = self.start + self.window_len as u64;
        if (self.start..=end).contains(&self.at) {
            let dropped = (self.at - self.start) as usize;
            self.window.copy_within(dropped..self.window_len, 0);
            self.window_len -= dropped;
            self.read_len = (2 * self.read_len).min(MAX_READ);
        } else {
            self.window_len = 0;
            self.read_len = MIN_READ;
        }
        self.start = self.at;
        let most = usize::try_from(self.left()).unwrap_or(usize::MAX);
        let kept = self.window_len;
        let end = len.max(self.read_len).min(most).max(kept);
        if self.window.len() < end {
            let mut longer = vec![0; end]; // zeros from the allocator
            longer[..kept].copy_from_slice(&self.window[..kept]);
            self.window = longer;
        }
        let read = fill_at(self.input, &mut self.window[kept..end], self.start + kept as u64);
        self.window_len = kept + read.as_ref().map_or(0, |read| *read);
        self.budget.read(read? as u64);
        if self.window_len < len { Err(shrank()) } else { Ok(()) }
    }
}

impl BufRead for FileWindow<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left() == 0 {
            return Ok(&[]);
        }
        self.peek(1)?;
        let rest = &self.window[(self.at - self.start) as usize..self.window_len];
        Ok(&rest[..rest.len().min(usize::try_from(self.left()).unwrap_or(usize::MAX))])
    }

    fn consume(&mut self, len: usize) {
        self.at += len as u64;
    }
}

impl Read for FileWindow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl Seek for FileWindow<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => self.range.start.checked_add(at),
            SeekFrom::End(by) => self.range.end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let at = at.filter(|&at| at >= self.range.start).ok_or(io::ErrorKind::InvalidInput)?;
        self.at = at.min(self.range.end); // nothing follows the end
        Ok(self.at - self.range.start)
    }
}

/// The source of a tar.
pub(super) enum TarSource<'s, 'p> {
    /// A file, whose entries are not read.
    FileWindow(&'s mut FileWindow<'p>),
    /// The output of a decoder.
    Stream(&'s mut TarStream<'p>),
}

impl TarSource<'_, '_> {
    pub(super) fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::FileWindow(part) => *part,
            Self::Stream(reader) => *reader,
        }
    }

    /// Reads a block and returns the length of it that exists.
    pub(super) fn block(&mut self, block: &mut [u8; TAR_BLOCK]) -> io::Result<usize> {
        match self {
            Self::FileWindow(part) => {
                let bytes = part.peek(TAR_BLOCK)?;
                let len = bytes.len();
                block[..len].copy_from_slice(bytes);
                part.skip(len as u64);
                Ok(len)
            }
            Self::Stream(reader) => fill(*reader, block),
        }
    }
}
