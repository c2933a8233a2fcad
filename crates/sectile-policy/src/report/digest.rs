//! The report of a file's digests.

use std::ffi::OsStr;

use sectile::digest::Digests;
use sectile::{Cost, Error, Outcome};

/// The digests of one file.
#[derive(Clone, Copy, Debug)]
pub struct DigestReport<'a> {
    pub(crate) file: &'a OsStr,
    pub(crate) size: Option<u64>,
    pub(crate) digests: Option<Digests>,
    pub(crate) error: Option<&'a Error>,
    pub(crate) cost: Cost,
}

impl<'a> DigestReport<'a> {
    /// A report of digests, of a file with this name and length in bytes, if it could be opened.
    pub fn new(file: &'a OsStr, size: Option<u64>, outcome: &'a Outcome<Digests>) -> Self {
        Self { file, size, digests: outcome.value().copied(), error: outcome.error(), cost: outcome.cost() }
    }
}
