//! `sectile sbom`: the dependencies of a file and its nested items, as an SBOM.

use sectile::Cost;
use sectile::inventory::ListKind;
use sectile_audit::amount::percent;
use sectile_policy::{Policy, Reading};
use sectile_sbom::Sbom;

use crate::args::SbomArgs;
use crate::display::FindingLocation;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::reading::{finish, print_cost};
use crate::source::InputSource;
use crate::text::counted;
use crate::timestamp;

pub fn run(args: &SbomArgs, output: &mut Output) -> Result<Exit, Failure> {
    let source = &args.source;
    let (name, created) = (source.file_name(), timestamp::created(args.created.as_deref())?);
    let mut input = input::open(source, args.map)?;
    let mut policy = Policy::default();
    policy.packages = args.packages;
    let (reading, error, cost) = input.read_with_policy(&policy).into_parts();
    print_cost(source, cost, input.len(), output);
    let Some(reading) = reading else { return Ok(finish(source, error, output)) };
    let sbom = Sbom::from_metadata(reading.metadata());
    let sbom = match reading.inventory() {
        Some(inventory) => sbom.with_inventory(reading.metadata(), inventory),
        None => sbom,
    };
    print_recovered(source, &reading, cost, input.len(), output);
    let sbom = if error.is_some() { sbom.incomplete() } else { sbom };
    let sbom = describe(sbom, name.as_deref(), created.as_deref())?;
    sbom.write_json(output.out())?;
    let exit = print_gaps(source, &sbom, error.is_none(), output);
    Ok(exit.max(finish(source, error, output)))
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
