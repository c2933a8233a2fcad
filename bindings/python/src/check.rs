//! Judging a source by a policy.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sectile::Cost;
use sectile::internal::outcome;
use sectile_policy::report::Report;
use sectile_policy::{JudgeContext, PolicyReader};

use crate::inspect::record_change;
use crate::policy::{Judge, PolicyArguments, paths};
use crate::source::Source;
use crate::{error, json, record};

/// Judges a source by a policy: a path, a Policy, or None for the default one.
///
/// A source that is malformed, truncated or not WebAssembly has a verdict, too: it is not accepted.
/// With `recovered`, rules also see the packages that are recovered from data. `advisories` and `vex` are those of
/// `Policy`: to judge many sources, create a `Policy` once.
#[pyfunction]
#[pyo3(signature = (source, policy = None, *, recovered = false, advisories = Vec::new(), vex = Vec::new()),
    text_signature = "(source, policy=None, *, recovered=False, advisories=(), vex=())")]
pub fn check<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    recovered: bool,
    #[pyo3(from_py_with = paths)] advisories: Vec<PathBuf>,
    #[pyo3(from_py_with = paths)] vex: Vec<PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let Judge { policy, today } =
        PolicyArguments { policy, recovered, advisories: &advisories, vex: &vex }.judge(py)?;
    let source = Source::open(source)?;
    let mut read = source.collect(py, PolicyReader::stream(&policy), record_change);
    if let Some(raised) = read.error().and_then(|fault| error::from_system(py, fault, source.path())) {
        return Err(raised);
    }
    if read.value().is_none() {
        read = outcome(None, read.into_parts().1, Cost::default()); // as the command, which omits the cost
    }
    let report = Report::for_policy(source.name(), Some(source.len()), &read);
    let name = source.path().map(Path::as_os_str);
    let context = JudgeContext::new().with_day(today).with_locations(name.as_slice());
    let verdict = policy.judge_with_context(&report, &context);
    let json = json::document(py, |out| report.write_verdict_json(&verdict, out))?;
    let findings = verdict.findings().iter().map(|judged| record::judged_finding(py, judged));
    let findings = PyTuple::new(py, findings.collect::<PyResult<Vec<_>>>()?)?;
    let fault = read.error().map(ToString::to_string);
    let fields = (verdict.is_accepted(), verdict.is_complete(), fault, findings, verdict.excepted(), json);
    record::VERDICT.create(py, fields)
}
