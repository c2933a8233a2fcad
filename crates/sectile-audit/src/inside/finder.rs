//! Searches windows of bytes for the places where an encoding of a binary may begin.
//!
//! Two searches run side by side. Anchors are short byte strings that each encoding of `\0asm` has; one vectorized
//! search finds all of them. Long runs of Base64 or hexadecimal text, which may encode compressed or text data, are
//! found by looking at one byte in [`STRIDE`].

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, packed};

use super::base64::{is_all_base64, is_base64};
use super::digits::number_before;
use super::literal::Escaping;
use super::symbols::{Joint, joint};
use super::{Encoding, Magic};

/// Number of bytes after a position that decide whether an encoding begins there.
pub(crate) const LOOKAHEAD: usize = 1 << 10;

/// Number of bytes before a position that the search may go back.
pub(crate) const LOOKBEHIND: usize = 4 << 10;

/// A place where an encoding may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its offset in the window.
    pub(crate) at: usize,
    /// The encodings to try, in order.
    pub(crate) encodings: Vec<Encoding>,
    /// Whether it is a long run of text, which may encode anything.
    pub(crate) is_run: bool,
    /// The position from which the search continues if it is rejected.
    next: u64,
}

/// The state of a search. All positions are absolute.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// The first position that is not part of an accepted candidate.
    floor: u64,
    /// The position from which anchors are searched.
    from: u64,
    /// The next anchor, if it was found already.
    anchor: Option<(u64, Anchor)>,
    /// The next position that is looked at for a run.
    sample: u64,
}

/// The distance between the positions that are looked at for runs.
const STRIDE: u64 = 128;

/// Number of bytes that the end of a line and the indentation of the next one usually have at most.
const LINE_END: usize = 32;

/// Minimum length of a run.
const MIN_RUN: usize = 96;

/// Minimum length of a line in a run of several lines.
const MIN_LINE: usize = 40;

impl Finder {
    /// The next candidate in a window that begins at `base`. If the input continues after it, candidates near its end
    /// are left for a later window.
    pub(crate) fn next(&mut self, window: &[u8], base: u64, is_last: bool) -> Option<Candidate> {
        let limit = if is_last { window.len() } else { window.len().saturating_sub(LOOKAHEAD) };
        let limit_at = base + limit as u64;
        loop {
            let anchor = self.next_anchor(window, base).filter(|(at, _)| *at < limit_at);
            let until = anchor.map_or(limit_at, |(at, _)| at);
            if let Some(run) = self.next_run(window, base, until) {
                return Some(run);
            }
            let (at, anchor) = anchor?;
            self.anchor = None;
            self.from = at + 1;
            let floor = self.floor.saturating_sub(base) as usize;
            if let Some(candidate) = anchor.candidate(window, (at - base) as usize, floor) {
                return Some(Candidate { next: at + 1, ..candidate });
            }
        }
    }

    /// The first position of the window that is still needed.
    pub(crate) fn needed_from(&self, window_end: u64) -> u64 {
        let searched = self.anchor.map_or(window_end.saturating_sub(LOOKAHEAD as u64), |(at, _)| at);
        searched.min(window_end.saturating_sub(LOOKAHEAD as u64)).saturating_sub(LOOKBEHIND as u64)
    }

    /// Continues after an accepted candidate, which ends here.
    pub(crate) fn accept(&mut self, end: u64) {
        self.floor = end;
        self.from = self.from.max(end);
        self.anchor = self.anchor.filter(|(at, _)| *at >= end);
        self.sample = self.sample.max(end.next_multiple_of(STRIDE));
    }

    /// Continues after a rejected candidate. A run up to `end` is not decoded again.
    pub(crate) fn reject(&mut self, candidate: &Candidate, end: u64) {
        if candidate.is_run {
            self.sample = self.sample.max(end.next_multiple_of(STRIDE));
        }
    }

    /// Offers the candidate again, with a longer window.
    pub(crate) fn retry(&mut self, candidate: &Candidate) {
        if candidate.is_run {
            self.sample = candidate.next;
        } else {
            self.from = candidate.next - 1;
            self.anchor = None;
        }
    }

    fn next_anchor(&mut self, window: &[u8], base: u64) -> Option<(u64, Anchor)> {
        if self.anchor.is_none() {
            let from = (self.from.saturating_sub(base) as usize).min(window.len());
            let (at, pattern) = SEARCH.find(window, from)?;
            self.anchor = Some((base + at as u64, ANCHORS[pattern].1));
        }
        self.anchor
    }

    /// The run at the next position that is looked at, before `until`.
    fn next_run(&mut self, window: &[u8], base: u64, until: u64) -> Option<Candidate> {
        let floor = self.floor.saturating_sub(base) as usize;
        self.sample = self.sample.max(base.next_multiple_of(STRIDE));
        while self.sample < until {
            let at = self.sample;
            self.sample += STRIDE;
            let is_inside = |offset: &usize| window[*offset..].first_chunk().is_some_and(is_all_base64);
            let start = (at - base) as usize;
            // Two places, because one may be at the end of a line.
            let Some(offset) = [start, (start + LINE_END).min(window.len())].into_iter().find(is_inside) else {
                continue;
            };
            if let Some(start) = run_around(window, offset, floor) {
                let head = &window[start..window.len().min(start + MIN_RUN)];
                let is_hex = head.iter().filter(|byte| byte.is_ascii_alphanumeric()).all(u8::is_ascii_hexdigit);
                let encodings =
                    if is_hex { vec![Encoding::Hex, Encoding::Base64(0)] } else { vec![Encoding::Base64(0)] };
                return Some(Candidate { at: start, encodings, is_run: true, next: at });
            }
        }
        None
    }
}

/// The start of the run of Base64 characters around a position, if it is long.
fn run_around(window: &[u8], at: usize, floor: usize) -> Option<usize> {
    let after = window[at..].iter().take(STRIDE as usize).take_while(|&&byte| is_base64(byte)).count();
    let start = line_start(window, at, floor);
    let len = at + after - start;
    if len >= MIN_RUN {
        return Some(first_line(window, start, floor));
    }
    if len < MIN_LINE {
        return None;
    }
    match joint(&window[at + after..]) {
        Joint::Continues(between, _) => {
            let next = &window[at + after + between..];
            let next = next.iter().take(MIN_LINE).take_while(|&&byte| is_base64(byte)).count();
            (next == MIN_LINE).then(|| first_line(window, start, floor))
        }
        Joint::Ends | Joint::Open => None,
    }
}

fn line_start(window: &[u8], at: usize, floor: usize) -> usize {
    let floor = floor.max(at.saturating_sub(LOOKBEHIND / 4)).min(at);
    let before = window[floor..at].iter().rev().take_while(|&&byte| is_base64(byte)).count();
    let start = at - before;
    // The letter of an escaped line break belongs to the text around the run.
    let is_escape = start > 0 && window[start - 1] == b'\\' && matches!(window[start], b'n' | b'r');
    start + usize::from(is_escape)
}

/// The start of the first of several lines.
fn first_line(window: &[u8], start: usize, floor: usize) -> usize {
    const MAX_JOINT: usize = 64;
    let (mut start, lowest) = (start, floor.max(start.saturating_sub(LOOKBEHIND / 2)));
    loop {
        let is_between =
            |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'`' | b'+' | b'\\' | b',');
        let mut end = start;
        while end > lowest && start - end < MAX_JOINT && {
            let byte = window[end - 1];
            is_between(byte) || (matches!(byte, b'n' | b'r') && end >= 2 && window[end - 2] == b'\\')
        } {
            end -= 1;
        }
        if end == start || end <= lowest {
            return start;
        }
        let before = line_start(window, end, lowest);
        if end - before < MIN_LINE || !matches!(joint(&window[end..]), Joint::Continues(len, _) if end + len == start) {
            return start;
        }
        start = before;
    }
}

/// The meaning of an anchor for the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// `\0asm`.
    Nul,
    /// `0asm`, the end of an escape and the letters.
    EscapedNul {
        is_shifted: bool,
    },
    /// The letters after a character instead of NUL, which begins this many bytes before them.
    Character {
        back: usize,
        is_shifted: bool,
    },
    /// The second letter, after other escapes.
    EscapedLetter,
    /// Base64 of a binary, whose group begins this many characters before the anchor, after this many bytes.
    Base64 {
        back: usize,
        skipped: u8,
    },
    /// Base64 of compressed data.
    Compressed,
    Hex {
        back: usize,
    },
    /// The third number of a binary, or the second one of compressed data, after this many bytes of separators.
    Number {
        separator: usize,
    },
}

/// The anchors. All have at least four bytes, which the search compares at once.
#[rustfmt::skip]
const ANCHORS: &[(&[u8], Anchor)] = &[
    (b"\0asm", Anchor::Nul),
    (b"0asm", Anchor::EscapedNul { is_shifted: false }),
    (b"1btn", Anchor::EscapedNul { is_shifted: true }),
    (b"\x80asm", Anchor::Character { back: 1, is_shifted: false }), // U+0100
    (b"\xbdasm", Anchor::Character { back: 2, is_shifted: false }), // U+FFFD
    (b"\x01btn", Anchor::Character { back: 0, is_shifted: true }),
    (b"x61\\x73", Anchor::EscapedLetter),
    (b"x61\\\\x73", Anchor::EscapedLetter),
    (b"u0061\\", Anchor::EscapedLetter),
    (b"AGFzb", Anchor::Base64 { back: 0, skipped: 0 }),
    (b"Bhc20", Anchor::Base64 { back: 2, skipped: 1 }),
    (b"AYXNt", Anchor::Base64 { back: 3, skipped: 2 }),
    (b"H4sIA", Anchor::Compressed),
    (b"KLUv/", Anchor::Compressed),
    (b"KLUv_", Anchor::Compressed),
    (b"KLUv\\", Anchor::Compressed),
    (b"0061736", Anchor::Hex { back: 0 }),
    (b"0 61 73 6", Anchor::Hex { back: 1 }),
    (b"1f8b08", Anchor::Hex { back: 0 }),
    (b"1F8B08", Anchor::Hex { back: 0 }),
    (b",115,", Anchor::Number { separator: 1 }),
    (b" 115,", Anchor::Number { separator: 1 }),
    (b" 115 109", Anchor::Number { separator: 1 }),
    (b"0x73", Anchor::Number { separator: 0 }),
    (b",139,8,", Anchor::Number { separator: 1 }),
    (b" 139, 8", Anchor::Number { separator: 1 }),
    (b"0x8b", Anchor::Number { separator: 0 }),
    (b"0x8B", Anchor::Number { separator: 0 }),
];

/// The search for all anchors at once.
static SEARCH: LazyLock<Search> = LazyLock::new(Search::new);

struct Search {
    /// The search with vector instructions, if the processor has them.
    packed: Option<packed::Searcher>,
    automaton: Option<AhoCorasick>,
}

impl Search {
    fn new() -> Self {
        let patterns = || ANCHORS.iter().map(|(bytes, _)| bytes);
        let mut builder = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder();
        let packed = builder.extend(patterns()).build();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns());
        Self { packed, automaton: automaton.ok() }
    }

    /// The position and the number of the first anchor.
    fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        if let Some(packed) = &self.packed {
            let found = packed.find_in(bytes, aho_corasick::Span { start: from, end: bytes.len() })?;
            return Some((found.start(), found.pattern().as_usize()));
        }
        let found = self.automaton.as_ref()?.find(aho_corasick::Input::new(bytes).range(from..))?;
        Some((found.start(), found.pattern().as_usize()))
    }
}

impl Anchor {
    /// The candidate around an anchor, if the bytes near it do not rule one out.
    fn candidate(self, window: &[u8], at: usize, floor: usize) -> Option<Candidate> {
        let candidate = |at: usize, encodings: Vec<Encoding>| {
            (at >= floor).then_some(Candidate { at, encodings, is_run: false, next: 0 })
        };
        match self {
            Self::Nul => {
                let literals = if is_quoted(window, at) { literals(1, false).to_vec() } else { Vec::new() };
                let is_raw = Magic::detect(&window[at..]) == Magic::Wasm;
                candidate(at, literals.into_iter().chain(is_raw.then_some(Encoding::Raw)).collect())
            }
            Self::EscapedNul { .. } if at >= 2 && window[at - 2..at] == *b"%0" => {
                candidate(at - 2, vec![Encoding::Percent])
            }
            Self::EscapedNul { is_shifted } => {
                let (start, slashes) = escape_start(window, at + 1)?;
                candidate(start, literals(slashes, is_shifted).to_vec())
            }
            Self::Character { back, is_shifted } => candidate(at.checked_sub(back)?, literals(1, is_shifted).to_vec()),
            Self::EscapedLetter => {
                let slashes = window[..at].iter().rev().take(4).take_while(|&&byte| byte == b'\\').count();
                let (start, slashes) = escape_start(window, at.checked_sub(slashes)?)?;
                candidate(start, literals(slashes, false).to_vec())
            }
            Self::Base64 { back, skipped } => candidate(at.checked_sub(back)?, vec![Encoding::Base64(skipped)]),
            Self::Compressed => candidate(at, vec![Encoding::Base64(0)]),
            Self::Hex { back } => candidate(at.checked_sub(back)?, vec![Encoding::Hex]),
            Self::Number { separator } => {
                let (mut start, previous) = number_before(window, at + separator)?;
                match previous {
                    0x61 => (start, _) = number_before(window, start).filter(|(_, value)| *value == 0)?,
                    0x1f => {}
                    _ => return None,
                }
                candidate(start, vec![Encoding::Numbers])
            }
        }
    }
}

/// The encodings for a literal with this many backslashes before an escape. A source map may have escaped the character
/// that a script has as it is.
fn literals(slashes: usize, is_shifted: bool) -> [Encoding; 2] {
    let levels = match slashes {
        0 | 1 => 1,
        2 => 2,
        _ => 3,
    };
    [Escaping::literal(levels, is_shifted), Escaping::literal(levels + 1, is_shifted)]
}

fn is_quoted(window: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| matches!(window[before], b'"' | b'\'' | b'`'))
}

/// The start of the escape that ends at a position, and the number of its backslashes.
fn escape_start(window: &[u8], end: usize) -> Option<(usize, usize)> {
    const MAX_ESCAPE: usize = 8;
    const MAX_SLASHES: usize = 8;
    let is_code = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'u' | b'{' | b'}');
    let code = window[..end].iter().rev().take(MAX_ESCAPE).take_while(|&&byte| is_code(byte)).count();
    let slashes = window[..end - code].iter().rev().take(MAX_SLASHES).take_while(|&&byte| byte == b'\\').count();
    (slashes > 0 && code > 0).then_some((end - code - slashes, slashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_have_four_bytes() {
        assert!(ANCHORS.iter().all(|(bytes, _)| bytes.len() >= 4));
        assert!(SEARCH.packed.is_some() || !cfg!(target_arch = "x86_64"));
    }

    #[test]
    fn runs_of_several_lines_begin_at_the_first_one() {
        let line = "QUJD".repeat(16);
        for between in ["\n", "\r\n", "\\n", "\" +\n    \"", "\\\" +\\n  \\\""] {
            let text = format!("var x = \"{}\"; // and more text", [&*line; 6].join(between));
            let window = text.as_bytes();
            let candidate = Finder::default().next(window, 0, true).unwrap();
            assert_eq!((candidate.at, candidate.is_run), (9, true), "{text}");
        }
    }
}
