//! An edit, as one line.

use std::io::{self, Write};

use super::{write_head, write_range, write_unjudged};
use crate::diff::write_differences;
use crate::report::EditReport;
use sectile::edit::Change;
use sectile::internal::json::{put, write_array, write_text};

impl EditReport<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let plan = self.plan.plan();
        write_head(out, self.file, Some(plan.source_len()))?;
        put!(out, ",\"new_size\":", plan.len(), ",\"kept\":", plan.kept(), ",\"inserted\":", plan.inserted())?;
        put!(out, ",\"dropped\":")?;
        write_array(out, plan.dropped(), |out, range| write_range(out, &range))?;
        put!(out, ",\"changes\":")?;
        write_array(out, self.plan.changes(), write_change)?;
        put!(out, ",\"findings\":")?;
        write_array(out, self.plan.findings(), write_unjudged)?;
        put!(out, ",\"written\":", self.written)?;
        if let Some(comparison) = self.comparison {
            write_differences(out, comparison)?;
        }
        if let Some(image) = self.image {
            put!(out, ",\"image\":")?;
            write_text(out, image)?;
        }
        put!(out, "}\n")
    }
}

fn write_change<W: Write>(out: &mut W, change: &Change) -> io::Result<()> {
    put!(out, "{\"path\":\"", change.path(), "\",\"section\":")?;
    write_text(out, change.section())?;
    put!(out, ",\"change\":\"", change.kind().name(), "\",\"range\":")?;
    write_range(out, &change.range())?;
    put!(out, ",\"bytes\":[", change.before(), ",", change.after(), "]}")
}
