//! What was pushed, as one line.

use std::io::{self, Write};

use super::layout::write_image;
use super::{SCHEMA, write_os};
use crate::json::write_text;
use crate::report::PushReport;

impl PushReport<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { file, image, pushed, sbom } = self;
        write!(out, "{{\"schema\":{SCHEMA},\"file\":")?;
        write_os(out, file)?;
        write!(out, ",\"reference\":")?;
        write_text(out, &pushed.reference.to_string())?;
        write_image(out, image)?;
        write!(out, ",\"sent\":{},\"changed\":{},\"sbom\":", pushed.sent, pushed.is_new)?;
        match sbom {
            None => write!(out, "null")?,
            Some(sbom) => {
                write!(out, "{{\"digest\":\"{}\",\"fallback_tag\":", sbom.digest)?;
                match &sbom.fallback {
                    None => write!(out, "null")?,
                    Some(tag) => write_text(out, tag)?,
                }
                write!(out, "}}")?;
            }
        }
        writeln!(out, "}}")
    }
}
