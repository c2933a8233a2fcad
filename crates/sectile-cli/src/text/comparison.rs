//! Differences between binaries and between reports.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use sectile_audit::ComparisonCounts;
use sectile_audit::amount::Grouped;
use sectile_policy::diff::{Aspect, BinaryFacts, Comparison, Difference, ReportCounts, RowChange, RowState};

use super::layout::Layout;
use super::style::{BOLD, DIMMED, counted};
use crate::display::ShortPath;

const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();

/// Maximum number of differences that are listed for one binary; the rest is counted.
const MAX_DIFFERENCES: usize = 100;

/// Writes the differences of two binaries, then the answer.
pub fn write_comparison(
    old: &BinaryFacts,
    new: &BinaryFacts,
    comparison: &Comparison,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    write_differences(comparison, out)?;
    let [old, new] = [old, new].map(|side| layout.path(side.file(), layout.width() / 3));
    write!(out, "{BOLD}{old} → {new}{BOLD:#}: ")?;
    match comparison.differences().len() as u64 {
        0 => write!(out, "no difference")?,
        number => write!(out, "{}", counted(number, "difference"))?,
    }
    match comparison.is_content_equal() {
        Some(true) => write!(out, ", code unchanged")?,
        Some(false) => write!(out, ", code changed")?,
        None if comparison.is_equal() => {
            write!(out, "{DIMMED} in metadata and section sizes; --content compares all bytes{DIMMED:#}")?;
        }
        None => {}
    }
    writeln!(out)?;
    write_not_compared(comparison, out)
}

/// Writes one line for each difference.
pub fn write_differences(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let differences = comparison.differences();
    for difference in differences.iter().take(MAX_DIFFERENCES) {
        write_difference(difference, out)?;
    }
    match differences.len().saturating_sub(MAX_DIFFERENCES) {
        0 => Ok(()),
        more => writeln!(out, "  {DIMMED}… and {} more{DIMMED:#}", Grouped(more as u64)),
    }
}

fn write_difference(difference: &Difference, out: &mut impl Write) -> io::Result<()> {
    let style = match (difference.old(), difference.new_value()) {
        (Some(_), Some(_)) => CHANGED,
        (Some(_), None) => OLD,
        (None, _) => NEW,
    };
    write!(out, "  {style}{difference}{style:#}")?;
    if difference.path().is_root() {
        writeln!(out)
    } else {
        writeln!(out, "{DIMMED} in item {}{DIMMED:#}", ShortPath(difference.path()))
    }
}

fn write_not_compared(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let aspects: Vec<&str> = comparison.not_compared().iter().copied().map(Aspect::name).collect();
    if aspects.is_empty() {
        return Ok(());
    }
    writeln!(out, "{DIMMED}not compared, because only one side has it: {}{DIMMED:#}", aspects.join(", "))
}

/// Writes a row of a report that is new, gone or changed.
pub fn write_row_change(change: &RowChange, layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let style = match change.state {
        RowState::New => NEW,
        RowState::Gone => OLD,
        _ => CHANGED,
    };
    let row = change.new.as_ref().or(change.old.as_ref());
    let file = row.map(|row| layout.path(row.facts().file(), layout.width() - 10)).unwrap_or_default();
    write!(out, "{style}{:<7}{style:#} {BOLD}{file}{BOLD:#}", change.state.name())?;
    let findings = match change.state {
        RowState::New => change.findings.new_findings().count(),
        RowState::Gone => change.findings.gone().len(),
        _ => 0,
    };
    if findings > 0 {
        write!(out, "{DIMMED}, {}{DIMMED:#}", counted(findings as u64, "finding"))?;
    }
    writeln!(out)?;
    change.comparison.as_ref().map_or(Ok(()), |comparison| write_differences(comparison, out))
}

/// Writes the counts of rows and findings, and the number of changed rows that are not listed.
pub fn write_counts(counts: &ReportCounts, not_listed: u64, out: &mut impl Write) -> io::Result<()> {
    if not_listed > 0 {
        writeln!(out, "{DIMMED}… and {} more rows{DIMMED:#}", Grouped(not_listed))?;
    }
    writeln!(out, "{}", ComparisonCounts::from(*counts))
}
