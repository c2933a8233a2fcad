//! The results in a summary.

use std::cmp::Reverse;

use super::advisories::AdvisoryCount;
use super::counts::{CodeCount, IncompleteBlob, KindCount, RankedSection, RowCount, UnusedException, WorstBlob};
use super::{SEPARATOR, Summary};
use crate::row::{Completeness, RowKind};
use sectile::{FindingCode, Severity};

/// The rows of binaries built with a tool or in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerCount<'s> {
    /// The producers field: `language`, `processed-by`, `sdk`.
    pub field: &'s str,
    /// The name of the tool or the language.
    pub name: &'s str,
    /// Number of rows that have it.
    pub rows: u64,
    /// Its versions and their numbers of rows, most rows first. A version may be empty.
    pub versions: Vec<(&'s str, u64)>,
}

impl Summary {
    /// The advisories that affect packages of the binaries, the most important first. At most 4,096 are kept.
    pub fn advisories(&self) -> impl Iterator<Item = &AdvisoryCount> {
        self.advisories.iter()
    }

    /// Number of rows with this completeness.
    pub fn rows_with(&self, completeness: Completeness) -> u64 {
        self.by_kind.iter().fold(0, |sum, of_kind| sum.saturating_add(of_kind.with(completeness)))
    }

    /// Number of rows that could not be read to their end, refused ones included.
    pub fn unread(&self) -> u64 {
        self.by_kind.iter().fold(0, |sum, of_kind| sum.saturating_add(of_kind.unread()))
    }

    /// Number of rows that are neither accepted nor refused.
    pub fn unjudged(&self) -> u64 {
        self.by_kind.iter().fold(0, |sum, of_kind| sum.saturating_add(of_kind.unjudged()))
    }

    /// The rows of one kind.
    pub fn rows_of(&self, kind: RowKind) -> RowCount {
        self.by_kind[kind as usize]
    }

    /// The formats that are not opened, with their numbers of files and archive entries, most first.
    pub fn not_opened(&self) -> Vec<(&str, u64)> {
        sorted_by_count(self.not_opened.kept(), |files| *files)
    }

    /// Bytes read from the store: from blobs, archives and other files. Bytes that were read again count once, so the
    /// number does not exceed the size of the store.
    pub fn store_bytes_read(&self) -> u64 {
        let read = self.bytes_read.saturating_add(self.archive_bytes_read).saturating_add(self.not_wasm_bytes_read);
        read.min(self.store_bytes)
    }

    /// The fraction of the store that was read; 0 for an empty store.
    pub fn fraction_read(&self) -> f64 {
        if self.store_bytes == 0 { 0.0 } else { self.store_bytes_read() as f64 / self.store_bytes as f64 }
    }

    /// The licenses of the root items as written, with their numbers of rows, most rows first.
    pub fn licenses(&self) -> Vec<(&str, u64)> {
        sorted_by_count(self.licenses.kept(), |rows| *rows)
    }

    /// The producers, most rows first.
    pub fn producers(&self) -> Vec<ProducerCount<'_>> {
        let versions = self.versions.kept();
        let producers = self.producers.kept().into_iter().filter_map(|(key, rows)| {
            let (field, name) = key.split_once(SEPARATOR)?;
            let begin = versions.partition_point(|(other, _)| *other < key);
            let versions = versions[begin..].iter().map_while(|(other, rows)| {
                let version = other.strip_prefix(key)?.strip_prefix(SEPARATOR)?;
                Some((version, *rows))
            });
            Some(ProducerCount { field, name, rows, versions: sorted_by_count(versions.collect(), |rows| *rows) })
        });
        let mut producers: Vec<_> = producers.collect();
        producers.sort_by_key(|producer| Reverse(producer.rows));
        producers
    }

    /// The exceptions of the policy that excuse nothing in any part; empty if a part was stopped before its end.
    pub fn unused_exceptions(&self) -> &[UnusedException] {
        self.unused_exceptions.as_deref().unwrap_or_default()
    }

    /// The kinds of sections, most bytes first.
    pub fn kinds(&self) -> Vec<(&str, KindCount)> {
        sorted_by_count(self.kinds.kept(), |kind| kind.bytes)
    }

    /// The codes that occur, worst severity first, then most rows first.
    pub fn codes(&self) -> Vec<(FindingCode, CodeCount)> {
        let counts = FindingCode::ALL.into_iter().zip(self.codes);
        let mut codes: Vec<_> = counts.filter(|(_, count)| count.rows > 0).collect();
        codes.sort_by_key(|(_, count)| Reverse((count.worst(), count.rows)));
        codes
    }

    /// Number of findings with this severity.
    pub fn findings(&self, severity: Severity) -> u64 {
        self.codes.iter().fold(0, |sum, count| sum.saturating_add(count.findings[severity as usize]))
    }

    /// The largest sections of different blobs, at most 20. Those of the same size are ordered by name.
    pub fn largest(&self) -> impl Iterator<Item = &RankedSection> {
        self.largest.iter()
    }

    /// The blobs with the worst refused findings, at most 20: the most severe first, then the most findings first, then by
    /// name.
    pub fn worst(&self) -> impl Iterator<Item = &WorstBlob> {
        self.worst.iter()
    }

    /// The first blobs by name that are not complete, at most 20.
    pub fn incomplete(&self) -> impl Iterator<Item = &IncompleteBlob> {
        self.incomplete.iter()
    }
}

/// Sorts by count, then by key.
fn sorted_by_count<V>(mut kept: Vec<(&str, V)>, counts: impl Fn(&V) -> u64) -> Vec<(&str, V)> {
    kept.sort_by_key(|(_, value)| Reverse(counts(value)));
    kept
}
