//! What was edited.

use std::ffi::OsStr;

use crate::edit::Planned;

/// What an edit did to one file, or would do.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EditReport<'a> {
    /// What the file is called.
    pub file: &'a OsStr,
    /// What was planned.
    pub planned: &'a Planned,
    /// Whether something was written.
    pub written: bool,
}

impl<'a> EditReport<'a> {
    /// A report of an edit.
    pub fn new(file: &'a OsStr, planned: &'a Planned, written: bool) -> Self {
        Self { file, planned, written }
    }
}
