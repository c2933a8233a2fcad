//! The summary of an audit.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::Style;
use sectile::{Escaped, Severity};
use sectile_advisories::Rating;
use sectile_audit::amount::{self, ByteSize, Grouped, percent};
use sectile_audit::{AuditInfo, AuditOutcome, Completeness, InsideSearch, NotOpenedFiles, RowCount, RowKind, Summary};
use unicode_width::UnicodeWidthStr;

use super::layout::{Layout, fitted};
use super::style::{BAR, BOLD, DIMMED, counted, severity_style};
use crate::display::{RuleLocation, escaped};

/// Maximum number of lines of a list.
const MAX_LINES: usize = 8;
/// Widths of the columns of a table with bars, in terminal columns.
#[derive(Clone, Copy)]
struct Columns {
    label: usize,
    bar: usize,
    note: usize,
    layout: Layout,
}

impl Columns {
    const AMOUNT_WIDTH: usize = 10;
    /// Usual minimum width of labels, even if it is more than half of the remaining width.
    const USUAL_LABEL_WIDTH: usize = 32;
    /// Minimum width of a bar and a note together.
    const MIN_REST_WIDTH: usize = 14;

    /// Divides the width of a line. Any width beyond a fixed amount goes to the notes.
    fn new(layout: Layout) -> Self {
        // The line begins with two spaces, and there are two between columns.
        let rest = layout.width() - (Self::AMOUNT_WIDTH + 8);
        let label = (rest / 2).max(Self::USUAL_LABEL_WIDTH.min(rest - Self::MIN_REST_WIDTH)).min(60);
        let bar = ((rest - label) / 2).min(40);
        Self { label, bar, note: rest - bar - label, layout }
    }
}

/// Writes the summary of an audit.
pub fn write_summary(outcome: &AuditOutcome, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let AuditOutcome { info, summary, stop, .. } = outcome;
    let columns = Columns::new(layout);
    let shown = info.paths.iter().take(3);
    let mut paths: Vec<String> = shown.map(|path| layout.path(path, layout.width() / 2)).collect();
    if info.paths.len() > paths.len() {
        paths.push(format!("{} more", Grouped((info.paths.len() - paths.len()) as u64)));
    }
    let binaries = amount::counted(summary.rows_of(RowKind::Binary).rows, "binary", "binaries");
    let (read, of) = (summary.store_bytes_read(), summary.store_bytes);
    let heading = format!(
        "{BOLD}{}{BOLD:#}: {binaries}, {}{DIMMED}, {} of the store was read ({} of {}){DIMMED:#}",
        paths.join(", "),
        ByteSize(summary.bytes).short(),
        percent(read, of),
        ByteSize(read).short(),
        ByteSize(of).short()
    );
    layout.hanging(out, "", 2, &heading)?;
    write_verdicts(info, summary, out)?;
    if let Some(comparison) = &summary.comparison {
        writeln!(out, "  since the baseline: {comparison}")?;
    }
    if summary.excepted > 0 {
        writeln!(out, "  {} excepted by the policy", counted(summary.excepted, "finding"))?;
    }
    write_contents(info, summary, layout, out)?;
    write_findings(summary, columns, out)?;
    write_advisories(summary, layout, out)?;
    write_licenses(summary, columns, out)?;
    write_producers(summary, columns, out)?;
    write_kinds(summary, columns, out)?;
    write_blobs(summary, columns, out)?;
    let Some(stop) = stop else { return Ok(()) };
    let warning = severity_style(Severity::Warning);
    write!(out, "\n{warning}stopped before its end{warning:#}: ")?;
    match &stop.after {
        Some(file) => writeln!(out, "the last row is for {}", escaped(file)),
        None => writeln!(out, "no row was written"),
    }
}

fn write_verdicts(info: &AuditInfo, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let binaries = summary.rows_of(RowKind::Binary);
    let accepted = binaries.accepted;
    write!(out, "  {BOLD}{}{BOLD:#} accepted ({})", Grouped(accepted), percent(accepted, binaries.rows))?;
    write_refused(&binaries, out)?;
    match &info.policy_name {
        Some(policy) => writeln!(out, "{DIMMED}, under {}{DIMMED:#}", escaped(policy))?,
        None => writeln!(out, "{DIMMED}, without a policy{DIMMED:#}")?,
    }
    for database in &info.databases {
        writeln!(out, "{DIMMED}  advisories: {}{DIMMED:#}", Escaped::new(&database.to_string()))?;
    }
    for (kind, what) in [(RowKind::Archive, "archive"), (RowKind::File, "other file")] {
        let count = summary.rows_of(kind);
        if count.rows > 0 {
            write!(out, "  {} with findings", counted(count.rows, what))?;
            write_refused(&count, out)?;
            writeln!(out)?;
        }
    }
    if summary.not_opened_files > 0 {
        writeln!(out, "  {}", NotOpenedFiles(summary))?;
    }
    Ok(())
}

fn write_refused(count: &RowCount, out: &mut impl Write) -> io::Result<()> {
    let error = severity_style(if count.refused > 0 { Severity::Error } else { Severity::Note });
    write!(out, ", {error}{}{error:#} refused", Grouped(count.refused))?;
    if count.unjudged() > 0 {
        let warning = severity_style(Severity::Warning);
        write!(out, ", {warning}{}{warning:#} unjudged", Grouped(count.unjudged()))?;
    }
    match count.unread() {
        0 => Ok(()),
        unread => write!(out, "{DIMMED}; {} not read to the end{DIMMED:#}", Grouped(unread)),
    }
}

fn write_contents(info: &AuditInfo, summary: &Summary, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let parts = [
        (summary.modules, "module"),
        (summary.components, "component"),
        (summary.items, "item"),
        (summary.sections, "section"),
        (summary.packages, "package"),
        (summary.other_names, "further name"),
        (summary.archives, "archive"),
        (summary.not_wasm, "other file"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let mut parts: Vec<String> = parts.map(|(number, what)| counted(number, what)).collect();
    if parts.is_empty() {
        return Ok(());
    }
    parts.push(
        match info.inside {
            InsideSearch::Always => "searched inside other files",
            InsideSearch::Never => "not searched inside other files",
            _ => "searched inside other local files",
        }
        .to_owned(),
    );
    layout.hanging(out, "  ", 2, &format!("{DIMMED}{}{DIMMED:#}", parts.join(", ")))
}

fn write_findings(summary: &Summary, columns: Columns, out: &mut impl Write) -> io::Result<()> {
    let codes = summary.codes();
    if codes.is_empty() {
        return Ok(());
    }
    write_heading(out, columns, "findings", &"rows")?;
    let most = codes.iter().map(|(_, count)| count.rows).max().unwrap_or_default();
    for (code, count) in codes.iter().take(MAX_LINES * 2) {
        let style = severity_style(count.worst().unwrap_or(Severity::Note));
        let severity = count.worst().map_or("excepted", Severity::name);
        let label = format!("{style}{severity:<8}{style:#} {}", fitted(code.name(), columns.label - 9));
        let notes =
            [(count.refused, "refused"), (count.excepted, "excepted")].into_iter().filter(|(rows, _)| *rows > 0);
        let notes: Vec<String> = notes.map(|(rows, what)| format!("{} {what}", Grouped(rows))).collect();
        write_bar(out, columns, style, &label, (count.rows, most), &Grouped(count.rows), &notes.join(", "))?;
    }
    write_more(out, codes.len(), MAX_LINES * 2)
}

/// Writes the most important advisories: severity, identifier, package, fixed versions.
fn write_advisories(summary: &Summary, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let all = summary.advisories().count();
    if all == 0 {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}advisories{BOLD:#}")?;
    for count in summary.advisories().take(MAX_LINES * 2) {
        let advisory = count.affected.advisory();
        let (severity, style) = match advisory.rating {
            Some(rating) if rating >= Rating::High => (rating.name(), severity_style(Severity::Error)),
            Some(rating) => (rating.name(), severity_style(Severity::Warning)),
            None => (advisory.class.name(), severity_style(Severity::Warning)),
        };
        let versions: Vec<&str> = count.versions.iter().take(3).map(|version| &**version).collect();
        let more = if count.versions.len() > versions.len() { ", …" } else { "" };
        let package = format!("{} {}{more}", count.affected.package(), versions.join(", "));
        let fixed = match count.affected.fixed() {
            [] => "no fixed version is known".to_owned(),
            fixed => format!("fixed in {}", fixed.join(" or ")),
        };
        let excepted =
            if count.excepted > 0 { format!(", {} excepted", Grouped(count.excepted)) } else { String::new() };
        let text = format!(
            "{} {}: {}{DIMMED}; {}; in {}{excepted}{DIMMED:#}",
            Escaped::new(&package),
            Escaped::new(&advisory.id),
            Escaped::new(&advisory.title),
            Escaped::new(&fixed),
            amount::counted(count.rows, "binary", "binaries")
        );
        layout.hanging(out, &format!("  {style}{severity:<13}{style:#} "), 16, &text)?;
    }
    write_more(out, all, MAX_LINES * 2)
}

fn write_licenses(summary: &Summary, columns: Columns, out: &mut impl Write) -> io::Result<()> {
    let licenses = summary.licenses();
    let all = summary.licensed + summary.unlicensed;
    if all == 0 {
        return Ok(());
    }
    write_heading(out, columns, "licenses", &"binaries")?;
    let most = licenses.first().map_or(0, |(_, rows)| *rows).max(summary.unlicensed);
    for (license, rows) in licenses.iter().take(MAX_LINES) {
        let license = if license.is_empty() { "(empty)" } else { license };
        write_bar(
            out,
            columns,
            BAR,
            &fitted(license, columns.label),
            (*rows, most),
            &Grouped(*rows),
            &percent(*rows, all),
        )?;
    }
    write_more(out, licenses.len(), MAX_LINES)?;
    if summary.unlicensed > 0 {
        let rows = summary.unlicensed;
        let label = format!("{DIMMED}{}{DIMMED:#}", fitted("(none)", columns.label));
        write_bar(out, columns, BAR, &label, (rows, most), &Grouped(rows), &percent(rows, all))?;
    }
    Ok(())
}

fn write_producers(summary: &Summary, columns: Columns, out: &mut impl Write) -> io::Result<()> {
    let producers = summary.producers();
    if producers.is_empty() {
        return Ok(());
    }
    write_heading(out, columns, "languages and tools", &"binaries")?;
    let most = producers[0].rows;
    for producer in producers.iter().take(MAX_LINES) {
        let label = fitted(&format!("{} {}", producer.field, producer.name), columns.label);
        let versions = producer.versions.iter().filter(|(version, _)| !version.is_empty());
        let versions: Vec<String> = versions.map(|(version, _)| fitted(version, 24).trim_end().to_owned()).collect();
        let shown = versions.len().min(3);
        let others = if versions.len() > shown { format!(", {} more", versions.len() - shown) } else { String::new() };
        let note = format!("{}{others}", versions[..shown].join(", "));
        write_bar(out, columns, BAR, &label, (producer.rows, most), &Grouped(producer.rows), &note)?;
    }
    write_more(out, producers.len(), MAX_LINES)
}

fn write_kinds(summary: &Summary, columns: Columns, out: &mut impl Write) -> io::Result<()> {
    let kinds = summary.kinds();
    if kinds.is_empty() {
        return Ok(());
    }
    write_heading(out, columns, "sections by kind", &"bytes")?;
    let (most, all) = (kinds[0].1.bytes, kinds.iter().fold(0, |sum: u64, (_, kind)| sum.saturating_add(kind.bytes)));
    for (kind, count) in kinds.iter().take(MAX_LINES) {
        let amount = ByteSize(count.bytes).short();
        write_bar(
            out,
            columns,
            BAR,
            &fitted(kind, columns.label),
            (count.bytes, most),
            &amount,
            &percent(count.bytes, all),
        )?;
    }
    write_more(out, kinds.len(), MAX_LINES)
}

/// Column of the file's name in the lists of blobs, and of the lines of a message after the first.
const BLOB_INDENT: usize = 11;

/// Writes the largest sections, the worst blobs, and the incompletely read blobs.
fn write_blobs(summary: &Summary, columns: Columns, out: &mut impl Write) -> io::Result<()> {
    let layout = columns.layout;
    let largest: Vec<_> = summary.largest().take(MAX_LINES).collect();
    if !largest.is_empty() {
        writeln!(out, "\n{BOLD}largest sections{BOLD:#}")?;
    }
    for section in largest {
        let name = fitted(section.name.as_deref().unwrap_or(&section.kind), 20);
        let file = layout.path(&section.file, layout.width() - 37);
        writeln!(out, "  {:>11}  {name}  {file}", ByteSize(section.bytes).short())?;
    }
    if summary.worst().next().is_some() {
        writeln!(out, "\n{BOLD}refused first{BOLD:#}")?;
    }
    for blob in summary.worst().take(MAX_LINES) {
        let style = severity_style(blob.severity);
        let file = layout.path(&blob.file, layout.width() - BLOB_INDENT - 1);
        let start = format!("  {style}{:<8}{style:#} {file}: ", blob.severity);
        let message = Escaped::new(&blob.message);
        let text = format!(
            "{message} {DIMMED}[{}]{}{DIMMED:#}{}",
            blob.code,
            RuleLocation(blob.location.as_ref()),
            and_more(blob.refused - 1)
        );
        layout.hanging(out, &start, BLOB_INDENT, &text)?;
    }
    if summary.incomplete().next().is_some() {
        writeln!(out, "\n{BOLD}not read to the end{BOLD:#}")?;
    }
    for blob in summary.incomplete().take(MAX_LINES) {
        let at = blob.offset.map(|offset| format!(" (at offset {offset:#x})")).unwrap_or_default();
        let file = layout.path(&blob.file, layout.width() - BLOB_INDENT - 1);
        let start = format!("  {:<8} {file}: ", blob.completeness.name());
        let text = format!("{}{DIMMED}{at}{DIMMED:#}", Escaped::new(&blob.message));
        layout.hanging(out, &start, BLOB_INDENT, &text)?;
    }
    let incomplete = summary.rows_with(Completeness::Partial) + summary.rows_with(Completeness::Unread);
    write_more(out, usize::try_from(incomplete).unwrap_or(usize::MAX), MAX_LINES)
}

fn and_more(number: u64) -> String {
    if number == 0 { String::new() } else { format!("{DIMMED}, and {} more{DIMMED:#}", Grouped(number)) }
}

fn write_heading(out: &mut impl Write, columns: Columns, title: &str, unit: &dyn Display) -> io::Result<()> {
    let gap = (columns.label + columns.bar + Columns::AMOUNT_WIDTH + 6).saturating_sub(title.width());
    writeln!(out, "\n{BOLD}{title}{BOLD:#}{DIMMED}{unit:>gap$}{DIMMED:#}")
}

/// Writes a label, a bar in proportion to the largest value, an amount and a note.
fn write_bar(
    out: &mut impl Write,
    columns: Columns,
    style: Style,
    label: &str,
    (part, most): (u64, u64),
    amount: &dyn Display,
    note: &str,
) -> io::Result<()> {
    let amount = amount.to_string();
    let bar = bar(part, most, columns.bar);
    let gap = columns.bar - bar.width();
    write!(out, "  {label}  {style}{bar}{style:#}{:gap$}  {amount:>width$}", "", width = Columns::AMOUNT_WIDTH)?;
    let note = columns.layout.note(note, columns.note);
    if note.is_empty() { writeln!(out) } else { writeln!(out, "  {DIMMED}{note}{DIMMED:#}") }
}

/// A bar in proportion to the largest value, in eighths of a column. Any value above zero is
/// visible.
fn bar(part: u64, most: u64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = u128::from(part) * (width as u128 * 8) / u128::from(most.max(1));
    let eighths = (eighths as usize).clamp(usize::from(part > 0), width * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

fn write_more(out: &mut impl Write, all: usize, shown: usize) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  {DIMMED}… and {} more{DIMMED:#}", Grouped(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_to_scale() {
        assert_eq!(bar(0, 100, 24), "");
        assert_eq!(bar(1, u64::MAX, 24), "▏");
        assert_eq!(bar(100, 100, 24), "█".repeat(24));
        assert_eq!(bar(50, 100, 24), "█".repeat(12));
        assert_eq!(bar(0, 0, 24), "");
        assert_eq!(bar(u64::MAX, u64::MAX, 7).width(), 7);
    }
}
