//! The forms that an answer may have. A form writes what stands before the rows, each row by itself (on whatever thread, and
//! so without knowing of the others), what stands between two, and what stands behind the last.

mod csv;
mod html;
mod jsonl;
#[cfg(test)]
mod oracles;
mod sarif;

use std::io::{self, Write};

use super::blob::Archive;
use super::{About, Row, Stop, Summary};
use crate::finding::Code;

/// What an audit's answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A line of JSON for each row: what `sectile show --json` gives, with the verdict and the locations.
    Jsonl,
    /// A line of comma-separated values for each row, for spreadsheets.
    Csv,
    /// SARIF 2.1.0: a result for each finding, for the dashboards of code scanning.
    Sarif,
    /// A page to be looked at in a browser, with everything in it.
    Html,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Jsonl, Self::Csv, Self::Sarif, Self::Html];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
            Self::Html => "html",
        }
    }

    /// Whether rows are to say where their sections lie.
    pub(super) const fn draws(self) -> bool {
        matches!(self, Self::Html)
    }

    /// Writes what stands before the first row.
    pub(super) fn head(self, about: &About, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::head(about, out),
            Self::Csv => csv::head(out),
            Self::Sarif => sarif::head(out),
            Self::Html => html::head(about, out),
        }
    }

    /// Writes one row, with nothing before or behind it. Called on any thread, in any order. What is not empty is parted by
    /// [`between`](Self::between) from what is not empty, too, before it.
    pub(super) fn row(self, row: &Row<'_>, out: &mut Vec<u8>) {
        in_memory(match self {
            Self::Jsonl => jsonl::row(row, out),
            Self::Csv => csv::row(row, out),
            Self::Sarif => sarif::row(row, out),
            Self::Html => html::row(row, out),
        });
    }

    /// Writes what stands behind the rows of an archive's entries, of which there are so many; most forms say nothing of it.
    pub(super) fn archive(self, archive: &Archive<'_>, rows: u64, out: &mut Vec<u8>) {
        if self == Self::Jsonl {
            in_memory(jsonl::archive(archive, rows, out));
        }
    }

    /// What stands between two rows of which something is written: a row may be empty, and then nothing stands before it.
    pub(super) const fn between(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Csv => "",
            Self::Sarif => ",\n",
            Self::Html => "\n",
        }
    }

    /// Writes what stands behind the last row.
    pub(super) fn tail(
        self,
        about: &About,
        summary: &Summary,
        stop: Option<&Stop>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::tail(summary, stop, out),
            Self::Csv => Ok(()),
            Self::Sarif => sarif::tail(about, summary, stop, out),
            Self::Html => html::tail(summary, stop, out),
        }
    }
}

fn in_memory(written: io::Result<()>) {
    written.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
}

/// The codes of a row's findings, each once, in the order of the first of each.
fn codes(row: &Row<'_>) -> Vec<Code> {
    let mut codes = Vec::new();
    for judged in &row.judged {
        if !codes.contains(&judged.finding.code) {
            codes.push(judged.finding.code);
        }
    }
    codes
}
