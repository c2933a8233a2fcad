//! Writes a plan to a stream or to memory.

use std::io::{self, Write};

use super::copy::each_chunk;
use super::{Piece, Plan};
use crate::drive::ReadAt;

impl Plan {
    /// Writes the output to a writer. `source` must be the source of the plan.
    ///
    /// # Errors
    ///
    /// Reading or writing fails, or the source ends before the end of a kept range.
    pub fn write_to<R: ReadAt + ?Sized>(&self, source: &R, out: &mut impl Write) -> io::Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Insert(bytes) => out.write_all(bytes)?,
                Piece::Keep(range) => each_chunk(source, range.start, piece.len(), |chunk| out.write_all(chunk))?,
            }
        }
        Ok(())
    }

    /// Returns the output for a source in memory; `None` if its length differs from the plan's
    /// source.
    pub fn to_vec(&self, source: &[u8]) -> Option<Vec<u8>> {
        if source.len() as u64 != self.source_len {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.len() as usize);
        for piece in &self.pieces {
            match piece {
                Piece::Insert(inserted) => bytes.extend(inserted),
                Piece::Keep(range) => bytes.extend(&source[range.start as usize..range.end as usize]),
            }
        }
        Some(bytes)
    }
}
