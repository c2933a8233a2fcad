//! Digests, as one line.

use std::io::{self, Write};

use super::{write_head, write_outcome};
use crate::report::DigestReport;

impl DigestReport<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write_head(out, self.file, Some(self.size))?;
        write!(out, ",\"digest\":\"{}\",\"content\":", self.digests.file)?;
        match self.digests.content {
            Some(content) => write!(out, "\"{content}\"")?,
            None => write!(out, "null")?,
        }
        write_outcome(out, self.broken)?;
        writeln!(out, ",\"bytes_read\":{}}}", self.cost.bytes)
    }
}
