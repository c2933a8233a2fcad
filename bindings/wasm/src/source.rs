//! Sources of bytes: the host's `read_at`, or ranges that the host supplies when they are needed.

use std::cell::Cell;
use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;

use sectile::drive::ReadAt;
use sectile::internal::{io_error, limit_error};

use crate::abi;

/// A source of positioned reads.
#[derive(Debug)]
pub struct Source {
    size: u64,
    bytes: Bytes,
}

enum Bytes {
    Imported(u32),
    Supplied(Supplied),
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Imported(_) => "Imported",
            Self::Supplied(_) => "Supplied",
        })
    }
}

/// Ranges that the host supplied, in order and apart from each other.
#[derive(Default)]
struct Supplied {
    ranges: Vec<(u64, Vec<u8>)>,
    total: u64,
    /// Size of the range that is requested next.
    window: u64,
    /// The range that a read missed.
    missing: Cell<Option<Range<u64>>>,
}

/// Most bytes that may be supplied for one operation, as `FetchOptions` sets for remote sources.
pub(crate) const MAX_SUPPLIED: u64 = 64 << 20;

/// The first range that is requested, as for remote sources.
const SMALLEST_WINDOW: u64 = 64 << 10;

/// Ranges that are close together double up to this size, so that an operation starts again only a few
/// times.
const LARGEST_WINDOW: u64 = 16 << 20;

/// Ranges that are at most this far apart are close together.
const NEAR: u64 = 256 << 10;

impl Source {
    pub(crate) fn imported(handle: u32, size: u64) -> Self {
        Self { size, bytes: Bytes::Imported(handle) }
    }

    pub(crate) fn supplied(size: u64) -> Self {
        Self { size, bytes: Bytes::Supplied(Supplied::default()) }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Whether a read missed bytes.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.needed().is_empty()
    }

    /// The range to supply next; empty if no read missed bytes.
    pub(crate) fn needed(&self) -> Range<u64> {
        let Bytes::Supplied(supplied) = &self.bytes else { return 0..0 };
        let missing = supplied.missing.take();
        supplied.missing.set(missing.clone());
        missing.map_or(0..0, |missing| {
            let end = missing.end.max(missing.start.saturating_add(supplied.next_window(missing.start)));
            missing.start..end.min(self.size)
        })
    }

    pub(crate) fn supply(&mut self, bytes: Vec<u8>, offset: u64) -> Result<(), sectile::Error> {
        let needed = self.needed();
        let end = offset.saturating_add(bytes.len() as u64);
        let Bytes::Supplied(supplied) = &mut self.bytes else { return Ok(()) };
        if !(offset <= needed.start && needed.start < end && end <= self.size) {
            let error = io::Error::new(ErrorKind::InvalidData, "the host supplied other bytes than requested");
            return Err(io_error(error, Some(needed.start)));
        }
        supplied.total += bytes.len() as u64;
        if supplied.total > MAX_SUPPLIED {
            return Err(limit_error("bytes fetched of one input", MAX_SUPPLIED, needed.start));
        }
        supplied.window = needed.end - needed.start;
        supplied.missing.set(None);
        supplied.insert(bytes, offset);
        Ok(())
    }
}

impl Supplied {
    fn next_window(&self, start: u64) -> u64 {
        let at = self.ranges.partition_point(|(offset, _)| *offset <= start);
        let before = at.checked_sub(1).map(|at| &self.ranges[at]);
        match before {
            Some((offset, bytes)) if start - (offset + bytes.len() as u64) <= NEAR => {
                (2 * self.window).clamp(SMALLEST_WINDOW, LARGEST_WINDOW)
            }
            _ => SMALLEST_WINDOW,
        }
    }

    /// Adds the bytes that no range has yet before `offset`; a later overlap is harmless, because
    /// reads look up the last range that starts at or before them.
    fn insert(&mut self, bytes: Vec<u8>, offset: u64) {
        let at = self.ranges.partition_point(|(start, _)| *start <= offset);
        self.ranges.insert(at, (offset, bytes));
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = self.ranges.partition_point(|(start, _)| *start <= offset);
        let found = at.checked_sub(1).and_then(|at| {
            let (start, bytes) = &self.ranges[at];
            bytes.get((offset - start) as usize..).filter(|rest| !rest.is_empty())
        });
        if let Some(rest) = found {
            let len = rest.len().min(buffer.len());
            buffer[..len].copy_from_slice(&rest[..len]);
            return Ok(len);
        }
        self.missing.set(Some(offset..offset + buffer.len() as u64));
        Err(ErrorKind::WouldBlock.into())
    }
}

impl ReadAt for Source {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.bytes {
            Bytes::Imported(handle) => abi::read_at(*handle, buffer, offset),
            Bytes::Supplied(supplied) if offset < self.size && !buffer.is_empty() => supplied.read(buffer, offset),
            Bytes::Supplied(_) => Ok(0),
        }
    }
}
