//! What was added to an image layout, as one line.

use std::ffi::OsStr;
use std::io::{self, Write};

use super::{SCHEMA, write_os};
use crate::json::write_text;
use crate::oci::Descriptor;
use crate::report::LayoutReport;

impl LayoutReport<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{{\"schema\":{SCHEMA},\"file\":")?;
        write_os(out, self.file)?;
        write!(out, ",\"layout\":")?;
        write_os(out, OsStr::new(self.layout))?;
        write!(out, ",\"ref\":")?;
        match self.name {
            Some(name) => write_text(out, &name.to_string())?,
            None => write!(out, "null")?,
        }
        let image = &self.added.image;
        for (key, blob) in
            [("manifest", image.descriptor()), ("config", image.config_descriptor()), ("layer", image.layer())]
        {
            write_blob(out, key, blob)?;
        }
        writeln!(out, ",\"changed\":{}}}", self.added.changed)
    }
}

fn write_blob(out: &mut impl Write, key: &str, blob: &Descriptor) -> io::Result<()> {
    write!(out, ",\"{key}\":{{\"digest\":\"{}\",\"size\":{}}}", blob.digest, blob.size)
}
