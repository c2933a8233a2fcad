//! The report of an edit.

use std::ffi::OsStr;

use sectile::edit::EditPlan;

use crate::diff::Comparison;

/// An edit of one file, written or only planned.
#[derive(Clone, Copy, Debug)]
pub struct EditReport<'a> {
    pub(crate) file: &'a OsStr,
    pub(crate) plan: &'a EditPlan,
    pub(crate) written: bool,
    pub(crate) image: Option<&'a str>,
    pub(crate) comparison: Option<&'a Comparison>,
}

impl<'a> EditReport<'a> {
    /// A report of an edit.
    pub fn new(file: &'a OsStr, plan: &'a EditPlan, written: bool) -> Self {
        Self { file, plan, written, image: None, comparison: None }
    }

    /// Adds the name of the image that the result was written to.
    #[must_use]
    pub fn with_image(self, image: Option<&'a str>) -> Self {
        Self { image, ..self }
    }

    /// Adds the differences between the file and the result.
    #[must_use]
    pub fn with_comparison(self, comparison: Option<&'a Comparison>) -> Self {
        Self { comparison, ..self }
    }
}
