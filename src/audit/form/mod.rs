//! The forms that an answer may have. A form writes what stands before the rows, each row by itself (on whatever thread, and
//! so without knowing of the others), what stands between two, and what stands behind the last.

mod jsonl;

use std::io::{self, Write};

use super::blob::Archive;
use super::{About, Row, Stop, Summary};

/// What an audit's answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A line of JSON for each row: what `sectile show --json` gives, with the verdict and the locations.
    Jsonl,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 1] = [Self::Jsonl];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
        }
    }

    /// Whether rows are to say where their sections lie.
    pub(super) const fn draws(self) -> bool {
        false
    }

    /// Writes what stands before the first row.
    pub(super) fn head(self, about: &About, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::head(about, out),
        }
    }

    /// Writes one row, with nothing before or behind it. Called on any thread, in any order.
    pub(super) fn row(self, row: &Row<'_>, out: &mut Vec<u8>) {
        let written = match self {
            Self::Jsonl => jsonl::row(row, out),
        };
        written.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
    }

    /// Writes what stands behind the rows of an archive's entries, of which there are so many; most forms say nothing of it.
    pub(super) fn archive(self, archive: &Archive<'_>, rows: u64, out: &mut Vec<u8>) {
        let written = match self {
            Self::Jsonl => jsonl::archive(archive, rows, out),
        };
        written.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
    }

    /// What stands between two rows.
    pub(super) const fn between(self) -> &'static str {
        ""
    }

    /// Writes what stands behind the last row.
    pub(super) fn tail(
        self,
        about: &About,
        summary: &Summary,
        stop: Option<&Stop>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        _ = about;
        match self {
            Self::Jsonl => jsonl::tail(summary, stop, out),
        }
    }
}
