//! Errors of the scanner.

use std::fmt;

use super::fault::Fault;
use super::item_path::ItemPath;

/// Malformed framing or an exceeded limit, with its absolute byte offset and item.
///
/// One pointer in size. The drivers convert it into [`Error`](crate::Error).
pub struct ScanError(Box<Inner>);

struct Inner {
    fault: Fault,
    offset: u64,
    path: ItemPath,
}

impl ScanError {
    #[cold]
    pub(crate) fn new(fault: Fault, offset: u64, path: ItemPath) -> Self {
        Self(Box::new(Inner { fault, offset, path }))
    }

    /// Absolute byte offset of the fault.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// Path of the item that contains the fault.
    pub fn path(&self) -> &ItemPath {
        &self.0.path
    }

    pub(crate) fn into_parts(self) -> (Fault, u64, ItemPath) {
        let Inner { fault, offset, path } = *self.0;
        (fault, offset, path)
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_located(f, &self.0.fault, Some(self.0.offset), &self.0.path)
    }
}

impl fmt::Debug for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ScanError {}

/// Writes a message, its offset, and the path of the item unless it is the root.
pub(crate) fn fmt_located(
    f: &mut fmt::Formatter<'_>,
    message: &dyn fmt::Display,
    offset: Option<u64>,
    path: &ItemPath,
) -> fmt::Result {
    write!(f, "{message}")?;
    match (offset, path.is_root()) {
        (Some(offset), true) => write!(f, " (at offset {offset:#x})"),
        (Some(offset), false) => write!(f, " (at offset {offset:#x}, in item {path})"),
        (None, _) => Ok(()),
    }
}
