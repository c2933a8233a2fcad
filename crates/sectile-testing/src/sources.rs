//! Sources that are larger than memory, slow or broken.

use std::cell::Cell;
use std::io;

use sectile::drive::{PushDriver, ReadAt};
use sectile::metadata::{Metadata, StreamReader};
use sectile::scan::{Collector, Visitor};
use sectile::{Error, Limits};

use crate::parts_of;

/// Some pieces with any number of zeros between them.
#[derive(Default)]
pub struct Sparse {
    pieces: Vec<(u64, Vec<u8>)>,
    len: u64,
}

impl Sparse {
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends these bytes.
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let start = self.len;
        self.len += bytes.len() as u64;
        self.pieces.push((start, bytes));
        self
    }

    pub fn zeros(mut self, len: u64) -> Self {
        self.len += len;
        self
    }

    /// The pieces with their offsets.
    #[cfg(all(unix, target_pointer_width = "64"))] // for sparse files
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pieces.iter().map(|(start, bytes)| (*start, &**bytes))
    }

    /// Pushes it to a visitor in chunks of a few megabytes.
    pub fn push<V: for<'w> Visitor<'w>>(&self, visitor: V, limits: Limits) -> (V, Result<(), Error>) {
        const ZEROS: &[u8] = &[0; 8 << 20];
        let mut push = PushDriver::with_limits(visitor, limits);
        let ends = self.pieces.iter().skip(1).map(|(start, _)| *start).chain([self.len]);
        for ((start, bytes), end) in self.pieces.iter().zip(ends) {
            let mut gap = end - start - bytes.len() as u64;
            let mut result = push.push(bytes);
            while result.is_ok() && gap > 0 {
                let len = gap.min(ZEROS.len() as u64);
                result = push.push(&ZEROS[..len as usize]);
                gap -= len;
            }
            if let Err(error) = result {
                return (push.into_visitor(), Err(error));
            }
        }
        let (visitor, result, _) = parts_of(push.finish_visitor());
        (visitor.unwrap(), result)
    }

    /// Pushes it to a metadata reader.
    pub fn pushed(&self, limits: Limits) -> (Option<Metadata<'static>>, Result<(), Error>) {
        let (reader, result) = self.push(StreamReader::with_limits(limits), limits);
        (reader.finish(), result)
    }
}

impl ReadAt for Sparse {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.len.saturating_sub(offset).min(buffer.len() as u64) as usize;
        let buffer = &mut buffer[..len];
        buffer.fill(0);
        for (start, bytes) in &self.pieces {
            let from = offset.max(*start);
            let to = (offset + len as u64).min(start + bytes.len() as u64);
            if from < to {
                let piece = &bytes[(from - start) as usize..(to - start) as usize];
                buffer[(from - offset) as usize..(to - offset) as usize].copy_from_slice(piece);
            }
        }
        Ok(len)
    }
}

/// Reads one byte at a time and is interrupted before each.
pub struct OneByteReads<'a> {
    pub bytes: &'a [u8],
    pub interrupted: Cell<bool>,
}

impl ReadAt for OneByteReads<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.interrupted.set(!self.interrupted.get());
        if self.interrupted.get() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = buffer.len().min(1);
        self.bytes.read_at(&mut buffer[..len], offset)
    }
}

/// A source with one unreadable byte: a read before it is short, and a read at it fails.
pub struct Damaged<'a> {
    pub bytes: &'a [u8],
    pub at: u64,
}

impl ReadAt for Damaged<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset == self.at {
            return Err(io::Error::other("EIO"));
        }
        let end = if offset < self.at { self.at } else { u64::MAX };
        let len = (buffer.len() as u64).min(end - offset) as usize;
        self.bytes.read_at(&mut buffer[..len], offset)
    }
}

/// Fails after this many reads.
pub struct Failing<'a> {
    pub bytes: &'a [u8],
    pub reads: Cell<u64>,
    /// Offset of the failed read.
    pub failed: Cell<Option<u64>>,
}

impl<'a> Failing<'a> {
    pub fn after(reads: u64, bytes: &'a [u8]) -> Self {
        Self { bytes, reads: Cell::new(reads), failed: Cell::new(None) }
    }
}

impl ReadAt for Failing<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(left) = self.reads.get().checked_sub(1) else {
            self.failed.set(Some(offset));
            return Err(io::Error::other("EIO"));
        };
        self.reads.set(left);
        self.bytes.read_at(buffer, offset)
    }
}
