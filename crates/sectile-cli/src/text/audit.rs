//! The summary of an audit.

use std::fmt::Display;
use std::io::{self, Write};

use sectile::{Escaped, Severity};
use sectile_audit::amount::{self, ByteSize, Grouped, percent};
use sectile_audit::{AuditInfo, Completeness, NotOpenedFiles, RowCount, RowKind, Stop, Summary};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{FAINT, STRONG, counted, severity_style};
use crate::display::escaped;

/// Maximum number of lines of a list.
const MAX_LINES: usize = 8;
/// Width of labels and of bars, in columns.
const LABEL_WIDTH: usize = 37;
const BAR_WIDTH: usize = 24;

/// Writes the summary of an audit.
pub fn write_summary(info: &AuditInfo, summary: &Summary, stop: Option<&Stop>, out: &mut impl Write) -> io::Result<()> {
    let mut paths: Vec<String> = info.paths.iter().take(3).map(|path| escaped(path).to_string()).collect();
    if info.paths.len() > paths.len() {
        paths.push(format!("{} more", Grouped((info.paths.len() - paths.len()) as u64)));
    }
    let binaries = amount::counted(summary.rows_of(RowKind::Binary).rows, "binary", "binaries");
    write!(out, "{STRONG}{}{STRONG:#}: {binaries}, {}", paths.join(", "), ByteSize(summary.bytes).short())?;
    let (read, of) = (summary.store_bytes_read(), summary.store_bytes);
    writeln!(
        out,
        "{FAINT}, {} of the store was read ({} of {}){FAINT:#}",
        percent(read, of),
        ByteSize(read).short(),
        ByteSize(of).short()
    )?;
    write_verdicts(info, summary, out)?;
    write_contents(summary, out)?;
    write_findings(summary, out)?;
    write_licenses(summary, out)?;
    write_producers(summary, out)?;
    write_kinds(summary, out)?;
    write_blobs(summary, out)?;
    let Some(stop) = stop else { return Ok(()) };
    let warning = severity_style(Severity::Warning);
    write!(out, "\n{warning}stopped before its end{warning:#}: ")?;
    match &stop.after {
        Some(file) => writeln!(out, "the last row is that of {}", escaped(file)),
        None => writeln!(out, "there is no row"),
    }
}

fn write_verdicts(info: &AuditInfo, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let binaries = summary.rows_of(RowKind::Binary);
    let accepted = binaries.accepted;
    write!(out, "  {STRONG}{}{STRONG:#} accepted ({})", Grouped(accepted), percent(accepted, binaries.rows))?;
    write_refused(&binaries, out)?;
    match &info.policy_name {
        Some(policy) => writeln!(out, "{FAINT}, under {}{FAINT:#}", escaped(policy))?,
        None => writeln!(out, "{FAINT}, without a policy{FAINT:#}")?,
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
        unread => write!(out, "{FAINT}; {} not read to the end{FAINT:#}", Grouped(unread)),
    }
}

fn write_contents(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
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
    let parts: Vec<String> = parts.map(|(number, what)| counted(number, what)).collect();
    if parts.is_empty() { Ok(()) } else { writeln!(out, "  {FAINT}{}{FAINT:#}", parts.join(", ")) }
}

fn write_findings(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let codes = summary.codes();
    if codes.is_empty() {
        return Ok(());
    }
    write_heading(out, "findings", &"rows")?;
    let most = codes.iter().map(|(_, count)| count.rows).max().unwrap_or_default();
    for (code, count) in codes.iter().take(MAX_LINES * 2) {
        let style = severity_style(count.worst().unwrap_or(Severity::Note));
        let severity = count.worst().map_or("", Severity::name);
        let label = format!("{style}{severity:<8}{style:#} {}", fitted(code.name(), LABEL_WIDTH - 9));
        let refused = if count.refused > 0 { format!("{} refused", Grouped(count.refused)) } else { String::new() };
        write_bar(out, &label, count.rows, most, &Grouped(count.rows), &refused)?;
    }
    write_more(out, codes.len(), MAX_LINES * 2)
}

fn write_licenses(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let licenses = summary.licenses();
    let all = summary.licensed + summary.unlicensed;
    if all == 0 {
        return Ok(());
    }
    write_heading(out, "licences", &"binaries")?;
    let most = licenses.first().map_or(0, |(_, rows)| *rows).max(summary.unlicensed);
    for (license, rows) in licenses.iter().take(MAX_LINES) {
        let license = if license.is_empty() { "(empty)" } else { license };
        write_bar(out, &fitted(license, LABEL_WIDTH), *rows, most, &Grouped(*rows), &percent(*rows, all))?;
    }
    write_more(out, licenses.len(), MAX_LINES)?;
    if summary.unlicensed > 0 {
        let rows = summary.unlicensed;
        let label = format!("{FAINT}{}{FAINT:#}", fitted("(none said)", LABEL_WIDTH));
        write_bar(out, &label, rows, most, &Grouped(rows), &percent(rows, all))?;
    }
    Ok(())
}

fn write_producers(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let producers = summary.producers();
    if producers.is_empty() {
        return Ok(());
    }
    write_heading(out, "languages and tools", &"binaries")?;
    let most = producers[0].rows;
    for producer in producers.iter().take(MAX_LINES) {
        let label = fitted(&format!("{} {}", producer.field, producer.name), LABEL_WIDTH);
        let versions = producer.versions.iter().filter(|(version, _)| !version.is_empty());
        let versions: Vec<String> = versions.map(|(version, _)| fitted(version, 24).trim_end().to_owned()).collect();
        let shown = versions.len().min(3);
        let others = if versions.len() > shown { format!(", {} more", versions.len() - shown) } else { String::new() };
        let note = format!("{}{others}", versions[..shown].join(", "));
        write_bar(out, &label, producer.rows, most, &Grouped(producer.rows), &note)?;
    }
    write_more(out, producers.len(), MAX_LINES)
}

fn write_kinds(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let kinds = summary.kinds();
    if kinds.is_empty() {
        return Ok(());
    }
    write_heading(out, "sections by kind", &"bytes")?;
    let (most, all) = (kinds[0].1.bytes, kinds.iter().fold(0, |sum: u64, (_, kind)| sum.saturating_add(kind.bytes)));
    for (kind, count) in kinds.iter().take(MAX_LINES) {
        let amount = ByteSize(count.bytes).short();
        write_bar(out, &fitted(kind, LABEL_WIDTH), count.bytes, most, &amount, &percent(count.bytes, all))?;
    }
    write_more(out, kinds.len(), MAX_LINES)
}

/// Writes the largest sections, the worst blobs, and the blobs that were not read completely.
fn write_blobs(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let largest: Vec<_> = summary.largest().take(MAX_LINES).collect();
    if !largest.is_empty() {
        writeln!(out, "\n{STRONG}largest sections{STRONG:#}")?;
    }
    for section in largest {
        let name = fitted(section.name.as_deref().unwrap_or(&section.kind), 20);
        writeln!(out, "  {:>11}  {name}  {}", ByteSize(section.bytes).short(), escaped(&section.file))?;
    }
    if summary.worst().next().is_some() {
        writeln!(out, "\n{STRONG}refused first{STRONG:#}")?;
    }
    for blob in summary.worst().take(MAX_LINES) {
        let style = severity_style(blob.severity);
        write!(out, "  {style}{:<8}{style:#} {}", blob.severity, escaped(&blob.file))?;
        writeln!(
            out,
            ": {} {FAINT}[{}]{FAINT:#}{}",
            Escaped::new(&blob.message),
            blob.code,
            further(blob.refused - 1)
        )?;
    }
    if summary.incomplete().next().is_some() {
        writeln!(out, "\n{STRONG}not read to the end{STRONG:#}")?;
    }
    for blob in summary.incomplete().take(MAX_LINES) {
        let at = blob.offset.map(|offset| format!(" (at offset {offset:#x})")).unwrap_or_default();
        let (file, message) = (escaped(&blob.file), Escaped::new(&blob.message));
        writeln!(out, "  {:<8} {file}: {message}{FAINT}{at}{FAINT:#}", blob.completeness.name())?;
    }
    let incomplete = summary.rows_with(Completeness::Partial) + summary.rows_with(Completeness::Unread);
    write_more(out, usize::try_from(incomplete).unwrap_or(usize::MAX), MAX_LINES)
}

fn further(number: u64) -> String {
    if number == 0 { String::new() } else { format!("{FAINT}, and {} more{FAINT:#}", Grouped(number)) }
}

fn write_heading(out: &mut impl Write, title: &str, unit: &dyn Display) -> io::Result<()> {
    let gap = (LABEL_WIDTH + BAR_WIDTH + 16).saturating_sub(title.width());
    writeln!(out, "\n{STRONG}{title}{STRONG:#}{FAINT}{unit:>gap$}{FAINT:#}")
}

/// Writes a label, a bar, an amount and a note.
fn write_bar(
    out: &mut impl Write,
    label: &str,
    part: u64,
    most: u64,
    amount: &dyn Display,
    note: &str,
) -> io::Result<()> {
    let amount = amount.to_string();
    let bar = bar(part, most);
    let gap = BAR_WIDTH - bar.width();
    write!(out, "  {label}  {FAINT}{bar}{FAINT:#}{:gap$}  {amount:>10}", "")?;
    if note.is_empty() { writeln!(out) } else { writeln!(out, "  {FAINT}{note}{FAINT:#}") }
}

/// A bar in proportion to the largest value, in eighths of a column. Any value above zero is visible.
fn bar(part: u64, most: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = u128::from(part) * (BAR_WIDTH as u128 * 8) / u128::from(most.max(1));
    let eighths = (eighths as usize).clamp(usize::from(part > 0), BAR_WIDTH * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// A text of the input, padded or cut to this number of columns.
fn fitted(text: &str, columns: usize) -> String {
    let mut shown = Escaped::new(text).to_string();
    if shown.width() > columns {
        let mut width = 0;
        let mut end = 0;
        for (at, character) in shown.char_indices() {
            width += character.width().unwrap_or(0);
            if width >= columns {
                end = at;
                break;
            }
        }
        shown.truncate(end);
        shown.push('…');
    }
    let gap = columns.saturating_sub(shown.width());
    format!("{shown}{:gap$}", "")
}

fn write_more(out: &mut impl Write, all: usize, shown: usize) -> io::Result<()> {
    match all.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  {FAINT}… and {} more{FAINT:#}", Grouped(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_to_scale() {
        assert_eq!(bar(0, 100), "");
        assert_eq!(bar(1, u64::MAX), "▏");
        assert_eq!(bar(100, 100), "█".repeat(BAR_WIDTH));
        assert_eq!(bar(50, 100), "█".repeat(BAR_WIDTH / 2));
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(u64::MAX, u64::MAX).width(), BAR_WIDTH);
    }

    #[test]
    fn texts_fit() {
        for text in
            ["", "a", "exactly ten", "日本語日本語日本語", "\x1b[31m\u{202e}", "e\u{301}e\u{301}e\u{301}e\u{301}"]
        {
            assert_eq!(fitted(text, 10).width(), 10, "{text:?}");
        }
        assert_eq!(fitted("abc", 2), "a…");
    }
}
