//! What was added to an image layout, as one line.

use std::ffi::OsStr;
use std::io::{self, Write};

use super::{SCHEMA, write_os};
use crate::json::write_text;
use crate::oci::{Descriptor, Image};
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
        write_image(out, &self.added.image)?;
        writeln!(out, ",\"changed\":{}}}", self.added.changed)
    }
}

/// Writes what an image is made of.
pub(super) fn write_image(out: &mut impl Write, image: &Image) -> io::Result<()> {
    let blobs = [("manifest", image.descriptor()), ("config", image.config_descriptor()), ("layer", image.layer())];
    blobs.into_iter().try_for_each(|(key, blob)| write_blob(out, key, blob))
}

fn write_blob(out: &mut impl Write, key: &str, blob: &Descriptor) -> io::Result<()> {
    write!(out, ",\"{key}\":{{\"digest\":\"{}\",\"size\":{}}}", blob.digest, blob.size)
}
