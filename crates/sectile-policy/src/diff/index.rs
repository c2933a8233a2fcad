//! The rows of a report by name.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU32, Ordering};

use sectile::drive::ReadAt;

use super::ReportRow;
use super::line::{LineHead, Roots};

/// A report as JSON lines, whose rows are found by name. It takes about 30 bytes of memory for each row; the rows stay in
/// the file.
pub struct ReportIndex {
    source: Box<dyn ReadAt + Send + Sync>,
    roots: Roots,
    fingerprint: Option<String>,
    is_complete: bool,
    /// The rows by the hashes of their names; rows with the same hash in the order of the file.
    entries: Vec<Entry>,
    /// For the first entry of each hash, the number of its entries that are taken.
    taken: Vec<AtomicU32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    start: u64,
    len: u32,
}

/// The reason why a report cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The report cannot be read.
    #[error("the report cannot be read")]
    Io(#[source] io::Error),
    /// The first line is not that of a report as JSON lines.
    #[error("not a report: expected the JSON lines of `sectile audit` or `sectile check`")]
    NotAReport,
    /// The report has another version of the schema.
    #[error("the report has schema {0}, and this version reads schema {now}; write the report again", now = sectile::internal::json::SCHEMA)]
    Schema(u32),
    /// A line is not a row.
    #[error("line {0} is not a row of a report")]
    NotARow(u64),
    /// A row has keys with unexpected values, or nests too deeply.
    #[error("the row at byte {0} of the report is malformed")]
    MalformedRow(u64),
}

/// Maximum length of a line in bytes. Reports have shorter ones.
const MAX_LINE: u64 = 256 << 20;

impl ReportIndex {
    /// Indexes the rows of a report: the output of `audit`, `check`, `show` or `digest` as JSON. The report may be
    /// truncated, as the output of a stopped audit is.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not such a report, or has another version of the schema.
    pub fn new(source: impl ReadAt + Send + Sync + 'static) -> Result<Self, ReportError> {
        let mut lines = Lines::new(&source);
        let mut entries = Vec::new();
        while let Some(RowPlace { name, start, len, .. }) = lines.next_row()? {
            entries.push(Entry { hash: hash(&name), start, len });
        }
        let Lines { roots, fingerprint, is_complete, .. } = lines;
        entries.sort_unstable_by_key(|entry| (entry.hash, entry.start));
        let taken = entries.iter().map(|_| AtomicU32::new(0)).collect();
        Ok(Self { source: Box::new(source), roots, fingerprint, is_complete, entries, taken })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the report has no rows.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the report is that of an audit that ran to its end.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The fingerprint of the policy of the audit that wrote the report.
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Takes the next row with this name, relative to the root of its report. Each row is taken once.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the row is malformed.
    pub(super) fn take(&self, name: &[u8]) -> Result<Option<ReportRow>, ReportError> {
        let hash = hash(name);
        let first = self.entries.partition_point(|entry| entry.hash < hash);
        let Some(taken) = self.taken.get(first) else { return Ok(None) };
        let nth = first + taken.fetch_add(1, Ordering::Relaxed) as usize;
        let row = match self.entries.get(nth).filter(|entry| entry.hash == hash) {
            Some(entry) => Some(self.read(entry)?).filter(|row| self.roots.relative(row.facts.file()) == name),
            None => None,
        };
        if row.is_none() {
            taken.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(row)
    }

    /// Takes the only row.
    pub(super) fn take_only(&self) -> Result<Option<ReportRow>, ReportError> {
        let [only] = &self.entries[..] else { return Ok(None) };
        self.taken[0].store(1, Ordering::Relaxed);
        self.read(only).map(Some)
    }

    /// The rows that were not taken, in the order of the report.
    pub(super) fn rest(&self) -> impl Iterator<Item = Result<ReportRow, ReportError>> {
        let mut rest = Vec::new();
        let groups = self.entries.chunk_by(|one, next| one.hash == next.hash);
        let mut first = 0;
        for group in groups {
            let taken = self.taken[first].load(Ordering::Relaxed) as usize;
            rest.extend(group.iter().skip(taken));
            first += group.len();
        }
        rest.sort_unstable_by_key(|entry: &&Entry| entry.start);
        rest.into_iter().map(|entry| self.read(entry))
    }

    fn read(&self, entry: &Entry) -> Result<ReportRow, ReportError> {
        let mut line = vec![0; entry.len as usize];
        let mut filled = 0;
        while filled < line.len() {
            match self.source.read_at(&mut line[filled..], entry.start + filled as u64) {
                Ok(0) => return Err(ReportError::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReportError::Io(error)),
            }
        }
        ReportRow::parse_line(&line).ok_or(ReportError::MalformedRow(entry.start))
    }
}

impl fmt::Debug for ReportIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportIndex").field("rows", &self.len()).finish_non_exhaustive()
    }
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Reads the lines of a report one by one.
pub(super) struct Lines<'s, S: ?Sized> {
    input: BufReader<SequentialReader<'s, S>>,
    line: Vec<u8>,
    number: u64,
    at: u64,
    pub(super) roots: Roots,
    pub(super) fingerprint: Option<String>,
    /// Whether the report is complete, once its last line was read.
    pub(super) is_complete: bool,
}

/// A row in a report.
pub(super) struct RowPlace {
    /// The name, relative to the root of the report.
    pub(super) name: Vec<u8>,
    start: u64,
    len: u32,
    /// The number of the line.
    pub(super) number: u64,
}

impl<'s, S: ReadAt + ?Sized> Lines<'s, S> {
    pub(super) fn new(source: &'s S) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER_LEN, SequentialReader { source, at: 0 }),
            line: Vec::new(),
            number: 0,
            at: 0,
            roots: Roots::default(),
            fingerprint: None,
            is_complete: true,
        }
    }

    /// The line of the last row.
    pub(super) fn text(&self) -> &[u8] {
        &self.line
    }

    /// The next row; `None` at the end.
    pub(super) fn next_row(&mut self) -> Result<Option<RowPlace>, ReportError> {
        loop {
            self.line.clear();
            let read = (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut self.line).map_err(ReportError::Io)?;
            if read == 0 {
                return if self.number == 0 { Err(ReportError::NotAReport) } else { Ok(None) };
            }
            self.number += 1;
            let is_whole = self.line.ends_with(b"\n");
            if !is_whole && read as u64 == MAX_LINE {
                return Err(ReportError::NotARow(self.number));
            }
            let (start, len) = (self.at, read as u32); // bounded by MAX_LINE
            self.at += read as u64;
            let head = match LineHead::parse(&self.line, self.number) {
                // The last line of a stopped audit may be truncated.
                Err(_) if !is_whole && self.number > 1 => {
                    self.is_complete = false;
                    return Ok(None);
                }
                head => head?,
            };
            if let Some(audit) = &head.audit {
                self.roots = audit.roots();
                self.fingerprint = Some(audit.fingerprint.to_string());
                self.is_complete = false; // until its summary
            } else if let Some(summary) = &head.summary {
                self.is_complete = !summary.stopped;
            } else if let Some(file) = &head.file {
                let file = file.to_os_name().ok_or(ReportError::NotARow(self.number))?;
                let name = self.roots.relative(&file).to_vec();
                return Ok(Some(RowPlace { name, start, len, number: self.number }));
            }
        }
    }
}

/// Bytes to read at a time.
const BUFFER_LEN: usize = 256 << 10;

/// Reads a source from its start to its end.
struct SequentialReader<'s, S: ?Sized> {
    source: &'s S,
    at: u64,
}

impl<S: ReadAt + ?Sized> Read for SequentialReader<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
