//! Visitors, which receive the sections.

use std::ops::Range;

use super::frame::{self, Frame};
use super::item_path::ItemPath;
use super::section::{ItemKind, Section};
use crate::limits::Limits;

/// Receives the sections of an input in the order of the file.
///
/// `'w` is the lifetime of a window's bytes. A visitor that keeps no borrowed bytes implements
/// `Visitor<'w>` for every `'w` and runs on every driver.
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
    /// Called where an item begins: the root, or the item in the section reported last.
    fn enter(&mut self, item: &ItemStart<'_>) {
        _ = item;
    }

    /// Called when a section's header is complete, or its header and name for a custom section.
    /// Returns the data to read. The request is ignored for a section that contains an item: the
    /// sections of the item are visited instead.
    fn section(&mut self, section: &Section<'w>) -> DataRequest;

    /// Called with the requested bytes and their absolute offset. Returns the next request for data
    /// of the same section.
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        _ = (bytes, start);
        DataRequest::Nothing
    }

    /// Called if the input ends inside the requested data, with the absolute offset of its end.
    /// Returns a request for data before the end, which [`data`](Self::data) receives. Then the scan
    /// fails.
    fn truncated(&mut self, end: u64) -> DataRequest {
        _ = end;
        DataRequest::Nothing
    }

    /// Called where an item ends, with the absolute offset of its end. If the payload of its last
    /// section was skipped, the input may be truncated before this offset: only a complete pass
    /// confirms it.
    fn leave(&mut self, item: u32, end: u64) {
        _ = (item, end);
    }
}

/// A visitor that produces one value, such as the metadata reader. Drivers use its limits.
pub trait Collector: Sized {
    /// The value.
    type Value;

    /// Limits for the scan.
    fn limits(&self) -> Limits;

    /// Returns the value collected so far, or `None` if the root's preamble was not read.
    fn finish(self) -> Option<Self::Value>;
}

/// The part of a section's data that a [`Visitor`] requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataRequest {
    /// No data, or no more: continue with the next section.
    Nothing,
    /// An absolute range, clipped to the section's data. It must not start before the previous one,
    /// because a stream cannot go back.
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

    /// Absolute byte offset of the end; `None` for the root, which ends at the end of the input.
    #[inline]
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// Number of enclosing items; 0 for the root.
    #[inline]
    pub fn depth(&self) -> u32 {
        self.enclosing.len() as u32
    }

    /// Path of the item. Allocates if the item has more than four ancestors.
    pub fn path(&self) -> ItemPath {
        frame::item_path(self.enclosing, self.index)
    }
}
