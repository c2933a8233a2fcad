//! Writes SBOMs: the binaries of the store, their items, and their packages.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crate::baseline::line::RowLine;
use crate::baseline::reading_line::SavedReading;
use crate::row::RowSource;
use crate::{AuditInfo, Completeness, Row, RowKind, RowName, Stop, Summary};
use sectile::Escaped;
use sectile::inventory::Inventory;
use sectile::metadata::Metadata;
use sectile_advisories::{Affected, PackageId};
use sectile_policy::{JudgedFinding, Packages, Policy};
use sectile_sbom::{ItemPackages, Sbom, SbomCollection, SbomFormat, Vulnerability, VulnerabilityAnalysis};

/// The document of an audit. Its subject is the store.
pub(super) fn collection(format: SbomFormat, info: &AuditInfo) -> SbomCollection {
    let paths: Vec<String> = info.paths.iter().map(|path| shown(path)).collect();
    SbomCollection::new(format, paths.join(", "), info.created.as_deref())
}

/// Whether the document has every binary of the store, with all data.
pub(super) fn is_complete(summary: &Summary, stop: Option<&Stop>) -> bool {
    let unread = summary.rows_with(Completeness::Partial) + summary.rows_with(Completeness::Unread);
    stop.is_none() && unread == 0 && summary.not_opened_files == 0
}

/// Writes the part of a row. Rows of archives and other files have none.
pub(super) fn row(format: SbomFormat, row: &Row<'_>, out: &mut Vec<u8>) {
    if row.row_kind != RowKind::Binary {
        return;
    }
    match &row.source {
        RowSource::Report(report) => {
            let sbom = report.metadata().map_or_else(unread, |metadata| new(metadata, report.inventory()));
            write(format, row, sbom, out);
        }
        RowSource::Baseline(line) => {
            let saved = RowLine::parse(line).map(|line| line.reading(&Policy::default(), Packages::All));
            write(format, row, saved.as_ref().map_or_else(unread, |saved| rebuilt(saved, row)), out);
        }
    }
}

fn new<'a>(metadata: &'a Metadata<'_>, inventory: Option<&'a Inventory>) -> Sbom<'a> {
    let sbom = Sbom::from_metadata(metadata);
    match inventory {
        Some(inventory) => sbom.with_inventory(metadata, inventory),
        None => sbom,
    }
}

/// The SBOM of a row of an earlier report. Only the row has the findings.
fn rebuilt<'a>(saved: &'a SavedReading, row: &'a Row<'_>) -> Sbom<'a> {
    let Some(reading) = &saved.reading else { return unread() };
    let findings = row.findings.iter().map(JudgedFinding::finding);
    let sbom = new(reading.metadata(), reading.inventory()).with_findings(reading.metadata(), findings);
    let is_whole = saved.items_left_out == 0 && saved.packages_left_out == 0 && saved.has_packages;
    if is_whole { sbom } else { sbom.incomplete() }
}

/// A binary of which nothing was read.
fn unread<'a>() -> Sbom<'a> {
    match Sbom::new(ItemPackages::new(0, "", None), []) {
        Ok(sbom) => sbom.incomplete(),
        Err(error) => unreachable!("one item contradicts no other: {error}"),
    }
}

fn write(format: SbomFormat, row: &Row<'_>, sbom: Sbom<'_>, out: &mut Vec<u8>) {
    let (file, name) = (shown(&row.file), file_name(&row.file));
    let sbom = sbom.with_file(&file).with_name(&name);
    let sbom = if row.completeness == Completeness::Complete { sbom } else { sbom.incomplete() };
    let digest = row.digest.as_deref().filter(|_| row.verified).and_then(|digest| digest.parse().ok());
    let sbom = match digest {
        Some(digest) => sbom.with_digest(digest),
        None => sbom,
    };
    let vulnerabilities = sbom_vulnerabilities(&sbom, &row.findings);
    sbom.with_vulnerabilities(vulnerabilities).write_part(format, out);
}

/// The last component of the innermost name.
fn file_name(file: &OsStr) -> String {
    let name = RowName::parse(file).ok();
    let innermost = name.as_ref().map_or(file, |name| name.entries().last().map_or(name.path(), |entry| entry));
    shown(std::path::Path::new(innermost).file_name().unwrap_or(innermost))
}

/// A name of the store as text.
fn shown(name: &OsStr) -> String {
    name.to_str().map_or_else(|| Escaped::bytes(name.as_encoded_bytes()).to_string(), ToOwned::to_owned)
}

/// The advisories among the findings on a binary, as vulnerabilities of the packages in its SBOM. Those
/// that an exception or a VEX statement excuses have an analysis.
pub fn sbom_vulnerabilities<'f>(sbom: &Sbom<'_>, findings: &'f [JudgedFinding<'_>]) -> Vec<Vulnerability<'f>> {
    let mut advisories = findings.iter().filter_map(|judged| Some((judged, judged.advisory()?))).peekable();
    if advisories.peek().is_none() {
        return Vec::new();
    }
    let mut positions: BTreeMap<_, Vec<(usize, usize)>> = BTreeMap::new();
    let mut position = (usize::MAX, 0);
    for (item, package) in sbom.packages() {
        position = if position.0 == item.number { (position.0, position.1 + 1) } else { (item.number, 0) };
        let (name, version, source) = (&*package.name, &*package.version, &*package.source);
        let id = match package.found {
            Some(found) => PackageId::from_found(found.ecosystem.name(), name, version, source),
            None => PackageId::from_recorded(name, version, source, package.root),
        };
        if let Some(id) = id {
            positions.entry((id.ecosystem.name(), id.name, id.version)).or_default().push(position);
        }
    }
    let mut vulnerabilities: Vec<Vulnerability<'_>> = Vec::new();
    for (judged, found) in advisories {
        let reason = judged.exception().map(sectile_policy::Exception::reason);
        let is_same = |other: &Vulnerability<'_>| {
            *other.id == *found.advisory().id && other.analysis.as_ref().map(|analysis| &*analysis.detail) == reason
        };
        let at = vulnerabilities.iter().position(is_same).unwrap_or_else(|| {
            vulnerabilities.push(vulnerability(&found.affected, reason));
            vulnerabilities.len() - 1
        });
        let key = (found.affected.ecosystem().name(), found.affected.package(), &*found.version);
        let vulnerability = &mut vulnerabilities[at];
        match positions.get(&key) {
            Some(positions) => add_new(&mut vulnerability.affects, positions.iter().copied()),
            // Such as the standard library of the compiler.
            None => add_new(&mut vulnerability.affects_items, sbom.item_number(judged.finding().path())),
        }
    }
    vulnerabilities
}

fn add_new<T: PartialEq>(list: &mut Vec<T>, values: impl IntoIterator<Item = T>) {
    for value in values {
        if !list.contains(&value) {
            list.push(value);
        }
    }
}

fn vulnerability<'f>(affected: &'f Affected, reason: Option<&'f str>) -> Vulnerability<'f> {
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
    vulnerability.analysis = reason.map(|reason| {
        let mut analysis = VulnerabilityAnalysis::new(reason);
        // The start of the reasons of statements of VEX, and of defects of other targets.
        let states = [
            ("OpenVEX: not affected", "not_affected"),
            ("OpenVEX: fixed", "resolved"),
            ("WebAssembly is not affected", "not_affected"),
        ];
        let state = states.into_iter().find(|(start, _)| reason.starts_with(start));
        analysis.state = state.map(|(_, state)| state);
        analysis
    });
    vulnerability
}
