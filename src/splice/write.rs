//! Carrying a plan out.

use std::io::{self, Write};

use super::copy::each_chunk;
use super::{Piece, Plan};
use crate::drive::ReadAt;

impl Plan {
    /// Writes the pieces, reading what is kept from the source, which must be the one that the plan was made for.
    ///
    /// # Errors
    ///
    /// Those of the source and of the writer; the source ends before a kept range does.
    pub fn write_to<R: ReadAt + ?Sized>(&self, source: &R, out: &mut impl Write) -> io::Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Insert(bytes) => out.write_all(bytes)?,
                Piece::Keep(range) => each_chunk(source, range.start, piece.len(), |chunk| out.write_all(chunk))?,
            }
        }
        Ok(())
    }

    /// The pieces put together, of a source in memory; `None` where it has another length than the one that the plan
    /// was made for.
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
