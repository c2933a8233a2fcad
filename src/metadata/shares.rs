//! How an item's bytes are shared out among the kinds of sections.

use smallvec::SmallVec;

use super::convention::{self, Meaning, Purpose};
use crate::scan::{ItemKind, Section, kind_name};

/// The sections of one kind in an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// The kind: what the id means, and of custom sections what the convention calls them, or `custom`.
    pub kind: &'static str,
    /// What sections of this kind are for; `None` for those that are not custom, and for unknown custom ones.
    pub purpose: Option<Purpose>,
    /// How many there are.
    pub sections: u32,
    /// Their bytes in all, headers included.
    pub bytes: u64,
}

/// A tally of a few kinds, in the order of their first section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shares(SmallVec<[Tally; 14]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    kind: Kind,
    sections: u32,
    bytes: u64,
}

/// A kind of section in one byte, for comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind(u8);

/// Where the ids of modules, those of components, and the rows of known custom sections begin.
const MODULE: u8 = 0;
const COMPONENT: u8 = 0x20;
const ROW: u8 = 0x40;
/// Ids that mean nothing are one kind.
const UNKNOWN: u8 = 0x1f;

const _: () = assert!(ROW + Meaning::ROWS <= 0x80, "a kind has 7 bits");

impl Kind {
    #[inline]
    fn of(section: &Section<'_>, meaning: Meaning) -> Self {
        let base = match section.item_kind {
            ItemKind::Module => MODULE,
            ItemKind::Component => COMPONENT,
        };
        Self(match meaning.number() {
            Some(row) => ROW + row,
            None => base + section.id.min(UNKNOWN),
        })
    }

    fn describe(self) -> (&'static str, Option<Purpose>) {
        match self.0 {
            row @ ROW.. => {
                let row = convention::row(row - ROW);
                (row.name(), Some(row.purpose()))
            }
            id @ COMPONENT.. => (kind_name(ItemKind::Component, id - COMPONENT), None),
            id => (kind_name(ItemKind::Module, id - MODULE), None),
        }
    }
}

/// Where each kind of section stands in the shares of an item that is being read, counted from 1; 0 where there was
/// none. (Sections are many, and their kinds few: nothing is searched.)
#[derive(Debug)]
pub(crate) struct SharePlaces([u8; 128]);

impl Default for SharePlaces {
    fn default() -> Self {
        Self([0; 128])
    }
}

impl Shares {
    #[inline]
    pub(crate) fn add(&mut self, places: &mut SharePlaces, section: &Section<'_>, meaning: Meaning) {
        let kind = Kind::of(section, meaning);
        let range = section.range();
        let bytes = range.end - range.start;
        let place = &mut places.0[usize::from(kind.0 & 0x7f)];
        if let Some(tally) = self.0.get_mut(usize::from(*place).wrapping_sub(1)) {
            tally.sections = tally.sections.saturating_add(1);
            tally.bytes = tally.bytes.saturating_add(bytes);
        } else {
            self.0.push(Tally { kind, sections: 1, bytes });
            *place = self.0.len() as u8;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Share> {
        self.0.iter().map(|&Tally { kind, sections, bytes }| {
            let (kind, purpose) = kind.describe();
            Share { kind, purpose, sections, bytes }
        })
    }
}
