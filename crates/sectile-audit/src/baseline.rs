//! An earlier report, whose rows are reused for files that have not changed.

pub(super) mod advisory_line;
pub(super) mod line;
pub(super) mod reading_line;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use self::line::{ArchiveLine, HeaderError, HeaderLine, RowLine, StateKey};
use super::blob::{BlobLocation, FileState};
use super::{AuditInfo, Row};
use sectile::drive::ReadAt;
use sectile::internal::{Link, open, untrusted_reason};

/// An earlier report as [JSON lines](super::Format::Jsonl), or with the feature `parquet` as Parquet. Files that have not changed since keep its rows and are not
/// read again.
///
/// The report may be truncated, as the output of a stopped audit is. It takes about 50 bytes of memory for each row;
/// the rows stay in the file.
#[derive(Debug)]
pub struct Baseline {
    file: File,
    header: HeaderLine,
    /// The lines of each file state, by the hash of the state.
    spans: HashMap<u64, LineSpan>,
}

/// A range of consecutive lines in the report.
#[derive(Clone, Copy, Debug)]
struct LineSpan {
    start: u64,
    end: u64,
}

/// The reason why an earlier report cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// The report cannot be read.
    #[error("the earlier report cannot be read")]
    Io(#[source] io::Error),
    /// Another user may have written the report.
    #[error("the earlier report is not trusted: {0}")]
    Untrusted(&'static str),
    /// The first line is not that of a report as JSON lines.
    #[error("not the output of an audit in the format `jsonl`")]
    NotAReport,
    /// The report has another version of the schema.
    #[error("the earlier report has schema {0}, and this version reads schema {now}", now = sectile::internal::json::SCHEMA)]
    OtherSchema(u32),
    /// The report is a Parquet file without usable rows.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Parquet(#[from] crate::ParquetReportError),
    /// Another version made it, which may have other findings.
    #[error("the earlier report is from version {0}, not {now}", now = env!("CARGO_PKG_VERSION"))]
    OtherVersion(String),
    /// The rows were judged by another policy, on a day with other valid exceptions, or with other limits on archives.
    #[error("the earlier report had another policy or other archive limits, or an exception has expired since")]
    OtherPolicy,
    /// The report has no computed digests, and this audit computes them.
    #[error("the earlier report was made without computing digests")]
    NotHashed,
}

impl From<HeaderError> for BaselineError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::NotAReport => Self::NotAReport,
            HeaderError::Schema(schema) => Self::OtherSchema(schema),
        }
    }
}

impl Baseline {
    /// Opens a report and indexes the file states in it.
    ///
    /// Its rows become rows of the new report, so the file must be trusted. It must belong to the caller or to root,
    /// and neither its group nor others may write to it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or trusted, or is not such a report.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BaselineError> {
        let file = open_file(path.as_ref())?;
        check_trusted(&file)?;
        Self::index(file)
    }

    /// Opens a report like [`open`](Self::open), without checking its owner and its mode.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or is not such a report.
    pub fn open_trusted(path: impl AsRef<Path>) -> Result<Self, BaselineError> {
        Self::index(open_file(path.as_ref())?)
    }

    fn index(file: File) -> Result<Self, BaselineError> {
        #[cfg(feature = "parquet")]
        let file = crate::saved_lines::open_lines(file)?;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut line = Vec::new();
        let mut at = 0;
        let mut header = None;
        let mut spans = HashMap::<u64, LineSpan>::new();
        let mut last = None;
        loop {
            line.clear();
            let len = reader.read_until(b'\n', &mut line).map_err(BaselineError::Io)? as u64;
            if len == 0 || line.last() != Some(&b'\n') {
                break; // the last line may be truncated
            }
            let (start, end) = (at, at + len);
            at = end;
            if header.is_none() {
                header = Some(HeaderLine::parse(&line)?);
                continue;
            }
            let key = StateKey::state(&line).map(|state| hash(&state));
            if let Some(key) = key {
                // Lines of one state are consecutive in a sound report. Otherwise the last group counts.
                let span = spans.entry(key).or_insert(LineSpan { start, end });
                *span = LineSpan { start: if last == Some(key) { span.start } else { start }, end };
            }
            last = key;
        }
        let header = header.ok_or(BaselineError::NotAReport)?;
        drop(reader);
        Ok(Self { file, header, spans })
    }

    /// Checks that an audit with these settings would produce the same rows.
    pub(super) fn check(&self, info: &AuditInfo) -> Result<(), BaselineError> {
        if self.header.version != env!("CARGO_PKG_VERSION") {
            return Err(BaselineError::OtherVersion(self.header.version.clone()));
        }
        if self.header.info.fingerprint != info.fingerprint {
            return Err(BaselineError::OtherPolicy);
        }
        if info.hashed && !self.header.info.hashed {
            return Err(BaselineError::NotHashed);
        }
        Ok(())
    }

    /// Returns the lines of a file if its state and names are the same and it was read.
    ///
    /// For an archive, all entries must have been inspected, and the lines must not exceed [`MAX_BYTES`].
    pub(super) fn rows_of(&self, location: &BlobLocation, state: &FileState) -> Option<BaselineRows> {
        let span = self.spans.get(&hash(&state.0)).filter(|_| state.is_settled())?;
        let len = usize::try_from(span.end - span.start).ok().filter(|&len| len <= MAX_BYTES)?;
        let mut text = vec![0; len];
        let mut filled = 0;
        while filled < text.len() {
            match self.file.read_at(&mut text[filled..], span.start + filled as u64) {
                Ok(0) | Err(_) => return None,
                Ok(read) => filled += read,
            }
        }
        let rows = BaselineRows(String::from_utf8(text).ok()?);
        rows.matches(location, &state.0).then_some(rows)
    }
}

/// Opens a report, which must be a regular file, and does not wait for the other end of a FIFO.
fn open_file(path: &Path) -> Result<File, BaselineError> {
    let file = open(path, OpenOptions::new().read(true), Link::Followed).map_err(BaselineError::Io)?;
    if file.metadata().map_err(BaselineError::Io)?.is_file() { Ok(file) } else { Err(BaselineError::NotAReport) }
}

/// Rejects a report that another user may have written. The rules are those for journals.
fn check_trusted(file: &File) -> Result<(), BaselineError> {
    untrusted_reason(file).map_err(BaselineError::Io)?.map_or(Ok(()), |reason| Err(BaselineError::Untrusted(reason)))
}

/// Maximum length of the lines that a thread holds in memory.
const MAX_BYTES: usize = 32 << 20;

fn hash(state: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// Lines of an earlier report: the row of a file, or the rows of an archive's entries and the line that ends them.
pub(super) struct BaselineRows(String);

/// The line that ends the rows of an archive.
pub(super) struct ReusedArchive<'l> {
    pub(super) text: &'l str,
    /// Number of files in the archive that are not WebAssembly.
    pub(super) not_wasm: u64,
}

impl BaselineRows {
    /// Whether these are all lines for the location in this state.
    fn matches(&self, location: &BlobLocation, state: &str) -> bool {
        let (rows, archive) = self.split_archive_line();
        let end = archive.map(ArchiveLine::parse);
        let is_whole = match &end {
            Some(Some(end)) => end.matches(location, state) && end.rows() == rows.lines().count() as u64,
            Some(None) => false,
            None => rows.lines().count() == 1,
        };
        is_whole
            && rows
                .lines()
                .all(|text| RowLine::parse(text).is_some_and(|line| line.matches(location, state, end.is_some())))
    }

    /// Splits off the line that ends the rows of an archive.
    fn split_archive_line(&self) -> (&str, Option<&str>) {
        let start = self.0.trim_end_matches('\n').rfind('\n').map_or(0, |before| before + 1);
        let (rows, last) = self.0.split_at(start);
        if ArchiveLine::is_archive_line(last) { (rows, Some(last)) } else { (&self.0, None) }
    }

    /// The rows in these lines.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.split_archive_line().0.lines().filter_map(|text| Some(RowLine::parse(text)?.into_row(text)))
    }

    /// The line that ends the rows of an archive.
    pub(super) fn archive(&self) -> Option<ReusedArchive<'_>> {
        let text = self.split_archive_line().1?;
        Some(ReusedArchive { text, not_wasm: ArchiveLine::parse(text)?.not_wasm() })
    }
}
