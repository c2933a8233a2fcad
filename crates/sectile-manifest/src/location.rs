//! Locations in manifests, and notices about them.

use std::fmt;
use std::path::PathBuf;

use sectile::Escaped;

/// A key of a manifest. `Display` writes `FILE:LINE: KEY`, safe on a terminal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ManifestLocation {
    /// The file: the manifest, or that of the workspace that it inherits from.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: u64,
    /// The key with the tables that contain it, divided by dots.
    pub key: String,
}

impl fmt::Display for ManifestLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", Escaped::file(&self.file), self.line, Escaped::new(&self.key))
    }
}

/// A key of a manifest that is ignored or changed, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// The key.
    pub location: ManifestLocation,
    /// The kind of notice.
    pub kind: NoticeKind,
    /// Explanation in one line. It may quote the manifest: escape it for a terminal.
    pub message: String,
}

/// The kind of a [`Notice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The value is ignored.
    Dropped,
    /// The value is used in another form.
    Rewritten,
    /// The key occurs twice in its table; the last one counts.
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

/// Writes `FILE:LINE: KEY: MESSAGE`, safe on a terminal.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, Escaped::new(&self.message))
    }
}
