//! `sectile sbom`: the dependencies of a file and its nested items, as an SBOM.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sectile::Cost;
use sectile::inventory::ListKind;
use sectile_advisories::{Advisories, Affected, PackageId};
use sectile_audit::amount::percent;
use sectile_policy::{Policy, Reading};
use sectile_sbom::{Sbom, Vulnerability};

use crate::advisories;
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
    let advisories = advisories::read(&args.advisories)?;
    let announced = advisories::announce(advisories.as_ref(), output);
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
    let (found, unjudged) = match &advisories {
        Some(advisories) => vulnerabilities(&sbom, advisories),
        None => (Vec::new(), Vec::new()),
    };
    let sbom = sbom.with_vulnerabilities(found);
    sbom.write_json(output.out())?;
    for cause in &unjudged {
        output.print_diagnostic(Some(source), cause);
    }
    let judged = if unjudged.is_empty() { Exit::Done } else { Exit::Failed };
    let exit = print_gaps(source, &sbom, error.is_none(), output);
    Ok(exit.max(judged).max(announced).max(finish(source, error, output)))
}

/// The advisories that affect the packages of an SBOM, the most important first, and the reasons why
/// packages could not be judged.
fn vulnerabilities<'a>(sbom: &Sbom<'_>, advisories: &'a Advisories) -> (Vec<Vulnerability<'a>>, Vec<String>) {
    let (mut found, mut unjudged) = (BTreeMap::new(), Vec::new());
    let mut place = (usize::MAX, 0);
    for (item, package) in sbom.packages() {
        place = if place.0 == item.number { (place.0, place.1 + 1) } else { (item.number, 0) };
        let (name, version, source) = (&*package.name, &*package.version, &*package.source);
        let id = match package.found {
            Some(found) => PackageId::from_found(found.ecosystem.name(), name, version, source),
            None => PackageId::from_recorded(name, version, source, package.root),
        };
        let Some(id) = id else { continue };
        let matches = advisories.matches(id);
        if let Some(cause) = matches.incomparable(id) {
            unjudged.push(cause);
        }
        for affected in matches.affected {
            let key = (Reverse(affected.advisory().weight()), &*affected.advisory().id);
            found.entry(key).or_insert_with(|| vulnerability(affected)).affects.push(place);
        }
    }
    (found.into_values().collect(), unjudged)
}

fn vulnerability(affected: &Affected) -> Vulnerability<'_> {
    let advisory = affected.advisory();
    let mut vulnerability = Vulnerability::new(&*advisory.id);
    vulnerability.aliases = advisory.aliases.iter().map(|alias| (&**alias).into()).collect();
    vulnerability.description = (&*advisory.title).into();
    vulnerability.url = (&*advisory.url).into();
    vulnerability.severity = advisory.rating.map(|rating| rating.name().into());
    vulnerability.score = advisory.score.map(|score| score.to_string().into());
    if !affected.fixed().is_empty() {
        vulnerability.recommendation = format!("Update to {}.", affected.fixed().join(" or ")).into();
    }
    vulnerability
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
