//! An edit, as one line.

use std::io::{self, Write};

use super::{write_head, write_range, write_unjudged};
use crate::edit::{Change, Planned};
use crate::json::{put, write_array, write_text};
use crate::report::EditReport;

impl EditReport<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let Planned { plan, findings, changes } = self.planned;
        write_head(out, self.file, Some(plan.source_len()))?;
        put!(out, ",\"new_size\":", plan.len(), ",\"kept\":", plan.kept(), ",\"inserted\":", plan.inserted())?;
        put!(out, ",\"dropped\":")?;
        write_array(out, plan.dropped(), |out, range| write_range(out, &range))?;
        put!(out, ",\"changes\":")?;
        write_array(out, changes, write_change)?;
        put!(out, ",\"findings\":")?;
        write_array(out, findings, write_unjudged)?;
        put!(out, ",\"written\":", self.written, "}\n")
    }
}

fn write_change<W: Write>(out: &mut W, change: &Change) -> io::Result<()> {
    let Change { path, section, kind, range, before, after } = change;
    put!(out, "{\"path\":\"", path, "\",\"section\":")?;
    write_text(out, section)?;
    put!(out, ",\"change\":\"", kind.name(), "\",\"range\":")?;
    write_range(out, range)?;
    put!(out, ",\"bytes\":[", before, ",", after, "]}")
}
