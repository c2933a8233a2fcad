//! The metadata of a file: the item tree, each item's values, and the findings.

use std::fmt::{self, Display};
use std::io::{self, Write};

use sectile::inventory::ListKind;
use sectile::metadata::Package;
use sectile::{Escaped, Item, Metadata};
use sectile_audit::amount::{ByteSize, Grouped, percent};
use sectile_policy::report::Report;
use unicode_width::UnicodeWidthStr;

use super::interface::write_interface;
use super::layout::Layout;
use super::style::{BOLD, DIMMED, counted, severity_style};
use super::value::{Hex, ShortText, ValueText};
use crate::display::{FindingLocation, MAX_SHOWN_DEPTH, ShortPath};

/// Indent of the lines of a message after the first.
const FINDING_INDENT: usize = 11;

/// Writes the tree of items with their sizes, then each item's metadata, then the findings.
///
/// Packages are either listed or only counted.
pub fn write_metadata(
    report: &Report<'_>,
    lists_packages: bool,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(metadata) = report.metadata() else { return Ok(()) };
    let size = report.size().unwrap_or_default();
    let kind = metadata.root().kind();
    writeln!(out, "{}", layout.heading(report.file(), &format!("{kind}, {}", ByteSize(size))))?;
    if metadata.items().len() > 1 {
        writeln!(out)?;
        write_tree(metadata, size, layout, out)?;
    }
    for item in metadata.items() {
        write_item(report, metadata, item, lists_packages, layout, out)?;
        if let Some(interface) = report.interface().filter(|_| item.parent().is_none()) {
            write_interface(interface, layout, out)?;
        }
    }
    if report.findings().next().is_some() {
        writeln!(out, "\n{BOLD}findings{BOLD:#}")?;
    }
    for finding in report.findings() {
        let severity = finding.severity();
        let style = severity_style(severity);
        let start = format!("  {style}{severity:<8}{style:#} {:<22} ", finding.code().name());
        let message = format!("{}{DIMMED}{}{DIMMED:#}", Escaped::new(finding.message()), FindingLocation(finding));
        layout.hanging(out, &start, FINDING_INDENT, &message)?;
    }
    writeln!(out)
}

/// Columns of an item's name in the tree, at least.
const MIN_NAME: usize = 8;

fn write_tree(metadata: &Metadata<'_>, size: u64, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let labels: Vec<(String, String)> = tree_labels(metadata);
    let width = labels.iter().map(|(lines, label)| lines.width() + label.width()).max().unwrap_or(0);
    for (item, (lines, label)) in metadata.items().zip(&labels) {
        let bytes = item.end().unwrap_or(size).saturating_sub(item.start());
        let gap = width - lines.width() - label.width();
        write!(
            out,
            "{DIMMED}{lines}{DIMMED:#}{label}{:gap$}  {:>11}  {:>7}",
            "",
            ByteSize(bytes).short(),
            percent(bytes, size)
        )?;
        match item.name() {
            Some(name) => {
                let room = layout.width().saturating_sub(width + 24).max(MIN_NAME);
                let name = layout.escaped_text(ShortText(name.as_bytes()).to_string(), room);
                writeln!(out, "  {BOLD}{name}{BOLD:#}")?;
            }
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// The tree lines and the label of each item.
fn tree_labels(metadata: &Metadata<'_>) -> Vec<(String, String)> {
    let mut is_last = Vec::new(); // for each ancestor below the root
    let label = |item: Item<'_>| {
        let path = item.path();
        let Some(parent) = item.parent() else { return (String::new(), item.kind().to_string()) };
        is_last.truncate(item.depth() as usize - 1);
        is_last.push(item.index() + 1 == parent.children());
        let (last, above) = is_last.split_last().expect("it was just pushed");
        let mut lines: String =
            above.iter().take(MAX_SHOWN_DEPTH as usize).map(|last| if *last { "   " } else { "│  " }).collect();
        lines += if *last { "└─ " } else { "├─ " };
        (lines, format!("{} {}", ShortPath(&path), item.kind()))
    };
    metadata.items().map(label).collect()
}

/// Writes an item's metadata, one line for each value.
fn write_item(
    report: &Report<'_>,
    metadata: &Metadata<'_>,
    item: Item<'_>,
    lists_packages: bool,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    if metadata.items().len() > 1 {
        let path = item.path();
        let gap = if path.is_root() { "" } else { " " };
        writeln!(out, "\n{BOLD}{}{gap}{}{BOLD:#}", ShortPath(&path), item.kind())?;
    }
    if let Some(name) = item.name() {
        layout.labeled(out, "name", ValueText(name))?;
    }
    for (field, value) in item.annotations() {
        layout.labeled(out, field.section(), ValueText(value))?;
    }
    write_producers(item, layout, out)?;
    if let Some(dependencies) = item.dependencies() {
        write_packages(dependencies.packages(), lists_packages, layout, out)?;
    }
    write_found(report, item, layout, out)?;
    if let Some(value) = item.registry_metadata() {
        layout.labeled(out, "registry-metadata", ValueText(value))?;
    }
    for (section, value) in item.debug_links() {
        match value.as_str() {
            Some(_) => layout.labeled(out, section, ValueText(value))?,
            None => layout.labeled(out, section, Hex(value.as_bytes()))?,
        }
    }
    layout.labeled(out, "sections", LargestSections(item))
}

/// Maximum number of packages that are listed. More are only counted, but JSON has all of them.
const MAX_PACKAGES: usize = 10_000;

fn write_packages(packages: &[Package], are_listed: bool, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let build = packages.iter().filter(|package| package.build).count();
    let build = if build > 0 { format!(", {build} of them for the build only") } else { String::new() };
    let hint = if are_listed || packages.is_empty() { "" } else { " (--packages declared lists them)" };
    let count = counted(packages.len() as u64, "package");
    layout.labeled(out, "dependencies", format_args!("{count}{build}{DIMMED}{hint}{DIMMED:#}"))?;
    if !are_listed {
        return Ok(());
    }
    let text = |text: &str| ShortText(text.as_bytes()).to_string();
    for package in packages.iter().take(MAX_PACKAGES) {
        let (name, version, source) = (text(&package.name), text(&package.version), text(&package.source));
        let role = match (package.root, package.build) {
            (true, _) => ", the root",
            (false, true) => ", for the build only",
            (false, false) => "",
        };
        layout.labeled(out, "", format_args!("{name} {version} {DIMMED}({source}{role}){DIMMED:#}"))?;
    }
    write_more(packages.len(), layout, out)
}

/// Lists the packages that the item's data names.
fn write_found(report: &Report<'_>, item: Item<'_>, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let Some(inventory) = report.inventory() else { return Ok(()) };
    for list in [ListKind::Embedded, ListKind::Recovered] {
        let of_item = inventory.packages_in(item.number()).iter();
        let packages: Vec<_> = of_item.filter(|package| package.evidence.list() == list).collect();
        if packages.is_empty() {
            continue;
        }
        let hint = if list == ListKind::Recovered { " found in the data; others may be missing" } else { "" };
        let count = counted(packages.len() as u64, "package");
        layout.labeled(out, list.name(), format_args!("{count}{DIMMED}{hint}{DIMMED:#}"))?;
        for package in packages.iter().take(MAX_PACKAGES) {
            let text = |text: &str| ShortText(text.as_bytes()).to_string();
            let (name, version) = (text(&package.name), text(&package.version));
            let (ecosystem, evidence) = (package.ecosystem, package.evidence);
            layout.labeled(out, "", format_args!("{name} {version} {DIMMED}({ecosystem}, {evidence}){DIMMED:#}"))?;
        }
        write_more(packages.len(), layout, out)?;
    }
    Ok(())
}

/// Counts the packages that are not listed.
fn write_more(packages: usize, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    match packages.saturating_sub(MAX_PACKAGES) {
        0 => Ok(()),
        more => layout.labeled(out, "", format_args!("… and {} more (--json lists all)", Grouped(more as u64))),
    }
}

/// Maximum number of producers that are listed. More are only counted, but JSON has all of them.
const MAX_PRODUCERS: usize = 32;

fn write_producers(item: Item<'_>, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let mut producers =
        item.producers().fields().flat_map(|field| field.values().map(move |value| (field.name(), value)));
    let mut label = "producers";
    for (field, (name, version)) in producers.by_ref().take(MAX_PRODUCERS) {
        let gap = if version.is_empty() { "" } else { " " };
        let (field, name, version) =
            (ShortText(field.as_bytes()), ShortText(name.as_bytes()), ShortText(version.as_bytes()));
        layout.labeled(out, label, format_args!("{:<12}  {name}{gap}{version}", field.to_string()))?;
        label = "";
    }
    match producers.count() {
        0 => Ok(()),
        more => layout.labeled(out, label, format_args!("… and {more} more")),
    }
}

/// The section kinds that take up most of an item.
struct LargestSections<'a>(Item<'a>);

impl Display for LargestSections<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_KINDS: usize = 6;
        let mut kinds: Vec<_> = self.0.section_sizes().collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.bytes()));
        for (nth, kind) in kinds.iter().take(MAX_KINDS).enumerate() {
            let comma = if nth > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}", kind.name(), ByteSize(kind.bytes()).short())?;
        }
        match kinds.len().saturating_sub(MAX_KINDS) {
            0 if kinds.is_empty() => write!(f, "{DIMMED}(none){DIMMED:#}"),
            0 => Ok(()),
            more => write!(f, ", {more} more {}", if more == 1 { "kind" } else { "kinds" }),
        }
    }
}
