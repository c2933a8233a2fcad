//! The sections of a blob, as rows save them so that rules can be judged again.

use std::io;
use std::ops::Range;

use sectile::internal::json::{put, write_array, write_text};
use sectile::scan::Section;

/// All sections of a blob in input order, in bounded memory. Beyond the limits, sections are only counted.
#[derive(Clone, Debug, Default)]
pub(super) struct SectionList {
    sections: Vec<ListedSection>,
    /// The names of the custom sections.
    names: String,
    /// Number of sections.
    count: u64,
}

/// Maximum number of sections in a row.
pub(super) const MAX_SECTIONS: usize = 4096;

/// Maximum bytes of all names of custom sections in a row.
const MAX_NAMES: usize = 64 << 10;

/// Number of sections, and bytes of names, of a typical module.
const TYPICAL_SECTIONS: usize = 16;
const TYPICAL_NAMES: usize = 64;

#[derive(Clone, Debug)]
struct ListedSection {
    item: u32,
    id: u8,
    range: Range<u64>,
    /// Offset of the data.
    data: u64,
    /// The name of a custom section in the list of names.
    name: Range<usize>,
}

impl SectionList {
    pub(super) fn add(&mut self, section: &Section<'_>) {
        self.count += 1;
        if self.sections.len() == MAX_SECTIONS || self.names.len() + section.name().len() > MAX_NAMES {
            self.sections = Vec::new();
        } else if self.sections.len() as u64 + 1 == self.count {
            if self.sections.is_empty() {
                self.sections.reserve(TYPICAL_SECTIONS);
                self.names.reserve(TYPICAL_NAMES);
            }
            let start = self.names.len();
            self.names.push_str(section.name());
            self.sections.push(ListedSection {
                item: section.item(),
                id: section.id(),
                range: section.range(),
                data: section.data().start,
                name: start..self.names.len(),
            });
        }
    }

    /// Length of the names in bytes.
    pub(super) fn text_len(&self) -> usize {
        self.names.len()
    }

    /// Writes the key `section_list`, or the number of the sections if they exceed the limits. `is_known` tells that the
    /// row has all their items.
    pub(super) fn write(&self, out: &mut Vec<u8>, is_known: bool) -> io::Result<()> {
        if !is_known || (self.sections.len() as u64) < self.count {
            return put!(out, ",\"sections_left_out\":", self.count);
        }
        put!(out, ",\"section_list\":")?;
        write_array(out, &self.sections, |out, section| {
            let ListedSection { item, id, range, data, name } = section;
            put!(out, "[", u64::from(*item), ",", u64::from(*id), ",", range.start, ",", range.end)?;
            if *id == 0 {
                put!(out, ",", *data, ",")?;
                write_text(out, &self.names[name.clone()])?;
            }
            put!(out, "]")
        })
    }
}
