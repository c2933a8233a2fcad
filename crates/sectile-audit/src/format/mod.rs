//! The output formats of an audit.
//!
//! A format writes the text before the rows, each row, the separator between two rows, and the text after the rows. Any
//! thread writes a row, so a row cannot depend on the others.

mod csv;
mod github;
mod html;
mod jsonl;
mod junit;
mod markdown;
#[cfg(test)]
mod oracles;
mod sarif;
mod sbom;

use std::fmt;
use std::io::{self, Write};

use super::blob::ArchiveReading;
use super::{AuditInfo, Row, Stop, Summary};
use sectile_policy::diff::RowChange;
use sectile_sbom::{SbomCollection, SbomFormat};

pub use self::sbom::sbom_vulnerabilities;

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
    /// A summary in Markdown, as GitHub renders it: counts, and the rows to look at first. It has no line for each row.
    Markdown,
    /// `JUnit` XML for continuous integration: a test case for each row.
    Junit,
    /// Workflow commands of GitHub Actions: an annotation for each finding.
    Github,
    /// An SBOM: the binaries, their items, and their packages.
    Sbom(SbomFormat),
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 10] = [
        Self::Jsonl,
        Self::Csv,
        Self::Sarif,
        Self::Html,
        Self::Markdown,
        Self::Junit,
        Self::Github,
        Self::Sbom(SbomFormat::CycloneDx16),
        Self::Sbom(SbomFormat::CycloneDx17),
        Self::Sbom(SbomFormat::Spdx23),
    ];

    /// The name in the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Sbom(format) => format.name(),
        }
    }

    /// Another name in the command line, if there is one.
    pub const fn short_name(self) -> Option<&'static str> {
        match self {
            Self::Sbom(format) => format.short_name(),
            _ => None,
        }
    }

    /// The file name extensions that select the format.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jsonl => &["jsonl", "ndjson"],
            Self::Csv => &["csv"],
            Self::Sarif => &["sarif", "sarif.json"],
            Self::Html => &["html", "htm"],
            Self::Markdown => &["md", "markdown"],
            Self::Junit => &["xml"],
            Self::Github => &[],
            Self::Sbom(format) => format.extensions(),
        }
    }

    /// Writes the text before the first row.
    fn head(self, info: &AuditInfo, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::head(info, out),
            Self::Csv => csv::head(out),
            Self::Sarif => sarif::head(out),
            Self::Html => html::head(info, out),
            Self::Markdown => markdown::head(out),
            Self::Junit => junit::head(out),
            Self::Github => github::head(out),
            Self::Sbom(_) => Ok(()),
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
            Self::Markdown => Ok(()),
            Self::Junit => junit::row(row, out),
            Self::Github => github::row(row, out),
            Self::Sbom(format) => {
                sbom::row(format, row, out);
                Ok(())
            }
        });
    }

    /// Writes a row that only an earlier report has; some formats write nothing.
    pub(super) fn gone(self, change: &RowChange, out: &mut Vec<u8>) {
        in_memory(match self {
            Self::Jsonl => change.write_json(out),
            Self::Csv => {
                csv::gone(change, out);
                Ok(())
            }
            Self::Sarif => sarif::gone(change, out),
            Self::Html | Self::Markdown | Self::Junit | Self::Github | Self::Sbom(_) => Ok(()),
        });
    }

    /// Writes the line that ends the rows of an archive's entries, if the format has one.
    ///
    /// `not_wasm` is the number of files in the archive that are not WebAssembly.
    pub(super) fn archive(self, archive: &ArchiveReading<'_>, rows: u64, not_wasm: u64, out: &mut Vec<u8>) {
        if self == Self::Jsonl {
            in_memory(jsonl::archive(archive, rows, not_wasm, out));
        }
    }

    /// Writes this line of an earlier report, if the format has one.
    pub(super) fn reused_archive(self, line: &str, out: &mut Vec<u8>) {
        if self == Self::Jsonl {
            out.extend_from_slice(line.trim_end_matches('\n').as_bytes());
            out.push(b'\n');
        }
    }

    /// The separator between two rows that are not empty.
    pub(super) const fn separator(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Csv | Self::Markdown | Self::Junit | Self::Github | Self::Sbom(_) => "",
            Self::Sarif => ",\n",
            Self::Html => "\n",
        }
    }

    /// Writes the text after the last row.
    fn tail(self, info: &AuditInfo, summary: &Summary, stop: Option<&Stop>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::tail(summary, stop, out),
            Self::Sarif => sarif::tail(info, summary, stop, out),
            Self::Html => html::tail(summary, stop, out),
            Self::Markdown => markdown::tail(info, summary, stop, out),
            Self::Junit => junit::tail(out),
            Self::Github => github::tail(summary, stop, out),
            Self::Csv | Self::Sbom(_) => Ok(()),
        }
    }
}

/// A format, and the writer for its output.
pub struct FormatWriter<'w> {
    pub(super) format: Format,
    out: &'w mut dyn Write,
    has_rows: bool,
    /// The document, if the format is an SBOM.
    sbom: Option<SbomCollection>,
}

impl<'w> FormatWriter<'w> {
    /// Writes this format to this destination.
    pub fn new(format: Format, out: &'w mut dyn Write) -> Self {
        Self { format, out, has_rows: false, sbom: None }
    }

    /// Writes the text before the first row.
    pub(super) fn head(&mut self, info: &AuditInfo) -> io::Result<()> {
        match self.format {
            Format::Sbom(format) => self.sbom.insert(sbom::collection(format, info)).begin(self.out),
            format => format.head(info, self.out),
        }
    }

    /// Writes the text of some rows. It is empty for rows without text in this format.
    pub(super) fn write_rows(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if let Some(sbom) = &mut self.sbom {
            return sbom.add(text, self.out);
        }
        if self.has_rows {
            self.out.write_all(self.format.separator().as_bytes())?;
        }
        self.has_rows = true;
        self.out.write_all(text)
    }

    /// Writes the text after the last row.
    pub(super) fn tail(&mut self, info: &AuditInfo, summary: &Summary, stop: Option<&Stop>) -> io::Result<()> {
        match self.sbom.take() {
            Some(sbom) => sbom.finish(sbom::is_complete(summary, stop), self.out),
            None => self.format.tail(info, summary, stop, self.out),
        }
    }
}

impl fmt::Debug for FormatWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormatWriter").field("format", &self.format).finish_non_exhaustive()
    }
}

fn in_memory(written: io::Result<()>) {
    written.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
}
