//! Digests, as one line.

use std::io::{self, Write};

use super::{write_head, write_outcome};
use crate::report::DigestReport;

impl DigestReport<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write_head(out, self.file, self.size)?;
        let content = self.digests.and_then(|digests| digests.content());
        for (key, digest) in [("digest", self.digests.map(|digests| digests.file())), ("content", content)] {
            match digest {
                Some(digest) => write!(out, ",\"{key}\":\"{digest}\"")?,
                None => write!(out, ",\"{key}\":null")?,
            }
        }
        write_outcome(out, self.error)?;
        writeln!(out, ",\"bytes_read\":{}}}", self.cost.bytes)
    }
}
