//! The largest section of a blob, and the layout of all its sections.

use super::section_list::SectionList;
use sectile::internal::copy_section;
use sectile::scan::{DataRequest, ItemStart, Section, Visitor};

/// Notes the position of every section, and forwards all events to another visitor.
#[derive(Debug)]
pub(super) struct OutlineVisitor<V> {
    pub(super) inner: V,
    /// Number of items that enclose the next section.
    depth: u32,
    largest: Option<OutlineSpan>,
    spans: Option<SpanList>,
    sections: Option<SectionList>,
}

/// The parts of an outline that the output formats need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OutlineParts {
    /// The spans of the sections.
    pub(super) spans: bool,
    /// All sections.
    pub(super) sections: bool,
}

/// The outline of a blob.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) largest: Option<OutlineSpan>,
    pub(super) spans: Vec<OutlineSpan>,
    pub(super) sections: Option<SectionList>,
}

/// The position of a section, or of several in a row.
#[derive(Clone, Debug)]
pub(super) struct OutlineSpan {
    /// The meaning of the section ID; `several` for a run of small sections.
    pub(super) kind: &'static str,
    pub(super) name: Option<Box<str>>,
    pub(super) depth: u32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) sections: u64,
}

impl<V> OutlineVisitor<V> {
    /// Finds the largest section, and collects these parts.
    pub(super) fn new(inner: V, parts: OutlineParts) -> Self {
        let (spans, sections) = (parts.spans.then(SpanList::default), parts.sections.then(SectionList::default));
        Self { inner, depth: 0, largest: None, spans, sections }
    }

    pub(super) fn finish(self) -> (V, Outline) {
        let spans = self.spans.map(SpanList::finish).unwrap_or_default();
        (self.inner, Outline { largest: self.largest, spans, sections: self.sections })
    }
}

impl OutlineSpan {
    #[inline(never)]
    fn new(section: &Section<'_>, depth: u32) -> Self {
        let range = section.range();
        Self {
            kind: section.kind().name(),
            name: section.is_custom().then(|| section.name().into()),
            depth,
            start: range.start,
            end: range.end,
            sections: 1,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.end - self.start
    }
}

impl<'w, V: Visitor<'w>> Visitor<'w> for OutlineVisitor<V> {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        self.depth += 1;
        self.inner.enter(entry);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        let range = section.range();
        let bytes = range.end - range.start;
        if !section.holds_item() && self.largest.as_ref().is_none_or(|largest| bytes > largest.bytes()) {
            self.largest = Some(OutlineSpan::new(&copy_section(section), self.depth));
        }
        if let Some(spans) = &mut self.spans {
            spans.add(OutlineSpan::new(&copy_section(section), self.depth));
        }
        if let Some(sections) = &mut self.sections {
            sections.add(&copy_section(section));
        }
        self.inner.section(section)
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        self.inner.data(bytes, start)
    }

    fn truncated(&mut self, end: u64) -> DataRequest {
        self.inner.truncated(end)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.depth -= 1;
        self.inner.leave(item, end);
    }
}

/// The spans of the sections in bounded memory. Runs of small sections are merged.
#[derive(Debug, Default)]
struct SpanList(Vec<OutlineSpan>);

impl SpanList {
    /// Maximum number of spans.
    const MAX_LEN: usize = 256;

    fn add(&mut self, span: OutlineSpan) {
        self.0.push(span);
        if self.0.len() >= 2 * Self::MAX_LEN {
            self.shrink();
        }
    }

    fn finish(mut self) -> Vec<OutlineSpan> {
        if self.0.len() > Self::MAX_LEN {
            self.shrink();
        }
        self.0
    }

    /// Merges runs of small spans, with a growing size limit, until the list is short enough. If that does not suffice,
    /// drops the deepest spans.
    fn shrink(&mut self) {
        let largest = self.0.iter().map(OutlineSpan::bytes).max().unwrap_or(0);
        let mut small = 16;
        while self.0.len() > Self::MAX_LEN && small / 2 <= largest {
            self.0.dedup_by(|next, run| {
                let joins = run.depth == next.depth && run.end == next.start;
                let joins = joins && run.bytes() < small && next.bytes() < small;
                if joins {
                    *run = OutlineSpan {
                        kind: "several",
                        name: None,
                        end: next.end,
                        sections: run.sections + next.sections,
                        ..*run
                    };
                }
                joins
            });
            small *= 2;
        }
        while self.0.len() > Self::MAX_LEN {
            let deepest = self.0.iter().map(|span| span.depth).max().unwrap_or(0);
            if deepest <= 1 {
                self.0.truncate(Self::MAX_LEN);
            } else {
                self.0.retain(|span| span.depth < deepest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span_of(depth: u32, start: u64, bytes: u64) -> OutlineSpan {
        OutlineSpan { kind: "code", name: None, depth, start, end: start + bytes, sections: 1 }
    }

    #[test]
    fn few_sections_are_not_merged() {
        let mut spans = SpanList::default();
        for nth in 0..SpanList::MAX_LEN as u64 {
            spans.add(span_of(1, nth * 3, 3));
        }
        assert_eq!(spans.finish().len(), SpanList::MAX_LEN);
    }

    #[test]
    fn only_small_sections_are_merged() {
        let mut spans = SpanList::default();
        let mut at = 8;
        for nth in 0..100_000 {
            let bytes = if nth % 10_000 == 0 { 1 << 20 } else { 3 };
            spans.add(span_of(1, at, bytes));
            at += bytes;
        }
        let spans = spans.finish();
        assert!(spans.len() <= SpanList::MAX_LEN);
        assert_eq!(spans.iter().map(|span| span.sections).sum::<u64>(), 100_000);
        assert_eq!(spans.iter().filter(|span| span.bytes() == 1 << 20 && span.sections == 1).count(), 10);
        assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
    }

    #[test]
    fn deepest_spans_are_dropped_first() {
        let mut spans = SpanList::default();
        for nth in 0..10_000 {
            spans.add(span_of(1, nth * 100, 100));
            spans.add(span_of(2, nth * 100 + 10, 90));
        }
        let spans = spans.finish();
        assert!(!spans.is_empty() && spans.len() <= SpanList::MAX_LEN);
    }

    #[test]
    fn first_spans_stay_if_none_can_be_merged() {
        let mut spans = SpanList::default();
        for nth in 0..10_000 {
            spans.add(span_of(1, nth * 100, 10));
        }
        let spans = spans.finish();
        assert_eq!(spans.len(), SpanList::MAX_LEN);
        assert!((0..).zip(&spans).all(|(nth, span)| span.start == nth * 100));
    }
}
