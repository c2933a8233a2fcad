//! Operations that read a source.

use std::io;

use sectile::drive::{self, ReadAt};
use sectile::internal::{CHANGED, add_root_finding, outcome};
use sectile::metadata::StreamReader;
use sectile::scan::{Collector, DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile::{Cost, Error, FindingCode, Limits, Outcome};
use sectile_policy::report::{Report, SectionsJson};
use sectile_policy::{Policy, PolicyReader, Reading};

use crate::failure::Failure;
use crate::request::Request;
use crate::session::{Output, Status};
use crate::source::Source;

/// The document of `sectile show --json`.
pub fn read(request: &Request, source: &Source) -> Result<(Status, Output), Failure> {
    let policy = request.policy()?;
    let read = collect(source, reader(request, &policy));
    if source.is_waiting() {
        return Ok((Status::Needs, Output::default()));
    }
    Ok(read_document(request, Some(source.size()), read))
}

fn collect(source: &Source, mut reader: PolicyReader<StreamReader>) -> Outcome<Reading<'static>> {
    let limits = reader.limits();
    scan(source, &mut reader, limits).and_then(|()| reader.finish())
}

/// Scans with the one scanner that serves all sources and visitors: it is large.
fn scan(source: &Source, visitor: &mut dyn for<'w> Visitor<'w>, limits: Limits) -> Outcome<()> {
    drive::scan_at::<dyn ReadAt, _>(source, source.size(), visitor, limits)
}

/// Collects what `read` and `check` show.
pub fn reader(request: &Request, policy: &Policy) -> PolicyReader<StreamReader> {
    let reader = PolicyReader::stream(policy);
    if request.interface { reader.with_interface(policy.limits) } else { reader }
}

/// Writes the document of what was read.
pub fn read_document(request: &Request, size: Option<u64>, read: Outcome<Reading<'static>>) -> (Status, Output) {
    let read = completed(request, read);
    let report = Report::for_policy(request.file.as_ref(), size, &read);
    let mut left_out = 0;
    let document = document(|out| {
        left_out = report.write_json(out)?;
        Ok(())
    });
    with_fault(document, read.error(), left_out)
}

/// The document of `sectile check --json`.
pub fn check(request: &Request, source: &Source) -> Result<(Status, Output), Failure> {
    let policy = request.policy()?;
    request.day(&policy)?;
    let read = collect(source, reader(request, &policy));
    if source.is_waiting() {
        return Ok((Status::Needs, Output::default()));
    }
    check_document(request, &policy, Some(source.size()), read)
}

/// Judges what was read, and writes the document.
pub fn check_document(
    request: &Request,
    policy: &Policy,
    size: Option<u64>,
    read: Outcome<Reading<'static>>,
) -> Result<(Status, Output), Failure> {
    let day = request.day(policy)?;
    let read = completed(request, read);
    let report = Report::for_policy(request.file.as_ref(), size, &read);
    let verdict = request.with_context(day, |context| policy.judge_with_context(&report, context));
    let document = document(|out| report.write_verdict_json(&verdict, out));
    let error = read.error().map(|error| Failure::from(error).to_json()).unwrap_or_default();
    let status = match (verdict.is_complete(), verdict.is_accepted()) {
        (false, _) => Status::Partial,
        (true, false) => Status::Refused,
        (true, true) => Status::Done,
    };
    Ok((status, Output { document, error, ..Output::default() }))
}

/// Adds the finding of a changed input. Reports omit the cost of an input without results, as the
/// command's.
fn completed(request: &Request, mut read: Outcome<Reading<'static>>) -> Outcome<Reading<'static>> {
    match read.value_mut() {
        Some(reading) if request.changed => {
            add_root_finding(reading.metadata_mut(), FindingCode::Changed, 0, None, CHANGED.to_owned());
            read
        }
        Some(_) => read,
        None => outcome(None, read.into_parts().1, Cost::default()),
    }
}

/// The document of `sectile sections --json`.
pub fn sections(request: &Request, source: &Source) -> (Status, Output) {
    let mut left_out = 0;
    let mut error = None;
    let document = document(|out| {
        let json = SectionsJson::new(out, request.file.as_ref(), Some(source.size()))?;
        let mut lister = SectionLister { json, path: ItemPath::root(), result: Ok(()) };
        // The document is in memory.
        let limits = Limits { max_sections: MAX_SECTIONS, ..Limits::default() };
        error = scan(source, &mut lister, limits).into_parts().1;
        lister.result?;
        left_out = lister.json.finish(error.as_ref())?;
        Ok(())
    });
    with_fault(document, error.as_ref(), left_out)
}

/// The output for a document, the error that ended the reading, and the number of omitted rows.
fn with_fault(document: Vec<u8>, error: Option<&Error>, left_out: u64) -> (Status, Output) {
    let failure = error.map(Failure::from).or_else(|| (left_out > 0).then(|| Failure::left_out(left_out)));
    let status = if failure.is_some() { Status::Partial } else { Status::Done };
    let error = failure.map(|failure| failure.to_json()).unwrap_or_default();
    (status, Output { document, error, ..Output::default() })
}

/// Most sections that are listed. Each takes about a hundred bytes of JSON.
const MAX_SECTIONS: u64 = 1 << 19;

/// Writes each section with its item's path.
struct SectionLister<'o> {
    json: SectionsJson<&'o mut Vec<u8>>,
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
            self.result = self.json.section(&self.path, section);
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.pop();
    }
}

/// Returns the document that a function writes, without the line feed at its end.
pub fn document(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Vec<u8> {
    let mut document = Vec::new();
    write(&mut document).expect("memory can be written");
    if document.last() == Some(&b'\n') {
        document.pop();
    }
    document
}
