//! What people look at. Every text of the input goes through `Escaped` on its way here.

mod audit;
mod image;
mod interface;

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use sectile::amount::{Bytes, Grouped, share};
use sectile::edit::ChangeKind;
use sectile::metadata::{Item, Metadata, Value};
use sectile::report::{EditReport, Report};
use sectile::scan::{Path, Section};
use sectile::{Escaped, Finding, Judged, Severity, Verdict};
use unicode_width::UnicodeWidthStr;

pub use self::audit::summary;
pub use self::image::{digests, layout};
use crate::output::escaped;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The tree of items with their sizes, then what each says, then what is wrong.
pub fn show(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let Some(metadata) = report.metadata else { return Ok(()) };
    let size = report.size.unwrap_or_default();
    let kind = metadata.root().kind();
    writeln!(out, "{STRONG}{}{STRONG:#}: {kind}, {}", escaped(report.file), Bytes(size))?;
    if metadata.items().len() > 1 {
        writeln!(out)?;
        tree(metadata, size, out)?;
    }
    for item in metadata.items() {
        says(metadata, item, out)?;
        if let Some(interface) = report.interface.filter(|_| item.parent().is_none()) {
            interface::says(interface, out)?;
        }
    }
    if report.findings().next().is_some() {
        writeln!(out, "\n{STRONG}findings{STRONG:#}")?;
    }
    for finding in report.findings() {
        let severity = finding.code.severity();
        let style = style(severity);
        write!(out, "  {style}{severity:<8}{style:#} {:<22} ", finding.code.name())?;
        writeln!(out, "{}{FAINT}{}{FAINT:#}", Escaped::new(&finding.message), Place(finding))?;
    }
    writeln!(out)
}

/// Deeper items are not indented further: a tree may be a thousand items deep.
const DEEPEST: u32 = 16;

fn tree(metadata: &Metadata<'_>, size: u64, out: &mut impl Write) -> io::Result<()> {
    let labels: Vec<(String, String)> = labels(metadata);
    let width = labels.iter().map(|(lines, label)| lines.width() + label.width()).max().unwrap_or(0);
    for (item, (lines, label)) in metadata.items().iter().zip(&labels) {
        let bytes = item.end().unwrap_or(size).saturating_sub(item.start());
        let gap = width - lines.width() - label.width();
        write!(
            out,
            "{FAINT}{lines}{FAINT:#}{label}{:gap$}  {:>11}  {:>7}",
            "",
            Bytes(bytes).short(),
            share(bytes, size)
        )?;
        match item.name() {
            Some(name) => writeln!(out, "  {STRONG}{}{STRONG:#}", Short(name.as_bytes()))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// The lines that lead to each item, and what it is called.
fn labels(metadata: &Metadata<'_>) -> Vec<(String, String)> {
    let mut is_last = Vec::new(); // of each item on the way down, below the root
    let label = |item: &Item<'_>| {
        let path = metadata.path(item);
        let Some(parent) = item.parent() else { return (String::new(), item.kind().to_string()) };
        is_last.truncate(item.depth() as usize - 1);
        is_last.push(item.index() + 1 == metadata.items()[parent].children());
        let (last, above) = is_last.split_last().expect("it was just pushed");
        let mut lines: String =
            above.iter().take(DEEPEST as usize).map(|last| if *last { "   " } else { "│  " }).collect();
        lines += if *last { "└─ " } else { "├─ " };
        (lines, format!("{} {}", ShortPath(&path), item.kind()))
    };
    metadata.items().iter().map(label).collect()
}

/// What an item says of itself, a line each.
fn says(metadata: &Metadata<'_>, item: &Item<'_>, out: &mut impl Write) -> io::Result<()> {
    if metadata.items().len() > 1 {
        let path = metadata.path(item);
        let gap = if path.is_root() { "" } else { " " };
        writeln!(out, "\n{STRONG}{}{gap}{}{STRONG:#}", ShortPath(&path), item.kind())?;
    }
    if let Some(name) = item.name() {
        row(out, "name", Text(name))?;
    }
    for (field, value) in item.annotations() {
        row(out, field.section(), Text(value))?;
    }
    says_producers(item, out)?;
    if let Some(dependencies) = item.dependencies() {
        let packages = &dependencies.packages;
        let build = packages.iter().filter(|package| package.build).count();
        let build = if build > 0 { format!(", {build} of them to build it") } else { String::new() };
        row(out, "dependencies", format_args!("{}{build}", counted(packages.len() as u64, "package")))?;
    }
    if let Some(value) = item.registry_metadata() {
        row(out, "registry-metadata", Text(value))?;
    }
    for (section, value) in item.debug_links() {
        match value.as_str() {
            Some(_) => row(out, section, Text(value))?,
            None => row(out, section, Hex(value.as_bytes()))?,
        }
    }
    row(out, "sections", Shares(item))
}

/// More producers are only counted: JSON has them all.
const MOST_PRODUCERS: usize = 32;

fn says_producers(item: &Item<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut producers =
        item.producers().fields().flat_map(|field| field.values().map(move |value| (field.name(), value)));
    let mut label = "producers";
    for (field, (name, version)) in producers.by_ref().take(MOST_PRODUCERS) {
        let gap = if version.is_empty() { "" } else { " " };
        let (field, name, version) = (Short(field.as_bytes()), Short(name.as_bytes()), Short(version.as_bytes()));
        row(out, label, format_args!("{:<12}  {name}{gap}{version}", field.to_string()))?;
        label = "";
    }
    match producers.count() {
        0 => Ok(()),
        more => row(out, label, format_args!("… and {more} more")),
    }
}

fn row(out: &mut impl Write, label: &str, value: impl Display) -> io::Result<()> {
    writeln!(out, "  {FAINT}{label:<19}{FAINT:#}  {value}")
}

/// One line a finding, and the verdict.
pub fn check(file: &OsStr, verdict: &Verdict<'_>, out: &mut impl Write) -> io::Result<()> {
    let file = escaped(file);
    for judged in &verdict.judged {
        let (finding, style) = (&*judged.finding, style(judged.severity));
        let message = Escaped::new(&finding.message);
        write!(out, "{file}: {style}{}{style:#}: {message} [{}]", judged.severity, finding.code)?;
        write!(out, "{FAINT}{}{FAINT:#}", Place(finding))?;
        match &judged.excepted {
            Some(exception) => writeln!(out, ", excepted: {}", Escaped::new(exception.reason()))?,
            None => writeln!(out)?,
        }
    }
    let answer = match (verdict.complete, verdict.is_accepted()) {
        (_, true) => "accepted",
        (true, false) => "refused",
        (false, false) => "refused: it could not be read to its end",
    };
    write!(out, "{file}: {STRONG}{answer}{STRONG:#}")?;
    for severity in Severity::ALL.into_iter().rev() {
        let counts = |judged: &&Judged<'_>| judged.severity == severity && judged.excepted.is_none();
        let of_severity = verdict.judged.iter().filter(counts);
        let number: u64 = of_severity.map(|judged| judged.finding.count).sum();
        if number > 0 {
            write!(out, ", {}", counted(number, severity.name()))?;
        }
    }
    let excepted = verdict.judged.iter().filter(|judged| judged.excepted.is_some());
    match excepted.map(|judged| judged.finding.count).sum::<u64>() {
        0 => writeln!(out),
        number => writeln!(out, ", {number} excepted"),
    }
}

/// What an edit did to the sections, and to the file.
pub fn edited(report: &EditReport<'_>, out: &mut impl Write) -> io::Result<()> {
    let (planned, file) = (report.planned, escaped(report.file));
    let plan = &planned.plan;
    if plan.is_identity() {
        return writeln!(out, "{STRONG}{file}{STRONG:#}: nothing would change, and nothing is written");
    }
    let verb = if report.written { "" } else { "would be " };
    for change in &planned.changes {
        let (kind, before, after) = (change.kind.name(), change.before, change.after);
        write!(out, "  {verb}{kind:<8} {STRONG}{}{STRONG:#}{FAINT}", Escaped::new(&change.section))?;
        if !change.path.is_root() {
            write!(out, " in item {}", ShortPath(&change.path))?;
        }
        match change.kind {
            ChangeKind::Replaced => writeln!(out, ", {} → {} bytes{FAINT:#}", Grouped(before), Grouped(after))?,
            _ => writeln!(out, ", {} bytes{FAINT:#}", Grouped(before + after))?,
        }
    }
    let (kept, inserted) = (Grouped(plan.kept()), Grouped(plan.inserted()));
    let dropped = Grouped(plan.source_len() - plan.kept());
    let (old, new) = (plan.source_len(), plan.len());
    write!(out, "{STRONG}{file}{STRONG:#}: {} → {} bytes", Grouped(old), Grouped(new))?;
    match new.cmp(&old) {
        Ordering::Less => write!(out, ", {} saved", Bytes(old - new).short())?,
        Ordering::Greater => write!(out, ", {} more", Bytes(new - old).short())?,
        Ordering::Equal => {}
    }
    writeln!(out, " {FAINT}({kept} kept, {inserted} inserted, {dropped} dropped){FAINT:#}")
}

/// So many of something, whose plural is regular.
fn counted(number: u64, of: &str) -> String {
    format!("{} {of}{}", Grouped(number), if number == 1 { "" } else { "s" })
}

/// The sections of one file, as they come.
pub struct SectionsList<W> {
    out: W,
    /// What stands above the first.
    heading: Option<String>,
}

impl<W: Write> SectionsList<W> {
    /// A list under the file's name and size.
    pub fn new(out: W, file: &OsStr, size: u64) -> Self {
        let file = format!("{STRONG}{}{STRONG:#}: {}", escaped(file), Bytes(size));
        let columns = format!("{FAINT}{:>12} {:>14}  {:<8} section{FAINT:#}", "offset", "bytes", "item");
        Self { out, heading: Some(format!("{file}\n{columns}\n")) }
    }

    /// Ends the list of a file that could be read. (Of one that could not, there is only the message.)
    pub fn finish(mut self) -> io::Result<()> {
        if self.heading.is_none() {
            return Ok(());
        }
        self.head()?;
        writeln!(self.out, "{FAINT}{:>12}{FAINT:#}", "(none)")
    }

    /// Writes the heading, if it does not stand there yet.
    fn head(&mut self) -> io::Result<()> {
        self.heading.take().map_or(Ok(()), |heading| self.out.write_all(heading.as_bytes()))
    }

    /// Writes a line for a section of the item at this path.
    pub fn section(&mut self, path: &Path, section: &Section<'_>) -> io::Result<()> {
        self.head()?;
        let range = section.range();
        let bytes = Grouped(range.end - range.start).to_string();
        let path = ShortPath(path).to_string(); // padded, as a text is
        write!(self.out, "{FAINT}{:>#12x}{FAINT:#} {bytes:>14}  {path:<8} {}", range.start, section.kind_name())?;
        if section.is_custom() {
            write!(self.out, " {STRONG}{}{STRONG:#}", Escaped::new(section.name()))?;
        }
        writeln!(self.out)
    }
}

fn style(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Blue,
    };
    color.on_default().bold()
}

/// Where a finding is, and how often it was made.
pub struct Place<'a>(pub &'a Finding);

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, offset, section, count, .. } = self.0;
        write!(f, " (at offset {offset:#x}")?;
        if let Some(section) = section {
            write!(f, ", section {}", Escaped::new(section))?;
        }
        if !path.is_root() {
            write!(f, ", in item {}", ShortPath(path))?;
        }
        if *count > 1 {
            write!(f, ", {count} times")?;
        }
        f.write_str(")")
    }
}

/// A path, its middle left out where it is very long.
pub struct ShortPath<'a>(pub &'a Path);

impl Display for ShortPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.indexes() {
            [first, .., before, last] if self.0.indexes().len() > DEEPEST as usize => {
                write!(f, "{first}/…/{before}/{last}")
            }
            _ => self.0.fmt(f),
        }
    }
}

/// A value: a text, or bytes that should be one.
struct Text<'a>(&'a Value<'a>);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.as_bytes().is_empty() {
            return write!(f, "{FAINT}(empty){FAINT:#}");
        }
        Short(self.0.as_bytes()).fmt(f)
    }
}

/// A text, cut where it is very long: JSON has all of it.
struct Short<'a>(&'a [u8]);

impl Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 1_000;
        let Some(mut begin) = self.0.get(..MOST) else { return Escaped::bytes(self.0).fmt(f) };
        if let Some(last) = begin.utf8_chunks().last() {
            begin = &begin[..begin.len() - last.invalid().len()]; // not in the middle of a character
        }
        write!(f, "{}… {FAINT}({} bytes){FAINT:#}", Escaped::bytes(begin), Grouped(self.0.len() as u64))
    }
}

struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The kinds of sections that take most of an item.
struct Shares<'a>(&'a Item<'a>);

impl Display for Shares<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 6;
        let mut shares: Vec<_> = self.0.shares().collect();
        shares.sort_by_key(|share| std::cmp::Reverse(share.bytes));
        for (nth, share) in shares.iter().take(MOST).enumerate() {
            let comma = if nth > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}", share.kind, Bytes(share.bytes).short())?;
        }
        match shares.len().saturating_sub(MOST) {
            0 if shares.is_empty() => write!(f, "{FAINT}(none){FAINT:#}"),
            0 => Ok(()),
            more => write!(f, ", {more} more {}", if more == 1 { "kind" } else { "kinds" }),
        }
    }
}
