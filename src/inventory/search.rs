//! The search for a few byte strings at once.

use std::ops::Range;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Input, MatchKind, Span, packed};

/// Finds byte strings.
pub(super) enum Searcher {
    /// With vector instructions.
    Packed(packed::Searcher),
    /// On processors without them.
    Automaton(Box<DFA>),
}

impl Searcher {
    pub(super) fn new(patterns: impl Iterator<Item = &'static [u8]> + Clone) -> Self {
        match packed::Searcher::new(patterns.clone()) {
            Some(searcher) => Self::Packed(searcher),
            None => Self::Automaton(Box::new(
                DFA::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(patterns)
                    .expect("a few short patterns are within all limits"),
            )),
        }
    }

    /// Finds the first byte string in a range of a text. Returns its range and its number.
    pub(super) fn find(&self, text: &[u8], range: Range<usize>) -> Option<(Range<usize>, usize)> {
        let span = Span::from(range);
        let found = match self {
            Self::Packed(searcher) => searcher.find_in(text, span)?,
            Self::Automaton(automaton) => automaton.try_find(&Input::new(text).span(span)).ok()??,
        };
        Some((found.range(), found.pattern().as_usize()))
    }
}
