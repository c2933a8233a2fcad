//! Where something stands in a manifest.

use std::fmt;
use std::path::PathBuf;

use crate::escape::Escaped;

/// A key of a manifest. `Display` gives `FILE:LINE: KEY`, safe to show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// The file: the manifest, or that of the workspace that it inherits from.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: u64,
    /// The key, with those of the tables that hold it before it, divided by dots.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", Escaped::file(&self.file), self.line, Escaped::new(&self.key))
    }
}

/// What is dropped of a manifest, or taken in another form, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// What it is about.
    pub place: Place,
    /// What kind it is.
    pub kind: NoticeKind,
    /// What becomes of it and why, in one line. It may quote the manifest: escape it before it meets a terminal.
    pub message: String,
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NoticeKind {
    /// It says something, and nothing is taken of it.
    Dropped,
    /// It is taken in another form.
    Rewritten,
    /// It stands twice in its table; the last counts.
    Duplicate,
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl NoticeKind {
    /// `dropped`, `rewritten` or `duplicate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Rewritten => "rewritten",
            Self::Duplicate => "duplicate",
        }
    }
}

/// `FILE:LINE: KEY: MESSAGE`, safe to show.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, Escaped::new(&self.message))
    }
}
