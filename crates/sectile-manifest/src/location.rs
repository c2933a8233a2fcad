//! Locations in manifests, and notices about them.

use std::fmt;
use std::path::PathBuf;

use sectile::Escaped;

/// A key of a manifest. `Display` writes `FILE:LINE: KEY`, which is safe on a terminal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ManifestLocation {
    /// The manifest, or the workspace's manifest for an inherited key.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: u64,
    /// The key with the tables that contain it, separated by dots.
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
    /// Explanation in one line. It may quote the manifest, so escape it for a terminal.
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

/// Notices up to a limit. Without the limit, a megabyte of repeated keys would cause a hundred
/// megabytes of notices.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices {
    list: Vec<Notice>,
    /// Number of further notices.
    more: u64,
}

/// Maximum number of notices about a manifest.
const MAX_NOTICES: usize = 64;

impl Notices {
    pub(super) fn push(&mut self, notice: Notice) {
        if self.list.len() < MAX_NOTICES {
            self.list.push(notice);
        } else {
            self.more += 1;
        }
    }

    /// Counts notices that are omitted because there are too many.
    pub(super) fn add_count(&mut self, more: u64) {
        self.more += more;
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX_NOTICES
    }

    /// The notices by file and line. The last one counts the omitted ones.
    pub(super) fn into_sorted(mut self) -> Vec<Notice> {
        self.list.sort_by(|a, b| a.location.cmp(&b.location).then(a.kind.cmp(&b.kind)));
        if let Some(last) = self.list.last_mut().filter(|_| self.more > 0) {
            last.message = format!("{}; and {} more notices", last.message, self.more);
        }
        self.list
    }
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

/// Writes `FILE:LINE: KEY: MESSAGE`, which is safe on a terminal.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, Escaped::new(&self.message))
    }
}
