//! The stack of items at the current position.

use super::item_path::ItemPath;
use super::section::ItemKind;

/// An item that was entered and not left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) kind: ItemKind,
    /// Number in the order of entering.
    pub(super) item: u32,
    /// Index among the children of the enclosing item.
    pub(super) index: u32,
    /// Number of children so far.
    pub(super) children: u32,
    /// Absolute end. The root's is larger than any input.
    pub(super) end: u64,
    /// Absolute offset of the section that contains the item.
    pub(super) section: u64,
}

/// Path of the child with this index, in the innermost of these items.
pub(super) fn item_path(enclosing: &[Frame], index: u32) -> ItemPath {
    let below_root = enclosing.iter().skip(1).map(|frame| frame.index);
    below_root.chain((!enclosing.is_empty()).then_some(index)).collect()
}
