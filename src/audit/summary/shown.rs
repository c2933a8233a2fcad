//! What a summary shows.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ffi::OsString;

use super::bounded::Tally;
use super::{BETWEEN, Summary};
use crate::audit::row::{Ended, Largest, Row};
use crate::finding::{Code, Severity};

/// What was made with a tool, or in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerCount<'s> {
    /// The field of the producers: `language`, `processed-by`, `sdk`.
    pub field: &'s str,
    /// What it is called.
    pub name: &'s str,
    /// Rows that have it.
    pub rows: u64,
    /// Its versions, each with the rows that have it; those with most rows first. The version may be empty.
    pub versions: Vec<(&'s str, u64)>,
}

/// The sections of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KindCount {
    /// How many there are.
    pub sections: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Rows that have some.
    pub rows: u64,
}

/// The findings of one code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeCount {
    /// Rows that have some.
    pub rows: u64,
    /// Rows where some are refused.
    pub refused: u64,
    /// How many there are, of each severity as they were judged: notes, warnings, errors.
    pub findings: [u64; Severity::ALL.len()],
}

/// One of the largest sections: of each blob, the largest one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LargestSection {
    /// The row's number.
    pub nth: u64,
    /// The row's file.
    pub file: OsString,
    /// What its id means.
    pub kind: String,
    /// A custom section's name.
    pub name: Option<String>,
    /// Its bytes, header included.
    pub bytes: u64,
    /// The blob's bytes, if they are known.
    pub size: Option<u64>,
}

/// One of the blobs that the policy has most against.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorstBlob {
    /// The row's number.
    pub nth: u64,
    /// The row's file.
    pub file: OsString,
    /// The severity of the worst finding that is refused.
    pub severity: Severity,
    /// How many findings are refused.
    pub refused: u64,
    /// What the first of them is.
    pub code: Code,
    /// Its message. It may quote the input.
    pub message: String,
}

/// A blob that was not read to its end, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenBlob {
    /// The row's number.
    pub nth: u64,
    /// The row's file.
    pub file: OsString,
    /// How far it was read.
    pub ended: Ended,
    /// Why. It may quote the input.
    pub message: String,
    /// The absolute byte offset where it is.
    pub offset: Option<u64>,
}

impl Tally for KindCount {
    fn merge(&mut self, other: Self) {
        self.sections = self.sections.saturating_add(other.sections);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.rows += other.rows;
    }
}

impl CodeCount {
    pub(super) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.refused += other.refused;
        self.findings.iter_mut().zip(other.findings).for_each(|(own, other)| *own = own.saturating_add(other));
    }

    /// The worst severity that one was judged to have.
    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL.into_iter().rev().find(|severity| self.findings[*severity as usize] > 0)
    }

    /// How many there are, of all severities.
    pub fn all(&self) -> u64 {
        self.findings.iter().fold(0, |sum, number| sum.saturating_add(*number))
    }
}

impl LargestSection {
    pub(super) fn of(row: &Row<'_>, largest: &Largest<'_>) -> Self {
        let Largest { kind, name, bytes } = largest;
        Self {
            nth: row.nth,
            file: row.file.clone().into_owned(),
            kind: kind.clone().into_owned(),
            name: name.clone().map(Cow::into_owned),
            bytes: *bytes,
            size: row.size,
        }
    }
}

impl WorstBlob {
    pub(super) fn of(row: &Row<'_>, severity: Severity, refused: u64) -> Self {
        let first = row.judged.iter().find(|judged| judged.refused).map(|judged| &*judged.finding);
        Self {
            nth: row.nth,
            file: row.file.clone().into_owned(),
            severity,
            refused,
            code: first.map_or(Code::NotJudged, |finding| finding.code),
            message: first.map(|finding| finding.message.clone().into_owned()).unwrap_or_default(),
        }
    }
}

impl BrokenBlob {
    pub(super) fn of(row: &Row<'_>) -> Self {
        let said = row.reason.as_ref().map(|reason| (reason.message.clone().into_owned(), reason.offset));
        let (message, offset) = said.unwrap_or_default();
        Self { nth: row.nth, file: row.file.clone().into_owned(), ended: row.ended, message, offset }
    }
}

impl Summary {
    /// Rows that were read as far as this.
    pub fn ended(&self, ended: Ended) -> u64 {
        self.ended[ended as usize]
    }

    /// Bytes that were read of the store in all: of blobs, of archives, and of what is something else.
    pub fn store_bytes_read(&self) -> u64 {
        self.bytes_read.saturating_add(self.archives_bytes).saturating_add(self.passed_bytes)
    }

    /// Which share of the store's bytes was read; 0 where there are none. It is a little more than 1 where all of an archive's
    /// entries are hashed: each one's first page is read before, to tell what it is, and that is counted, too.
    pub fn share_read(&self) -> f64 {
        if self.store_bytes == 0 { 0.0 } else { self.store_bytes_read() as f64 / self.store_bytes as f64 }
    }

    /// The licences as they are written, each with the rows whose root says so; those with most rows first.
    pub fn licenses(&self) -> Vec<(&str, u64)> {
        most_first(self.licenses.kept(), |rows| *rows)
    }

    /// What made the binaries; those in most rows first, within a field or across.
    pub fn producers(&self) -> Vec<ProducerCount<'_>> {
        let versions = self.versions.kept();
        let producers = self.producers.kept().into_iter().filter_map(|(key, rows)| {
            let (field, name) = key.split_once(BETWEEN)?;
            let begin = versions.partition_point(|(other, _)| *other < key);
            let versions = versions[begin..].iter().map_while(|(other, rows)| {
                let version = other.strip_prefix(key)?.strip_prefix(BETWEEN)?;
                Some((version, *rows))
            });
            Some(ProducerCount { field, name, rows, versions: most_first(versions.collect(), |rows| *rows) })
        });
        let mut producers: Vec<_> = producers.collect();
        producers.sort_by_key(|producer| Reverse(producer.rows));
        producers
    }

    /// The kinds of sections, those with most bytes first.
    pub fn kinds(&self) -> Vec<(&str, KindCount)> {
        most_first(self.kinds.kept(), |kind| kind.bytes)
    }

    /// The codes of findings that there are: the worst first, and of these those in most rows.
    pub fn codes(&self) -> Vec<(Code, CodeCount)> {
        let counts = Code::ALL.into_iter().zip(self.codes);
        let mut codes: Vec<_> = counts.filter(|(_, count)| count.rows > 0).collect();
        codes.sort_by_key(|(_, count)| Reverse((count.worst(), count.rows)));
        codes
    }

    /// How many findings were judged to be as bad as this.
    pub fn findings(&self, severity: Severity) -> u64 {
        self.codes.iter().fold(0, |sum, count| sum.saturating_add(count.findings[severity as usize]))
    }

    /// The largest sections, each of another blob: 20 at the most.
    pub fn largest(&self) -> impl Iterator<Item = &LargestSection> {
        self.largest.iter()
    }

    /// What the policy has most against: 20 blobs at the most, the most severe first, then those with most refused findings.
    pub fn worst(&self) -> impl Iterator<Item = &WorstBlob> {
        self.worst.iter()
    }

    /// What was not read to its end, or not at all: the first 20, in the order of the rows.
    pub fn broken(&self) -> impl Iterator<Item = &BrokenBlob> {
        self.broken.iter()
    }
}

/// By what counts, then by the key.
fn most_first<V>(mut kept: Vec<(&str, V)>, counts: impl Fn(&V) -> u64) -> Vec<(&str, V)> {
    kept.sort_by_key(|(_, value)| Reverse(counts(value)));
    kept
}
