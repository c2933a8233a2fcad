//! The records and the exception of `sectile/_records.py`, created from values of the library.

use pyo3::call::PyCallArgs;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use sectile::metadata::Value;
use sectile::scan::{ItemPath, Section};
use sectile_policy::JudgedFinding;

pub static COMPARISON: Record = Record::new("Comparison");
pub static REPORT_COMPARISON: Record = Record::new("ReportComparison");
pub static ROW_CHANGE: Record = Record::new("RowChange");
pub static DIFFERENCE: Record = Record::new("Difference");
pub static SECTION_SIZES: Record = Record::new("SectionSizes");
pub static CHANGE: Record = Record::new("Change");
pub static CHANGES: Record = Record::new("Changes");
pub static DEPENDENCY: Record = Record::new("Dependency");
pub static DIGESTS: Record = Record::new("Digests");
pub static SECTILE_ERROR: Record = Record::new("SectileError");
pub static VERDICT: Record = Record::new("Verdict");
static FINDING: Record = Record::new("Finding");
static JUDGED_FINDING: Record = Record::new("JudgedFinding");
static PACKAGE: Record = Record::new("Package");
static SECTION: Record = Record::new("Section");

/// A class that is written in Python.
pub struct Record {
    name: &'static str,
    class: PyOnceLock<Py<PyType>>,
}

impl Record {
    const fn new(name: &'static str) -> Self {
        Self { name, class: PyOnceLock::new() }
    }

    /// Creates a record. The arguments are the fields in their order.
    pub fn create<'py>(&self, py: Python<'py>, fields: impl PyCallArgs<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.class.import(py, "sectile._records", self.name)?.call1(fields)
    }
}

pub fn finding<'py>(py: Python<'py>, finding: &sectile::Finding) -> PyResult<Bound<'py, PyAny>> {
    FINDING.create(
        py,
        (
            finding.code().name(),
            finding.severity().name(),
            finding.message(),
            finding.offset(),
            finding.path().to_string(),
            finding.section(),
            finding.count(),
        ),
    )
}

pub fn judged_finding<'py>(py: Python<'py>, judged: &JudgedFinding<'_>) -> PyResult<Bound<'py, PyAny>> {
    let finding = judged.finding();
    JUDGED_FINDING.create(
        py,
        (
            finding.code().name(),
            judged.severity().name(),
            finding.message(),
            finding.offset(),
            finding.path().to_string(),
            finding.section(),
            finding.count(),
            judged.is_refused(),
            judged.location().map(ToString::to_string),
            judged.exception().map(sectile_policy::Exception::reason),
        ),
    )
}

pub fn package<'py>(py: Python<'py>, package: &sectile::inventory::Package) -> PyResult<Bound<'py, PyAny>> {
    PACKAGE.create(
        py,
        (
            &package.name,
            &package.version,
            package.ecosystem.name(),
            &package.source,
            package.evidence.list().name(),
            package.evidence.name(),
            package.confidence.name(),
            package.path.to_string(),
            package.offset,
            package.count,
            &package.checksum,
            &package.replaces,
        ),
    )
}

/// A section with its item's path, copied before the scanner moves on.
pub struct OwnedSection {
    path: String,
    id: u8,
    kind: &'static str,
    name: Option<String>,
    ranges: [(u64, u64); 3],
}

impl OwnedSection {
    pub fn new(path: &ItemPath, section: &Section<'_>) -> Self {
        let name = section.is_custom().then(|| String::from_utf8_lossy(section.name_bytes()).into_owned());
        let ranges = [section.range(), section.payload(), section.data()].map(|range| (range.start, range.end));
        Self { path: path.to_string(), id: section.id(), kind: section.kind().name(), name, ranges }
    }

    pub fn to_record<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let [range, payload, data] = self.ranges;
        SECTION.create(py, (&self.path, self.id, self.kind, &self.name, range, payload, data))
    }
}

/// A value as text, or as bytes if it is not UTF-8.
pub fn value<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value.as_str() {
        Some(text) => Ok(text.into_pyobject(py)?.into_any()),
        None => Ok(pyo3::types::PyBytes::new(py, value.as_bytes()).into_any()),
    }
}
