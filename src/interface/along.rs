//! Metadata and interface in one pass.

use super::Reader;
use crate::scan::{Entry, Section, Visitor, Want};

/// Shows the same sections to a visitor that wants the data of custom sections alone, and to a [`Reader`], if there is one,
/// which wants that of other sections alone: at no section both wait for data.
#[derive(Debug)]
pub(crate) struct Along<V> {
    pub(crate) of_custom: V,
    pub(crate) reader: Option<Reader>,
    /// Whether the data is for the reader.
    for_reader: bool,
}

impl<V> Along<V> {
    pub(crate) fn new(of_custom: V, reader: Option<Reader>) -> Self {
        Self { of_custom, reader, for_reader: false }
    }
}

impl<'w, V: Visitor<'w>> Visitor<'w> for Along<V> {
    fn enter(&mut self, entry: &Entry) {
        self.of_custom.enter(entry);
        if let Some(reader) = &mut self.reader {
            reader.enter(entry);
        }
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> Want {
        let want = self.of_custom.section(section);
        let Some(reader) = &mut self.reader else { return want };
        self.for_reader = !section.is_custom();
        if self.for_reader { reader.section(&Section { item: section.item, ..*section }) } else { want }
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> Want {
        match &mut self.reader {
            Some(reader) if self.for_reader => reader.data(bytes, start),
            _ => self.of_custom.data(bytes, start),
        }
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.of_custom.leave(item, end);
        if let Some(reader) = &mut self.reader {
            reader.leave(item, end);
        }
    }
}
