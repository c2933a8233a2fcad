//! The byte strings that start an extraction, and the search for them.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, Span, packed};

use super::context::Context;
use super::package::FoundPackage;
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

use Extraction::{GoModInfo, Package, VersionText};

/// A byte string that starts an extraction, and the search for it.
#[derive(Clone, Copy)]
struct Anchor {
    text: &'static [u8],
    /// Index of the key: the rest of the anchor from there on, which the searcher looks for.
    key: usize,
    extraction: Extraction,
}

/// The speed of the search depends on the first three bytes of the keys. The searcher deals them to
/// eight buckets in turn, and verifies each place where all three bytes could be those of a key in
/// one bucket, by their halves. So each key starts at rare bytes, and the keys of a bucket, which
/// are eight rows apart, start with similar bytes. The shortest keys have three bytes: the searcher
/// takes longer for a fourth.
const ANCHORS: [Anchor; 18] = [
    anchor(b"libcurl/", 1, VersionText),
    anchor(b"$LuaVersion: Lua ", 0, VersionText),
    anchor(b"expat_", 3, VersionText),
    anchor(b"vendor", 2, Package(rust::vendor)),
    anchor(b"_modules", 0, Package(npm::package)),
    anchor(b"/rust", 1, Package(rust::standard_library)),
    anchor(b"registry", 2, Package(rust::registry)),
    anchor(b"ruby ", 1, VersionText),
    anchor(b"libjpeg-turbo version ", 1, VersionText),
    anchor(b"OpenSSL ", 5, VersionText),
    anchor(b"MuPDF ", 0, VersionText),
    anchor(b"checkouts", 3, Package(rust::checkout)),
    anchor(b"X-Powered-By: PHP/", 0, VersionText),
    anchor(&go::MODINFO_START, 1, GoModInfo),
    anchor(b"libpng version ", 1, VersionText),
    anchor(b"\x0020", 0, VersionText),
    anchor(b" Copyright 1995-", 13, VersionText),
    anchor(b"fts5: 20", 3, VersionText),
];

const fn anchor(text: &'static [u8], key: usize, extraction: Extraction) -> Anchor {
    Anchor { text, key, extraction }
}

/// An anchor in a text.
pub(super) struct AnchorMatch {
    pub(super) range: Range<usize>,
    pub(super) anchor: &'static [u8],
    pub(super) extraction: Extraction,
}

/// Length of the longest anchor.
pub(super) const MAX_LEN: usize = 24;

/// Finds the first anchor whose key is at an index or after it.
pub(super) fn find(text: &[u8], from: usize) -> Option<AnchorMatch> {
    static ALGORITHM: LazyLock<Algorithm> = LazyLock::new(Algorithm::new);
    let mut from = from;
    loop {
        let (key, index) = ALGORITHM.find(text, Span { start: from, end: text.len() })?;
        let Anchor { text: anchor, key: head, extraction } = ANCHORS[index];
        if text[..key.start].ends_with(&anchor[..head]) {
            return Some(AnchorMatch { range: key.start - head..key.end, anchor, extraction });
        }
        from = key.start + 1;
    }
}

enum Algorithm {
    /// With vector instructions.
    Packed(packed::Searcher),
    /// On processors without them.
    Automaton(AhoCorasick),
}

impl Algorithm {
    fn new() -> Self {
        let keys = || ANCHORS.iter().map(|anchor| &anchor.text[anchor.key..]);
        match packed::Searcher::new(keys()) {
            Some(searcher) => Self::Packed(searcher),
            None => Self::Automaton(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(keys())
                    .expect("a few short patterns are within all limits"),
            ),
        }
    }

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
    use super::super::versions::TEXTS;
    use super::*;

    #[test]
    fn anchors_are_unique_and_found() {
        for (at, Anchor { text: anchor, key, .. }) in ANCHORS.iter().enumerate() {
            assert!(anchor.len() <= MAX_LEN && anchor.len() - key >= 3, "{}", anchor.escape_ascii());
            assert!(ANCHORS[..at].iter().all(|other| other.text != *anchor));
            let text = [b"..", &anchor[*key..], b"..", *anchor, b".."].concat();
            let found = find(&text, 0).unwrap();
            let start = if *key == 0 { 2 } else { anchor.len() - key + 4 };
            assert_eq!((found.range, found.anchor), (start..start + anchor.len(), *anchor));
        }
    }

    #[test]
    fn each_text_has_an_anchor() {
        for row in TEXTS {
            let is_anchor = |anchor: &Anchor| {
                anchor.text == row.anchor.as_bytes() && matches!(anchor.extraction, Extraction::VersionText)
            };
            assert!(ANCHORS.iter().any(is_anchor), "{}", row.anchor);
        }
    }
}
