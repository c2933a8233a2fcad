//! Sections as one line of JSON, written one by one.

use std::ffi::OsStr;
use std::io::{self, Write};

use super::{write_head, write_outcome, write_range};
use sectile::Error;
use sectile::internal::json::{put, write_text};
use sectile::scan::{ItemPath, Section};

/// Writes a list of sections as one JSON object: the head, then each section, then the end.
#[derive(Debug)]
pub struct SectionsJson<W> {
    out: W,
    any: bool,
}

impl<W: Write> SectionsJson<W> {
    /// Writes everything before the first section.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn new(mut out: W, file: &OsStr, size: Option<u64>) -> io::Result<Self> {
        write_head(&mut out, file, size)?;
        put!(&mut out, ",\"sections\":[")?;
        Ok(Self { out, any: false })
    }

    /// Writes a section of the item at this path.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn section(&mut self, path: &ItemPath, section: &Section<'_>) -> io::Result<()> {
        let out = &mut self.out;
        let comma = if self.any { "," } else { "" };
        self.any = true;
        put!(
            out,
            comma,
            "{\"path\":\"",
            path,
            "\",\"id\":",
            section.id(),
            ",\"kind\":\"",
            section.kind().name(),
            "\""
        )?;
        if section.is_custom() {
            put!(out, ",\"name\":")?;
            write_text(out, section.name())?;
        }
        put!(out, ",\"range\":")?;
        write_range(out, &section.range())?;
        put!(out, ",\"payload\":")?;
        write_range(out, &section.payload())?;
        if section.is_custom() {
            put!(out, ",\"data\":")?;
            write_range(out, &section.data())?;
        }
        put!(out, "}")
    }

    /// Writes everything after the last section, and a line feed.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn finish(mut self, error: Option<&Error>) -> io::Result<()> {
        put!(&mut self.out, "]")?;
        write_outcome(&mut self.out, error)?;
        put!(&mut self.out, "}\n")
    }
}
