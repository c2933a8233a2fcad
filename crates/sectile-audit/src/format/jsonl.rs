//! Writes JSON lines: one for the audit, one for each row, and one for the summary.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Write};

use crate::blob::ArchiveReading;
use crate::row::RowSource;
use crate::{AuditInfo, Completeness, Row, RowKind, Stop, Summary, UnusedException};
use sectile::Metadata;
use sectile::internal::json::{SCHEMA, write_os};
use sectile::internal::json::{put, write_array, write_object, write_safe, write_text};
use sectile_policy::Packages;
use sectile_policy::internal::{
    write_advisories, write_databases, write_item, write_judged, write_location, write_packages,
};

pub(super) fn head(info: &AuditInfo, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    put!(&mut line, "{\"schema\":", SCHEMA, ",\"audit\":{\"version\":")?;
    write_text(&mut line, env!("CARGO_PKG_VERSION"))?;
    put!(&mut line, ",\"paths\":")?;
    write_array(&mut line, &info.paths, |line, path| write_os(line, path))?;
    put!(&mut line, ",\"policy\":")?;
    write_or_null(&mut line, info.policy_name.as_deref(), write_os)?;
    put!(&mut line, ",\"fingerprint\":")?;
    write_text(&mut line, &info.fingerprint)?;
    put!(&mut line, ",\"day\":")?;
    write_or_null(&mut line, info.day.as_deref(), write_text)?;
    put!(&mut line, ",\"hashed\":", info.hashed, ",\"inside\":\"", info.inside.name(), "\"")?;
    if info.packages == Packages::All {
        put!(&mut line, ",\"searched\":true")?;
    }
    if !info.databases.is_empty() {
        put!(&mut line, ",\"databases\":")?;
        write_databases(&mut line, &info.databases)?;
    }
    put!(&mut line, "}}\n")?;
    out.write_all(&line)
}

pub(super) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let report = match &row.source {
        RowSource::Report(report) => report,
        RowSource::Baseline(line) => {
            let line = without_comparison(line);
            write_safe(out, line.strip_suffix('}').unwrap_or(&line))?;
            return end_row(row, out);
        }
    };
    put!(out, "{\"schema\":", SCHEMA, ",\"row\":\"", row.row_kind.name(), "\",\"file\":")?;
    write_os(out, &row.file)?;
    put!(out, ",\"size\":")?;
    match row.size {
        Some(size) => put!(out, size)?,
        None => put!(out, "null")?,
    }
    put!(out, ",\"locations\":")?;
    write_array(out, row.locations(), |out, name: &OsStr| write_os(out, name))?;
    if row.omits_names {
        put!(out, ",\"omits_locations\":true")?;
    }
    if !row.encoding.is_empty() {
        put!(out, ",\"encoding\":")?;
        write_array(out, &row.encoding, |out, step| write_text(out, step))?;
    }
    put!(out, ",\"state\":")?;
    write_or_null(out, row.state.as_deref(), write_text)?;
    put!(out, ",\"digest\":")?;
    write_or_null(out, row.digest.as_deref(), write_text)?;
    put!(out, ",\"verified\":", row.verified, ",\"item\":")?;
    write_item(report, out, MAX_ITEM_DEPTH)?;
    let items = report.metadata().into_iter().flat_map(Metadata::items);
    let deeper = items.filter(|item| item.depth() > MAX_ITEM_DEPTH).count() as u64;
    if deeper > 0 {
        put!(out, ",\"items_left_out\":", deeper)?;
    }
    if let Some(sections) = row.sections.as_ref().filter(|_| report.metadata().is_some()) {
        sections.write(out, deeper == 0)?;
    }
    put!(out, ",\"section_totals\":")?;
    write_object(out, &row.section_totals, |out, share| {
        write_text(out, &share.kind)?;
        put!(out, ":[", share.sections, ",", share.bytes, "]")
    })?;
    put!(out, ",\"largest\":")?;
    match &row.largest {
        None => put!(out, "null")?,
        Some(largest) => {
            put!(out, "{\"kind\":")?;
            write_text(out, &largest.kind)?;
            put!(out, ",\"name\":")?;
            write_or_null(out, largest.name.as_deref(), write_text)?;
            put!(out, ",\"bytes\":", largest.bytes, "}")?;
        }
    }
    if !row.not_opened.is_empty() {
        put!(out, ",\"not_opened\":")?;
        write_counts(out, row.not_opened.iter().map(|(format, files)| (&**format, *files)))?;
    }
    put!(out, ",\"findings\":")?;
    write_array(out, &row.findings, write_judged)?;
    write_advisories(out, &row.findings)?;
    write_packages(report, out)?;
    put!(out, ",\"accepted\":", row.accepted, ",\"outcome\":\"", row.completeness.name(), "\"")?;
    if let Some(reason) = &row.reason {
        put!(out, ",\"reason\":{\"message\":")?;
        write_text(out, &reason.message)?;
        put!(out, ",\"offset\":")?;
        match reason.offset {
            Some(offset) => put!(out, offset, "}")?,
            None => put!(out, "null}")?,
        }
    }
    put!(out, ",\"bytes_read\":", row.bytes_read)?;
    end_row(row, out)
}

/// The start of the comparison with an earlier report. No string in the JSON contains it, because its quotes would be
/// escaped.
const COMPARISON: &str = ",\"baseline\":{\"row\":";

/// Writes the comparison with an earlier report, and the end of the row.
fn end_row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    if let Some(change) = &row.change {
        put!(out, COMPARISON, "\"", change.state.name(), "\"")?;
        change.write_findings(out)?;
        put!(out, "}")?;
    }
    put!(out, "}\n")
}

/// The line of an earlier report without the comparison with one before.
fn without_comparison(line: &str) -> Cow<'_, str> {
    match line.rfind(COMPARISON) {
        Some(at) => Cow::Owned(format!("{}}}", &line[..at])),
        None => Cow::Borrowed(line),
    }
}

/// Maximum depth of items in a line; deeper ones are only counted. A line nests twice as deep as its items, and many
/// JSON parsers reject a depth above 128.
const MAX_ITEM_DEPTH: u32 = 48;

/// Writes the line that ends the rows of an archive's entries.
pub(super) fn archive(archive: &ArchiveReading<'_>, rows: u64, not_wasm: u64, out: &mut Vec<u8>) -> io::Result<()> {
    put!(out, "{\"schema\":", SCHEMA, ",\"archive\":")?;
    write_os(out, &archive.location.file)?;
    put!(out, ",\"locations\":")?;
    write_array(out, archive.location.names(), |out, name: &OsStr| write_os(out, name))?;
    put!(out, ",\"state\":")?;
    write_text(out, &archive.state.0)?;
    put!(out, ",\"rows\":", rows, ",\"not_wasm\":", not_wasm, ",\"bytes_read\":", archive.bytes_read, "}\n")
}

pub(super) fn tail(summary: &Summary, stop: Option<&Stop>, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    put!(&mut line, "{\"schema\":", SCHEMA, ",\"summary\":{\"rows\":", summary.rows)?;
    put!(&mut line, ",\"accepted\":", summary.accepted, ",\"refused\":", summary.refused)?;
    put!(&mut line, ",\"unjudged\":", summary.unjudged(), ",\"unread\":", summary.unread(), ",\"outcomes\":")?;
    write_counts(&mut line, Completeness::ALL.map(|ended| (ended.name(), summary.rows_with(ended))))?;
    put!(&mut line, ",\"excepted\":", summary.excepted, ",\"unused_exceptions\":")?;
    write_unused_exceptions(&mut line, summary.unused_exceptions())?;
    put!(&mut line, ",\"by_row\":")?;
    write_object(&mut line, RowKind::ALL, |line, kind| {
        let count = summary.rows_of(kind);
        put!(line, "\"", kind.plural(), "\":{\"rows\":", count.rows)?;
        put!(line, ",\"accepted\":", count.accepted, ",\"refused\":", count.refused)?;
        put!(line, ",\"unjudged\":", count.unjudged(), ",\"unread\":", count.unread(), ",\"outcomes\":")?;
        write_counts(line, Completeness::ALL.map(|ended| (ended.name(), count.with(ended))))?;
        put!(line, "}")
    })?;
    put!(&mut line, ",\"not_opened\":{\"files\":", summary.not_opened_files, ",\"formats\":")?;
    write_counts(&mut line, summary.not_opened())?;
    put!(&mut line, "}")?;
    put!(&mut line, ",\"bytes\":", summary.bytes, ",\"bytes_read\":", summary.bytes_read)?;
    put!(&mut line, ",\"archives\":", summary.archives, ",\"archive_bytes_read\":", summary.archive_bytes_read)?;
    put!(&mut line, ",\"store_bytes\":", summary.store_bytes)?;
    put!(&mut line, ",\"not_wasm\":", summary.not_wasm, ",\"not_wasm_bytes_read\":", summary.not_wasm_bytes_read)?;
    if let Some(comparison) = &summary.comparison {
        put!(&mut line, ",\"baseline\":")?;
        comparison.counts.write_object(&mut line)?;
    }
    put!(&mut line, ",\"stopped\":", stop.is_some())?;
    put!(&mut line, ",\"after\":")?;
    write_or_null(&mut line, stop.and_then(|stop| stop.after.as_deref()), write_os)?;
    put!(&mut line, "}}\n")?;
    out.write_all(&line)
}

/// Writes an object of numbers by name.
fn write_counts<'n, W: Write>(out: &mut W, counts: impl IntoIterator<Item = (&'n str, u64)>) -> io::Result<()> {
    write_object(out, counts, |out, (name, count)| {
        write_text(out, name)?;
        put!(out, ":", count)
    })
}

/// Writes exceptions that excuse nothing.
pub(crate) fn write_unused_exceptions<W: Write>(out: &mut W, unused: &[UnusedException]) -> io::Result<()> {
    write_array(out, unused, |out, unused| {
        put!(out, "{\"reason\":")?;
        write_text(out, &unused.reason)?;
        put!(out, ",\"rule\":")?;
        write_location(out, unused.location.as_ref())?;
        put!(out, "}")
    })
}

pub(crate) fn write_or_null<W: Write, T: ?Sized>(
    out: &mut W,
    value: Option<&T>,
    write: impl FnOnce(&mut W, &T) -> io::Result<()>,
) -> io::Result<()> {
    match value {
        Some(value) => write(out, value),
        None => put!(out, "null"),
    }
}
