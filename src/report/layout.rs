//! What was added to an image layout.

use std::ffi::OsStr;
use std::path::Path;

use crate::oci::{Added, RefName};

/// An image that was added to a layout.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LayoutReport<'a> {
    /// What the file is called that it is an image of.
    pub file: &'a OsStr,
    /// The directory of the layout.
    pub layout: &'a Path,
    /// What the image is called in it.
    pub name: Option<&'a RefName>,
    /// The image, and whether the layout's index was changed.
    pub added: &'a Added,
}

impl<'a> LayoutReport<'a> {
    /// A report of an addition.
    pub fn new(file: &'a OsStr, layout: &'a Path, name: Option<&'a RefName>, added: &'a Added) -> Self {
        Self { file, layout, name, added }
    }
}
