//! The list of a file's sections.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::Escaped;
use sectile::scan::{ItemPath, Section};
use sectile_audit::amount::{ByteSize, Grouped};

use super::style::{FAINT, STRONG};
use crate::display::{ShortPath, escaped};

/// A list of sections, written line by line as the scanner reports them.
pub struct SectionsList<W> {
    out: W,
    /// The heading, until it is written.
    heading: Option<String>,
}

impl<W: Write> SectionsList<W> {
    /// Starts a list for a file with this name and size.
    pub fn new(out: W, file: &OsStr, size: u64) -> Self {
        let file = format!("{STRONG}{}{STRONG:#}: {}", escaped(file), ByteSize(size));
        let columns = format!("{FAINT}{:>12} {:>14}  {:<8} section{FAINT:#}", "offset", "bytes", "item");
        Self { out, heading: Some(format!("{file}\n{columns}\n")) }
    }

    /// Ends the list of a file that was read completely. A file that cannot be read gets no list, only a message.
    pub fn finish(mut self) -> io::Result<()> {
        if self.heading.is_none() {
            return Ok(());
        }
        self.write_heading()?;
        writeln!(self.out, "{FAINT}{:>12}{FAINT:#}", "(none)")
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
        let path = ShortPath(path).to_string(); // a `Display` of its own would ignore the width
        write!(self.out, "{FAINT}{:>#12x}{FAINT:#} {bytes:>14}  {path:<8} {}", range.start, section.kind().name())?;
        if section.is_custom() {
            write!(self.out, " {STRONG}{}{STRONG:#}", Escaped::new(section.name()))?;
        }
        writeln!(self.out)
    }
}
