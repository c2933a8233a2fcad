//! The functions that read a source.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyString;
use sectile::digest::{Digests, compute};
use sectile::internal::{CHANGED, add_root_finding};
use sectile::metadata::StreamReader;
use sectile::scan::{Collector, DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile::{Escaped, FindingCode, Limits, Outcome, internal};
use sectile_audit::sbom_vulnerabilities;
use sectile_policy::report::Report;
use sectile_policy::{JudgeContext, Packages, Policy, PolicyReader, Reading};
use sectile_sbom::{Sbom, SbomFormat};

use crate::metadata::Metadata;
use crate::policy::{PolicyArguments, paths};
use crate::record::OwnedSection;
use crate::source::Source;
use crate::{error, json, record};

/// Reads the metadata of a source.
///
/// A value that is not valid is a finding. If the source is truncated or malformed, the `partial` of
/// the error is what was read before the fault.
#[pyfunction]
pub fn read<'py>(py: Python<'py>, source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Metadata>> {
    let source = Source::open(source)?;
    let size = source.len();
    let outcome = source.collect(py, StreamReader::new(), |metadata| {
        add_root_finding(metadata, FindingCode::Changed, 0, None, CHANGED.to_owned());
    });
    if let Some(raised) = outcome.error().and_then(|fault| error::from_system(py, fault, source.path())) {
        return Err(raised);
    }
    if outcome.value().is_none() {
        completed(py, &source, outcome)?;
        unreachable!("an outcome without a value has an error");
    }
    let metadata = Bound::new(py, Metadata::new(source.into_name(), size, outcome))?;
    match metadata.get().error() {
        None => Ok(metadata),
        Some(fault) => Err(error::from_input(py, fault, Some(metadata.clone().into_any()))),
    }
}

/// Returns the packages that a source declares; with `recovered`, also those that its data names.
///
/// A list of recovered packages may lack some.
#[pyfunction]
#[pyo3(signature = (source, *, recovered = false))]
pub fn packages<'py>(py: Python<'py>, source: &Bound<'py, PyAny>, recovered: bool) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let source = Source::open(source)?;
    let mut policy = Policy::default();
    policy.packages = packages_to_read(recovered);
    let outcome = read_packages(py, &source, &policy)?;
    let report = Report::for_policy(source.name(), Some(source.len()), &outcome);
    report.packages().map(|package| record::package(py, &package)).collect()
}

/// Returns every section of a source, in file order.
#[pyfunction]
pub fn sections<'py>(py: Python<'py>, source: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let source = Source::open(source)?;
    let SectionLister { sections, unlisted, .. } =
        completed(py, &source, source.collect(py, SectionLister::default(), |_| ()))?;
    if unlisted > 0 {
        let message = format!("more than {MAX_SECTIONS} sections: {unlisted} would not be listed");
        return Err(error::invalid(py, &message));
    }
    sections.iter().map(|section| section.to_record(py)).collect()
}

/// Computes the digests of a source: of all its bytes, and of its content without metadata.
#[pyfunction]
pub fn digest<'py>(py: Python<'py>, source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let digests = compute_digests(py, &Source::open(source)?)?;
    let content = digests.content().map(|digest| digest.to_string());
    record::DIGESTS.create(py, (digests.file().to_string(), content))
}

/// Returns an SBOM of the packages of a source, in JSON.
///
/// `SBOM_FORMATS` lists the formats; "cyclonedx" and "spdx" are accepted too. `name` is that of a
/// root item without one; the default is the file's. `created` is the time of the document. Advisories
/// about its packages are vulnerabilities of the document; `advisories` and `vex` are those of `Policy`.
#[pyfunction]
#[pyo3(signature = (source, format = "cyclonedx", *, recovered = false, name = None, created = None,
    advisories = Vec::new(), vex = Vec::new()),
    text_signature = "(source, format='cyclonedx', *, recovered=False, name=None, created=None, advisories=(), vex=())")]
#[allow(clippy::too_many_arguments)] // keywords in Python
pub fn sbom<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    format: &str,
    recovered: bool,
    name: Option<&str>,
    created: Option<&str>,
    #[pyo3(from_py_with = paths)] advisories: Vec<PathBuf>,
    #[pyo3(from_py_with = paths)] vex: Vec<PathBuf>,
) -> PyResult<Bound<'py, PyString>> {
    let format = find_format(py, format)?;
    let arguments = PolicyArguments { policy: None, recovered: false, advisories: &advisories, vex: &vex };
    let mut policy = arguments.load(py)?;
    policy.packages = packages_to_read(recovered);
    let source = Source::open(source)?;
    let outcome = read_packages(py, &source, &policy)?;
    let Some(reading) = outcome.value() else { unreachable!("a complete outcome has a value") };
    let file = source.path().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
    let digest = compute_digests(py, &source)?.file();
    let sbom = Sbom::from_metadata(reading.metadata()).with_digest(digest);
    let sbom = match reading.inventory() {
        Some(inventory) => sbom.with_inventory(reading.metadata(), inventory),
        None => sbom,
    };
    let sbom = match name.or(file.as_deref()) {
        Some(name) => sbom.with_name(name),
        None => sbom,
    };
    let sbom = match created {
        Some(created) => sbom.with_created(created).map_err(|fault| error::invalid(py, &fault.message()))?,
        None => sbom,
    };
    let digest = digest.to_string();
    let report = Report::for_policy(source.name(), Some(source.len()), &outcome);
    let verdict = policy.judge_with_context(&report, &JudgeContext::new().with_verified_digest(&digest));
    let vulnerabilities = sbom_vulnerabilities(&sbom, verdict.findings());
    let sbom = sbom.with_vulnerabilities(vulnerabilities);
    json::document(py, |out| sbom.write(format, out))
}

pub fn packages_to_read(recovered: bool) -> Packages {
    if recovered { Packages::All } else { Packages::Declared }
}

/// Adds the finding that the file changed during the read.
pub fn record_change(reading: &mut Reading<'_>) {
    add_root_finding(reading.metadata_mut(), FindingCode::Changed, 0, None, CHANGED.to_owned());
}

/// Reads the packages of a source to its end.
fn read_packages<'py>(py: Python<'py>, source: &Source<'py>, policy: &Policy) -> PyResult<Outcome<Reading<'static>>> {
    let outcome = source.collect(py, PolicyReader::stream(policy), record_change);
    let cost = outcome.cost();
    let reading = completed(py, source, outcome)?;
    Ok(internal::outcome(Some(reading), None, cost))
}

/// The value of a source that was read to its end.
fn completed<T>(py: Python<'_>, source: &Source<'_>, outcome: Outcome<T>) -> PyResult<T> {
    outcome.complete().map_err(|fault| error::from_sectile(py, &fault, source.path()))
}

fn compute_digests<'py>(py: Python<'py>, source: &Source<'py>) -> PyResult<Digests> {
    let digests = source.with_reader(py, |reader, len| compute(reader, len));
    let digests = digests.map_err(|fault| error::from_sectile(py, &fault, source.path()))?;
    match source.changed() {
        Ok(false) => Ok(digests),
        Ok(true) => Err(pyo3::exceptions::PyOSError::new_err(CHANGED)),
        Err(fault) => Err(error::from_sectile(py, &fault.into(), source.path())),
    }
}

fn find_format(py: Python<'_>, name: &str) -> PyResult<SbomFormat> {
    let format = SbomFormat::ALL.into_iter().find(|one| one.name() == name || one.short_name() == Some(name));
    format.ok_or_else(|| {
        let names = SbomFormat::ALL.map(SbomFormat::name).join(", ");
        error::invalid(py, &format!("unknown format `{}`: use one of {names}", Escaped::new(name)))
    })
}

/// Number of sections that are listed. A section of two bytes is a record of some hundred.
const MAX_SECTIONS: usize = 1 << 20;

/// Collects the sections of all items.
#[derive(Default)]
struct SectionLister {
    path: ItemPath,
    sections: Vec<OwnedSection>,
    unlisted: u64,
}

impl Collector for SectionLister {
    type Value = Self;

    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn finish(self) -> Option<Self::Value> {
        Some(self)
    }
}

impl Visitor<'_> for SectionLister {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if item.parent().is_some() {
            self.path.push(item.index());
        }
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if self.sections.len() < MAX_SECTIONS {
            self.sections.push(OwnedSection::new(&self.path, section));
        } else {
            self.unlisted += 1;
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
    }
}
