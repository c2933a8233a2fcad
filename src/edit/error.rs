use crate::error::Error;
use crate::metadata::{Field, ValueError};
use crate::scan::ItemPath;

/// Why an edit cannot be carried out. Nothing has been written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The source cannot be read to its end: it is malformed, or its bytes cannot be had.
    #[error("the input cannot be edited")]
    Source(#[from] Error),
    /// There is no item at this path.
    #[error("there is no item {0}")]
    NoItem(ItemPath),
    /// A value is not what the table of fields asks for.
    #[error("the value of {field} is refused: {}", errors.iter().map(|flaw| &*flaw.message).collect::<Vec<_>>().join("; "))]
    #[non_exhaustive]
    Invalid {
        /// The field.
        field: Field,
        /// What is wrong with the value.
        errors: Vec<ValueError>,
    },
    /// The same thing is wanted twice of one item.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// A custom section's name of so many bytes: it must have 1 to 100,000.
    #[error("a custom section's name has 1 to 100,000 bytes, not {0}")]
    SectionName(usize),
    /// A text to be written holds a NUL, at which many readers take it to end.
    #[error("{0}: it holds a NUL")]
    Nul(String),
    /// What is to be written is longer than what is read back under the limits.
    #[error("{what}: {len} bytes, and no more than {max} are read back")]
    #[non_exhaustive]
    TooLong {
        /// The field, or what it is otherwise.
        what: String,
        /// Its bytes.
        len: u64,
        /// How many there may be.
        max: u64,
    },
    /// A section that is to be changed in part cannot be read.
    #[error("the `{section}` section at offset {offset:#x} cannot be changed: {why}")]
    #[non_exhaustive]
    Unreadable {
        /// The section's name.
        section: &'static str,
        /// Absolute byte offset.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A section, or an item that encloses the change, would be larger than its size field can say.
    #[error("the section at offset {offset:#x} would have {size} bytes, more than {max}")]
    #[non_exhaustive]
    TooLarge {
        /// Absolute byte offset of the section.
        offset: u64,
        /// The bytes that it would have.
        size: u64,
        /// The most that it may have.
        max: u64,
    },
    /// The items that are to be changed hold more sections than [`Limits::max_retained_bytes`](crate::Limits::max_retained_bytes) allows to be kept in
    /// mind.
    #[error("what is to be changed holds too many sections to be kept in memory")]
    TooMany,
    /// A section has a place of its own, by its convention, which is not known as long as the input is arriving.
    #[error("`{0}` does not go to the end: its place is not known before all of the input is there")]
    Placed(String),
    /// The edit would move or remove a section that an object's `linking` and `reloc.*` sections name by its place, or one
    /// of these. See [`Edit::force`](super::Edit::force).
    #[error("the edit would move or remove sections that linking this object needs at their places")]
    MovesLinked,
}

/// An error of the source stays as it is; any other keeps the edit's message.
impl From<EditError> for Error {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Source(error) => error,
            error => Self::other(error),
        }
    }
}
