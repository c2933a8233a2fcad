//! Errors of reading a database.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::Problem;

/// A database cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A file or directory cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not a complete ZIP archive.
    #[error("not a directory, and not a complete ZIP archive: {0}; fetch the database again")]
    Archive(String),
    /// The database has no advisories.
    #[error("it has no advisories; expected `crates/NAME/ID.md` of RustSec, or OSV records in `.json` files")]
    Empty,
    /// No OSV record is about a supported ecosystem.
    #[error("none of its {0} OSV records is about crates.io, Go or npm")]
    Unrelated(u64),
    /// No advisory of the database can be parsed.
    #[error("none of its advisories can be parsed; the first problem: {0}")]
    Unreadable(Problem),
    /// The database has advisories of `RustSec` and OSV records.
    #[error("it mixes RustSec advisories (`{rustsec}`) and OSV records (`{osv}`); separate them and give both")]
    Mixed {
        /// An advisory of `RustSec`.
        rustsec: String,
        /// An OSV record.
        osv: String,
    },
    /// The database exceeds a limit.
    #[error("it has more than {max} {what}")]
    TooLarge {
        /// The limit.
        max: u64,
        /// The unit of the limit.
        what: &'static str,
    },
}
