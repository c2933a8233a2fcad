//! Sections as one line of JSON, written one by one.

use std::ffi::OsStr;
use std::io::{self, Write};

use super::budget::Budget;
use super::{write_head, write_outcome, write_partial, write_range};
use sectile::Error;
use sectile::internal::json::{put, write_text};
use sectile::scan::{ItemPath, Section};

/// Writes a list of sections as one JSON object: the head, then each section, then the end.
#[derive(Debug)]
pub struct SectionsJson<W> {
    out: W,
    any: bool,
    budget: Budget,
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
        Ok(Self { out, any: false, budget: Budget::for_size(size) })
    }

    /// Writes a section of the item at this path.
    ///
    /// The list has at most 40 bytes for each byte of the file, or 256 KiB for a short file.
    /// Sections beyond that are omitted.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn section(&mut self, path: &ItemPath, section: &Section<'_>) -> io::Result<()> {
        let comma = if self.any { "," } else { "" };
        self.any = true;
        self.budget.write(&mut self.out, |out| write_section(out, comma, path, section))?;
        Ok(())
    }

    /// Writes everything after the last section, and a line feed. Returns the number of omitted
    /// sections; the outcome is partial if it is not 0.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn finish(mut self, error: Option<&Error>) -> io::Result<u64> {
        put!(&mut self.out, "]")?;
        match self.budget.reason().filter(|_| error.is_none()) {
            Some(reason) => write_partial(&mut self.out, &reason, None)?,
            None => write_outcome(&mut self.out, error)?,
        }
        put!(&mut self.out, "}\n")?;
        Ok(self.budget.left_out())
    }
}

fn write_section(out: &mut Vec<u8>, comma: &str, path: &ItemPath, section: &Section<'_>) -> io::Result<()> {
    put!(out, comma, "{\"path\":\"", path, "\",\"id\":", section.id())?;
    put!(out, ",\"kind\":\"", section.kind().name(), "\"")?;
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
