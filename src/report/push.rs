//! What was pushed to a registry.

use std::ffi::OsStr;

use crate::oci::Image;
use crate::oci::registry::{Attached, Pushed};

/// What was pushed of one file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PushReport<'a> {
    /// What the file is called.
    pub file: &'a OsStr,
    /// Its image.
    pub image: &'a Image,
    /// What became of it.
    pub pushed: &'a Pushed,
    /// What became of the SBOM; `None` where nobody asked for one.
    pub sbom: Option<&'a Attached>,
}

impl<'a> PushReport<'a> {
    /// A report of a push.
    pub fn new(file: &'a OsStr, image: &'a Image, pushed: &'a Pushed, sbom: Option<&'a Attached>) -> Self {
        Self { file, image, pushed, sbom }
    }
}
