//! Comparison of two sources.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use sectile::digest::compute_with;
use sectile::{drive, internal};
use sectile_policy::JudgeContext;
use sectile_policy::diff::{
    BinaryFacts, BinaryReading, Difference, FactValue, FactsReader, SectionHasher, compare, write_comparison_json,
};
use sectile_policy::report::Report;

use crate::inspect::record_change;
use crate::policy::{Judge, PolicyArguments, paths};
use crate::source::Source;
use crate::{error, json, record};

/// Compares the metadata, the packages, the sections, the imports and the findings of two sources.
///
/// With `content`, all of both sources is read, and everything but custom sections is compared by SHA-256. The policy,
/// `recovered`, `advisories` and `vex` are those of `check`, and decide on the findings.
#[pyfunction]
#[pyo3(signature = (old, new, policy = None, *, content = false, recovered = false, advisories = Vec::new(),
    vex = Vec::new()),
    text_signature = "(old, new, policy=None, *, content=False, recovered=False, advisories=(), vex=())")]
#[allow(clippy::too_many_arguments)] // keywords in Python
pub fn diff<'py>(
    py: Python<'py>,
    old: &Bound<'py, PyAny>,
    new: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    content: bool,
    recovered: bool,
    #[pyo3(from_py_with = paths)] advisories: Vec<PathBuf>,
    #[pyo3(from_py_with = paths)] vex: Vec<PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let judge = PolicyArguments { policy, recovered, advisories: &advisories, vex: &vex }.judge(py)?;
    let reader = SideReader { judge, reads_all: content };
    let (old, new) = (reader.read(py, old)?, reader.read(py, new)?);
    let comparison = compare(&old, &new);
    let json = json::document(py, |out| write_comparison_json(&old, &new, &comparison, out))?;
    let differences = comparison.differences().iter().map(|one| difference(py, one)).collect::<PyResult<Vec<_>>>()?;
    let not_compared = comparison.not_compared().iter().map(|aspect| aspect.name());
    let fields = (
        comparison.is_equal(),
        comparison.is_content_equal(),
        comparison.is_complete(),
        PyTuple::new(py, differences)?,
        PyTuple::new(py, not_compared.collect::<Vec<_>>())?,
        json,
    );
    record::COMPARISON.create(py, fields)
}

/// Reads one of two sources.
struct SideReader {
    judge: Judge,
    reads_all: bool,
}

impl SideReader {
    fn read(&self, py: Python<'_>, source: &Bound<'_, PyAny>) -> PyResult<BinaryFacts> {
        let Judge { policy, today } = &self.judge;
        let source = Source::open(source)?;
        let reader = FactsReader::new(policy).with_interface();
        let read = source.collect(py, reader, |(reading, _)| record_change(reading));
        let BinaryReading { outcome, mut sections } = read.into();
        let (value, fault, cost) = outcome.into_parts();
        if let Some(fault) = &fault {
            let raised = error::from_system(py, fault, source.path());
            let raised = raised.or_else(|| value.is_none().then(|| error::from_input(py, fault, None)));
            if let Some(raised) = raised {
                return Err(raised);
            }
        }
        let outcome = internal::outcome(value, fault, cost);
        let digests = self.reads_all.then(|| {
            source.with_reader(py, |reader, len| {
                let mut hasher = SectionHasher::new(|_, _| true);
                // The error of a truncated binary is already known.
                _ = drive::scan_at(reader, len, &mut hasher, policy.limits);
                sections.add_digests(hasher);
                compute_with(reader, len, policy.limits)
            })
        });
        let report = Report::for_policy(source.name(), Some(source.len()), &outcome);
        let name = source.path().map(Path::as_os_str);
        let context = JudgeContext::new().with_day(*today).with_locations(name.as_slice());
        let verdict = policy.judge_with_context(&report, &context);
        let facts = BinaryFacts::new(&report, Some(verdict.findings()), Some(&sections));
        let Some((digests, fault, _)) = digests.map(sectile::Outcome::into_parts) else { return Ok(facts) };
        match (digests, fault) {
            (Some(digests), _) => Ok(facts.with_digests(&digests)),
            (None, Some(fault)) => Err(error::from_sectile(py, &fault, source.path())),
            (None, None) => Ok(facts),
        }
    }
}

pub fn difference<'py>(py: Python<'py>, difference: &Difference) -> PyResult<Bound<'py, PyAny>> {
    let value = |value: Option<&FactValue>| value.map(|value| fact_value(py, value)).transpose();
    record::DIFFERENCE.create(
        py,
        (
            difference.path().to_string(),
            difference.aspect().name(),
            difference.group(),
            difference.name(),
            value(difference.old())?,
            value(difference.new_value())?,
            difference.to_string(),
        ),
    )
}

fn fact_value<'py>(py: Python<'py>, value: &FactValue) -> PyResult<Bound<'py, PyAny>> {
    match value {
        FactValue::Bytes(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
        FactValue::Sections { sections, bytes, digest, .. } => {
            record::SECTION_SIZES.create(py, (*sections, *bytes, digest.as_ref().map(ToString::to_string)))
        }
        FactValue::Text(text) => Ok(text.into_pyobject(py)?.into_any()),
        other => Ok(other.to_string().into_pyobject(py)?.into_any()),
    }
}
