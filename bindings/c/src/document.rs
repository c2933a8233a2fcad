//! Documents of the command about a source.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use sectile::digest::{Digests, compute_with};
use sectile::internal::{CHANGED, add_root_finding};
use sectile::scan::{DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile::{FindingCode, Limits, Outcome};
use sectile_policy::report::{DigestReport, Report, SectionsJson};
use sectile_policy::{Packages, Policy, PolicyReader, Reading};
use sectile_sbom::{Sbom, SbomFormat};

use crate::boundary::{Out, guarded, reference};
use crate::buffer::Buffer;
use crate::error::{Error, Failure, Status};
use crate::source::{Source, without_cost_if_unread};

/// The metadata: `sectile show --json`.
pub const SECTILE_DOCUMENT_SHOW: u32 = 1;

/// Imports and exports too: `sectile show --interface --json`.
pub const SECTILE_DOCUMENT_INTERFACE: u32 = 2;

/// The packages that the source declares, and those that its data names: `sectile show --packages all --json`.
pub const SECTILE_DOCUMENT_PACKAGES: u32 = 3;

/// Every section: `sectile sections --json`.
pub const SECTILE_DOCUMENT_SECTIONS: u32 = 4;

/// SHA-256 of all bytes, and of the content without metadata: `sectile digest --json`.
pub const SECTILE_DOCUMENT_DIGEST: u32 = 5;

/// An SBOM of all packages: `sectile sbom --format cyclonedx --packages all`.
pub const SECTILE_DOCUMENT_CYCLONEDX: u32 = 6;

/// An SBOM of all packages: `sectile sbom --format spdx --packages all`.
pub const SECTILE_DOCUMENT_SPDX: u32 = 7;

/// Reads a source and returns a document about it, one of `SECTILE_DOCUMENT_…`, as JSON without a line feed at its end.
///
/// If the source is not WebAssembly, truncated, malformed or over a limit, the status says so, and the document has the
/// part before the fault, and the fault. An SBOM is empty then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_json(
    source: *const Source,
    document: u32,
    json: *mut Buffer,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, source) = unsafe { (Out::new(json, "json")?, reference(source, "source")?) };
        out.set(Buffer::EMPTY);
        match document {
            SECTILE_DOCUMENT_SHOW => report(source, &out, |policy| PolicyReader::stream(policy)),
            SECTILE_DOCUMENT_INTERFACE => {
                report(source, &out, |policy| PolicyReader::stream(policy).with_interface(policy.limits))
            }
            SECTILE_DOCUMENT_PACKAGES => report(source, &out, |policy| {
                policy.packages = Packages::All;
                PolicyReader::stream(policy)
            }),
            SECTILE_DOCUMENT_SECTIONS => sections(source, &out),
            SECTILE_DOCUMENT_DIGEST => digest(source, &out),
            SECTILE_DOCUMENT_CYCLONEDX => sbom(source, &out, "cyclonedx"),
            SECTILE_DOCUMENT_SPDX => sbom(source, &out, "spdx"),
            _ => Err(Failure::argument(format!("unknown document {document}"))),
        }
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Adds the finding that the file changed during the read.
pub fn record_change(reading: &mut Reading<'_>) {
    add_root_finding(reading.metadata_mut(), FindingCode::Changed, 0, None, CHANGED.to_owned());
}

type Reader = PolicyReader<sectile::metadata::StreamReader>;

fn report(source: &Source, out: &Out<Buffer>, reader: impl FnOnce(&mut Policy) -> Reader) -> Result<(), Failure> {
    let reader = reader(&mut Policy::default());
    let outcome = without_cost_if_unread(source.collect(reader, record_change));
    let report = Report::for_policy(source.name(), Some(source.len()), &outcome);
    out.set(Buffer::document(|json| report.write_json(json))?);
    completed(&outcome)
}

fn sections(source: &Source, out: &Out<Buffer>) -> Result<(), Failure> {
    let mut json = Vec::new();
    let list = SectionsJson::new(&mut json, source.name(), Some(source.len()))?;
    let mut lister = SectionLister { list, path: ItemPath::root(), result: Ok(()) };
    let outcome = source.scan(&mut lister);
    let SectionLister { list, result, .. } = lister;
    result?;
    let omitted = list.finish(outcome.error())?;
    out.set(Buffer::document(|document| document.write_all(&json))?);
    match completed(&outcome) {
        Ok(()) if omitted > 0 => Err(Failure::limit(format!("{omitted} sections are omitted: the list is too long"))),
        result => result,
    }
}

fn digest(source: &Source, out: &Out<Buffer>) -> Result<(), Failure> {
    let outcome = without_cost_if_unread(compute_digests(source));
    let report = DigestReport::new(source.name(), Some(source.len()), &outcome);
    out.set(Buffer::document(|json| report.write_json(json))?);
    completed(&outcome)
}

fn sbom(source: &Source, out: &Out<Buffer>, format: &str) -> Result<(), Failure> {
    let format = SbomFormat::ALL.into_iter().find(|one| one.short_name() == Some(format));
    let format = format.ok_or_else(|| Failure::argument("unknown format"))?;
    let mut policy = Policy::default();
    policy.packages = Packages::All;
    let reading = source.collect(PolicyReader::stream(&policy), record_change).complete()?;
    let digests = compute_digests(source).complete()?;
    let mut sbom = Sbom::from_metadata(reading.metadata()).with_digest(digests.file());
    if let Some(inventory) = reading.inventory() {
        sbom = sbom.with_inventory(reading.metadata(), inventory);
    }
    let file = source.input().and_then(|_| Path::new(source.name()).file_name()).map(OsStr::to_string_lossy);
    if let Some(name) = &file {
        sbom = sbom.with_name(name);
    }
    out.set(Buffer::document(|json| sbom.write(format, json))?);
    Ok(())
}

fn compute_digests(source: &Source) -> Outcome<Digests> {
    match source.input() {
        Some(input) => input.digests_with(Limits::default()),
        None => compute_with(source.reader(), source.len(), Limits::default()),
    }
}

fn completed<T>(outcome: &Outcome<T>) -> Result<(), Failure> {
    outcome.error().map_or(Ok(()), |error| Err(error.into()))
}

/// Writes each section with the path of its item.
struct SectionLister<'a> {
    list: SectionsJson<&'a mut Vec<u8>>,
    path: ItemPath,
    result: io::Result<()>,
}

impl Visitor<'_> for SectionLister<'_> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if item.parent().is_some() {
            self.path.push(item.index());
        }
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if self.result.is_ok() {
            self.result = self.list.section(&self.path, section);
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
    }
}
