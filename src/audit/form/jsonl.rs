//! A line of JSON for each row, one for the audit itself before them, and one for what it comes to behind them.

use std::ffi::OsStr;
use std::io::{self, Write};

use crate::audit::blob::Archive;
use crate::audit::row::Source;
use crate::audit::{About, Ended, Row, Stop, Summary};
use crate::json::{put, write_array, write_object, write_text};
use crate::report::json::{SCHEMA, write_head, write_judged, write_os};

pub(super) fn head(about: &About, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    write_about(about, &mut line)?;
    out.write_all(&line)
}

fn write_about(about: &About, out: &mut Vec<u8>) -> io::Result<()> {
    put!(out, "{\"schema\":", SCHEMA, ",\"audit\":{\"version\":")?;
    write_text(out, env!("CARGO_PKG_VERSION"))?;
    put!(out, ",\"paths\":")?;
    write_array(out, &about.paths, |out, path| write_os(out, path))?;
    put!(out, ",\"policy\":")?;
    write_or_null(out, about.policy.as_deref(), write_os)?;
    put!(out, ",\"fingerprint\":")?;
    write_text(out, &about.fingerprint)?;
    put!(out, ",\"day\":")?;
    write_or_null(out, about.day.as_deref(), write_text)?;
    put!(out, ",\"hashed\":", about.hashed, "}}\n")
}

pub(super) fn row(row: &Row<'_>, out: &mut Vec<u8>) {
    in_memory(write_row(row, out));
}

fn in_memory(written: io::Result<()>) {
    written.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
}

fn write_row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    if let Source::Earlier(line) = row.source {
        out.extend_from_slice(line.as_bytes());
        return put!(out, "\n");
    }
    write_head(out, &row.file, row.size)?;
    put!(out, ",\"locations\":")?;
    write_array(out, row.locations(), |out, name: &OsStr| write_os(out, name))?;
    put!(out, ",\"state\":")?;
    write_or_null(out, row.state.as_deref(), write_text)?;
    put!(out, ",\"digest\":")?;
    write_or_null(out, row.digest.as_deref(), write_text)?;
    put!(out, ",\"verified\":", row.verified, ",\"item\":")?;
    match &row.source {
        Source::Read(report) => {
            report.write_item(out, DEEPEST)?;
            let deeper = report
                .metadata
                .map_or(0, |metadata| metadata.items().iter().filter(|item| item.depth() > DEEPEST).count() as u64);
            if deeper > 0 {
                put!(out, ",\"items_left_out\":", deeper)?;
            }
        }
        Source::Earlier(_) => put!(out, "null")?,
    }
    put!(out, ",\"shares\":")?;
    write_object(out, &row.shares, |out, share| {
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
    put!(out, ",\"findings\":")?;
    write_array(out, &row.judged, write_judged)?;
    put!(out, ",\"accepted\":", row.accepted, ",\"outcome\":\"", row.ended.name(), "\"")?;
    if let Some(reason) = &row.reason {
        put!(out, ",\"reason\":{\"message\":")?;
        write_text(out, &reason.message)?;
        put!(out, ",\"offset\":")?;
        match reason.offset {
            Some(offset) => put!(out, offset, "}")?,
            None => put!(out, "null}")?,
        }
    }
    put!(out, ",\"bytes_read\":", row.bytes_read, "}\n")
}

/// Items deeper than this are left out, and counted: a line nests twice as deep as its items, and many readers of JSON refuse what
/// nests deeper than 128.
const DEEPEST: u32 = 48;

/// Where the rows of an archive's entries end, of which there are so many.
pub(super) fn archive(archive: &Archive<'_>, rows: u64, out: &mut Vec<u8>) {
    in_memory(write_archive(archive, rows, out));
}

fn write_archive(archive: &Archive<'_>, rows: u64, out: &mut Vec<u8>) -> io::Result<()> {
    put!(out, "{\"schema\":", SCHEMA, ",\"archive\":")?;
    write_os(out, &archive.place.file)?;
    put!(out, ",\"locations\":")?;
    write_array(out, archive.place.names(), |out, name: &OsStr| write_os(out, name))?;
    put!(out, ",\"state\":")?;
    write_text(out, &archive.state.0)?;
    put!(out, ",\"rows\":", rows, ",\"bytes_read\":", archive.bytes_read, "}\n")
}

pub(super) fn tail(summary: &Summary, stop: Option<&Stop>, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    put!(&mut line, "{\"schema\":", SCHEMA, ",\"summary\":{\"rows\":", summary.rows)?;
    for ended in Ended::ALL {
        put!(&mut line, ",\"", ended.name(), "\":", summary.ended(ended))?;
    }
    put!(&mut line, ",\"accepted\":", summary.accepted, ",\"refused\":", summary.refused)?;
    put!(&mut line, ",\"bytes\":", summary.bytes, ",\"bytes_read\":", summary.bytes_read)?;
    put!(&mut line, ",\"archives\":", summary.archives, ",\"archives_bytes\":", summary.archives_bytes)?;
    put!(&mut line, ",\"store_bytes\":", summary.store_bytes)?;
    put!(&mut line, ",\"passed\":", summary.passed, ",\"passed_bytes\":", summary.passed_bytes)?;
    put!(&mut line, ",\"stopped\":", stop.is_some())?;
    put!(&mut line, ",\"behind\":")?;
    write_or_null(&mut line, stop.and_then(|stop| stop.behind.as_deref()), write_os)?;
    put!(&mut line, "}}\n")?;
    out.write_all(&line)
}

fn write_or_null<W: Write, T: ?Sized>(
    out: &mut W,
    value: Option<&T>,
    write: impl FnOnce(&mut W, &T) -> io::Result<()>,
) -> io::Result<()> {
    match value {
        Some(value) => write(out, value),
        None => put!(out, "null"),
    }
}
