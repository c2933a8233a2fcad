//! An earlier report, whose rows hold for what was not changed since.

mod line;

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use self::line::{ArchiveLine, Head, Key, Line};
use super::blob::{Place, State};
use super::{About, Row};
use crate::drive::ReadAt;

/// An earlier report in the form of [JSON lines](super::Form::Jsonl): what was not changed since keeps its rows, and is not read
/// again. The report may be cut off, as it is where its audit was.
///
/// It holds some 50 bytes for each row; the rows stay in the file.
#[derive(Debug)]
pub struct Earlier {
    file: File,
    head: Head,
    /// By the hash of a state, the lines that have it.
    spans: HashMap<u64, Span>,
}

/// Lines of the file that follow one another.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u64,
    end: u64,
}

/// Why an earlier report is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EarlierError {
    /// It cannot be read.
    #[error("the earlier report cannot be read")]
    Io(#[source] io::Error),
    /// Its first line is none of a report of JSON lines.
    #[error("it is no report of an audit in the form `jsonl`")]
    NoReport,
    /// Another version made it, which may have found other things.
    #[error("another version made the earlier report, {0}, and this is {now}", now = env!("CARGO_PKG_VERSION"))]
    OtherVersion(String),
    /// Its rows were judged by another policy, or on a day when other exceptions held, or archives were looked into less or more
    /// far.
    #[error(
        "the earlier report was judged by another policy, or before an exception of it expired, or looked into archives otherwise"
    )]
    OtherPolicy,
    /// Its digests were not computed, and this audit computes them.
    #[error("the earlier report was made without computing digests")]
    NotHashed,
}

impl Earlier {
    /// Opens a report, and learns which states it has rows of.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no such report.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EarlierError> {
        let file = File::open(path).map_err(EarlierError::Io)?;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut line = Vec::new();
        let mut at = 0;
        let mut head = None;
        let mut spans = HashMap::<u64, Span>::new();
        let mut last = None;
        loop {
            line.clear();
            let len = reader.read_until(b'\n', &mut line).map_err(EarlierError::Io)? as u64;
            if len == 0 || line.last() != Some(&b'\n') {
                break; // the last line may be cut off
            }
            let (start, end) = (at, at + len);
            at = end;
            if head.is_none() {
                head = Some(Head::parse(&line).ok_or(EarlierError::NoReport)?);
                continue;
            }
            let key = Key::state(&line).map(|state| hash(&state));
            if let Some(key) = key {
                // Lines of one state follow one another. Where they do not, those count that stand last.
                let span = spans.entry(key).or_insert(Span { start, end });
                *span = Span { start: if last == Some(key) { span.start } else { start }, end };
            }
            last = key;
        }
        let head = head.ok_or(EarlierError::NoReport)?;
        drop(reader);
        Ok(Self { file, head, spans })
    }

    /// Whether its rows are those that an audit would make that says this of itself.
    pub(super) fn check(&self, about: &About) -> Result<(), EarlierError> {
        if self.head.version != env!("CARGO_PKG_VERSION") {
            return Err(EarlierError::OtherVersion(self.head.version.clone()));
        }
        if self.head.fingerprint != about.fingerprint {
            return Err(EarlierError::OtherPolicy);
        }
        if about.hashed && !self.head.hashed {
            return Err(EarlierError::NotHashed);
        }
        Ok(())
    }

    /// The lines of what lies at a place, if it is in the state that it was in, is found under the same names, and was read; of an
    /// archive, if all of it was looked into, and they are few enough to be held.
    pub(super) fn lines(&self, place: &Place, state: &State) -> Option<Lines> {
        let span = self.spans.get(&hash(&state.0))?;
        let len = usize::try_from(span.end - span.start).ok().filter(|&len| len <= MOST)?;
        let mut text = vec![0; len];
        let mut filled = 0;
        while filled < text.len() {
            match self.file.read_at(&mut text[filled..], span.start + filled as u64) {
                Ok(0) | Err(_) => return None,
                Ok(read) => filled += read,
            }
        }
        let lines = Lines(String::from_utf8(text).ok()?);
        lines.hold(place, &state.0).then_some(lines)
    }
}

/// Bytes of lines that each thread may hold.
const MOST: usize = 32 << 20;

fn hash(state: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// Lines of an earlier report: one row of a file, or those of an archive's entries and the line that says where they end.
pub(super) struct Lines(String);

impl Lines {
    /// Whether they say all that there is to say of what lies at a place, in this state.
    fn hold(&self, place: &Place, state: &str) -> bool {
        let (rows, archive) = self.divided();
        let end = archive.map(ArchiveLine::parse);
        let is_whole = match &end {
            Some(Some(end)) => end.holds(place, state) && end.rows() == rows.lines().count() as u64,
            Some(None) => false,
            None => rows.lines().count() == 1,
        };
        is_whole
            && rows.lines().all(|text| Line::parse(text).is_some_and(|line| line.holds(place, state, end.is_some())))
    }

    /// The rows, and the line behind those of an archive.
    fn divided(&self) -> (&str, Option<&str>) {
        let start = self.0.trim_end_matches('\n').rfind('\n').map_or(0, |before| before + 1);
        let (rows, last) = self.0.split_at(start);
        if ArchiveLine::is_one(last) { (rows, Some(last)) } else { (&self.0, None) }
    }

    /// The rows that they are.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.divided().0.lines().filter_map(|text| Some(Line::parse(text)?.into_row(text)))
    }

    /// The line behind the rows of an archive's entries.
    pub(super) fn archive(&self) -> Option<&str> {
        self.divided().1
    }
}
