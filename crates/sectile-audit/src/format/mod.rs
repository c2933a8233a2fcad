//! The output formats of an audit.
//!
//! A format writes the text before the rows, each row, the separator between two rows, and the text after the rows. Any
//! thread writes a row, so a row cannot depend on the others.

mod csv;
mod html;
mod jsonl;
#[cfg(test)]
mod oracles;
mod sarif;

use std::io::{self, Write};

use super::blob::ArchiveReading;
use super::{AuditInfo, Row, Stop, Summary};

/// The output format of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JSON lines: the output of `sectile show --json` for each row, with the verdict and the locations.
    Jsonl,
    /// Comma-separated values for spreadsheets: a line for each row.
    Csv,
    /// SARIF 2.1.0 for code scanning: a result for each finding.
    Sarif,
    /// A self-contained page for a browser.
    Html,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Jsonl, Self::Csv, Self::Sarif, Self::Html];

    /// The name in the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
            Self::Html => "html",
        }
    }

    /// Whether the format shows the layout of the sections.
    pub(super) const fn needs_spans(self) -> bool {
        matches!(self, Self::Html)
    }

    /// Writes the text before the first row.
    pub(super) fn head(self, info: &AuditInfo, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::head(info, out),
            Self::Csv => csv::head(out),
            Self::Sarif => sarif::head(out),
            Self::Html => html::head(info, out),
        }
    }

    /// Writes one row; some formats write nothing for some rows. The caller writes a [`separator`](Self::separator)
    /// between two rows that are not empty.
    ///
    /// Called on any thread, in any order.
    pub(super) fn row(self, row: &Row<'_>, out: &mut Vec<u8>) {
        in_memory(match self {
            Self::Jsonl => jsonl::row(row, out),
            Self::Csv => csv::row(row, out),
            Self::Sarif => sarif::row(row, out),
            Self::Html => html::row(row, out),
        });
    }

    /// Writes the line that ends the rows of an archive's entries, if the format has one.
    pub(super) fn archive(self, archive: &ArchiveReading<'_>, rows: u64, out: &mut Vec<u8>) {
        if self == Self::Jsonl {
            in_memory(jsonl::archive(archive, rows, out));
        }
    }

    /// The separator between two rows that are not empty.
    pub(super) const fn separator(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Csv => "",
            Self::Sarif => ",\n",
            Self::Html => "\n",
        }
    }

    /// Writes the text after the last row.
    pub(super) fn tail(
        self,
        info: &AuditInfo,
        summary: &Summary,
        stop: Option<&Stop>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::tail(summary, stop, out),
            Self::Csv => Ok(()),
            Self::Sarif => sarif::tail(info, summary, stop, out),
            Self::Html => html::tail(summary, stop, out),
        }
    }
}

fn in_memory(written: io::Result<()>) {
    written.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
}
