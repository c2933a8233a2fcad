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
    put!(&mut line, "{\"schema\":", SCHEMA, ",\"audit\":{\"version\":")?;
    write_text(&mut line, env!("CARGO_PKG_VERSION"))?;
    put!(&mut line, ",\"paths\":")?;
    write_array(&mut line, &about.paths, |line, path| write_os(line, path))?;
    put!(&mut line, ",\"policy\":")?;
    write_or_null(&mut line, about.policy.as_deref(), write_os)?;
    put!(&mut line, ",\"fingerprint\":")?;
    write_text(&mut line, &about.fingerprint)?;
    put!(&mut line, ",\"day\":")?;
    write_or_null(&mut line, about.day.as_deref(), write_text)?;
    put!(&mut line, ",\"hashed\":", about.hashed, "}}\n")?;
    out.write_all(&line)
}

pub(super) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let report = match &row.source {
        Source::Read(report) => report,
        Source::Earlier(line) => return put!(out, *line, "\n"),
    };
    write_head(out, &row.file, row.size)?;
    put!(out, ",\"locations\":")?;
    write_array(out, row.locations(), |out, name: &OsStr| write_os(out, name))?;
    put!(out, ",\"state\":")?;
    write_or_null(out, row.state.as_deref(), write_text)?;
    put!(out, ",\"digest\":")?;
    write_or_null(out, row.digest.as_deref(), write_text)?;
    put!(out, ",\"verified\":", row.verified, ",\"item\":")?;
    report.write_item(out, DEEPEST)?;
    let items = report.metadata.map_or(&[][..], |metadata| metadata.items());
    let deeper = items.iter().filter(|item| item.depth() > DEEPEST).count() as u64;
    if deeper > 0 {
        put!(out, ",\"items_left_out\":", deeper)?;
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
pub(super) fn archive(archive: &Archive<'_>, rows: u64, out: &mut Vec<u8>) -> io::Result<()> {
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
