//! What an edit comes to in one source.

use std::fmt;
use std::ops::Range;

use crate::finding::Finding;
use crate::scan::Path;
use crate::splice::Plan;

/// A plan, and what is to be known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "nothing changes until the plan is carried out"]
pub struct Planned {
    /// Which bytes are kept, and which are inserted.
    pub plan: Plan,
    /// What is notable about it: what a reader will find in the values and sections that are written, signatures that no
    /// longer hold. Offsets are the source's.
    pub findings: Vec<Finding>,
    /// What happens to which custom sections, in the order of the source. (The size fields of what encloses them are not
    /// told.)
    pub changes: Vec<Change>,
}

/// What happens to one custom section.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The item that holds the section.
    pub path: Path,
    /// The section's name.
    pub section: Box<str>,
    /// What is done.
    pub kind: ChangeKind,
    /// Where the section stands in the source, from its id to its end; empty for one that is added.
    pub range: Range<u64>,
    /// The section's bytes before, its header included; 0 for one that is added.
    pub before: u64,
    /// The section's bytes afterwards, its header included; 0 for one that is removed.
    pub after: u64,
}

/// What is done with a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It stays where it is, with other data.
    Replaced,
    /// It goes.
    Removed,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl ChangeKind {
    /// `added`, `replaced` or `removed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
        }
    }
}
