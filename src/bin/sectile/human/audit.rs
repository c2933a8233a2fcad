//! What an audit comes to, on a terminal.

use std::fmt::Display;
use std::io::{self, Write};

use sectile::amount::{Bytes, Grouped, share};
use sectile::audit::{About, Ended, Stop, Summary};
use sectile::{Escaped, Severity};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{FAINT, STRONG, counted, style};
use crate::output::escaped;

/// Lines of a list.
const MOST: usize = 8;
/// Columns of labels, and of bars.
const LABEL: usize = 37;
const BAR: usize = 24;

/// What an audit comes to.
pub fn summary(about: &About, summary: &Summary, stop: Option<&Stop>, out: &mut impl Write) -> io::Result<()> {
    let mut paths: Vec<String> = about.paths.iter().take(3).map(|path| escaped(path).to_string()).collect();
    if about.paths.len() > paths.len() {
        paths.push(format!("{} more", Grouped((about.paths.len() - paths.len()) as u64)));
    }
    let blobs = counted(summary.rows, "blob");
    write!(out, "{STRONG}{}{STRONG:#}: {blobs}, {}", paths.join(", "), Bytes(summary.bytes).short())?;
    let (read, of) = (summary.store_bytes_read(), summary.store_bytes);
    writeln!(
        out,
        "{FAINT}, {} of the store was read ({} of {}){FAINT:#}",
        share(read, of),
        Bytes(read).short(),
        Bytes(of).short()
    )?;
    verdicts(about, summary, out)?;
    contents(summary, out)?;
    findings(summary, out)?;
    licenses(summary, out)?;
    producers(summary, out)?;
    kinds(summary, out)?;
    places(summary, out)?;
    let Some(stop) = stop else { return Ok(()) };
    let warning = style(Severity::Warning);
    write!(out, "\n{warning}stopped before its end{warning:#}: ")?;
    match &stop.behind {
        Some(place) => writeln!(out, "the last row is that of {}", escaped(place)),
        None => writeln!(out, "there is no row"),
    }
}

fn verdicts(about: &About, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let Summary { rows, accepted, refused, .. } = *summary;
    let error = style(if refused > 0 { Severity::Error } else { Severity::Note });
    write!(out, "  {STRONG}{}{STRONG:#} accepted ({})", Grouped(accepted), share(accepted, rows))?;
    write!(out, ", {error}{}{error:#} refused", Grouped(refused))?;
    for ended in [Ended::Partial, Ended::Unread, Ended::Skipped] {
        let number = summary.ended(ended);
        if number > 0 {
            write!(out, ", {} {}", Grouped(number), ended.name())?;
        }
    }
    match &about.policy {
        Some(policy) => writeln!(out, "{FAINT}, under {}{FAINT:#}", escaped(policy)),
        None => writeln!(out, "{FAINT}, without a policy{FAINT:#}"),
    }
}

fn contents(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let parts = [
        (summary.modules, "module"),
        (summary.components, "component"),
        (summary.items, "item"),
        (summary.sections, "section"),
        (summary.packages, "package"),
        (summary.others, "further name"),
        (summary.archives, "archive"),
        (summary.passed, "other file"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, what)| counted(number, what)).collect();
    if parts.is_empty() { Ok(()) } else { writeln!(out, "  {FAINT}{}{FAINT:#}", parts.join(", ")) }
}

fn findings(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let codes = summary.codes();
    if codes.is_empty() {
        return Ok(());
    }
    heading(out, "findings", &"blobs")?;
    let most = codes.iter().map(|(_, count)| count.rows).max().unwrap_or_default();
    for (code, count) in codes.iter().take(MOST * 2) {
        let style = style(count.worst().unwrap_or(Severity::Note));
        let severity = count.worst().map_or("", Severity::name);
        let label = format!("{style}{severity:<8}{style:#} {}", fitted(code.name(), LABEL - 9));
        let refused = if count.refused > 0 { format!("{} refused", Grouped(count.refused)) } else { String::new() };
        line(out, &label, count.rows, most, &Grouped(count.rows), &refused)?;
    }
    more(out, codes.len(), MOST * 2)
}

fn licenses(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let licenses = summary.licenses();
    let all = summary.licensed + summary.unlicensed;
    if all == 0 {
        return Ok(());
    }
    heading(out, "licences", &"blobs")?;
    let most = licenses.first().map_or(0, |(_, rows)| *rows).max(summary.unlicensed);
    for (license, rows) in licenses.iter().take(MOST) {
        let license = if license.is_empty() { "(empty)" } else { license };
        line(out, &fitted(license, LABEL), *rows, most, &Grouped(*rows), &share(*rows, all))?;
    }
    more(out, licenses.len(), MOST)?;
    if summary.unlicensed > 0 {
        let rows = summary.unlicensed;
        let label = format!("{FAINT}{}{FAINT:#}", fitted("(none said)", LABEL));
        line(out, &label, rows, most, &Grouped(rows), &share(rows, all))?;
    }
    Ok(())
}

fn producers(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let producers = summary.producers();
    if producers.is_empty() {
        return Ok(());
    }
    heading(out, "languages and tools", &"blobs")?;
    let most = producers[0].rows;
    for producer in producers.iter().take(MOST) {
        let label = fitted(&format!("{} {}", producer.field, producer.name), LABEL);
        let versions = producer.versions.iter().filter(|(version, _)| !version.is_empty());
        let versions: Vec<String> = versions.map(|(version, _)| fitted(version, 24).trim_end().to_owned()).collect();
        let shown = versions.len().min(3);
        let others = if versions.len() > shown { format!(", {} more", versions.len() - shown) } else { String::new() };
        let note = format!("{}{others}", versions[..shown].join(", "));
        line(out, &label, producer.rows, most, &Grouped(producer.rows), &note)?;
    }
    more(out, producers.len(), MOST)
}

fn kinds(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let kinds = summary.kinds();
    if kinds.is_empty() {
        return Ok(());
    }
    heading(out, "sections by kind", &"bytes")?;
    let (most, all) = (kinds[0].1.bytes, kinds.iter().fold(0, |sum: u64, (_, kind)| sum.saturating_add(kind.bytes)));
    for (kind, count) in kinds.iter().take(MOST) {
        let amount = Bytes(count.bytes).short();
        line(out, &fitted(kind, LABEL), count.bytes, most, &amount, &share(count.bytes, all))?;
    }
    more(out, kinds.len(), MOST)
}

/// The blobs that are to be looked at first.
fn places(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let largest: Vec<_> = summary.largest().take(MOST).collect();
    if !largest.is_empty() {
        writeln!(out, "\n{STRONG}largest sections{STRONG:#}")?;
    }
    for section in largest {
        let name = fitted(section.name.as_deref().unwrap_or(&section.kind), 20);
        writeln!(out, "  {:>11}  {name}  {}", Bytes(section.bytes).short(), escaped(&section.file))?;
    }
    if summary.worst().next().is_some() {
        writeln!(out, "\n{STRONG}refused first{STRONG:#}")?;
    }
    for blob in summary.worst().take(MOST) {
        let style = style(blob.severity);
        write!(out, "  {style}{:<8}{style:#} {}", blob.severity, escaped(&blob.file))?;
        writeln!(
            out,
            ": {} {FAINT}[{}]{FAINT:#}{}",
            Escaped::new(&blob.message),
            blob.code,
            further(blob.refused - 1)
        )?;
    }
    if summary.broken().next().is_some() {
        writeln!(out, "\n{STRONG}not read to the end{STRONG:#}")?;
    }
    for blob in summary.broken().take(MOST) {
        let at = blob.offset.map(|offset| format!(" (at offset {offset:#x})")).unwrap_or_default();
        let (file, message) = (escaped(&blob.file), Escaped::new(&blob.message));
        writeln!(out, "  {:<8} {file}: {message}{FAINT}{at}{FAINT:#}", blob.ended.name())?;
    }
    let broken = summary.ended(Ended::Partial) + summary.ended(Ended::Unread);
    more(out, usize::try_from(broken).unwrap_or(usize::MAX), MOST)
}

fn further(number: u64) -> String {
    if number == 0 { String::new() } else { format!("{FAINT}, and {} more{FAINT:#}", Grouped(number)) }
}

fn heading(out: &mut impl Write, title: &str, unit: &dyn Display) -> io::Result<()> {
    let gap = (LABEL + BAR + 16).saturating_sub(title.width());
    writeln!(out, "\n{STRONG}{title}{STRONG:#}{FAINT}{unit:>gap$}{FAINT:#}")
}

/// A label, a bar, an amount, and what else is to be said.
fn line(out: &mut impl Write, label: &str, part: u64, most: u64, amount: &dyn Display, note: &str) -> io::Result<()> {
    let amount = amount.to_string();
    let bar = bar(part, most);
    let gap = BAR - bar.width();
    write!(out, "  {label}  {FAINT}{bar}{FAINT:#}{:gap$}  {amount:>10}", "")?;
    if note.is_empty() { writeln!(out) } else { writeln!(out, "  {FAINT}{note}{FAINT:#}") }
}

/// As long as its part is of the most, in eighths of a column; what is something is not nothing.
fn bar(part: u64, most: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = u128::from(part) * (BAR as u128 * 8) / u128::from(most.max(1));
    let eighths = (eighths as usize).clamp(usize::from(part > 0), BAR * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// A text of the input that takes so many columns: padded, or cut.
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

fn more(out: &mut impl Write, all: usize, shown: usize) -> io::Result<()> {
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
        assert_eq!(bar(100, 100), "█".repeat(BAR));
        assert_eq!(bar(50, 100), "█".repeat(BAR / 2));
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(u64::MAX, u64::MAX).width(), BAR);
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
