use crate::error::Error;
use crate::metadata::{Field, ValueError};
use crate::scan::ItemPath;

/// Error of an edit. Nothing has been written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The source is malformed or cannot be read.
    #[error("cannot edit the input")]
    Source(#[from] Error),
    /// There is no item at this path.
    #[error("item {0} does not exist")]
    NoItem(ItemPath),
    /// A value is invalid for its field.
    #[error("invalid value for {field}: {}", errors.iter().map(|error| &*error.message).collect::<Vec<_>>().join("; "))]
    #[non_exhaustive]
    Invalid {
        /// The field.
        field: Field,
        /// Errors of the value.
        errors: Vec<ValueError>,
    },
    /// The edit changes the same section or name of an item twice.
    #[error("`{0}` is changed twice by the same edit")]
    Twice(String),
    /// The length of a custom section's name, in bytes, is not in the range 1 to 100,000.
    #[error("the name of a custom section must have 1 to 100,000 bytes, not {0}")]
    SectionName(usize),
    /// A text contains NUL, at which C programs truncate it.
    #[error("{0}: the text contains NUL")]
    Nul(String),
    /// A text or section is so long that the limits would prevent reading it back.
    #[error("{what}: {len} bytes exceed the read limit of {max}")]
    #[non_exhaustive]
    TooLong {
        /// The field, or a description of the text.
        what: String,
        /// Length in bytes.
        len: u64,
        /// Maximum length in bytes.
        max: u64,
    },
    /// A section that the edit changes in part cannot be decoded.
    #[error("cannot change the `{section}` section at offset {offset:#x}: {why}")]
    #[non_exhaustive]
    Unreadable {
        /// The section's name.
        section: &'static str,
        /// Absolute byte offset.
        offset: u64,
        /// Reason.
        why: &'static str,
    },
    /// A section or enclosing item would exceed its maximum size.
    #[error("the section at offset {offset:#x} would have {size} bytes, more than {max}")]
    #[non_exhaustive]
    TooLarge {
        /// Absolute byte offset of the section.
        offset: u64,
        /// Size after the edit, in bytes.
        size: u64,
        /// Maximum size in bytes.
        max: u64,
    },
    /// The layout of the items to be changed exceeds
    /// [`Limits::max_retained_bytes`](crate::Limits::max_retained_bytes).
    #[error("the items to change have too many sections to keep in memory")]
    TooMany,
    /// The convention of a section requires a position other than the end of the item. In a stream,
    /// that position is known only after the whole input has arrived.
    #[error("cannot append `{0}` to a stream: its position depends on the whole input")]
    Placed(String),
    /// The edit would remove an object's `linking` or `reloc.*` section, or move or remove a
    /// section they refer to by index. See [`Edit::force`](super::Edit::force).
    #[error("the edit would move or remove sections that the object's linking data refers to")]
    MovesLinked,
}

/// Unwraps a source error, and wraps any other error.
impl From<EditError> for Error {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Source(error) => error,
            error => Self::other(error),
        }
    }
}
