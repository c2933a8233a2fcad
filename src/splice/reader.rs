//! Reads the output of a plan without writing it.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use super::copy::check_read_len;
use super::{Piece, Plan};
use crate::drive::ReadAt;

/// Reader of the output of a [`Plan`]. Implements [`Read`], [`Seek`] and [`ReadAt`], so that the
/// output can be scanned before it is written.
///
/// ```
/// use std::io::Read;
/// use sectile::Edit;
///
/// let module = &b"\0asm\x01\0\0\0\x00\x05\x04note"[..];
/// let planned = Edit::new().remove("note")?.plan_slice(module)?;
/// let mut edited = Vec::new();
/// planned.plan().reader(module).read_to_end(&mut edited)?;
/// assert_eq!(edited, b"\0asm\x01\0\0\0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PlanReader<'p, R> {
    pieces: &'p [Piece],
    /// End offset of each piece in the output.
    ends: Vec<u64>,
    source: R,
    position: u64,
}

impl Plan {
    /// Returns a reader of the output. `source` must be the source of the plan.
    pub fn reader<R: ReadAt>(&self, source: R) -> PlanReader<'_, R> {
        let ends = self.pieces.iter().scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        PlanReader { pieces: &self.pieces, ends: ends.collect(), source, position: 0 }
    }
}

impl<R> PlanReader<'_, R> {
    fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }
}

impl<R: ReadAt> ReadAt for PlanReader<'_, R> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let index = self.ends.partition_point(|&end| end <= offset);
        let Some(piece) = self.pieces.get(index).filter(|_| !buffer.is_empty()) else { return Ok(0) };
        let inside = offset - (self.ends[index] - piece.len());
        let len = (piece.len() - inside).min(buffer.len() as u64) as usize;
        let buffer = &mut buffer[..len];
        match piece {
            Piece::Insert(bytes) => bytes[inside as usize..].read_at(buffer, 0),
            Piece::Keep(range) => match self.source.read_at(buffer, range.start + inside)? {
                0 => Err(ErrorKind::UnexpectedEof.into()),
                read => check_read_len(len, read),
            },
        }
    }
}

impl<R: ReadAt> Read for PlanReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<R> Seek for PlanReader<'_, R> {
    /// Seeking past the end is allowed; reads there return 0 bytes.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
