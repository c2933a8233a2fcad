//! The report about an image that was added to a layout.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use sectile::internal::json::{SCHEMA, write_os, write_text};

use crate::{AddedImage, Descriptor, Image, RefName};

/// Report about an image that was added to a layout.
#[derive(Clone, Copy, Debug)]
pub struct LayoutReport<'a> {
    file: &'a OsStr,
    layout: &'a Path,
    name: Option<&'a RefName>,
    added: &'a AddedImage,
}

impl<'a> LayoutReport<'a> {
    /// Creates the report about an image of `file` that was added to the layout in a directory.
    pub fn new(file: &'a OsStr, layout: &'a Path, name: Option<&'a RefName>, added: &'a AddedImage) -> Self {
        Self { file, layout, name, added }
    }

    /// Returns the name of the binary.
    pub fn file(&self) -> &'a OsStr {
        self.file
    }

    /// Returns the directory of the layout.
    pub fn layout(&self) -> &'a Path {
        self.layout
    }

    /// Returns the name of the image in the layout.
    pub fn name(&self) -> Option<&'a RefName> {
        self.name
    }

    /// Returns the image that was added.
    pub fn added(&self) -> &'a AddedImage {
        self.added
    }

    /// Writes the report as one JSON object with its keys in a fixed order, followed by a line
    /// feed.
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
        write_image(out, self.added.image())?;
        write!(out, ",\"changed\":{}", self.added.index_changed())?;
        writeln!(out, ",\"shape\":\"{}\"}}", self.added.image().shape().name())
    }
}

/// Writes the digests and sizes of the parts of an image.
pub(super) fn write_image(out: &mut impl Write, image: &Image) -> io::Result<()> {
    let blobs = [("manifest", image.descriptor()), ("config", image.config_descriptor()), ("layer", image.layer())];
    blobs.into_iter().try_for_each(|(key, blob)| write_blob(out, key, blob))
}

fn write_blob(out: &mut impl Write, key: &str, blob: &Descriptor) -> io::Result<()> {
    write!(out, ",\"{key}\":{{\"digest\":\"{}\",\"size\":{}}}", blob.digest(), blob.size())
}
