//! Comparison of two sets of binaries.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sectile::Input;
use sectile_audit::Progress;
use sectile_policy::diff::{ReportCounts, ReportError, ReportIndex, ReportRow, RowChange, RowState, compare_reports};

use crate::diff::difference;
use crate::policy::{Judge, PolicyArguments, paths};
use crate::signals::while_signals_are_checked;
use crate::source::path_argument;
use crate::{error, json, record};

/// Compares two sets of binaries, row by row, as `sectile diff` does.
///
/// Each side is a report of `audit` as Parquet or JSON lines, a directory, an archive, a URL, or a binary. All but reports
/// are audited first. Rows are found by their name, relative to the root of the audit. The policy, `recovered`,
/// `advisories` and `vex` are those of `check`, and judge what is audited.
#[pyfunction]
#[pyo3(signature = (old, new, policy = None, *, recovered = false, advisories = Vec::new(), vex = Vec::new()),
    text_signature = "(old, new, policy=None, *, recovered=False, advisories=(), vex=())")]
pub fn diff_reports<'py>(
    py: Python<'py>,
    old: &Bound<'py, PyAny>,
    new: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    recovered: bool,
    #[pyo3(from_py_with = paths)] advisories: Vec<PathBuf>,
    #[pyo3(from_py_with = paths)] vex: Vec<PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let judge = PolicyArguments { policy, recovered, advisories: &advisories, vex: &vex }.judge(py)?;
    let (old_path, new_path) = (path_argument(old)?, path_argument(new)?);
    let old = rows(py, &old_path, &judge)?;
    let new = rows(py, &new_path, &judge)?;
    let from_report = |fault: &ReportError, path| error::from_report(py, fault, path);
    let old = ReportIndex::new(old).map_err(|fault| from_report(&fault, &old_path))?;
    let mut comparison = Comparison::default();
    let compared = compare_reports(&old, &new, |change| comparison.add(py, &change));
    let is_complete = compared.map_err(|fault| match fault {
        Fault::Report(fault) => from_report(&fault, &new_path),
        Fault::Python(raised) => raised,
    })?;
    comparison.finish(py, is_complete && old.is_complete())
}

/// The rows of a side.
fn rows(py: Python<'_>, path: &Path, judge: &Judge) -> PyResult<Input> {
    let progress = Progress::new();
    let read = || sectile_cli::embedded::rows(path.into(), &judge.policy, judge.today, &progress);
    let rows = while_signals_are_checked(py, &progress, None, read)?;
    rows.map_err(|fault| error::from_rows(py, &fault, path))
}

/// The comparison so far.
#[derive(Default)]
struct Comparison<'py> {
    counts: ReportCounts,
    /// Rows with differences.
    changes: Vec<Bound<'py, PyAny>>,
    /// Whether each compared binary was read to its end.
    has_partial: bool,
    json: Vec<u8>,
}

impl<'py> Comparison<'py> {
    fn add(&mut self, py: Python<'py>, change: &RowChange) -> Result<(), Fault> {
        py.check_signals()?;
        self.counts.add(change);
        let rows = [&change.old, &change.new];
        self.has_partial |= rows.into_iter().flatten().any(|row| !row.facts().is_complete());
        change.write_json(&mut self.json).map_err(PyErr::from)?;
        if change.state != RowState::Unchanged {
            self.changes.push(row_change(py, change)?);
        }
        Ok(())
    }

    fn finish(mut self, py: Python<'py>, reports_are_complete: bool) -> PyResult<Bound<'py, PyAny>> {
        let counts = PyDict::new(py);
        let values = [
            ("new", self.counts.new),
            ("gone", self.counts.gone),
            ("changed", self.counts.changed),
            ("unchanged", self.counts.unchanged),
            ("new_findings", self.counts.new_findings),
            ("gone_findings", self.counts.gone_findings),
        ];
        for (name, count) in values {
            counts.set_item(name, count)?;
        }
        self.counts.write_json(reports_are_complete, &mut self.json)?;
        let lines = self.json;
        let json = json::document(py, |out| {
            *out = lines;
            Ok(())
        })?;
        let is_complete = reports_are_complete && !self.has_partial;
        let changes = PyTuple::new(py, self.changes)?;
        record::REPORT_COMPARISON.create(py, (self.counts.is_equal(), is_complete, counts, changes, json))
    }
}

fn row_change<'py>(py: Python<'py>, change: &RowChange) -> PyResult<Bound<'py, PyAny>> {
    let name = |row: &Option<ReportRow>| row.as_ref().map(|row| row.facts().file().to_owned());
    let comparison = change.comparison.as_ref();
    let differences = comparison.iter().flat_map(|comparison| comparison.differences());
    let differences = differences.map(|one| difference(py, one)).collect::<PyResult<Vec<_>>>()?;
    let content = comparison.and_then(|comparison| comparison.is_content_equal());
    let fields = (change.state.name(), name(&change.old), name(&change.new), content, PyTuple::new(py, differences)?);
    record::ROW_CHANGE.create(py, fields)
}

/// The reason why a comparison ends early.
enum Fault {
    Report(ReportError),
    Python(PyErr),
}

impl From<ReportError> for Fault {
    fn from(error: ReportError) -> Self {
        Self::Report(error)
    }
}

impl From<PyErr> for Fault {
    fn from(raised: PyErr) -> Self {
        Self::Python(raised)
    }
}
