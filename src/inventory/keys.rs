//! The byte strings that start an extraction, and the search for them.

use std::sync::LazyLock;

use super::context::Context;
use super::package::FoundPackage;
use super::search::Searcher;
use super::{go, npm};

/// The extraction that a key starts.
#[derive(Clone, Copy)]
pub(super) enum Extraction {
    /// The crates whose source file the text before the key is.
    SourceFile,
    /// A package, if the text around the key has the right form.
    Package(for<'t> fn(&Context<'t>) -> Option<FoundPackage<'t>>),
    /// The rows of [`TEXTS`](super::versions::TEXTS) with this key.
    VersionText,
    /// Go's build information.
    GoModInfo,
}

use Extraction::{GoModInfo, Package, SourceFile, VersionText};

/// A byte string that starts an extraction.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) text: &'static [u8],
    /// The bytes that may be before it; any if there are none.
    pub(super) after: &'static [u8],
    pub(super) extraction: Extraction,
}

impl Key {
    /// Whether this byte may be before the key.
    pub(super) fn may_follow(&self, byte: u8) -> bool {
        self.after.is_empty() || self.after.contains(&byte)
    }
}

/// The speed of the search depends on the first two bytes of the keys. The searcher deals the keys
/// to eight buckets in turn, and verifies each place where both bytes could be those of a key in one
/// bucket, by their halves. So each key starts where the bytes of its text are rare, and the keys of
/// a bucket, which are eight rows apart, start with similar bytes. The shortest keys have two bytes:
/// the searcher takes longer for a third.
///
/// No key has a zero, which a linker may drop.
const KEYS: [Key; 16] = [
    key(b"", b".rs", SourceFile),
    key(b"i", b"bpng version ", VersionText),
    key(b"D", b"F ", VersionText),
    key(b" ", b"TLS ", VersionText),
    key(b"\0I", b"FF", VersionText),
    key(b" ", b"VP", VersionText),
    key(b"t", b"_2.", VersionText),
    key(b"r", b"l/", VersionText),
    key(b"p", b"yright 1995-", VersionText),
    key(b"\0 (", b"20", VersionText),
    key(b"SQ", b"L ", VersionText),
    key(b"", b"$LuaVersion: ", VersionText),
    key(b"P", b"HP/", VersionText),
    key(b"A", b"V1 ", VersionText),
    key(b"e", b"_modules", Package(npm::package)),
    key(b"\xaf", go::MODINFO_KEY, GoModInfo),
];

const fn key(after: &'static [u8], text: &'static [u8], extraction: Extraction) -> Key {
    Key { text, after, extraction }
}

/// Length of the longest key.
pub(super) const MAX_LEN: usize = 16;

/// Finds the first key at an index of a text or after it. Returns its index and the key.
pub(super) fn find(text: &[u8], from: usize) -> Option<(usize, &'static Key)> {
    static SEARCHER: LazyLock<Searcher> = LazyLock::new(|| Searcher::new(KEYS.iter().map(|key| key.text)));
    let (range, number) = SEARCHER.find(text, from..text.len())?;
    Some((range.start, &KEYS[number]))
}

#[cfg(test)]
mod tests {
    use super::super::versions::TEXTS;
    use super::*;

    #[test]
    fn keys_are_unique_and_found() {
        for (at, Key { text: key, .. }) in KEYS.iter().enumerate() {
            assert!((2..=MAX_LEN).contains(&key.len()) && !key.contains(&0), "{}", key.escape_ascii());
            assert!(!KEYS[..at].iter().any(|other| key.starts_with(other.text)), "{}", key.escape_ascii());
            let (start, found) = find(&[b"..", *key, b".."].concat(), 0).unwrap();
            assert_eq!((start, found.text), (2, *key));
        }
    }

    #[test]
    fn each_text_has_a_key() {
        for row in TEXTS {
            let is_key = |key: &Key| key.text == row.key.as_bytes() && matches!(key.extraction, VersionText);
            let key = KEYS.iter().find(|key| is_key(key)).unwrap_or_else(|| panic!("{} has no key", row.key));
            let is_before = row.lead.as_bytes().last().is_none_or(|byte| key.after.contains(byte));
            assert!(key.after.is_empty() || is_before, "{}", row.key);
        }
    }
}
