//! The report of an edit.

use std::ffi::OsStr;

use sectile::edit::EditPlan;

/// An edit of one file, written or only planned.
#[derive(Clone, Copy, Debug)]
pub struct EditReport<'a> {
    pub(crate) file: &'a OsStr,
    pub(crate) plan: &'a EditPlan,
    pub(crate) written: bool,
    pub(crate) image: Option<&'a str>,
}

impl<'a> EditReport<'a> {
    /// A report of an edit.
    pub fn new(file: &'a OsStr, plan: &'a EditPlan, written: bool) -> Self {
        Self { file, plan, written, image: None }
    }

    /// Adds the name of the image that the result was written to.
    #[must_use]
    pub fn with_image(self, image: Option<&'a str>) -> Self {
        Self { image, ..self }
    }
}
