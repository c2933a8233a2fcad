//! Which of a blob's sections is the largest, and where all of them lie.

use crate::scan::{Entry, Section, Visitor, Want};

/// Looks at every section, and shows all that it is shown to another visitor.
#[derive(Debug)]
pub(super) struct Outlined<V> {
    pub(super) inner: V,
    /// How many items enclose what comes next.
    depth: u32,
    largest: Option<Piece>,
    drawing: Option<Drawing>,
}

/// A section, or several that follow one another.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// What its id means; `several` for a run of small ones.
    pub(super) kind: &'static str,
    pub(super) name: Option<Box<str>>,
    pub(super) depth: u32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) sections: u64,
}

impl<V> Outlined<V> {
    /// Looks for the largest section; and at where all lie, if they are to be drawn.
    pub(super) fn new(inner: V, draws: bool) -> Self {
        Self { inner, depth: 0, largest: None, drawing: draws.then(Drawing::default) }
    }

    pub(super) fn finish(self) -> (V, Option<Piece>, Vec<Piece>) {
        (self.inner, self.largest, self.drawing.map(Drawing::finish).unwrap_or_default())
    }
}

impl Piece {
    #[inline(never)]
    fn of(section: &Section<'_>, depth: u32) -> Self {
        let range = section.range();
        Self {
            kind: section.kind_name(),
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

impl<'w, V: Visitor<'w>> Visitor<'w> for Outlined<V> {
    fn enter(&mut self, entry: &Entry) {
        self.depth += 1;
        self.inner.enter(entry);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> Want {
        let range = section.range();
        let bytes = range.end - range.start;
        if !section.holds_item() && self.largest.as_ref().is_none_or(|largest| bytes > largest.bytes()) {
            self.largest = Some(Piece::of(&Section { ..*section }, self.depth));
        }
        if let Some(drawing) = &mut self.drawing {
            drawing.add(Piece::of(&Section { ..*section }, self.depth));
        }
        self.inner.section(section)
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> Want {
        self.inner.data(bytes, start)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.depth -= 1;
        self.inner.leave(item, end);
    }
}

/// Where sections lie, as far as anybody could tell them apart: runs of small ones are one piece.
#[derive(Debug, Default)]
struct Drawing(Vec<Piece>);

impl Drawing {
    /// So many pieces can be told apart.
    const MOST: usize = 256;

    fn add(&mut self, piece: Piece) {
        self.0.push(piece);
        if self.0.len() >= 2 * Self::MOST {
            self.shrink();
        }
    }

    fn finish(mut self) -> Vec<Piece> {
        if self.0.len() > Self::MOST {
            self.shrink();
        }
        self.0
    }

    /// Makes runs of the smallest pieces one, larger and larger ones, until there are few; where that is not enough, what lies
    /// deepest is left out.
    fn shrink(&mut self) {
        let largest = self.0.iter().map(Piece::bytes).max().unwrap_or(0);
        let mut small = 16;
        while self.0.len() > Self::MOST && small / 2 <= largest {
            self.0.dedup_by(|next, run| {
                let joins = run.depth == next.depth && run.end == next.start;
                let joins = joins && run.bytes() < small && next.bytes() < small;
                if joins {
                    *run = Piece {
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
        while self.0.len() > Self::MOST {
            let deepest = self.0.iter().map(|piece| piece.depth).max().unwrap_or(0);
            if deepest <= 1 {
                self.0.truncate(Self::MOST);
            } else {
                self.0.retain(|piece| piece.depth < deepest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(depth: u32, start: u64, bytes: u64) -> Piece {
        Piece { kind: "code", name: None, depth, start, end: start + bytes, sections: 1 }
    }

    #[test]
    fn few_sections_stay_as_they_are() {
        let mut drawing = Drawing::default();
        for nth in 0..Drawing::MOST as u64 {
            drawing.add(piece(1, nth * 3, 3));
        }
        assert_eq!(drawing.finish().len(), Drawing::MOST);
    }

    #[test]
    fn many_small_ones_become_runs_and_the_large_ones_stay() {
        let mut drawing = Drawing::default();
        let mut at = 8;
        for nth in 0..100_000 {
            let bytes = if nth % 10_000 == 0 { 1 << 20 } else { 3 };
            drawing.add(piece(1, at, bytes));
            at += bytes;
        }
        let pieces = drawing.finish();
        assert!(pieces.len() <= Drawing::MOST);
        assert_eq!(pieces.iter().map(|piece| piece.sections).sum::<u64>(), 100_000);
        assert_eq!(pieces.iter().filter(|piece| piece.bytes() == 1 << 20 && piece.sections == 1).count(), 10);
        assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
    }

    #[test]
    fn of_many_items_the_deepest_are_left_out() {
        let mut drawing = Drawing::default();
        for nth in 0..10_000 {
            drawing.add(piece(1, nth * 100, 100));
            drawing.add(piece(2, nth * 100 + 10, 90));
        }
        let pieces = drawing.finish();
        assert!(!pieces.is_empty() && pieces.len() <= Drawing::MOST);
    }

    #[test]
    fn of_many_that_are_not_side_by_side_the_first_stay() {
        let mut drawing = Drawing::default();
        for nth in 0..10_000 {
            drawing.add(piece(1, nth * 100, 10));
        }
        let pieces = drawing.finish();
        assert_eq!(pieces.len(), Drawing::MOST);
        assert!((0..).zip(&pieces).all(|(nth, piece)| piece.start == nth * 100));
    }
}
