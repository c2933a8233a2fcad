//! Bounds the JSON about one file by the file's length: paths of deep items, for example, may be
//! much longer than the items.

use std::io::{self, Write};

/// Maximum bytes of JSON for each byte of the file.
const MAX_RATIO: u64 = 40;

/// Bytes of JSON that every file may have.
const MIN_BUDGET: u64 = 256 << 10;

/// Length in bytes that most items do not exceed.
const TYPICAL_PIECE: usize = 1 << 10;

/// Remaining bytes for pieces of JSON. After the first piece that does not fit, all pieces are
/// omitted.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    left_out: u64,
    piece: Vec<u8>,
}

impl Budget {
    /// The budget for a file of this length.
    pub(super) fn for_size(size: Option<u64>) -> Self {
        let left = size.unwrap_or(0).saturating_mul(MAX_RATIO).max(MIN_BUDGET);
        Self { left, left_out: 0, piece: Vec::with_capacity(TYPICAL_PIECE) }
    }

    /// A budget that is never used up.
    pub(super) fn unlimited() -> Self {
        Self { left: u64::MAX, left_out: 0, piece: Vec::with_capacity(TYPICAL_PIECE) }
    }

    /// Writes a piece if it fits, and returns whether it did.
    pub(super) fn write(
        &mut self,
        out: &mut impl Write,
        render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<bool> {
        if self.left_out == 0 {
            self.piece.clear();
            render(&mut self.piece)?;
            if let Some(left) = self.left.checked_sub(self.piece.len() as u64) {
                self.left = left;
                out.write_all(&self.piece)?;
                return Ok(true);
            }
        }
        self.left_out += 1;
        Ok(false)
    }

    /// Number of omitted pieces.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Why pieces were omitted; `None` if all fit.
    pub(super) fn reason(&self) -> Option<String> {
        (self.left_out > 0).then(|| reason(self.left_out))
    }
}

/// Why this many pieces were omitted.
pub fn reason(left_out: u64) -> String {
    format!("{left_out} rows are left out: the output would have more than {MAX_RATIO} bytes for each byte of the file")
}
