//! Number and total size of an item's sections by kind.

use smallvec::SmallVec;

use super::convention::{self, RowNumber, SectionPurpose};
use crate::scan::{ItemKind, Section, SectionKind};

/// Number and total size of the sections of one kind in an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionSize {
    name: &'static str,
    purpose: Option<SectionPurpose>,
    sections: u64,
    bytes: u64,
}

impl SectionSize {
    /// Name of the [`SectionKind`], or the name of known custom sections.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Purpose of custom sections that a convention defines; `None` for others.
    pub fn purpose(&self) -> Option<SectionPurpose> {
        self.purpose
    }

    /// Number of sections.
    pub fn sections(&self) -> u64 {
        self.sections
    }

    /// Total length in bytes, headers included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Tallies of an item's sections. Indexed by section id; only the few tallies of known custom
/// sections are searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SectionSizes {
    /// By id. Index 0 counts the unknown custom sections, the last one the unknown ids.
    ids: [Tally; IDS],
    known: SmallVec<[KnownTally; 4]>,
    /// Rank of each id by first occurrence.
    ranks: [u8; IDS],
    /// Number of kinds seen.
    kinds: u8,
}

const IDS: usize = 16;
const UNKNOWN: u8 = IDS as u8 - 1;

const _: () = assert!(IDS + RowNumber::ROWS as usize <= u8::MAX as usize, "a rank has 8 bits");

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    bytes: u64,
    sections: u64,
}

/// Tally of the known custom sections of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KnownTally {
    /// Row number.
    number: u8,
    rank: u8,
    tally: Tally,
}

impl Tally {
    #[inline]
    fn add(&mut self, section: &Section<'_>) {
        let range = section.range();
        self.bytes += range.end - range.start; // cannot overflow: at most the input's length
        self.sections += 1;
    }
}

impl SectionSizes {
    /// Adds a section other than a known custom section.
    #[inline]
    pub(crate) fn add(&mut self, section: &Section<'_>) {
        let id = if section.is_unknown() { UNKNOWN } else { section.id };
        let id = usize::from(id) % IDS; // no-op that removes the bounds check
        if self.ids[id].sections == 0 {
            self.ranks[id] = self.kinds;
            self.kinds += 1;
        }
        self.ids[id].add(section);
    }

    /// Adds a custom section that matches the row with this number.
    pub(crate) fn add_known(&mut self, section: &Section<'_>, number: u8) {
        self.known_tally(number).add(section);
    }

    /// Adds an empty custom section with a known name.
    #[cfg(feature = "json")]
    pub(crate) fn add_empty(&mut self, name: &str) {
        if let Some(number) = convention::lookup(name.as_bytes()).number() {
            self.known_tally(number).sections += 1;
        }
    }

    /// Returns the tally of the row with this number.
    #[inline]
    fn known_tally(&mut self, number: u8) -> &mut Tally {
        let at = self.known.iter().position(|row| row.number == number).unwrap_or_else(|| {
            self.known.push(KnownTally { number, rank: self.kinds, tally: Tally::default() });
            self.kinds += 1;
            self.known.len() - 1
        });
        &mut self.known[at].tally
    }

    /// Number of sections with this name; 0 for unknown names.
    pub(crate) fn sections_of(&self, name: &str) -> u64 {
        let number = convention::lookup(name.as_bytes()).number();
        self.known.iter().find(|row| Some(row.number) == number).map_or(0, |row| row.tally.sections)
    }

    /// Whether there are sections other than those that must be the first.
    pub(crate) fn has_unpinned_sections(&self) -> bool {
        usize::from(self.kinds) > self.known.len()
            || self.known.iter().any(|row| !convention::row(row.number).is_first())
    }

    /// Returns the sizes for an item of this kind, ordered by first occurrence.
    pub(crate) fn iter(&self, item: ItemKind) -> impl Iterator<Item = SectionSize> + use<> {
        let size =
            |name, purpose, tally: &Tally| SectionSize { name, purpose, sections: tally.sections, bytes: tally.bytes };
        let ids = (0..).zip(&self.ids).zip(&self.ranks).filter(|((_, tally), _)| tally.sections > 0);
        let ids = ids.map(|((id, tally), rank)| (*rank, size(SectionKind::new(item, id).name(), None, tally)));
        let rows = self.known.iter().map(|row| {
            let known = convention::row(row.number);
            (row.rank, size(known.name(), Some(known.purpose()), &row.tally))
        });
        let mut sizes: Vec<_> = ids.chain(rows).collect();
        sizes.sort_unstable_by_key(|(rank, _)| *rank);
        sizes.into_iter().map(|(_, size)| size)
    }
}
