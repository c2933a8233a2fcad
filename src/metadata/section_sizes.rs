//! How an item's bytes are shared out among the kinds of sections.

use smallvec::SmallVec;

use super::convention::{self, Meaning, SectionPurpose};
use crate::scan::{ItemKind, Section, SectionKind};

/// The sections of one kind in an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionSize {
    name: &'static str,
    purpose: Option<SectionPurpose>,
    sections: u64,
    bytes: u64,
}

impl SectionSize {
    /// Name of the kind: of a [`SectionKind`], or the name that a convention gives to custom sections.
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

    /// Their total length in bytes, headers included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The tallies of an item. Sections are many and their kinds few: each is added where its kind has its place, and
/// nothing is searched but the few rows of known custom sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SectionSizes {
    /// By id; 0 are the custom sections that no row knows, the last the ids that mean nothing.
    ids: [Tally; IDS],
    rows: SmallVec<[RowTally; 4]>,
    /// How many kinds there were before that of each id, and are now.
    places: [u8; IDS],
    kinds: u8,
}

const IDS: usize = 16;
const UNKNOWN: u8 = IDS as u8 - 1;

const _: () = assert!(IDS + Meaning::ROWS as usize <= u8::MAX as usize, "a place has 8 bits");

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    bytes: u64,
    sections: u64,
}

/// Of the custom sections that a row knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RowTally {
    /// The row's.
    number: u8,
    place: u8,
    tally: Tally,
}

impl Tally {
    #[inline]
    fn add(&mut self, section: &Section<'_>) {
        let range = section.range();
        self.bytes += range.end - range.start; // no more than the input has
        self.sections += 1;
    }
}

impl SectionSizes {
    /// Adds a section that no row of the tables knows.
    #[inline]
    pub(crate) fn add(&mut self, section: &Section<'_>) {
        let id = if section.is_unknown() { UNKNOWN } else { section.id };
        let id = usize::from(id) % IDS; // is below, which the compiler cannot know
        if self.ids[id].sections == 0 {
            self.places[id] = self.kinds;
            self.kinds += 1;
        }
        self.ids[id].add(section);
    }

    /// Adds a custom section that the row of this number knows.
    pub(crate) fn add_known(&mut self, section: &Section<'_>, number: u8) {
        self.known(number).add(section);
    }

    /// Adds an empty custom section of a name that a row knows.
    #[cfg(feature = "json")]
    pub(crate) fn add_empty(&mut self, name: &str) {
        if let Some(number) = convention::meaning(name.as_bytes()).number() {
            self.known(number).sections += 1;
        }
    }

    /// The tally of the row of this number.
    #[inline]
    fn known(&mut self, number: u8) -> &mut Tally {
        let at = self.rows.iter().position(|row| row.number == number).unwrap_or_else(|| {
            self.rows.push(RowTally { number, place: self.kinds, tally: Tally::default() });
            self.kinds += 1;
            self.rows.len() - 1
        });
        &mut self.rows[at].tally
    }

    /// How many sections of this name there are; 0 for names that no row knows.
    pub(crate) fn sections_of(&self, name: &str) -> u64 {
        let number = convention::meaning(name.as_bytes()).number();
        self.rows.iter().find(|row| Some(row.number) == number).map_or(0, |row| row.tally.sections)
    }

    /// Whether there are sections other than those that must be the first.
    pub(crate) fn past_front(&self) -> bool {
        usize::from(self.kinds) > self.rows.len() || self.rows.iter().any(|row| !convention::row(row.number).is_first())
    }

    /// The shares of an item of this kind, in the order of their first sections.
    pub(crate) fn iter(&self, item: ItemKind) -> impl Iterator<Item = SectionSize> + use<> {
        let share =
            |name, purpose, tally: &Tally| SectionSize { name, purpose, sections: tally.sections, bytes: tally.bytes };
        let ids = (0..).zip(&self.ids).zip(&self.places).filter(|((_, tally), _)| tally.sections > 0);
        let ids = ids.map(|((id, tally), place)| (*place, share(SectionKind::new(item, id).name(), None, tally)));
        let rows = self.rows.iter().map(|row| {
            let known = convention::row(row.number);
            (row.place, share(known.name(), Some(known.purpose()), &row.tally))
        });
        let mut shares: Vec<_> = ids.chain(rows).collect();
        shares.sort_unstable_by_key(|(place, _)| *place);
        shares.into_iter().map(|(_, share)| share)
    }
}
