//! Splicing: a plan lists the ranges of a source to keep and the bytes to insert. Its output is
//! written to a file, a stream or memory. This module does not interpret the bytes.
//!
//! An [`Edit`](crate::edit::Edit) returns a [`Plan`]. To write it:
//!
//! | result | call |
//! | --- | --- |
//! | the source file, replaced atomically | [`Plan::replace`] |
//! | the source file, overwritten only where it differs | [`Plan::write_in_place`], and [`recover`] after an interruption |
//! | another file | [`Plan::write_file`] |
//! | any [`io::Write`](std::io::Write) | [`Plan::write_to`] |
//! | an [`io::Read`](std::io::Read) and [`io::Seek`](std::io::Seek) | [`Plan::reader`] |
//! | chunks that share the source's memory | [`Plan::chunks`] |
//! | bytes in memory | [`Plan::to_vec`] |
//!
//! [`Plan::pieces`] lists the pieces. Before copying a file, use [`check_whole`] to detect damage
//! by an interrupted in-place edit.

mod attributes;
mod chunks;
mod copy;
mod error;
pub(crate) mod file;
mod in_place;
mod journal;
pub(crate) mod output;
mod reader;
mod recover;
mod target;
mod write;

use std::ops::Range;

pub use self::chunks::Chunks;
pub use self::error::WriteError;
pub use self::reader::PlanReader;
pub use self::recover::{Recovered, recover};
pub use self::target::check_whole;

use crate::fs::fingerprint::FileFingerprint;
use crate::input::Input;

/// A part of the output of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Copies this absolute byte range of the source.
    Keep(Range<u64>),
    /// Inserts these bytes.
    Insert(Vec<u8>),
}

impl Piece {
    /// Length in bytes.
    fn len(&self) -> u64 {
        match self {
            Self::Keep(range) => range.end - range.start,
            Self::Insert(bytes) => bytes.len() as u64,
        }
    }
}

/// The ordered pieces that turn one binary into another. Kept ranges are in source order and copied
/// byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing changes until the plan is carried out"]
pub struct Plan {
    source_len: u64,
    /// The state of the file that the plan is for; `None` for bytes in memory.
    fingerprint: Option<FileFingerprint>,
    pieces: Vec<Piece>,
}

/// Options for writing a file.
///
/// ```
/// let options = sectile::splice::WriteOptions { sync: false, ..Default::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// Waits until the written data is on the disk, so that it survives a power loss. Default:
    /// `true`. If `false`, the data survives a kill of the process, but a power loss may leave an
    /// empty, torn or zeroed file.
    pub sync: bool,
    /// Writes even if the file is read-only, if a replacement would break its hard links, or if its
    /// owner, mode and attributes cannot be preserved. Default: `false`.
    pub force: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { sync: true, force: false }
    }
}

/// Bytes that replace a range of the source. An empty range means an insertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) range: Range<u64>,
    pub(crate) bytes: Vec<u8>,
}

impl Plan {
    /// Creates a plan that applies patches to a source of `source_len` bytes. Patches that start at
    /// the same offset are applied in the given order. Patches must not overlap.
    pub(crate) fn new(source_len: u64, mut patches: Vec<Patch>) -> Self {
        patches.sort_by_key(|patch| patch.range.start);
        let mut pieces = Vec::new();
        let mut kept = 0;
        for Patch { range, bytes } in patches {
            debug_assert!(kept <= range.start && range.end <= source_len, "patches overlap");
            keep(&mut pieces, kept..range.start);
            insert(&mut pieces, bytes);
            kept = range.end;
        }
        keep(&mut pieces, kept..source_len);
        Self { source_len, fingerprint: None, pieces }
    }

    /// Returns a plan whose output equals this file.
    pub fn identity(source: &Input) -> Self {
        Self::new(source.len(), Vec::new()).for_file(source.fingerprint())
    }

    /// Restricts the plan to this state of a file.
    pub(crate) fn for_file(self, fingerprint: FileFingerprint) -> Self {
        Self { fingerprint: Some(fingerprint), ..self }
    }

    /// Whether the plan is for this state of the file. If the plan is for bytes in memory,
    /// only the length is compared.
    pub(crate) fn is_for(&self, source: &Input) -> bool {
        self.fingerprint.map_or(self.source_len == source.len(), |fingerprint| fingerprint == source.fingerprint())
    }

    /// Length of the source in bytes.
    pub fn source_len(&self) -> u64 {
        self.source_len
    }

    /// Length of the output in bytes.
    pub fn len(&self) -> u64 {
        self.kept() + self.inserted()
    }

    /// Output length minus source length, in bytes.
    pub fn growth(&self) -> i64 {
        self.len().cast_signed() - self.source_len.cast_signed()
    }

    /// Whether the output is empty, which is not a valid WebAssembly binary.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the output equals the source.
    pub fn is_identity(&self) -> bool {
        self.inserted() == 0 && self.kept() == self.source_len
    }

    /// Returns the pieces in order. No piece is empty. Adjacent pieces have different kinds, except
    /// for two kept ranges with dropped bytes between them.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Number of source bytes kept.
    pub fn kept(&self) -> u64 {
        self.keeps().map(|range| range.end - range.start).sum()
    }

    /// Number of bytes inserted.
    pub fn inserted(&self) -> u64 {
        let inserts = self.pieces.iter().map(|piece| match piece {
            Piece::Keep(_) => 0,
            Piece::Insert(bytes) => bytes.len() as u64,
        });
        inserts.sum()
    }

    /// Absolute byte ranges of the source that are not kept, in order.
    pub fn dropped(&self) -> impl Iterator<Item = Range<u64>> {
        let ends = [0].into_iter().chain(self.keeps().map(|range| range.end));
        let starts = self.keeps().map(|range| range.start).chain([self.source_len]);
        ends.zip(starts).map(|(end, start)| end..start).filter(|range| !range.is_empty())
    }

    fn keeps(&self) -> impl Iterator<Item = &Range<u64>> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Keep(range) => Some(range),
            Piece::Insert(_) => None,
        })
    }
}

fn keep(pieces: &mut Vec<Piece>, range: Range<u64>) {
    match pieces.last_mut() {
        _ if range.is_empty() => {}
        Some(Piece::Keep(last)) if last.end == range.start => last.end = range.end,
        _ => pieces.push(Piece::Keep(range)),
    }
}

fn insert(pieces: &mut Vec<Piece>, bytes: Vec<u8>) {
    match pieces.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Piece::Insert(last)) => last.extend(bytes),
        _ => pieces.push(Piece::Insert(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(range: Range<u64>, bytes: &[u8]) -> Patch {
        Patch { range, bytes: bytes.to_vec() }
    }

    #[test]
    fn adjacent_pieces_are_joined() {
        let plan = Plan::new(10, vec![patch(7..9, b"c"), patch(2..2, b"a"), patch(2..4, b"b"), patch(5..6, b"")]);
        assert_eq!(
            plan.pieces(),
            [
                Piece::Keep(0..2),
                Piece::Insert(b"ab".to_vec()),
                Piece::Keep(4..5),
                Piece::Keep(6..7),
                Piece::Insert(b"c".to_vec()),
                Piece::Keep(9..10)
            ]
        );
        assert_eq!(plan.dropped().collect::<Vec<_>>(), [2..4, 5..6, 7..9]);
        assert_eq!((plan.kept(), plan.inserted(), plan.len(), plan.growth()), (5, 3, 8, -2));
        assert_eq!(plan.to_vec(b"0123456789").unwrap(), b"01ab46c9");
    }

    #[test]
    fn without_patches_the_plan_is_the_identity() {
        for patches in [vec![], vec![patch(3..3, b"")]] {
            let plan = Plan::new(10, patches);
            assert!(plan.is_identity());
            assert_eq!(plan.pieces(), [Piece::Keep(0..10)]);
        }
        assert!(!Plan::new(10, vec![patch(0..1, b"")]).is_identity());
    }

    #[test]
    fn everything_may_be_dropped() {
        let plan = Plan::new(10, vec![patch(0..10, b"")]);
        assert!(plan.is_empty() && !plan.is_identity() && plan.pieces().is_empty());
        assert_eq!((plan.source_len(), plan.len(), plan.growth()), (10, 0, -10));
        assert!(plan.dropped().eq(std::iter::once(0..10)));
        assert!(!Plan::new(10, vec![patch(0..9, b"")]).is_empty());
        assert!(!Plan::new(0, vec![patch(0..0, b"a")]).is_empty());
    }
}
