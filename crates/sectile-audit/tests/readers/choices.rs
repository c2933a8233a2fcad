//! The choices that make a case. They are replayed to shrink it. The choice 0 is always the honest
//! one.

use std::fmt::Debug;

use sectile_testing::seeded::Seeded;

/// A source of choices that records them, with readable notes.
pub(crate) struct Choices {
    source: Source,
    taken: Vec<u32>,
    notes: Vec<String>,
    /// One decision in this many is a lie.
    honesty: usize,
}

enum Source {
    Seeded(Seeded),
    /// Choices of an earlier case. After the last one, all are 0.
    Replayed(std::vec::IntoIter<u32>),
}

impl Choices {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::new(Source::Seeded(Seeded::new(seed)))
    }

    pub(crate) fn replayed(choices: Vec<u32>) -> Self {
        Self::new(Source::Replayed(choices.into_iter()))
    }

    fn new(source: Source) -> Self {
        let mut choices = Self { source, taken: Vec::new(), notes: Vec::new(), honesty: 0 };
        choices.honesty = choices.pick(&[60, 30, 15, 8]);
        choices
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let choice = match &mut self.source {
            Source::Seeded(seeded) => seeded.below(end),
            Source::Replayed(choices) => choices.next().map_or(0, |choice| (choice as usize).min(end - 1)),
        };
        self.taken.push(choice as u32);
        choice
    }

    pub(crate) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Whether to do something rare: once in this many times.
    pub(crate) fn rarely(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// The honest value, or a lie with a note.
    pub(crate) fn lie<T: Copy + Debug>(&mut self, what: &str, honest: T, lies: &[T]) -> T {
        if !self.rarely(self.honesty) {
            return honest;
        }
        let value = self.pick(lies);
        self.note(format!("{what}: {value:?}"));
        value
    }

    /// Whether to lie, with a note.
    pub(crate) fn lies(&mut self, what: &str) -> bool {
        let lies = self.rarely(self.honesty);
        if lies {
            self.note(what.to_owned());
        }
        lies
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The choices and the notes.
    pub(crate) fn into_parts(self) -> (Vec<u32>, Vec<String>) {
        (self.taken, self.notes)
    }
}
