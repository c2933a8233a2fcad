//! The rows of an earlier audit, written again in other formats or judged by another policy.

mod judge;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, BufRead};
use std::path::Path;

use serde::Deserialize;

use self::judge::RowJudge;
use super::baseline::line::{ArchiveLine, ExceptionLine, HeaderError, HeaderLine, OrderedMembers, RowLine};
use super::encoder::{RowEncoder, SpareTexts};
use super::format::write_encoded;
use super::info::databases;
use super::{AuditInfo, AuditOutcome, Format, FormatWriter, Row, Stop, Summary};
use sectile_policy::internal::NameValue;
use sectile_policy::{Day, Policy};

/// The rows of an earlier audit, as [JSON lines](super::Format::Jsonl) or with the feature `parquet` as Parquet, to be
/// written in any format.
///
/// ```no_run
/// use sectile_audit::{Format, FormatWriter, SavedRows};
///
/// let mut page = Vec::new();
/// let rows = SavedRows::open("rows.jsonl")?;
/// rows.write(&mut [FormatWriter::new(Format::Html, &mut page)])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SavedRows<'a> {
    input: Box<dyn BufRead + 'a>,
    info: AuditInfo,
    judge: Option<RowJudge<'a>>,
    line: u64,
}

/// The reason why saved rows cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedRowsError {
    /// The rows cannot be read.
    #[error("the rows cannot be read")]
    Read(#[source] io::Error),
    /// The first line is not that of an audit in the format `jsonl`.
    #[error("not the output of `sectile audit --format jsonl`")]
    NotAReport,
    /// The rows have another version of the schema.
    #[error("the rows have schema {0}, and this version reads schema {now}; write them again", now = sectile::internal::json::SCHEMA)]
    OtherSchema(u32),
    /// The input is a Parquet file without usable rows.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Parquet(#[from] crate::ParquetReportError),
    /// A line is not a row.
    #[error("line {0} is not a row of an audit")]
    NotARow(u64),
    /// An output cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] io::Error),
}

impl<'a> SavedRows<'a> {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not the output of an audit as JSON lines.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SavedRowsError> {
        let file = std::fs::File::open(path).map_err(SavedRowsError::Read)?;
        Self::read(io::BufReader::with_capacity(256 << 10, file))
    }

    /// Reads from any input.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn read(input: impl BufRead + 'a) -> Result<Self, SavedRowsError> {
        #[cfg(feature = "parquet")]
        let mut input = crate::saved_lines::read_lines(input)?;
        #[cfg(not(feature = "parquet"))]
        let mut input: Box<dyn BufRead + 'a> = Box::new(input);
        let mut first = Vec::new();
        read_line(&mut input, &mut first).map_err(SavedRowsError::Read)?;
        let header = HeaderLine::parse(&first).map_err(|error| match error {
            HeaderError::NotAReport => SavedRowsError::NotAReport,
            HeaderError::Schema(schema) => SavedRowsError::OtherSchema(schema),
        })?;
        Ok(Self { input, info: header.info, judge: None, line: 1 })
    }

    /// Judges the rows by this policy instead of the earlier one, on this day.
    ///
    /// The verdict is that of an audit of the same binaries that reads the same packages. A rule that needs more than
    /// the rows hold is a `not-judged` finding: a rule about imports, unless the earlier policy had one; rules about a
    /// binary with more sections, items or packages than a row holds.
    ///
    /// Findings that the earlier policy ignored are not in the rows. A policy with advisories judges the packages in the
    /// rows; another one judges the advisories in the rows.
    #[must_use]
    pub fn with_policy(mut self, policy: &'a Policy, name: Option<OsString>, today: Option<Day>) -> Self {
        self.info.policy_name = name;
        let has_advisories = !self.info.databases.is_empty();
        if policy.advisories().is_some() {
            self.info.databases = databases(policy);
        }
        self.info.day = today.map(|day| day.to_string());
        // Rows that are judged without their binaries must not be reused by an audit.
        self.info.fingerprint = format!("{REJUDGED}{}", policy.fingerprint());
        let (packages, exceptions) = (self.info.packages, policy.exception_use());
        self.judge = Some(RowJudge { policy, today, has_advisories, packages, exceptions });
        self
    }

    /// Sets the time of SBOMs, as an RFC 3339 date-time. Without it, `CycloneDX` documents have none.
    #[must_use]
    pub fn with_created(mut self, time: impl Into<String>) -> Self {
        self.info.created = Some(time.into());
        self
    }

    /// Writes the rows in these formats. Truncated rows are written like those of a stopped audit.
    ///
    /// # Errors
    ///
    /// A line is not a row, the rows cannot be read, or a writer fails.
    pub fn write(mut self, outputs: &mut [FormatWriter<'_>]) -> Result<AuditOutcome, SavedRowsError> {
        for output in &mut *outputs {
            output.head(&self.info).map_err(SavedRowsError::Write)?;
        }
        let formats: Vec<Format> = outputs.iter().map(|output| output.format).collect();
        let mut rows = RowWriter { outputs, encoder: RowEncoder::new(&formats), spare_texts: SpareTexts::default() };
        let (mut summary, mut last, mut line) = (Summary::default(), None, Vec::new());
        let stop = loop {
            line.clear();
            read_line(&mut self.input, &mut line).map_err(SavedRowsError::Read)?;
            self.line += 1;
            let is_whole = line.ends_with(b"\n");
            let Some(text) = std::str::from_utf8(&line).ok().map(|text| text.trim_end_matches('\n')) else {
                return Err(SavedRowsError::NotARow(self.line));
            };
            if let Some(parsed) = RowLine::parse(text) {
                let row = self.write_row(text, parsed, &mut summary, &mut rows)?;
                last = Some(row);
            } else if let Some(end) = SummaryLine::parse(text) {
                break end.finish(&mut summary);
            } else if ArchiveLine::is_archive_line(text) {
                rows.encoder.add_text(|format, out| format.reused_archive(text, out));
            } else if ComparisonLine::is_comparison_line(text) {
                // A row that was gone at the time of the audit.
            } else if !is_whole {
                break Some(Stop { after: last });
            } else {
                return Err(SavedRowsError::NotARow(self.line));
            }
        };
        rows.flush()?;
        if let Some(judge) = &self.judge {
            let unused = judge.exceptions.unused().filter(|_| stop.is_none());
            summary.set_unused_exceptions(unused.map(Into::into));
        }
        for output in rows.outputs {
            output.tail(&self.info, &summary, stop.as_ref()).map_err(SavedRowsError::Write)?;
        }
        Ok(AuditOutcome { info: self.info, summary, stop })
    }

    /// Writes a row, and returns its file.
    fn write_row(
        &self,
        text: &str,
        parsed: RowLine<'_>,
        summary: &mut Summary,
        rows: &mut RowWriter<'_, '_>,
    ) -> Result<OsString, SavedRowsError> {
        let not_a_row = || SavedRowsError::NotARow(self.line);
        let saved = self.judge.as_ref().map(|judge| judge.read(&parsed));
        let mut row = parsed.into_saved_row(self.line, text).ok_or_else(not_a_row)?;
        let judged_text;
        if let Some((judge, saved)) = self.judge.as_ref().zip(saved) {
            judge.judge(&mut row, &saved);
            if rows.outputs.iter().any(|output| output.format.saves_rows()) {
                judged_text = judge::with_verdict(text, &row).ok_or_else(not_a_row)?;
                row = row.with_saved_text(&judged_text);
            }
        }
        summary.add(&row);
        rows.add(&row)?;
        Ok(row.file.into_owned())
    }
}

impl std::fmt::Debug for SavedRows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SavedRows").field("info", &self.info).field("line", &self.line).finish_non_exhaustive()
    }
}

/// The start of the fingerprint of rows that were judged again.
const REJUDGED: &str = "rejudged:";

/// Maximum length of a line in bytes. Audits write shorter ones.
const MAX_LINE: u64 = 256 << 20;

/// Reads a line with its line feed.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    io::Read::take(&mut *input, MAX_LINE).read_until(b'\n', line)?;
    if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
        return Err(io::Error::other("a line is too long"));
    }
    Ok(())
}

/// Writes rows in several formats.
struct RowWriter<'o, 'w> {
    outputs: &'o mut [FormatWriter<'w>],
    encoder: RowEncoder,
    spare_texts: SpareTexts,
}

/// Length in bytes at which rows are written.
const WRITE_LEN: usize = 256 << 10;

impl RowWriter<'_, '_> {
    fn add(&mut self, row: &Row<'_>) -> Result<(), SavedRowsError> {
        self.encoder.add(row);
        if self.encoder.len() >= WRITE_LEN { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), SavedRowsError> {
        let rows = self.encoder.take(&self.spare_texts);
        write_encoded(&rows, self.outputs).map_err(SavedRowsError::Write)?;
        self.spare_texts.add(rows);
        Ok(())
    }
}

/// A row that the audit compared with an earlier report, and did not find.
#[derive(Deserialize)]
struct ComparisonLine<'l> {
    #[serde(borrow, rename = "change")]
    _change: Cow<'l, str>,
}

impl ComparisonLine<'_> {
    fn is_comparison_line(text: &str) -> bool {
        text.contains("\"change\":") && serde_json::from_str::<ComparisonLine<'_>>(text).is_ok()
    }
}

/// The parts of the last line that do not follow from the rows.
#[derive(Deserialize)]
struct SummaryLine<'l> {
    #[serde(borrow)]
    not_opened: NotOpenedLine<'l>,
    archives: u64,
    archive_bytes_read: u64,
    store_bytes: u64,
    not_wasm: u64,
    not_wasm_bytes_read: u64,
    #[serde(borrow, default)]
    unused_exceptions: Vec<ExceptionLine<'l>>,
    stopped: bool,
    #[serde(borrow)]
    after: Option<NameValue<'l>>,
}

#[derive(Deserialize)]
struct NotOpenedLine<'l> {
    #[serde(borrow)]
    formats: OrderedMembers<'l, u64>,
}

impl<'l> SummaryLine<'l> {
    fn parse(text: &'l str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Last<'l> {
            #[serde(borrow)]
            summary: SummaryLine<'l>,
        }
        Some(serde_json::from_str::<Last<'_>>(text).ok()?.summary)
    }

    /// Completes the summary of the rows, and returns where the audit was stopped.
    fn finish(self, summary: &mut Summary) -> Option<Stop> {
        for (format, files) in &self.not_opened.formats.0 {
            let of_rows = summary.not_opened().iter().find(|(name, _)| name == format).map_or(0, |(_, files)| *files);
            summary.add_not_opened(format, files.saturating_sub(of_rows));
        }
        summary.archives = self.archives;
        summary.set_unused_exceptions(self.unused_exceptions.iter().filter_map(ExceptionLine::to_unused));
        summary.archive_bytes_read = self.archive_bytes_read;
        summary.store_bytes = self.store_bytes;
        summary.not_wasm = self.not_wasm;
        summary.not_wasm_bytes_read = self.not_wasm_bytes_read;
        self.stopped.then(|| Stop { after: self.after.and_then(|name| name.to_os_name()).map(Cow::into_owned) })
    }
}
