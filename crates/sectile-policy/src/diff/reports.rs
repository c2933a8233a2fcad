//! Compares two reports row by row.

use std::ffi::OsStr;

use sectile::drive::ReadAt;

use super::index::{Lines, ReportError, ReportIndex, RowPlace};
use super::line::Roots;
use super::{Comparison, FindingChanges, ReportRow, compare};

/// How a row relates to those of an earlier report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RowState {
    /// The earlier report does not have it.
    New,
    /// Only the earlier report has it.
    Gone,
    /// Both have it, with differences.
    Changed,
    /// Both have it, without a difference.
    Unchanged,
}

impl RowState {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::New, Self::Gone, Self::Changed, Self::Unchanged];

    /// Name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A row, compared with the row of the same name in an earlier report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RowChange {
    /// The state of the row.
    pub state: RowState,
    /// The earlier row, unless it is new.
    pub old: Option<ReportRow>,
    /// The present row, unless it is gone.
    pub new: Option<ReportRow>,
    /// The comparison, if both exist.
    pub comparison: Option<Comparison>,
    /// The findings of the present row, and those that only the earlier one has.
    pub findings: FindingChanges,
}

impl RowChange {
    fn new(old: Option<ReportRow>, new: Option<ReportRow>) -> Self {
        let comparison = old.as_ref().zip(new.as_ref()).map(|(old, new)| compare(&old.facts, &new.facts));
        let state = match (&old, &new, &comparison) {
            (_, _, Some(comparison)) if comparison.is_equal() => RowState::Unchanged,
            (_, _, Some(_)) => RowState::Changed,
            (None, ..) => RowState::New,
            _ => RowState::Gone,
        };
        let earlier = old.as_ref().map(|old| old.findings.clone()).unwrap_or_default();
        let present = new.as_ref().map_or(&[][..], |new| &new.findings);
        let findings = FindingChanges::compare(earlier, present);
        Self { state, old, new, comparison, findings }
    }
}

/// Counts of rows and findings by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportCounts {
    /// Rows that only the new report has.
    pub new: u64,
    /// Rows that only the old report has.
    pub gone: u64,
    /// Rows with differences.
    pub changed: u64,
    /// Rows without a difference.
    pub unchanged: u64,
    /// Findings that only the new report has.
    pub new_findings: u64,
    /// Findings that only the old report has.
    pub gone_findings: u64,
}

impl ReportCounts {
    /// Counts a row.
    pub fn add(&mut self, change: &RowChange) {
        *match change.state {
            RowState::New => &mut self.new,
            RowState::Gone => &mut self.gone,
            RowState::Changed => &mut self.changed,
            RowState::Unchanged => &mut self.unchanged,
        } += 1;
        self.new_findings += change.findings.new_findings().count() as u64;
        self.gone_findings += change.findings.gone().len() as u64;
    }

    /// Adds the counts of other rows.
    pub fn merge(&mut self, other: Self) {
        self.new = self.new.saturating_add(other.new);
        self.gone = self.gone.saturating_add(other.gone);
        self.changed = self.changed.saturating_add(other.changed);
        self.unchanged = self.unchanged.saturating_add(other.unchanged);
        self.new_findings = self.new_findings.saturating_add(other.new_findings);
        self.gone_findings = self.gone_findings.saturating_add(other.gone_findings);
    }

    /// Whether the reports have the same rows, without differences.
    pub fn is_equal(&self) -> bool {
        (self.new, self.gone, self.changed) == (0, 0, 0)
    }
}

/// The roots of the report that is compared with an index.
#[derive(Clone, Debug, Default)]
pub struct ReportRoots(Roots);

impl ReportRoots {
    /// The roots of an audit.
    pub fn new<N: AsRef<OsStr>>(paths: impl IntoIterator<Item = N>) -> Self {
        Self(Roots::new(paths))
    }
}

impl ReportIndex {
    /// Compares a row of a report with these roots with the row of the same name. Each row is compared once.
    ///
    /// # Errors
    ///
    /// A row is malformed, or the file of the earlier report cannot be read.
    pub fn compare_row(&self, line: &[u8], roots: &ReportRoots) -> Result<RowChange, ReportError> {
        let row = ReportRow::parse(line)?;
        let old = self.take(roots.0.relative(row.facts.file()))?;
        Ok(RowChange::new(old, Some(row)))
    }

    /// The rows that were not compared: they are gone.
    pub fn gone_rows(&self) -> impl Iterator<Item = Result<RowChange, ReportError>> {
        self.rest().map(|row| Ok(RowChange::new(Some(row?), None)))
    }
}

/// Compares a report with an earlier one: its rows in their order, then the rows that are gone.
///
/// Rows are found by name, relative to the root of the audit that wrote them. If both reports have only one row, these
/// are compared, whatever their names are. Returns whether the new report is complete.
///
/// # Errors
///
/// A report cannot be read, is not a report, or has another version of the schema; or `each` fails.
pub fn compare_reports<E: From<ReportError>>(
    old: &ReportIndex,
    new: &(impl ReadAt + ?Sized),
    mut each: impl FnMut(RowChange) -> Result<(), E>,
) -> Result<bool, E> {
    let mut lines = Lines::new(new);
    // The first row is held until the second one shows that it is not the only one.
    let mut first = None;
    let mut number_of_rows = 0;
    while let Some(RowPlace { name, number, .. }) = lines.next_row()? {
        let row = ReportRow::parse_line(lines.text()).ok_or(ReportError::NotARow(number))?;
        number_of_rows += 1;
        if number_of_rows == 1 {
            first = Some((name, row));
            continue;
        }
        if let Some((name, row)) = first.take() {
            each(RowChange::new(old.take(&name)?, Some(row)))?;
        }
        each(RowChange::new(old.take(&name)?, Some(row)))?;
    }
    if let Some((name, row)) = first {
        let earlier = if old.len() == 1 { old.take_only() } else { old.take(&name) };
        each(RowChange::new(earlier?, Some(row)))?;
    }
    for gone in old.gone_rows() {
        each(gone?)?;
    }
    Ok(lines.is_complete)
}
