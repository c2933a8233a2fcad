//! The comparison of an audit with an earlier report.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::Row;
use super::amount::{Grouped, counted};
use super::format::Format;
use sectile_policy::diff::{ReportCounts, ReportError, ReportIndex, ReportRoots, RowChange};

/// Compares rows with those of an earlier report.
#[derive(Debug)]
pub(super) struct RowComparison<'a> {
    index: &'a ReportIndex,
    roots: ReportRoots,
    /// The first error, which ends the audit.
    error: Mutex<Option<ReportError>>,
}

impl<'a> RowComparison<'a> {
    pub(super) fn new(index: &'a ReportIndex, roots: ReportRoots) -> Self {
        Self { index, roots, error: Mutex::new(None) }
    }

    /// Compares a row. `line` is a buffer. Returns `None` after an error.
    pub(super) fn compare(&self, row: &Row<'_>, line: &mut Vec<u8>) -> Option<Box<RowChange>> {
        line.clear();
        Format::Jsonl.row(row, line);
        match self.index.compare_row(line, &self.roots) {
            Ok(change) => Some(Box::new(change)),
            Err(error) => {
                self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                None
            }
        }
    }

    /// The error that ended the comparison.
    pub(super) fn take_error(&self) -> Option<ReportError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The rows of the earlier report that were not compared.
    pub(super) fn gone_rows(&self) -> impl Iterator<Item = Result<RowChange, ReportError>> {
        self.index.gone_rows()
    }
}

/// Counts of the comparison with an earlier report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComparisonCounts {
    /// Rows and findings by their state.
    pub counts: ReportCounts,
    /// Rows with a new finding that the policy refuses.
    pub newly_refused: u64,
    /// Rows that were not read to their end, and were in the earlier report or are new.
    pub newly_unread: u64,
}

impl ComparisonCounts {
    /// Adds a row.
    pub(super) fn add(&mut self, row: &Row<'_>, change: &RowChange) {
        self.counts.add(change);
        let mut findings = row.findings.iter().enumerate();
        let is_refused = findings.any(|(nth, judged)| judged.is_refused() && row.is_new_finding(nth));
        self.newly_refused += u64::from(is_refused);
        let is_unread = matches!(row.completeness, super::Completeness::Partial | super::Completeness::Unread);
        let was_read = change.old.as_ref().is_none_or(|old| old.facts().is_complete());
        self.newly_unread += u64::from(is_unread && was_read);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.counts.merge(other.counts);
        self.newly_refused = self.newly_refused.saturating_add(other.newly_refused);
        self.newly_unread = self.newly_unread.saturating_add(other.newly_unread);
    }
}

/// The counts in one line: `1 new, 2 gone, 3 changed, 4 unchanged; 5 new findings, 6 gone`.
impl fmt::Display for ComparisonCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReportCounts { new, gone, changed, unchanged, new_findings, gone_findings, .. } = self.counts;
        write!(f, "{} new, {} gone, ", Grouped(new), Grouped(gone))?;
        write!(f, "{} changed, {} unchanged; ", Grouped(changed), Grouped(unchanged))?;
        write!(f, "{}, {} gone", counted(new_findings, "new finding", "new findings"), Grouped(gone_findings))
    }
}

impl From<ReportCounts> for ComparisonCounts {
    fn from(counts: ReportCounts) -> Self {
        Self { counts, ..Self::default() }
    }
}
