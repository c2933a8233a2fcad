//! Carrying a plan out.

use std::io::{self, Write};

use super::copy::read_exact_at;
use super::{Piece, Plan};
use crate::drive::ReadAt;

/// Kept ranges are copied through a buffer of this size.
const BUFFER: usize = 128 << 10;

impl Plan {
    /// Writes the pieces, reading what is kept from the source, which must be the one that the plan was made for.
    ///
    /// # Errors
    ///
    /// Those of the source and of the writer; the source ends before a kept range does.
    pub fn write_to<R: ReadAt + ?Sized>(&self, source: &R, out: &mut impl Write) -> io::Result<()> {
        let mut buffer = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Insert(bytes) => out.write_all(bytes)?,
                Piece::Keep(range) => {
                    let mut left = range.clone();
                    while !left.is_empty() {
                        let len = (left.end - left.start).min(BUFFER as u64) as usize;
                        buffer.resize(len.max(buffer.len()), 0);
                        read_exact_at(source, &mut buffer[..len], left.start)?;
                        out.write_all(&buffer[..len])?;
                        left.start += len as u64;
                    }
                }
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
