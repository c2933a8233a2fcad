//! Who is shown the sections.

use std::ops::Range;

use super::section::{ItemKind, Section};

/// What is made of the sections: the scanner calls it in the order of the file.
///
/// `'w` is how long the bytes of a window live. A visitor that keeps none of them is a visitor for every `'w`,
/// and runs on every driver.
pub trait Visitor<'w> {
    /// An item begins: the root, or one that a section just handed over holds.
    fn enter(&mut self, item: &Entry) {
        _ = item;
    }

    /// A section's header, and a custom section's name, is complete. What is wanted of its data, if anything?
    /// (Of a section that holds an item nothing can be wanted: the sections inside are visited instead.)
    fn section(&mut self, section: &Section<'w>) -> Want;

    /// The bytes that were wanted, and where they begin. What is wanted next of the same section, if anything?
    fn data(&mut self, bytes: &'w [u8], start: u64) -> Want {
        _ = (bytes, start);
        Want::Nothing
    }

    /// An item ends, at this absolute offset. Where the last section's body is skipped nobody has looked whether
    /// the input goes on to there: only a reading that did not break off has seen every end.
    fn leave(&mut self, item: u32, end: u64) {
        _ = (item, end);
    }
}

/// What a [`Visitor`] wants of a section's data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// Nothing (more): on to the next section.
    Nothing,
    /// These bytes, by absolute offsets, cut to the section's data. A range never begins before the one that was
    /// wanted before it: a stream does not go back.
    Bytes(Range<u64>),
}

/// An item that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The item's number, in the order of entering; the root is 0.
    pub item: u32,
    /// What it is.
    pub kind: ItemKind,
    /// The number of the item that holds it; `None` for the root.
    pub parent: Option<u32>,
    /// Which child of that item it is; 0 for the root.
    pub index: u32,
    /// Absolute offset of its preamble.
    pub start: u64,
    /// Absolute offset of its end; `None` for the root, which ends where the input does.
    pub end: Option<u64>,
}
