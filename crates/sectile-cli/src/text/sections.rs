//! The list of a file's sections.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::scan::{ItemPath, Section};
use sectile_audit::amount::{ByteSize, Grouped};

use super::layout::Layout;
use super::style::{BOLD, DIMMED};
use crate::display::ShortPath;

/// Number of columns before the section kind in a line.
const BEFORE_KIND: usize = 38;
/// Columns of a section's name, at least.
const MIN_NAME: usize = 8;

/// A list of sections, written line by line as the scanner reports them.
pub struct SectionsList<W> {
    out: W,
    layout: Layout,
    /// The heading, until it is written.
    heading: Option<String>,
}

impl<W: Write> SectionsList<W> {
    /// Starts a list for a file with this name and size.
    pub fn new(out: W, layout: Layout, file: &OsStr, size: u64) -> Self {
        let file = layout.heading(file, &ByteSize(size).to_string());
        let columns = format!("{DIMMED}{:>12} {:>14}  {:<8} section{DIMMED:#}", "offset", "bytes", "item");
        Self { out, layout, heading: Some(format!("{file}\n{columns}\n")) }
    }

    /// Ends the list of a file that was read completely. A file that cannot be read gets no list,
    /// only a message.
    pub fn finish(mut self) -> io::Result<()> {
        if self.heading.is_none() {
            return Ok(());
        }
        self.write_heading()?;
        writeln!(self.out, "{DIMMED}{:>12}{DIMMED:#}", "(none)")
    }

    /// Writes the heading unless it is already written.
    fn write_heading(&mut self) -> io::Result<()> {
        self.heading.take().map_or(Ok(()), |heading| self.out.write_all(heading.as_bytes()))
    }

    /// Writes a line for a section of the item at this path.
    pub fn section(&mut self, path: &ItemPath, section: &Section<'_>) -> io::Result<()> {
        self.write_heading()?;
        let range = section.range();
        let bytes = Grouped(range.end - range.start).to_string();
        let path = ShortPath(path).to_string(); // a custom `Display` would ignore the width
        let kind = section.kind().name();
        write!(self.out, "{DIMMED}{:>#12x}{DIMMED:#} {bytes:>14}  {path:<8} {kind}", range.start)?;
        if section.is_custom() {
            let room = self.layout.width().saturating_sub(BEFORE_KIND + kind.len() + 1).max(MIN_NAME);
            write!(self.out, " {BOLD}{}{BOLD:#}", self.layout.text(section.name(), room))?;
        }
        writeln!(self.out)
    }
}
