//! The search for a few byte strings at once.

use std::ops::Range;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
#[cfg(not(target_family = "wasm"))]
use aho_corasick::packed;
use aho_corasick::{Input, MatchKind, Span};

/// Finds byte strings.
pub(super) enum Searcher {
    /// With vector instructions. `aho-corasick` has none for WebAssembly.
    #[cfg(not(target_family = "wasm"))]
    Packed(packed::Searcher),
    /// On processors without them.
    Automaton(Box<DFA>),
}

impl Searcher {
    pub(super) fn new(patterns: impl Iterator<Item = &'static [u8]> + Clone) -> Self {
        #[cfg(not(target_family = "wasm"))]
        if let Some(searcher) = packed::Searcher::new(patterns.clone()) {
            return Self::Packed(searcher);
        }
        let mut builder = DFA::builder();
        let automaton = builder.match_kind(MatchKind::LeftmostFirst).build(patterns);
        Self::Automaton(Box::new(automaton.expect("a few short patterns are within all limits")))
    }

    /// Finds the first byte string in a range of a text. Returns its range and its number.
    pub(super) fn find(&self, text: &[u8], range: Range<usize>) -> Option<(Range<usize>, usize)> {
        let span = Span::from(range);
        let found = match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Packed(searcher) => searcher.find_in(text, span)?,
            Self::Automaton(automaton) => automaton.try_find(&Input::new(text).span(span)).ok()??,
        };
        Some((found.range(), found.pattern().as_usize()))
    }
}
