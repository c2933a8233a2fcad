//! The report about an image that was pushed to a registry.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::internal::json::{SCHEMA, write_os, write_text};

use super::layout::write_image;
use crate::Image;
use crate::registry::{AttachedArtifact, PushedImage};

/// Report about an image that was pushed to a registry.
#[derive(Clone, Copy, Debug)]
pub struct PushReport<'a> {
    file: &'a OsStr,
    image: &'a Image,
    pushed: &'a PushedImage,
    sbom: Option<&'a AttachedArtifact>,
    is_preview: bool,
}

impl<'a> PushReport<'a> {
    /// Creates the report about a pushed image of `file`, and about its SBOM if one was attached.
    pub fn new(file: &'a OsStr, image: &'a Image, pushed: &'a PushedImage, sbom: Option<&'a AttachedArtifact>) -> Self {
        Self { file, image, pushed, sbom, is_preview: false }
    }

    /// Creates the report about the preview of a push.
    pub fn preview(file: &'a OsStr, image: &'a Image, preview: &'a PushedImage) -> Self {
        Self { is_preview: true, ..Self::new(file, image, preview, None) }
    }

    /// Returns whether nothing was pushed.
    pub fn is_preview(&self) -> bool {
        self.is_preview
    }

    /// Returns the name of the binary.
    pub fn file(&self) -> &'a OsStr {
        self.file
    }

    /// Returns the image.
    pub fn image(&self) -> &'a Image {
        self.image
    }

    /// Returns the result of the push.
    pub fn pushed(&self) -> &'a PushedImage {
        self.pushed
    }

    /// Returns the SBOM that was attached to the image.
    pub fn sbom(&self) -> Option<&'a AttachedArtifact> {
        self.sbom
    }

    /// Writes the report as one JSON object with its keys in a fixed order, followed by a line
    /// feed.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { file, image, pushed, sbom, is_preview } = self;
        write!(out, "{{\"schema\":{SCHEMA},\"file\":")?;
        write_os(out, file)?;
        write!(out, ",\"reference\":")?;
        write_text(out, &pushed.reference().to_string())?;
        write_image(out, image)?;
        write!(out, ",\"sent\":{},\"changed\":{},\"sbom\":", pushed.bytes_sent(), pushed.is_new())?;
        match sbom {
            None => write!(out, "null")?,
            Some(sbom) => {
                write!(out, "{{\"digest\":\"{}\",\"fallback_tag\":", sbom.digest())?;
                match sbom.fallback_tag() {
                    None => write!(out, "null")?,
                    Some(tag) => write_text(out, tag)?,
                }
                write!(out, "}}")?;
            }
        }
        write!(out, ",\"shape\":\"{}\",\"previous\":", image.shape().name())?;
        match pushed.previous() {
            None => write!(out, "null")?,
            Some(previous) => write!(out, "\"{previous}\"")?,
        }
        write!(out, ",\"dry_run\":{is_preview}")?;
        if *is_preview {
            write!(out, ",\"documents\":{{\"manifest\":")?;
            write_text(out, &String::from_utf8_lossy(image.manifest()))?;
            write!(out, ",\"config\":")?;
            write_text(out, &String::from_utf8_lossy(image.config()))?;
            write!(out, "}}")?;
        }
        writeln!(out, "}}")
    }
}
