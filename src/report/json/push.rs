//! What was pushed, as one line of JSON.

use std::io::{self, Write};

use super::super::PushReport;
use super::write_head;
use crate::json::write_text;

impl PushReport<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { file, image, pushed, sbom } = self;
        let layer = image.layer();
        write_head(out, file, Some(layer.size))?;
        write!(out, ",\"reference\":")?;
        write_text(out, &pushed.reference.to_string())?;
        let config = image.config_descriptor().digest;
        write!(
            out,
            ",\"digest\":\"{}\",\"config\":\"{config}\",\"layer\":\"{}\"",
            pushed.manifest.digest, layer.digest
        )?;
        write!(out, ",\"sent\":{},\"new\":{},\"sbom\":", pushed.sent, pushed.is_new)?;
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
