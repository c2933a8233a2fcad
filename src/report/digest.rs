//! What a file is, and what it is without its metadata.

use std::ffi::OsStr;

use crate::digest::Digests;
use crate::drive::Cost;
use crate::error::{Error, Outcome};

/// The digests of one file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DigestReport<'a> {
    /// What the file is called.
    pub file: &'a OsStr,
    /// Its length in bytes.
    pub size: u64,
    /// Its digests.
    pub digests: Digests,
    /// Why not all was read; `None` where all was.
    pub broken: Option<&'a Error>,
    /// What the reading cost.
    pub cost: Cost,
}

impl<'a> DigestReport<'a> {
    /// A report of a reading.
    pub fn new(file: &'a OsStr, size: u64, outcome: &'a Outcome<Digests>) -> Self {
        Self { file, size, digests: outcome.value, broken: outcome.broken.as_ref(), cost: outcome.cost }
    }
}
