//! Metadata and interface in one pass.

use super::Reader;
use crate::scan::{Entry, Section, Visitor, Want};

/// Shows the same sections to a visitor that wants the data of custom sections alone, and to a [`Reader`], which wants that
/// of other sections alone: at no section both wait for data.
pub(crate) struct Along<V> {
    pub(crate) of_custom: V,
    pub(crate) reader: Reader,
    /// Whether the data is for the reader.
    for_reader: bool,
}

impl<V> Along<V> {
    pub(crate) fn new(of_custom: V, reader: Reader) -> Self {
        Self { of_custom, reader, for_reader: false }
    }
}

impl<'w, V: Visitor<'w>> Visitor<'w> for Along<V> {
    fn enter(&mut self, entry: &Entry) {
        self.of_custom.enter(entry);
        self.reader.enter(entry);
    }

    fn section(&mut self, section: &Section<'w>) -> Want {
        self.for_reader = !section.is_custom();
        let want = self.of_custom.section(section);
        if self.for_reader { self.reader.section(section) } else { want }
    }

    fn data(&mut self, bytes: &'w [u8], start: u64) -> Want {
        if self.for_reader { self.reader.data(bytes, start) } else { self.of_custom.data(bytes, start) }
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.of_custom.leave(item, end);
        self.reader.leave(item, end);
    }
}
