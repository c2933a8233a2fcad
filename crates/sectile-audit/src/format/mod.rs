//! The output formats of an audit.
//!
//! A format writes the text before the rows, each row, the separator between two rows, and the text after the rows. Any
//! thread writes a row, so a row cannot depend on the others.

#[cfg(feature = "arrow")]
mod columns;
mod csv;
mod github;
mod html;
mod jsonl;
mod junit;
mod markdown;
#[cfg(test)]
mod oracles;
#[cfg(feature = "parquet")]
mod parquet;
mod sarif;
mod sbom;

use std::fmt;
use std::io::{self, Write};

#[cfg(feature = "arrow")]
use self::columns::{ArrowStream, BatchReceiver, ColumnOutput};
#[cfg(feature = "parquet")]
use self::parquet::ParquetFile;
use super::blob::ArchiveReading;
use super::encoder::EncodedRows;
use super::{AuditInfo, Row, Stop, Summary};
use sectile_policy::diff::RowChange;
use sectile_sbom::{SbomCollection, SbomFormat};

pub(super) use self::jsonl::{write_or_null, write_unused_exceptions};
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
    /// A stream of Arrow record batches: a row for each row, in columns.
    #[cfg(feature = "arrow")]
    Arrow,
    /// Parquet: a row for each row, in columns. The file also has the JSON lines, for a later audit.
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Number of formats.
const FORMATS: usize = 10 + cfg!(feature = "arrow") as usize + cfg!(feature = "parquet") as usize;

impl Format {
    /// All formats.
    pub const ALL: [Self; FORMATS] = [
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
        #[cfg(feature = "arrow")]
        Self::Arrow,
        #[cfg(feature = "parquet")]
        Self::Parquet,
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
            #[cfg(feature = "arrow")]
            Self::Arrow => "arrow",
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
        }
    }

    /// Whether a later audit can read the output.
    pub const fn saves_rows(self) -> bool {
        match self {
            Self::Jsonl => true,
            #[cfg(feature = "parquet")]
            Self::Parquet => true,
            _ => false,
        }
    }

    /// Whether the output is not text: rows as columns.
    pub const fn is_binary(self) -> bool {
        match self {
            #[cfg(feature = "arrow")]
            Self::Arrow => true,
            #[cfg(feature = "parquet")]
            Self::Parquet => true,
            _ => false,
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
            #[cfg(feature = "arrow")]
            Self::Arrow => &["arrows"],
            #[cfg(feature = "parquet")]
            Self::Parquet => &["parquet"],
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
            _ => Ok(()),
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
            #[cfg(feature = "arrow")]
            Self::Arrow => Ok(()),
            #[cfg(feature = "parquet")]
            Self::Parquet => jsonl::row(row, out),
        });
    }

    /// Writes a row that only an earlier report has; some formats write nothing.
    pub(super) fn gone(self, change: &RowChange, out: &mut Vec<u8>) {
        in_memory(match self {
            _ if self.saves_rows() => change.write_json(out),
            Self::Csv => {
                csv::gone(change, out);
                Ok(())
            }
            Self::Sarif => sarif::gone(change, out),
            _ => Ok(()),
        });
    }

    /// Writes the line that ends the rows of an archive's entries, if the format has one.
    ///
    /// `not_wasm` is the number of files in the archive that are not WebAssembly.
    pub(super) fn archive(self, archive: &ArchiveReading<'_>, rows: u64, not_wasm: u64, out: &mut Vec<u8>) {
        if self.saves_rows() {
            in_memory(jsonl::archive(archive, rows, not_wasm, out));
        }
    }

    /// Writes this line of an earlier report, if the format has one.
    pub(super) fn reused_archive(self, line: &str, out: &mut Vec<u8>) {
        if self.saves_rows() {
            out.extend_from_slice(line.trim_end_matches('\n').as_bytes());
            out.push(b'\n');
        }
    }

    /// The separator between two rows that are not empty.
    pub(super) const fn separator(self) -> &'static str {
        match self {
            Self::Sarif => ",\n",
            Self::Html => "\n",
            _ => "",
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
            _ => Ok(()),
        }
    }
}

/// A format, and the writer for its output.
pub struct FormatWriter<'w> {
    pub(super) format: Format,
    output: FormatOutput<'w>,
}

/// The destination of the rows.
enum FormatOutput<'w> {
    Text {
        out: &'w mut dyn Write,
        has_rows: bool,
    },
    /// The document is `None` before its head is written.
    Sbom(&'w mut dyn Write, Option<Box<SbomCollection>>),
    #[cfg(feature = "arrow")]
    Batches(BatchReceiver<'w>),
    #[cfg(feature = "arrow")]
    Arrow(Box<ArrowStream<'w>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetFile<'w>>),
}

#[cfg(feature = "arrow")]
impl FormatOutput<'_> {
    /// The output, if it takes rows as columns.
    fn columns(&mut self) -> Option<&mut dyn ColumnOutput> {
        match self {
            Self::Batches(output) => Some(output),
            Self::Arrow(output) => Some(&mut **output),
            #[cfg(feature = "parquet")]
            Self::Parquet(output) => Some(&mut **output),
            Self::Text { .. } | Self::Sbom(..) => None,
        }
    }
}

impl<'w> FormatWriter<'w> {
    /// Writes this format to this destination.
    pub fn new(format: Format, out: &'w mut dyn Write) -> Self {
        let output = match format {
            Format::Sbom(_) => FormatOutput::Sbom(out, None),
            #[cfg(feature = "arrow")]
            Format::Arrow => FormatOutput::Arrow(Box::new(ArrowStream::new(out))),
            #[cfg(feature = "parquet")]
            Format::Parquet => FormatOutput::Parquet(Box::new(ParquetFile::new(out))),
            _ => FormatOutput::Text { out, has_rows: false },
        };
        Self { format, output }
    }

    /// Passes the rows to a function, as Arrow record batches with the columns of [`schema`](crate::schema).
    ///
    /// The batches have the rows in the order of the walk, and up to 8,192 rows. The thread that runs the audit calls the
    /// function. Its error ends the audit.
    ///
    /// ```no_run
    /// use sectile_audit::{Audit, FormatWriter, Progress};
    /// use sectile_policy::Policy;
    ///
    /// let mut rows = 0;
    /// let mut receive = |batch: arrow_array::RecordBatch| {
    ///     rows += batch.num_rows();
    ///     Ok(())
    /// };
    /// let outputs = &mut [FormatWriter::for_batches(&mut receive)];
    /// Audit::new(Policy::default()).run_with_outputs(&["store".into()], outputs, &Progress::new())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "arrow")]
    pub fn for_batches(receive: &'w mut dyn FnMut(arrow_array::RecordBatch) -> io::Result<()>) -> Self {
        Self { format: Format::Arrow, output: FormatOutput::Batches(BatchReceiver::new(receive)) }
    }

    /// Writes the text before the first row.
    pub(super) fn head(&mut self, info: &AuditInfo) -> io::Result<()> {
        match &mut self.output {
            FormatOutput::Text { out, .. } => self.format.head(info, *out),
            FormatOutput::Sbom(out, document) => match self.format {
                Format::Sbom(format) => document.insert(Box::new(sbom::collection(format, info))).begin(*out),
                _ => Ok(()),
            },
            #[cfg(feature = "arrow")]
            output => output.columns().map_or(Ok(()), |output| output.head(info)),
        }
    }

    /// Writes rows with their text. The text is empty for rows without text in this format.
    pub(super) fn write_rows(&mut self, rows: &EncodedRows, text: &[u8]) -> io::Result<()> {
        #[cfg(feature = "arrow")]
        if let Some(output) = self.output.columns() {
            return output.write(rows, text);
        }
        _ = rows;
        self.write_text(text)
    }

    /// Writes a text without rows.
    pub(super) fn write_text(&mut self, text: &[u8]) -> io::Result<()> {
        match &mut self.output {
            _ if text.is_empty() => Ok(()),
            FormatOutput::Text { out, has_rows } => {
                if std::mem::replace(has_rows, true) {
                    out.write_all(self.format.separator().as_bytes())?;
                }
                out.write_all(text)
            }
            FormatOutput::Sbom(out, document) => document.as_mut().map_or(Ok(()), |document| document.add(text, *out)),
            #[cfg(feature = "arrow")]
            output => output.columns().map_or(Ok(()), |output| output.write(&EncodedRows::default(), text)),
        }
    }

    /// Writes the text after the last row.
    pub(super) fn tail(&mut self, info: &AuditInfo, summary: &Summary, stop: Option<&Stop>) -> io::Result<()> {
        match &mut self.output {
            FormatOutput::Text { out, .. } => self.format.tail(info, summary, stop, *out),
            FormatOutput::Sbom(out, document) => match document.take() {
                Some(document) => document.finish(sbom::is_complete(summary, stop), *out),
                None => Ok(()),
            },
            #[cfg(feature = "arrow")]
            output => output.columns().map_or(Ok(()), |output| output.tail(summary, stop)),
        }
    }
}

impl fmt::Debug for FormatWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormatWriter").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Writes rows to all outputs.
pub(super) fn write_encoded(rows: &EncodedRows, outputs: &mut [FormatWriter<'_>]) -> io::Result<()> {
    rows.texts.iter().zip(outputs).try_for_each(|(text, output)| output.write_rows(rows, text))
}

fn in_memory(written: io::Result<()>) {
    written.unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
}
