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
}

impl<'a> PushReport<'a> {
    /// Creates the report about a pushed image of `file`, and about its SBOM if one was attached.
    pub fn new(file: &'a OsStr, image: &'a Image, pushed: &'a PushedImage, sbom: Option<&'a AttachedArtifact>) -> Self {
        Self { file, image, pushed, sbom }
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
        let Self { file, image, pushed, sbom } = self;
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
        writeln!(out, "}}")
    }
}
