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
    /// Its length in bytes; `None` where it could not be opened.
    pub size: Option<u64>,
    /// Its digests; `None` where nothing could be read.
    pub digests: Option<Digests>,
    /// Why not all was read; `None` where all was.
    pub broken: Option<&'a Error>,
    /// What the reading cost.
    pub cost: Cost,
}

impl<'a> DigestReport<'a> {
    /// A report of a reading.
    pub fn new(file: &'a OsStr, size: Option<u64>, reading: &'a Result<Outcome<Digests>, Error>) -> Self {
        match reading {
            Ok(Outcome { value, broken, cost }) => {
                Self { file, size, digests: Some(*value), broken: broken.as_ref(), cost: *cost }
            }
            Err(error) => Self { file, size, digests: None, broken: Some(error), cost: Cost::default() },
        }
    }
}
