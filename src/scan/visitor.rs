//! Visitors: what receives the sections.

use std::ops::Range;

use super::frame::{self, Frame};
use super::item_path::ItemPath;
use super::section::{ItemKind, Section};
use crate::limits::Limits;

/// Receives the sections of an input in the order of the file.
///
/// `'w` is the lifetime of a window's bytes. A visitor that keeps none of them is a visitor for every `'w`, and runs on every
/// driver.
///
/// ```
/// use std::ops::Range;
///
/// use sectile::scan::{DataRequest, Section, Visitor};
/// use sectile::{Glob, Limits, drive};
///
/// /// Lists the custom sections whose names match a pattern, in the whole tree.
/// struct Matching {
///     pattern: Glob,
///     sections: Vec<(String, Range<u64>)>,
/// }
///
/// impl Visitor<'_> for Matching {
///     fn section(&mut self, section: &Section<'_>) -> DataRequest {
///         if section.is_custom() && self.pattern.matches(section.name()) {
///             self.sections.push((section.name().to_owned(), section.range()));
///         }
///         DataRequest::Nothing
///     }
/// }
///
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x0b.debug_info\x00\x05\x04note";
/// let mut matching = Matching { pattern: Glob::new(".debug_*")?, sections: Vec::new() };
/// drive::scan_slice(module, &mut matching, Limits::default()).complete()?;
/// assert_eq!(matching.sections, [(".debug_info".to_owned(), 8..22)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Visitor<'w> {
    /// An item begins: the root, or the one in the section that was reported last.
    fn enter(&mut self, item: &ItemStart<'_>) {
        _ = item;
    }

    /// A section's header, and a custom section's name, is complete. Returns what to read of its data. The answer is ignored
    /// for a section that holds an item: the sections inside are visited instead.
    fn section(&mut self, section: &Section<'w>) -> DataRequest;

    /// The requested bytes, and their absolute offset. Returns what to read next of the same section.
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        _ = (bytes, start);
        DataRequest::Nothing
    }

    /// An item ends at this absolute offset. If the body of its last section was skipped, the input may end before: only a
    /// complete pass has seen every end.
    fn leave(&mut self, item: u32, end: u64) {
        _ = (item, end);
    }
}

/// A visitor that gathers one value, such as the metadata reader. Drivers take the limits from it.
pub trait Collector: Sized {
    /// The gathered value.
    type Value;

    /// Limits for the scan.
    fn limits(&self) -> Limits;

    /// Returns what was gathered so far, or `None` if the scan did not get past the root's preamble.
    fn finish(self) -> Option<Self::Value>;
}

/// The part of a section's data that a [`Visitor`] requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataRequest {
    /// Nothing, or nothing more: continue with the next section.
    Nothing,
    /// These bytes, by absolute offsets, clipped to the section's data. A range never begins before the previous one: a stream
    /// does not go back.
    Bytes(Range<u64>),
}

/// The beginning of an item.
#[derive(Clone, Copy, Debug)]
pub struct ItemStart<'s> {
    pub(super) item: u32,
    pub(super) kind: ItemKind,
    pub(super) parent: Option<u32>,
    pub(super) index: u32,
    pub(super) start: u64,
    pub(super) end: Option<u64>,
    pub(super) enclosing: &'s [Frame],
}

impl ItemStart<'_> {
    /// Number of the item in the order of entering; the root is 0.
    #[inline]
    pub fn item(&self) -> u32 {
        self.item
    }

    /// Module or component.
    #[inline]
    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// Number of the enclosing item; `None` for the root.
    #[inline]
    pub fn parent(&self) -> Option<u32> {
        self.parent
    }

    /// Index among the children of the enclosing item; 0 for the root.
    #[inline]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Absolute byte offset of the preamble.
    #[inline]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Absolute byte offset of the end; `None` for the root, which ends where the input does.
    #[inline]
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// Number of enclosing items; 0 for the root.
    #[inline]
    pub fn depth(&self) -> u32 {
        self.enclosing.len() as u32
    }

    /// Path of the item. Allocates below a depth of 4.
    pub fn path(&self) -> ItemPath {
        frame::path(self.enclosing, self.index)
    }
}
