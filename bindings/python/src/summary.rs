//! Summaries of audits.

use pyo3::prelude::*;
use sectile_audit::RowKind;

use crate::error;

/// The counts over all rows of an audit. It can be sent to other processes.
#[pyclass(frozen, module = "sectile")]
pub struct Summary {
    pub summary: sectile_audit::Summary,
}

#[pymethods]
impl Summary {
    /// Reads the result of `to_json`. Another version of the package may refuse it.
    #[new]
    fn parse(py: Python<'_>, json: &str) -> PyResult<Self> {
        let summary = sectile_audit::Summary::from_json(json).map_err(|fault| error::invalid(py, &fault))?;
        Ok(Self { summary })
    }

    /// Merges the summaries of the parts of an audit, in any order, into that of the whole.
    #[staticmethod]
    fn merge(summaries: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut merged: Option<sectile_audit::Summary> = None;
        for summary in summaries.try_iter()? {
            let summary = summary?.cast::<Self>()?.get().summary.clone();
            match &mut merged {
                Some(merged) => merged.merge(summary),
                None => merged = Some(summary),
            }
        }
        Ok(Self { summary: merged.unwrap_or_default() })
    }

    /// Number of rows of all kinds.
    #[getter]
    fn rows(&self) -> u64 {
        self.summary.rows
    }

    /// Number of rows of binaries.
    #[getter]
    fn binaries(&self) -> u64 {
        self.summary.rows_of(RowKind::Binary).rows
    }

    /// Number of rows that are accepted.
    #[getter]
    fn accepted(&self) -> u64 {
        self.summary.accepted
    }

    /// Number of rows with a refused finding.
    #[getter]
    fn refused(&self) -> u64 {
        self.summary.refused
    }

    /// Number of rows that were not read to their end.
    #[getter]
    fn unread(&self) -> u64 {
        self.summary.unread()
    }

    /// Number of findings that an exception of the policy excuses.
    #[getter]
    fn excepted(&self) -> u64 {
        self.summary.excepted
    }

    /// Bytes that were read from the binaries.
    #[getter]
    fn bytes_read(&self) -> u64 {
        self.summary.bytes_read
    }

    /// Returns all counts as JSON, for other processes.
    fn to_json(&self) -> String {
        self.summary.to_json()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (String,)) {
        (slf.get_type().into_any(), (slf.get().to_json(),))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.summary == other.summary
    }

    fn __hash__(&self) -> u64 {
        self.summary.rows ^ self.summary.bytes_read
    }

    fn __repr__(&self) -> String {
        let Self { summary } = self;
        format!("<sectile.Summary of {} rows, {} refused>", summary.rows, summary.refused)
    }
}
