//! The byte strings that start an extraction, and the search for them.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, Span, packed};

use super::context::Context;
use super::package::FoundPackage;
use super::versions::TEXTS;
use super::{go, npm, rust};

/// The extraction that an anchor starts.
#[derive(Clone, Copy)]
pub(super) enum Extraction {
    /// A package, if the text around the anchor has the right form.
    Package(for<'t> fn(&Context<'t>) -> Option<FoundPackage<'t>>),
    /// The rows of [`TEXTS`] with this anchor.
    VersionText,
    /// Go's build information.
    GoModInfo,
}

use Extraction::{GoModInfo, Package};

/// Few anchors that begin with rare bytes: the speed of the search depends on their number and on
/// their first four bytes.
const PATHS: [(&[u8], Extraction); 6] = [
    (b"registry", Package(rust::registry)),
    (b"vendor", Package(rust::vendor)),
    (b"checkouts", Package(rust::checkout)),
    (b"/rust", Package(rust::standard_library)),
    (b"_modules", Package(npm::package)),
    (&go::MODINFO_START, GoModInfo),
];

/// An anchor in a text.
pub(super) struct AnchorMatch {
    pub(super) range: Range<usize>,
    pub(super) anchor: &'static [u8],
    pub(super) extraction: Extraction,
}

/// Length of the longest anchor.
pub(super) const MAX_LEN: usize = 24;

/// Finds the first anchor from an index on.
pub(super) fn find(text: &[u8], from: usize) -> Option<AnchorMatch> {
    static SEARCH: LazyLock<Search> = LazyLock::new(Search::new);
    let (range, index) = SEARCH.algorithm.find(text, Span { start: from, end: text.len() })?;
    let (anchor, extraction) = SEARCH.anchors[index];
    Some(AnchorMatch { range, anchor, extraction })
}

struct Search {
    anchors: Vec<(&'static [u8], Extraction)>,
    algorithm: Algorithm,
}

enum Algorithm {
    /// With vector instructions.
    Packed(packed::Searcher),
    /// On processors without them.
    Automaton(AhoCorasick),
}

impl Search {
    fn new() -> Self {
        let mut anchors = PATHS.to_vec();
        for text in &TEXTS {
            let anchor = text.anchor.as_bytes();
            if anchors.iter().all(|(other, _)| *other != anchor) {
                anchors.push((anchor, Extraction::VersionText));
            }
        }
        let patterns = || anchors.iter().map(|(anchor, _)| *anchor);
        let algorithm = match packed::Searcher::new(patterns()) {
            Some(searcher) => Algorithm::Packed(searcher),
            None => Algorithm::Automaton(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(patterns())
                    .expect("a few short patterns are within all limits"),
            ),
        };
        Self { anchors, algorithm }
    }
}

impl Algorithm {
    fn find(&self, text: &[u8], span: Span) -> Option<(Range<usize>, usize)> {
        let found = match self {
            Self::Packed(searcher) => searcher.find_in(text, span)?,
            Self::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).span(span))?,
        };
        Some((found.range(), found.pattern().as_usize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_unique_and_within_the_maximum() {
        let search = Search::new();
        for (at, (anchor, _)) in search.anchors.iter().enumerate() {
            assert!((4..=MAX_LEN).contains(&anchor.len()), "{}", anchor.escape_ascii());
            assert!(search.anchors[..at].iter().all(|(other, _)| other != anchor));
            let text = [b"..", *anchor, b".."].concat();
            let found = find(&text, 0).unwrap();
            assert_eq!((found.range.start, found.anchor), (2, *anchor));
        }
    }
}
