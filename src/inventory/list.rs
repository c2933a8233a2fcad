//! The inventory: the packages of all items, with repetitions folded.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use smallvec::SmallVec;

use super::go::GoBuild;
use super::package::{FoundPackage, Package};
use crate::finding::{FindingCode, Findings};
use crate::scan::ItemPath;

/// The packages that the data of a binary names.
///
/// Each package of each item occurs once, in the order of its first evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    pub(super) packages: Vec<Package>,
    pub(super) go_builds: Vec<GoBuild>,
    pub(super) findings: Findings,
    pub(super) bytes_searched: u64,
}

impl Inventory {
    /// The packages that were found, in the order of their first evidence.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The packages that the data of one item names, by the number of the item.
    pub fn packages_in(&self, item: usize) -> &[Package] {
        // Modules hold no items, so the data of an item is read in one run.
        let start = self.packages.partition_point(|package| package.item < item);
        let end = self.packages.partition_point(|package| package.item <= item);
        &self.packages[start..end]
    }

    /// The build information of Go programs, in the order of the binary.
    pub fn go_builds(&self) -> &[GoBuild] {
        &self.go_builds
    }

    /// Findings about data that cannot be decoded, about limits, and about differences from declared
    /// lists.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Number of bytes of data sections that were searched.
    pub fn bytes_searched(&self) -> u64 {
        self.bytes_searched
    }

    /// An inventory from a saved report, without findings.
    pub(crate) fn rebuilt(packages: Vec<Package>) -> Self {
        Self { packages, go_builds: Vec::new(), findings: Findings::with_limit(0), bytes_searched: 0 }
    }

    pub(crate) fn find_in_root(&mut self, code: FindingCode, message: &'static str) {
        self.findings.add(code, 0, 0, None, || (ItemPath::root(), message.into()));
    }
}

/// Collects packages, and folds repetitions.
#[derive(Debug)]
pub(super) struct PackageList {
    packages: Vec<Package>,
    /// Indexes of the packages by hash.
    indexes: HashMap<u64, SmallVec<[u32; 2]>>,
    hasher: RandomState,
    /// Index of the last package with each fingerprint. Evidence often repeats, and a hash takes
    /// longer than a comparison.
    recent: [u32; RECENT],
    /// Approximate bytes of the packages.
    retained: usize,
    /// Number of packages that were not kept.
    left_out: u64,
}

/// Number of fingerprints.
const RECENT: usize = 256;

/// Maximum of the approximate bytes of all packages.
const MAX_RETAINED: usize = 4 << 20;

/// Longest name, version or checksum.
pub(super) const MAX_TEXT: usize = 512;

impl PackageList {
    pub(super) fn new() -> Self {
        Self {
            packages: Vec::new(),
            indexes: HashMap::new(),
            hasher: RandomState::new(),
            recent: [0; RECENT],
            retained: 0,
            left_out: 0,
        }
    }

    /// Adds a package of an item, or counts a repetition. Returns the package if it is new and
    /// within the limit.
    pub(super) fn add(
        &mut self,
        found: &FoundPackage<'_>,
        item: usize,
        path: &ItemPath,
        offset: u64,
    ) -> Option<&mut Package> {
        let is_same = |index: u32| {
            let package = self.packages.get(index as usize);
            package.is_some_and(|package| package.item == item && found.is(package))
        };
        let fingerprint = fingerprint(found);
        let recent = self.recent[fingerprint];
        let index = if is_same(recent) {
            recent
        } else {
            let hash = self.hash(found, item);
            let indexes = self.indexes.get(&hash).into_iter().flatten();
            let Some(index) = indexes.copied().find(|index| is_same(*index)) else {
                self.recent[fingerprint] = self.packages.len() as u32;
                return self.insert(hash, found, item, path, offset);
            };
            self.recent[fingerprint] = index;
            index
        };
        self.packages[index as usize].count += 1;
        None
    }

    /// The hash of the parts that differ most.
    fn hash(&self, found: &FoundPackage<'_>, item: usize) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_usize(item);
        hasher.write(found.name.as_bytes());
        hasher.write(found.version.as_bytes());
        hasher.finish()
    }

    fn insert(
        &mut self,
        hash: u64,
        found: &FoundPackage<'_>,
        item: usize,
        path: &ItemPath,
        offset: u64,
    ) -> Option<&mut Package> {
        let texts = found.name.len() + found.version.len() + size_of_val(path.indexes());
        let size = size_of::<Package>() + size_of::<(u64, SmallVec<[u32; 2]>)>() + texts;
        if self.retained + size > MAX_RETAINED || found.name.len().max(found.version.len()) > MAX_TEXT {
            self.left_out += 1;
            return None;
        }
        self.retained += size;
        self.indexes.entry(hash).or_default().push(self.packages.len() as u32);
        self.packages.push(Package {
            name: found.name.to_owned(),
            version: found.version.to_owned(),
            ecosystem: found.ecosystem,
            source: found.source.to_owned(),
            evidence: found.evidence,
            confidence: found.confidence,
            item,
            path: path.clone(),
            offset,
            count: 1,
            checksum: None,
            replaces: None,
        });
        self.packages.last_mut()
    }

    /// The packages so far.
    pub(super) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Number of places that name packages that were not kept.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Returns the packages, and the number of those that were not kept.
    pub(super) fn finish(self) -> (Vec<Package>, u64) {
        (self.packages, self.left_out)
    }
}

/// An index of [`PackageList::recent`], from bytes in which packages of one binary often differ.
fn fingerprint(found: &FoundPackage<'_>) -> usize {
    let (name, version) = (found.name.as_bytes(), found.version.as_bytes());
    let byte = |text: &[u8], at: usize| usize::from(*text.get(at).unwrap_or(&0));
    let ends = byte(name, 0) + 5 * byte(name, name.len() / 2) + 23 * byte(name, name.len().wrapping_sub(1));
    (ends + 101 * name.len() + 57 * byte(version, version.len().wrapping_sub(1))) % RECENT
}
