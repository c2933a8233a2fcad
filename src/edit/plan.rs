//! The plan of an edit of one source, with changes and findings.

use std::fmt;
use std::ops::Range;

use crate::finding::Finding;
use crate::fs::fingerprint::FileFingerprint;
use crate::scan::ItemPath;
use crate::splice::Plan;

/// A [`Plan`] with the changed sections and findings. From [`Edit::apply`](super::Edit::apply), the
/// plan was already written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditPlan {
    pub(super) plan: Plan,
    pub(super) findings: Vec<Finding>,
    pub(super) changes: Vec<Change>,
}

impl EditPlan {
    pub(super) fn for_file(self, fingerprint: FileFingerprint) -> Self {
        Self { plan: self.plan.for_file(fingerprint), ..self }
    }

    /// Returns the bytes to keep and insert.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Converts to the bytes to keep and insert.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    /// Findings about written values, written or removed sections, and invalidated signatures.
    /// Offsets refer to the source.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Changes of custom sections, in source order. Changed size fields of enclosing items are not
    /// included.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

/// The change of one custom section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub(super) path: ItemPath,
    pub(super) section: Box<str>,
    pub(super) kind: ChangeKind,
    pub(super) range: Range<u64>,
    pub(super) before: u64,
    pub(super) after: u64,
}

impl Change {
    /// Path of the item that holds the section.
    pub fn path(&self) -> &ItemPath {
        &self.path
    }

    /// Name of the section.
    pub fn section(&self) -> &str {
        &self.section
    }

    /// Added, replaced or removed.
    pub fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// Absolute byte range of the section in the source, from its id to its end; empty for an added
    /// section.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Length of the section in bytes before the edit, header included; 0 for an added section.
    pub fn before(&self) -> u64 {
        self.before
    }

    /// Length of the section in bytes after the edit, header included; 0 for a removed section.
    pub fn after(&self) -> u64 {
        self.after
    }
}

/// The kind of change to a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The section is new.
    Added,
    /// The section has new data.
    Replaced,
    /// The section is removed.
    Removed,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl ChangeKind {
    /// Returns `added`, `replaced` or `removed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
        }
    }
}
