//! Comparisons as lines of JSON.

use std::io::{self, Write};

use sectile::internal::json::{SCHEMA, put, write_array, write_base64, write_os, write_text};

use super::{BinaryFacts, Comparison, Difference, FactValue, ReportCounts, RowChange, RowState, SavedFinding};

/// Maximum number of differences in a line; the rest is counted.
const MAX_DIFFERENCES: usize = 10_000;

/// Writes a comparison as one JSON object and a line feed.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_comparison_json(
    old: &BinaryFacts,
    new: &BinaryFacts,
    comparison: &Comparison,
    out: &mut impl Write,
) -> io::Result<()> {
    let state = if comparison.is_equal() { RowState::Unchanged } else { RowState::Changed };
    write_head(state, Some(old), Some(new), out)?;
    write_comparison(comparison, out)?;
    put!(out, "}\n")
}

impl RowChange {
    /// Writes the row as one JSON object and a line feed. New and gone rows have their findings.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let [old, new] = [&self.old, &self.new].map(|row| row.as_ref().map(super::ReportRow::facts));
        write_head(self.state, old, new, out)?;
        if let Some(comparison) = &self.comparison {
            write_comparison(comparison, out)?;
        }
        self.write_findings(out)?;
        put!(out, "}\n")
    }

    /// Writes the keys of the findings that only one of the rows has.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_findings(&self, out: &mut impl Write) -> io::Result<()> {
        put!(out, ",\"new_findings\":")?;
        let present = self.new.as_ref().map_or(&[][..], |row| &row.findings);
        write_array(out, self.findings.new_findings().filter_map(|nth| present.get(nth)), write_finding)?;
        put!(out, ",\"gone_findings\":")?;
        write_array(out, self.findings.gone(), write_finding)
    }
}

impl ReportCounts {
    /// Writes the counts as the last line of a comparison of reports.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_json(&self, is_complete: bool, out: &mut impl Write) -> io::Result<()> {
        put!(out, "{\"schema\":", SCHEMA, ",\"compared\":")?;
        self.write_object(out)?;
        put!(out, ",\"complete\":", is_complete, "}\n")
    }

    /// Writes the counts as an object.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_object(&self, out: &mut impl Write) -> io::Result<()> {
        put!(out, "{\"new\":", self.new, ",\"gone\":", self.gone, ",\"changed\":", self.changed)?;
        put!(out, ",\"unchanged\":", self.unchanged, ",\"new_findings\":", self.new_findings)?;
        put!(out, ",\"gone_findings\":", self.gone_findings, "}")
    }
}

fn write_head(
    state: RowState,
    old: Option<&BinaryFacts>,
    new: Option<&BinaryFacts>,
    out: &mut impl Write,
) -> io::Result<()> {
    put!(out, "{\"schema\":", SCHEMA, ",\"change\":\"", state.name(), "\"")?;
    for (key, facts) in [("old", old), ("new", new)] {
        put!(out, ",\"", key, "\":")?;
        let Some(facts) = facts else {
            put!(out, "null")?;
            continue;
        };
        put!(out, "{\"file\":")?;
        write_os(out, &facts.file)?;
        match facts.size {
            Some(size) => put!(out, ",\"size\":", size)?,
            None => put!(out, ",\"size\":null")?,
        }
        put!(out, ",\"complete\":", facts.is_complete, "}")?;
    }
    Ok(())
}

fn write_comparison(comparison: &Comparison, out: &mut impl Write) -> io::Result<()> {
    put!(out, ",\"content\":")?;
    match comparison.is_content_equal() {
        Some(true) => put!(out, "\"unchanged\"")?,
        Some(false) => put!(out, "\"changed\"")?,
        None => put!(out, "null")?,
    }
    put!(out, ",\"not_compared\":")?;
    write_array(out, comparison.not_compared(), |out, aspect| put!(out, "\"", aspect.name(), "\""))?;
    write_differences(out, comparison)
}

/// Writes the key `differences`, and the number of those that are left out if there are too many.
pub(crate) fn write_differences(out: &mut impl Write, comparison: &Comparison) -> io::Result<()> {
    put!(out, ",\"differences\":")?;
    let differences = comparison.differences();
    write_array(out, differences.iter().take(MAX_DIFFERENCES), write_difference)?;
    match differences.len().saturating_sub(MAX_DIFFERENCES) as u64 {
        0 => Ok(()),
        left_out => put!(out, ",\"left_out\":", left_out),
    }
}

/// Writes a difference as an object.
fn write_difference<W: Write>(out: &mut W, difference: &Difference) -> io::Result<()> {
    put!(out, "{\"path\":\"", difference.path(), "\",\"aspect\":\"", difference.aspect().name(), "\"")?;
    if let Some(group) = difference.group() {
        put!(out, ",\"group\":")?;
        write_text(out, group)?;
    }
    put!(out, ",\"name\":")?;
    write_text(out, difference.name())?;
    for (key, value) in [("old", difference.old()), ("new", difference.new_value())] {
        put!(out, ",\"", key, "\":")?;
        match value {
            None => put!(out, "null")?,
            Some(FactValue::Text(text)) => write_text(out, text)?,
            Some(FactValue::Bytes(bytes)) => write_base64(out, bytes)?,
            Some(FactValue::Sections { sections, bytes, digest }) => {
                put!(out, "{\"sections\":", *sections, ",\"bytes\":", *bytes)?;
                if let Some(digest) = digest {
                    put!(out, ",\"data_digest\":\"", digest.to_string().as_str(), "\"")?;
                }
                put!(out, "}")?;
            }
        }
    }
    put!(out, "}")
}

fn write_finding<W: Write>(out: &mut W, finding: &SavedFinding) -> io::Result<()> {
    put!(out, "{\"code\":")?;
    write_text(out, &finding.code)?;
    put!(out, ",\"severity\":")?;
    write_text(out, &finding.severity)?;
    put!(out, ",\"path\":\"", &finding.path, "\",\"section\":")?;
    match &finding.section {
        Some(section) => write_text(out, section)?,
        None => put!(out, "null")?,
    }
    put!(out, ",\"message\":")?;
    write_text(out, &finding.message)?;
    if let Some(advisory) = &finding.advisory {
        put!(out, ",\"advisory\":")?;
        write_text(out, &advisory.id)?;
    }
    put!(out, "}")
}
