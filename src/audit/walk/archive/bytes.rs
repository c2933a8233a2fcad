//! Bytes of an archive, where any of them can be had.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;

use super::Budget;
use crate::drive::ReadAt;
use crate::store::Input;

/// An archive that can be read at any position.
pub(super) enum Bytes<'b> {
    /// A part of a file.
    Part(Part<'b>),
    /// Inflated, and held.
    Held(Cursor<&'b [u8]>),
}

impl Bytes<'_> {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Part(part) => part.range.end - part.range.start,
            Self::Held(held) => held.get_ref().len() as u64,
        }
    }

    /// So many bytes from a position on, fewer where they end.
    pub(super) fn peek_at(&mut self, position: u64, len: usize) -> io::Result<&[u8]> {
        match self {
            Self::Part(part) => {
                part.seek(SeekFrom::Start(position))?;
                part.peek(len)
            }
            Self::Held(held) => {
                let rest = usize::try_from(position).ok().and_then(|position| held.get_ref().get(position..));
                let rest = rest.unwrap_or_default();
                Ok(&rest[..len.min(rest.len())])
            }
        }
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Part(part) => part.read(buffer),
            Self::Held(held) => held.read(buffer),
        }
    }
}

impl Seek for Bytes<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Part(part) => part.seek(to),
            Self::Held(held) => held.seek(to),
        }
    }
}

/// A part of a file, read in windows: small ones where much is passed over, larger ones where all is read.
pub(super) struct Part<'p> {
    pub(super) input: &'p Input,
    /// Which part, by offsets into the file.
    pub(super) range: Range<u64>,
    budget: &'p Budget,
    window: Vec<u8>,
    /// Offset into the file of the first byte of the window.
    start: u64,
    /// Offset into the file of what is read next.
    at: u64,
    /// How much to read at once.
    pace: usize,
}

/// An entry's header in a tar, and the first bytes of its data.
const SMALL: usize = 512 + 4096;
const LARGE: usize = 64 << 10;

impl<'p> Part<'p> {
    pub(super) fn new(input: &'p Input, range: Range<u64>, budget: &'p Budget) -> Self {
        let (start, at) = (range.start, range.start);
        Self { input, range, budget, window: Vec::new(), start, at, pace: SMALL }
    }

    /// A part whose first bytes were read already.
    pub(super) fn beginning(input: &'p Input, range: Range<u64>, head: &[u8], budget: &'p Budget) -> Self {
        Self { window: head.to_vec(), ..Self::new(input, range, budget) }
    }

    /// Offset into the file of what comes next.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> u64 {
        self.range.end - self.at
    }

    /// Passes over bytes, as far as there are.
    pub(super) fn skip(&mut self, len: u64) {
        self.at = self.at.saturating_add(len).min(self.range.end);
    }

    /// The next bytes: so many, or all that are left. (A file that shrank meanwhile is an error.)
    pub(super) fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        let len = usize::try_from(self.left()).map_or(len, |left| left.min(len));
        let end = self.start + self.window.len() as u64;
        if self.at < self.start || self.at + len as u64 > end {
            self.fill(len).inspect_err(|error| self.budget.unreadable(error))?;
        }
        let from = (self.at - self.start) as usize;
        Ok(&self.window[from..from + len])
    }

    /// Reads until the window holds so many bytes from here on.
    #[cold]
    fn fill(&mut self, len: usize) -> io::Result<()> {
        let end = self.start + self.window.len() as u64;
        if (self.start..=end).contains(&self.at) {
            self.window.drain(..(self.at - self.start) as usize);
            self.pace = (2 * self.pace).min(LARGE);
        } else {
            self.window.clear();
            self.pace = SMALL;
        }
        self.start = self.at;
        let most = usize::try_from(self.left()).unwrap_or(usize::MAX);
        let mut filled = self.window.len();
        self.window.resize(len.max(self.pace).min(most).max(filled), 0);
        while filled < len {
            match self.input.read_at(&mut self.window[filled..], self.start + filled as u64) {
                Ok(0) => {
                    self.window.truncate(filled);
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank while it was read"));
                }
                Ok(read) => {
                    filled += read;
                    self.budget.read(read as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.window.truncate(filled);
                    return Err(error);
                }
            }
        }
        self.window.truncate(filled);
        Ok(())
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.left() == 0 {
            return Ok(0);
        }
        self.peek(1)?;
        let rest = &self.window[(self.at - self.start) as usize..];
        let len = rest.len().min(buffer.len()).min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Part<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => self.range.start.checked_add(at),
            SeekFrom::End(by) => self.range.end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let at = at.filter(|&at| at >= self.range.start).ok_or(io::ErrorKind::InvalidInput)?;
        self.at = at.min(self.range.end); // there is nothing behind
        Ok(self.at - self.range.start)
    }
}
