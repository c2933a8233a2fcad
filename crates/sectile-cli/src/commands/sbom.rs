//! `sectile sbom`: the packages of a file and its nested items, as SBOMs.

use std::ffi::{OsStr, OsString};

use sectile::inventory::ListKind;
use sectile::splice::WriteError;
use sectile::{Cost, FindingCode};
use sectile_audit::amount::percent;
use sectile_audit::{ReportFile, sbom_vulnerabilities};
use sectile_policy::report::Report;
use sectile_policy::{JudgeContext, JudgedFinding, Policy, Reading};
use sectile_sbom::{Sbom, SbomFormat};

use crate::advisories;
use crate::args::{FormatOutput, OutputPlace, SbomArgs};
use crate::display::FindingLocation;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::reading::{finish, print_cost};
use crate::source::{InputLocation, InputSource};
use crate::text::counted;
use crate::timestamp;

pub fn run(args: &SbomArgs, output: &mut Output) -> Result<Exit, Failure> {
    let source = &args.source;
    let documents = open_documents(args)?;
    let advisories = advisories::read(&args.advisories)?;
    let announced = advisories::announce(advisories.as_ref(), output);
    let (name, created) = (source.file_name(), timestamp::created(args.created.as_deref())?);
    let mut policy = Policy::default();
    policy.packages = args.packages;
    if let Some(advisories) = advisories {
        policy = policy.with_advisories(advisories);
    }
    let policy = advisories::add_vex(policy, &args.vex)?;
    let mut input = input::open(source, args.map)?;
    let outcome = input.read_with_policy(&policy);
    print_cost(source, outcome.cost(), input.len(), output);
    let Some(reading) = outcome.value() else { return Ok(finish(source, outcome.into_parts().1, output)) };
    let digest = input.digest()?;

    let sbom = Sbom::from_metadata(reading.metadata());
    let sbom = match reading.inventory() {
        Some(inventory) => sbom.with_inventory(reading.metadata(), inventory),
        None => sbom,
    };
    print_recovered(source, reading, outcome.cost(), input.len(), output);
    let sbom = if outcome.is_complete() { sbom } else { sbom.incomplete() };
    let sbom = match digest {
        Some(digest) => sbom.with_digest(digest),
        None => sbom,
    };
    let sbom = describe(sbom, name.as_deref(), created.as_deref())?;

    let digest = digest.map(|digest| digest.to_string());
    let context = match &digest {
        Some(digest) => JudgeContext::new().with_verified_digest(digest),
        None => JudgeContext::new(),
    };
    let report = Report::for_policy(source.name(), Some(input.len()), &outcome);
    let verdict = policy.judge_with_context(&report, &context);
    let vulnerabilities = sbom_vulnerabilities(&sbom, verdict.findings());
    let sbom = sbom.with_vulnerabilities(vulnerabilities);
    write_documents(documents, &sbom, output)?;
    let mut judged = Exit::Done;
    let findings = verdict.findings().iter().map(JudgedFinding::finding);
    for finding in findings.filter(|finding| finding.code() == FindingCode::NotJudged) {
        output.print_diagnostic(Some(source), &finding.message());
        judged = Exit::Failed;
    }
    let exit = print_gaps(source, &sbom, outcome.is_complete(), output);
    Ok(exit.max(judged).max(announced).max(finish(source, outcome.into_parts().1, output)))
}

/// An output.
struct Document {
    format: SbomFormat,
    /// `None` for standard output.
    file: Option<(OsString, ReportFile)>,
}

/// Resolves the outputs. None of them may be an input.
fn open_documents(args: &SbomArgs) -> Result<Vec<Document>, Failure> {
    let open = |FormatOutput { format, place }: FormatOutput<SbomFormat>| {
        let OutputPlace::File(path) = place else { return Ok(Document { format, file: None }) };
        let report = ReportFile::open(&path, args.write).and_then(|report| {
            if *args.source.location() == InputLocation::File {
                report.check_input(args.source.argument().as_ref())?;
            }
            args.vex.iter().try_for_each(|file| report.check_input(file))?;
            Ok(report)
        });
        let report = report.map_err(|error| cannot_write(&path, error))?;
        Ok(Document { format, file: Some((path, report)) })
    };
    args.outputs.resolve()?.into_iter().map(open).collect()
}

/// Writes all outputs. Files are replaced after all of them are written.
fn write_documents(documents: Vec<Document>, sbom: &Sbom<'_>, output: &mut Output) -> Result<(), Failure> {
    let mut written = Vec::with_capacity(documents.len());
    for Document { format, file } in documents {
        let Some((path, report)) = file else {
            sbom.write(format, output.out())?;
            continue;
        };
        let mut writer = report.create().map_err(|error| cannot_write(&path, error))?;
        sbom.write(format, &mut writer).map_err(|error| cannot_write(&path, WriteError::Write(error)))?;
        written.push((path, writer));
    }
    written.into_iter().try_for_each(|(path, writer)| writer.finish().map_err(|error| cannot_write(&path, error)))
}

fn cannot_write(path: &OsStr, error: WriteError) -> Failure {
    Failure::Write(error, Some(path.to_owned()))
}

/// Prints how many packages were recovered from data, and how much of the file was read for them.
fn print_recovered(source: &InputSource, reading: &Reading<'_>, cost: Cost, size: u64, output: &mut Output) {
    let Some(inventory) = reading.inventory() else { return };
    for finding in inventory.findings() {
        output.print_finding(source, finding);
    }
    let packages = inventory.packages().iter();
    let recovered = packages.filter(|package| package.evidence.list() == ListKind::Recovered).count();
    if recovered > 0 {
        let (recovered, share) = (counted(recovered as u64, "package"), percent(cost.bytes, size));
        let note =
            format_args!("{recovered} recovered from the data (read {share} of the file); others may be missing");
        output.print_note(Some(source), &note);
    }
}

/// Prints diagnostics about missing parts of an SBOM.
pub fn print_gaps(source: &InputSource, sbom: &Sbom<'_>, is_complete: bool, output: &mut Output) -> Exit {
    if !sbom.has_lists() && is_complete {
        let note = "no item has a list of its dependencies (cargo-auditable's `.dep-v0`): the dependencies are unknown";
        output.print_note(Some(source), &note);
    }
    for finding in sbom.findings() {
        let location = FindingLocation(finding);
        let message = format_args!("{}{location}; the document is marked as incomplete", finding.message());
        output.print_diagnostic(Some(source), &message);
    }
    if sbom.is_complete() { Exit::Done } else { Exit::Failed }
}

/// Adds a file's name and its creation time to an SBOM.
pub fn describe<'a>(sbom: Sbom<'a>, name: Option<&'a str>, created: Option<&'a str>) -> Result<Sbom<'a>, Failure> {
    let sbom = if let Some(name) = name { sbom.with_name(name) } else { sbom };
    match created {
        Some(created) => sbom.with_created(created).map_err(|error| Failure::Other(error.message().to_owned())),
        None => Ok(sbom),
    }
}
