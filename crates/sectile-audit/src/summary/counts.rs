//! The counts and the ranked entries of a summary.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};

use super::bounded::Tally;
use super::top::Ranked;
use crate::row::{Completeness, LargestSection, Row};
use sectile::{Finding, FindingCode, Severity};
use sectile_policy::{Exception, JudgedFinding, PolicyLocation};

/// The rows of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowCount {
    /// Number of rows.
    pub rows: u64,
    /// Number of rows that are accepted.
    pub accepted: u64,
    /// Number of rows with a refused finding.
    pub refused: u64,
    pub(super) by_completeness: [u64; Completeness::ALL.len()],
}

/// The sections of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KindCount {
    /// Number of sections.
    pub sections: u64,
    /// Total size in bytes, headers included.
    pub bytes: u64,
    /// Number of rows that have some.
    pub rows: u64,
}

/// The findings of one code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeCount {
    /// Number of rows that have some.
    pub rows: u64,
    /// Number of rows with a refused one.
    pub refused: u64,
    /// Number of rows with one that an exception excuses.
    pub excepted: u64,
    /// Number of findings by severity, without those that an exception excuses: notes, warnings, errors.
    pub findings: [u64; Severity::ALL.len()],
}

/// One of the largest sections, at most one for each blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RankedSection {
    /// The order of the row in its audit; 0 in a summary from JSON.
    pub nth: u64,
    /// The file of the row.
    pub file: OsString,
    /// The meaning of the section ID.
    pub kind: String,
    /// The name of a custom section.
    pub name: Option<String>,
    /// Size in bytes, header included.
    pub bytes: u64,
    /// Size of the blob in bytes, if known.
    pub size: Option<u64>,
}

/// One of the blobs with the worst refused findings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorstBlob {
    /// The order of the row in its audit; 0 in a summary from JSON.
    pub nth: u64,
    /// The file of the row.
    pub file: OsString,
    /// The severity of its worst refused finding.
    pub severity: Severity,
    /// Number of refused findings.
    pub refused: u64,
    /// The code of the first of them.
    pub code: FindingCode,
    /// The message of the first of them, which may quote the input.
    pub message: String,
    /// The position in the policy of the rule that the first of them violates.
    pub location: Option<PolicyLocation>,
}

/// An exception of the policy that excuses nothing in the whole audit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnusedException {
    /// The reason of the exception.
    pub reason: String,
    /// The position of the exception in the policy; `None` if it was created in code.
    pub location: Option<PolicyLocation>,
}

/// A blob that is not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompleteBlob {
    /// The order of the row in its audit; 0 in a summary from JSON.
    pub nth: u64,
    /// The file of the row.
    pub file: OsString,
    /// How much of it was read.
    pub completeness: Completeness,
    /// The reason, which may quote the input.
    pub message: String,
    /// The absolute byte offset of the defect, if it has one.
    pub offset: Option<u64>,
}

impl RowCount {
    /// Number of rows with this completeness.
    pub fn with(&self, completeness: Completeness) -> u64 {
        self.by_completeness[completeness as usize]
    }

    /// Number of rows that are neither accepted nor refused, because they are not complete.
    ///
    /// Every row is accepted, refused or unjudged: the three add up to [`rows`](Self::rows).
    pub fn unjudged(&self) -> u64 {
        // Saturates: an earlier report may claim both of a row.
        self.rows.saturating_sub(self.accepted).saturating_sub(self.refused)
    }

    /// Number of rows that could not be read to their end, refused ones included.
    pub fn unread(&self) -> u64 {
        self.with(Completeness::Partial).saturating_add(self.with(Completeness::Unread))
    }

    pub(super) fn merge(&mut self, other: Self) {
        let own = [&mut self.rows, &mut self.accepted, &mut self.refused].into_iter().chain(&mut self.by_completeness);
        let others = [other.rows, other.accepted, other.refused].into_iter().chain(other.by_completeness);
        own.zip(others).for_each(|(own, other)| *own = own.saturating_add(other));
    }
}

impl From<&Exception> for UnusedException {
    fn from(exception: &Exception) -> Self {
        Self { reason: exception.reason().to_owned(), location: exception.location().cloned() }
    }
}

impl Tally for KindCount {
    fn merge(&mut self, other: Self) {
        self.sections = self.sections.saturating_add(other.sections);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.rows = self.rows.saturating_add(other.rows);
    }
}

impl CodeCount {
    pub(super) fn merge(&mut self, other: Self) {
        let own = [&mut self.rows, &mut self.refused, &mut self.excepted].into_iter().chain(&mut self.findings);
        let others = [other.rows, other.refused, other.excepted].into_iter().chain(other.findings);
        own.zip(others).for_each(|(own, other)| *own = own.saturating_add(other));
    }

    /// The severity of the worst finding that no exception excuses.
    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL.into_iter().rev().find(|severity| self.findings[*severity as usize] > 0)
    }

    /// Number of findings of all severities, without those that an exception excuses.
    pub fn total(&self) -> u64 {
        self.findings.iter().fold(0, |sum, number| sum.saturating_add(*number))
    }
}

impl RankedSection {
    pub(super) fn for_row(row: &Row<'_>, largest: &LargestSection<'_>) -> Self {
        let LargestSection { kind, name, bytes } = largest;
        Self {
            nth: row.nth,
            file: row.file.clone().into_owned(),
            kind: kind.clone().into_owned(),
            name: name.clone().map(Cow::into_owned),
            bytes: *bytes,
            size: row.size,
        }
    }
}

impl WorstBlob {
    pub(super) fn for_row(row: &Row<'_>, severity: Severity, refused: u64) -> Self {
        let judged = row.findings.iter().find(|judged| judged.is_refused());
        let first = judged.map(JudgedFinding::finding);
        Self {
            nth: row.nth,
            file: row.file.clone().into_owned(),
            severity,
            refused,
            code: first.map_or(FindingCode::NotJudged, Finding::code),
            message: first.map(|finding| finding.message().to_owned()).unwrap_or_default(),
            location: judged.and_then(|judged| judged.location().cloned()),
        }
    }
}

impl IncompleteBlob {
    pub(super) fn for_row(row: &Row<'_>) -> Self {
        let reason = row.reason.as_ref().map(|reason| (reason.message.clone().into_owned(), reason.offset));
        let (message, offset) = reason.unwrap_or_default();
        Self { nth: row.nth, file: row.file.clone().into_owned(), completeness: row.completeness, message, offset }
    }
}

impl Ranked for RankedSection {
    fn file(&self) -> &OsStr {
        &self.file
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.kind.clone(), one.name.clone(), one.bytes, one.size);
        self.file.cmp(&other.file).then_with(|| key(self).cmp(&key(other)))
    }
}

impl Ranked for WorstBlob {
    fn file(&self) -> &OsStr {
        &self.file
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.severity, one.refused, one.code, one.message.clone(), one.location.clone());
        self.file.cmp(&other.file).then_with(|| key(self).cmp(&key(other)))
    }
}

impl Ranked for IncompleteBlob {
    fn file(&self) -> &OsStr {
        &self.file
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.completeness, one.message.clone(), one.offset);
        self.file.cmp(&other.file).then_with(|| key(self).cmp(&key(other)))
    }
}
