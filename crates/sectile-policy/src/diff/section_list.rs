//! Sections by item and name.

use std::collections::HashMap;

use sectile::digest::{Digest, Hasher};
use sectile::scan::{DataRequest, ItemPath, ItemStart, Section, Visitor};

use super::fact::Fact;
use super::{Aspect, FactValue};

/// The number and the size of the sections of each name, by item. A visitor that reads no data.
///
/// Sections that hold an item are not counted, but the sections of that item are.
#[derive(Clone, Debug, Default)]
pub struct SectionList {
    path: PathTracker,
    tallies: HashMap<(ItemPath, Box<str>), Tally>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    sections: u64,
    bytes: u64,
    digest: Option<Digest>,
}

/// Maximum number of names. Further custom sections are counted under their kind.
const MAX_NAMES: usize = 100_000;

impl SectionList {
    /// Adds the digests of the data of custom sections.
    pub fn add_digests(&mut self, hasher: SectionHasher<'_>) {
        for (key, hasher) in hasher.hashers {
            if let Some(tally) = self.tallies.get_mut(&key) {
                tally.digest = Some(hasher.finish());
            }
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let fact = |((path, name), tally): (&(ItemPath, Box<str>), &Tally)| {
            let Tally { sections, bytes, digest } = *tally;
            Fact::new(path, Aspect::Section, None, name, FactValue::Sections { sections, bytes, digest })
        };
        self.tallies.iter().map(fact).collect()
    }
}

impl Visitor<'_> for SectionList {
    fn enter(&mut self, item: &ItemStart<'_>) {
        self.path.enter(item);
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if !section.holds_item() {
            let has_own_name = section.is_custom() && self.tallies.len() < MAX_NAMES;
            let name = if has_own_name { section.name() } else { section.kind().name() };
            let tally = self.tallies.entry((self.path.0.clone(), name.into())).or_default();
            tally.sections += 1;
            tally.bytes += section.range().end - section.range().start;
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.leave();
    }
}

/// Hashes the data of custom sections, by item and name. A visitor that reads the data of these sections.
pub struct SectionHasher<'a> {
    path: PathTracker,
    selects: Box<Selects<'a>>,
    hashers: HashMap<(ItemPath, Box<str>), Hasher>,
    current: Option<(ItemPath, Box<str>)>,
    end: u64,
}

/// Whether the sections of an item with a name are hashed.
type Selects<'a> = dyn Fn(&ItemPath, &str) -> bool + 'a;

/// Bytes of data to request at a time.
const CHUNK_LEN: u64 = 128 << 10;

impl<'a> SectionHasher<'a> {
    /// Hashes the sections that a function selects by item and name.
    pub fn new(selects: impl Fn(&ItemPath, &str) -> bool + 'a) -> Self {
        Self {
            path: PathTracker::default(),
            selects: Box::new(selects),
            hashers: HashMap::new(),
            current: None,
            end: 0,
        }
    }

    fn next(&self, start: u64) -> DataRequest {
        if start < self.end { DataRequest::Bytes(start..self.end.min(start + CHUNK_LEN)) } else { DataRequest::Nothing }
    }
}

impl std::fmt::Debug for SectionHasher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SectionHasher").field("sections", &self.hashers.len()).finish_non_exhaustive()
    }
}

impl Visitor<'_> for SectionHasher<'_> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        self.path.enter(item);
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        let is_selected =
            section.is_custom() && self.hashers.len() < MAX_NAMES && (self.selects)(&self.path.0, section.name());
        if !is_selected {
            return DataRequest::Nothing;
        }
        let key = (self.path.0.clone(), section.name().into());
        let data = section.data();
        // The lengths separate the data of several sections.
        self.hashers.entry(key.clone()).or_default().update(&(data.end - data.start).to_le_bytes());
        self.current = Some(key);
        self.end = data.end;
        self.next(data.start)
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        if let Some(hasher) = self.current.as_ref().and_then(|key| self.hashers.get_mut(key)) {
            hasher.update(bytes);
        }
        self.next(start + bytes.len() as u64)
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.path.leave();
    }
}

/// The path of the item that a scan is in.
#[derive(Clone, Debug, Default)]
struct PathTracker(ItemPath);

impl PathTracker {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if item.parent().is_some() {
            self.0.push(item.index());
        }
    }

    fn leave(&mut self) {
        self.0.pop();
    }
}
