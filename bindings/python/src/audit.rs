//! Audits.

use std::io;
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use sectile::Escaped;
use sectile::splice::{WriteError, WriteOptions};
use sectile_audit::{
    Audit, AuditOutcome, Baseline, Format, FormatWriter, InsideSearch, ListError, Progress, ReportFile, Root,
    WalkOptions,
};
use sectile_policy::Day;

use crate::key::{self, Keys};
use crate::policy::{PolicyArguments, paths, today};
use crate::root::{named_roots, roots as open_roots};
use crate::signals::while_signals_are_checked;
use crate::summary::Summary;
use crate::table::Table;
use crate::{error, source};

/// Inspects everything below some roots, and judges every binary by a policy. Returns a row for each.
///
/// A root is a path, a URL (`s3://`, `gs://`, `az://`, `oci://`) or a `Key`; one root may be given alone. The rows are
/// those of `sectile audit`, in the same order. An entry that cannot be read has a row that says so.
///
/// The policy, `recovered`, `advisories` and `vex` are those of `check`. `day` decides which exceptions of the policy have
/// expired; the default is the current day. `hash`, `threads`, `in_flight`, `request_cost`, `inside`, `nested` and
/// `ignore_rules` are the options of the command. With `parquet`, the rows are also written to a new file, as the command
/// writes them. `since` is an earlier report, in Parquet or as JSON lines: files that have not changed since keep its rows,
/// and are not read again. Another user must not be able to write to it, unless `trust_report` accepts that.
/// `progress` is called with the numbers of files, rows and bytes so far.
#[pyfunction]
#[pyo3(signature = (roots, policy = None, *, recovered = false, advisories = Vec::new(), vex = Vec::new(), day = None,
    hash = false, threads = None, in_flight = None, request_cost = None, inside = "local", nested = 4,
    ignore_rules = false, since = None, trust_report = false, parquet = None, progress = None),
    text_signature = "(roots, policy=None, *, recovered=False, advisories=(), vex=(), day=None, hash=False, \
    threads=None, in_flight=None, request_cost=None, inside='local', nested=4, ignore_rules=False, \
    since=None, trust_report=False, parquet=None, progress=None)")]
#[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)] // keywords in Python
pub fn audit(
    py: Python<'_>,
    roots: &Bound<'_, PyAny>,
    policy: Option<&Bound<'_, PyAny>>,
    recovered: bool,
    #[pyo3(from_py_with = paths)] advisories: Vec<PathBuf>,
    #[pyo3(from_py_with = paths)] vex: Vec<PathBuf>,
    day: Option<&str>,
    hash: bool,
    threads: Option<usize>,
    in_flight: Option<usize>,
    request_cost: Option<u64>,
    inside: &str,
    nested: u32,
    ignore_rules: bool,
    since: Option<&Bound<'_, PyAny>>,
    trust_report: bool,
    parquet: Option<&Bound<'_, PyAny>>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Table> {
    let policy = PolicyArguments { policy, recovered, advisories: &advisories, vex: &vex }.load(py)?;
    let today = match day {
        Some(day) => Some(parse_day(py, day)?),
        None => today(py, &policy)?,
    };
    let mut walk = WalkOptions::default();
    walk.inside = find_inside(py, inside)?;
    walk.max_nesting = nested;
    walk.ignore_rules = ignore_rules;
    walk.in_flight = in_flight.unwrap_or(walk.in_flight);
    walk.request_cost = request_cost.unwrap_or(walk.request_cost);
    let mut audit = Audit::new(policy).with_walk(walk).with_hashing(hash);
    if let Some(threads) = threads {
        audit = audit.with_threads(threads);
    }
    if let Some(today) = today {
        audit = audit.with_day(today);
    }
    if let Some(since) = since {
        let since = source::path_argument(since)?;
        let open = || if trust_report { Baseline::open_trusted(&since) } else { Baseline::open(&since) };
        let baseline = py.detach(open).and_then(|baseline| audit.with_baseline(baseline));
        audit = baseline.map_err(|fault| error::from_baseline(py, &fault, &since))?;
    }
    let parquet = parquet.map(source::path_argument).transpose()?;
    let roots = open_roots(roots)?;
    let counts = Progress::new();
    let path = parquet.as_deref();
    let report = path.map(|path| new_report(py, path)).transpose()?;
    let audit = report.iter().fold(audit, Audit::with_output);
    let (batches, outcome) = while_signals_are_checked(py, &counts, progress, || match report {
        Some(report) => report.write(|out| collect(&audit, &roots, Some(out), &counts)),
        None => collect(&audit, &roots, None, &counts).map_err(WriteError::Write),
    })?
    .map_err(|fault| error::from_write(py, fault, path))?;
    let summary = Py::new(py, Summary { summary: outcome.summary })?;
    Ok(Table::new(sectile_audit::schema(), batches, Some(summary)))
}

/// Lists the keys of some roots: what an audit of them would inspect, without reading it.
///
/// Audits of the keys, in any groups and in any processes, have the same rows together as an audit of the roots. A key is
/// an entry of a directory, an object of a store, the images of a registry that share layers, or a root that cannot be
/// divided: an image layout, a directory that cannot be listed. The result has the fields of `Key` as columns.
#[pyfunction]
#[pyo3(signature = (roots, *, ignore_rules = false))]
pub fn keys(py: Python<'_>, roots: &Bound<'_, PyAny>, ignore_rules: bool) -> PyResult<Table> {
    let mut walk = WalkOptions::default();
    walk.ignore_rules = ignore_rules;
    let audit = Audit::new(sectile_policy::Policy::default()).with_walk(walk);
    let (names, roots): (Vec<_>, Vec<_>) =
        named_roots(roots)?.into_iter().map(|named| (named.name, named.root)).unzip();
    let counts = Progress::new();
    let listed = while_signals_are_checked(py, &counts, None, || {
        let mut keys = Keys::new(names);
        audit.list(&roots, &counts, &mut |part| {
            keys.add(&part);
            std::ops::ControlFlow::Continue(())
        })?;
        Ok::<_, ListError>(keys.finish())
    })?;
    let batches = listed.map_err(|fault| error::from_list(py, &fault))?;
    Ok(Table::new(key::schema(), batches, None))
}

/// The file for the rows, which must not exist. It appears when it is complete.
fn new_report(py: Python<'_>, path: &Path) -> PyResult<ReportFile> {
    if path.symlink_metadata().is_ok() {
        return Err(error::exists(py, path));
    }
    ReportFile::open(path, WriteOptions::default()).map_err(|fault| error::from_write(py, fault, Some(path)))
}

/// Audits, and returns the rows in columns.
fn collect(
    audit: &Audit,
    roots: &[Root],
    parquet: Option<&mut dyn io::Write>,
    progress: &Progress,
) -> io::Result<(Vec<arrow_array::RecordBatch>, AuditOutcome)> {
    let mut batches = Vec::new();
    let mut receive = |batch| {
        batches.push(batch);
        Ok(())
    };
    let mut outputs = vec![FormatWriter::for_batches(&mut receive)];
    outputs.extend(parquet.map(|out| FormatWriter::new(Format::Parquet, out)));
    let outcome = audit.run_with_outputs(roots, &mut outputs, progress)?;
    drop(outputs);
    if outcome.stop.is_some() {
        return Err(io::ErrorKind::Interrupted.into()); // the signal handler's exception is raised instead
    }
    Ok((batches, outcome))
}

fn parse_day(py: Python<'_>, day: &str) -> PyResult<Day> {
    day.parse().map_err(|_| error::invalid(py, &format!("`{}` is not a day such as 2026-01-31", Escaped::new(day))))
}

fn find_inside(py: Python<'_>, name: &str) -> PyResult<InsideSearch> {
    InsideSearch::ALL.into_iter().find(|inside| inside.name() == name).ok_or_else(|| {
        let names = InsideSearch::ALL.map(InsideSearch::name).join(", ");
        error::invalid(py, &format!("unknown value `{}` of `inside`: use one of {names}", Escaped::new(name)))
    })
}
