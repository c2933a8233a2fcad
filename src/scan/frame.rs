//! The items that enclose the current position.

use super::item_path::ItemPath;
use super::section::ItemKind;

/// An item that has begun and not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) kind: ItemKind,
    pub(super) item: u32,
    /// Which child of the enclosing item this is.
    pub(super) index: u32,
    pub(super) children: u32,
    /// One past the last byte; the root's is out of reach.
    pub(super) end: u64,
    /// Where the section that holds it begins.
    pub(super) holder: u64,
}

/// The path of the item with this child index, inside these items.
pub(super) fn path(enclosing: &[Frame], index: u32) -> ItemPath {
    let below_root = enclosing.iter().skip(1).map(|frame| frame.index);
    below_root.chain((!enclosing.is_empty()).then_some(index)).collect()
}
