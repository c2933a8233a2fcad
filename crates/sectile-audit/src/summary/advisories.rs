//! The advisories that affect packages of the binaries, with the binaries.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::top::TopList;
use crate::Row;
use sectile_advisories::{AdvisoryClass, AdvisoryMatch, Affected, Rating};
use sectile_policy::JudgedFinding;

/// Maximum number of advisories that are kept, the most important first.
const MAX_ADVISORIES: usize = 4_096;
/// Maximum number of versions of a package that are kept.
const MAX_VERSIONS: usize = 32;

/// The rows of binaries with a package that an advisory affects.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AdvisoryCount {
    /// The advisory and the package.
    pub affected: Arc<Affected>,
    /// The affected versions of the package, at most 32.
    pub versions: BTreeSet<Box<str>>,
    /// Number of rows.
    pub rows: u64,
    /// Number of rows that it refuses.
    pub refused: u64,
    /// Number of rows in which an exception excuses it.
    pub excepted: u64,
    files: TopList<Reverse<u64>, (u64, OsString)>,
}

impl AdvisoryCount {
    fn new(found: &AdvisoryMatch) -> Self {
        let (affected, versions) = (Arc::clone(&found.affected), BTreeSet::new());
        Self { affected, versions, rows: 0, refused: 0, excepted: 0, files: TopList::default() }
    }

    /// The first files, at most 20: the order of the row, and its name.
    pub fn files(&self) -> impl Iterator<Item = (u64, &OsStr)> {
        self.files.iter().map(|(nth, file)| (*nth, &**file))
    }

    fn add_version(&mut self, version: Box<str>) {
        self.versions.insert(version);
        if self.versions.len() > MAX_VERSIONS {
            self.versions.pop_last();
        }
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.refused += other.refused;
        self.excepted += other.excepted;
        for version in other.versions {
            self.add_version(version);
        }
        self.files.merge(other.files);
    }
}

/// The importance of an advisory, its identifier, and the package.
type Key = (Reverse<(AdvisoryClass, Rating)>, Box<str>, Box<str>);

/// Counts by advisory and package, in bounded memory. The kept ones are exact in any order of additions and merges.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AdvisoryCounts(BTreeMap<Key, AdvisoryCount>);

impl AdvisoryCounts {
    /// Adds the advisories of a row. Each counts once, even if several items have the package.
    pub(super) fn add(&mut self, row: &Row<'_>) {
        let mut of_row: BTreeMap<Key, AdvisoryCount> = BTreeMap::new();
        let found = |judged: &JudgedFinding<'_>| judged.advisory().cloned();
        for (judged, found) in row.findings.iter().filter_map(|judged| Some((judged, found(judged)?))) {
            let advisory = found.advisory();
            let key = (Reverse(advisory.weight()), advisory.id.clone(), found.affected.package().into());
            let count = of_row.entry(key).or_insert_with(|| AdvisoryCount::new(&found));
            count.rows = 1;
            count.refused |= u64::from(judged.is_refused());
            count.excepted |= u64::from(judged.exception().is_some());
            count.add_version(found.version);
        }
        for (key, mut count) in of_row {
            count.files.add(Reverse(row.nth), || (row.nth, row.file.clone().into_owned()));
            self.insert(key, count);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (key, count) in other.0 {
            self.insert(key, count);
        }
    }

    /// The counts, the most important advisory first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &AdvisoryCount> {
        self.0.values()
    }

    fn insert(&mut self, key: Key, count: AdvisoryCount) {
        match self.0.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().merge(count),
            Entry::Vacant(place) => _ = place.insert(count),
        }
        if self.0.len() > MAX_ADVISORIES {
            self.0.pop_last();
        }
    }
}
