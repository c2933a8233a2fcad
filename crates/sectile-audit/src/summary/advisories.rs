//! The advisories that affect packages of the binaries, with the binaries.

use std::cmp::{Ordering, Reverse};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::top::{Ranked, TopList};
use crate::Row;
use sectile_advisories::{AdvisoryClass, Affected, Rating};
use sectile_policy::JudgedFinding;

/// Maximum number of advisories that are kept, the most important first.
const MAX_ADVISORIES: usize = 4_096;
/// Maximum number of versions of a package that are kept.
const MAX_VERSIONS: usize = 32;

/// The rows of binaries with a package that an advisory affects.
#[derive(Clone, Debug)]
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
    pub(super) files: TopList<(), AffectedFile>,
}

/// A binary with an affected package.
#[derive(Clone, Debug)]
pub(super) struct AffectedFile {
    pub(super) nth: u64,
    pub(super) file: OsString,
}

impl Ranked for AffectedFile {
    fn file(&self) -> &OsStr {
        &self.file
    }

    fn order(&self, other: &Self) -> Ordering {
        self.file.cmp(&other.file)
    }
}

/// Compares the saved parts of an advisory. A summary from JSON does not have its affected versions.
impl PartialEq for AdvisoryCount {
    fn eq(&self, other: &Self) -> bool {
        let key = |one: &Self| (one.rows, one.refused, one.excepted, one.affected.ecosystem());
        key(self) == key(other)
            && self.affected.advisory() == other.affected.advisory()
            && self.affected.package() == other.affected.package()
            && self.affected.scope() == other.affected.scope()
            && self.versions == other.versions
            && self.files == other.files
    }
}

impl AdvisoryCount {
    pub(super) fn new(affected: Arc<Affected>) -> Self {
        let versions = BTreeSet::new();
        Self { affected, versions, rows: 0, refused: 0, excepted: 0, files: TopList::default() }
    }

    /// The first files by name, at most 20: the order of the row in its audit, and its name.
    pub fn files(&self) -> impl Iterator<Item = (u64, &OsStr)> {
        self.files.iter().map(|AffectedFile { nth, file }| (*nth, &**file))
    }

    pub(super) fn add_version(&mut self, version: Box<str>) {
        self.versions.insert(version);
        if self.versions.len() > MAX_VERSIONS {
            self.versions.pop_last();
        }
    }

    fn merge(&mut self, other: Self) {
        let own = [&mut self.rows, &mut self.refused, &mut self.excepted];
        let others = [other.rows, other.refused, other.excepted];
        own.into_iter().zip(others).for_each(|(own, other)| *own = own.saturating_add(other));
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
            let key = key(&found.affected);
            let count = of_row.entry(key).or_insert_with(|| AdvisoryCount::new(Arc::clone(&found.affected)));
            count.rows = 1;
            count.refused |= u64::from(judged.is_refused());
            count.excepted |= u64::from(judged.exception().is_some());
            count.add_version(found.version);
        }
        for (key, mut count) in of_row {
            let file = || AffectedFile { nth: row.nth, file: row.file.clone().into_owned() };
            count.files.add((), &row.file, file);
            self.insert(key, count);
        }
    }

    pub(super) fn add_count(&mut self, count: AdvisoryCount) {
        self.insert(key(&count.affected), count);
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

fn key(affected: &Affected) -> Key {
    let advisory = affected.advisory();
    (Reverse(advisory.weight()), advisory.id.clone(), affected.package().into())
}
