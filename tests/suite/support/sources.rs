//! Things to read from that are larger than memory, slow, or broken.

use std::cell::Cell;
use std::io;

use sectile::drive::{Push, ReadAt};
use sectile::metadata::{Metadata, Reader};
use sectile::scan::Visitor;
use sectile::{Error, Limits};

/// Some pieces with zeros between them: as long as one likes.
#[derive(Default)]
pub struct Sparse {
    pieces: Vec<(u64, Vec<u8>)>,
    len: u64,
}

impl Sparse {
    pub fn len(&self) -> u64 {
        self.len
    }

    /// One that goes on with these bytes.
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

    /// The pieces, each with where it begins.
    #[cfg(all(unix, target_pointer_width = "64"))] // for who makes files of them
    pub fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pieces.iter().map(|(start, bytes)| (*start, &**bytes))
    }

    /// Shows it to a visitor as it would arrive, in chunks of a few megabytes.
    pub fn push<V: for<'w> Visitor<'w>>(&self, visitor: V, limits: Limits) -> (V, Result<(), Error>) {
        const ZEROS: &[u8] = &[0; 8 << 20];
        let mut push = Push::new(visitor, limits);
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
        push.finish()
    }

    /// Reads metadata from it in that way.
    pub fn pushed(&self, limits: Limits) -> (Option<Metadata<'static>>, Result<(), Error>) {
        let (reader, result) = self.push(Reader::copying(limits), limits);
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

/// Gives one byte at a time, and is interrupted before each.
pub struct Dribble<'a> {
    pub bytes: &'a [u8],
    pub interrupted: Cell<bool>,
}

impl ReadAt for Dribble<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.interrupted.set(!self.interrupted.get());
        if self.interrupted.get() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = buffer.len().min(1);
        self.bytes.read_at(&mut buffer[..len], offset)
    }
}

/// A disk with one byte that cannot be read: a read is cut short before it, and fails at it.
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

/// Reads so many times, and then never again.
pub struct Failing<'a> {
    pub bytes: &'a [u8],
    pub reads: Cell<u64>,
    /// Where the read that failed was to begin.
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
