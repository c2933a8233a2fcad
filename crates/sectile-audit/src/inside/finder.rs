//! Searches windows of bytes for the places where an encoding of a binary may begin.
//!
//! Two searches run side by side. Keys are short byte strings that the encodings of `\0asm` have; one vectorized search
//! finds all of them. Long runs of Base64, hexadecimal digits or numbers, which may encode compressed or text data, are
//! found by looking at two places in [`STRIDE`] bytes.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, packed};

use super::base64::{is_base64, len_at_end, len_at_start, may_be_base64};
use super::digits::{decode_numbers, list_start, may_be_numbers, number_before};
use super::literal::Escaping;
use super::symbols::{Joint, Symbol, joint, symbol};
use super::{Decoded, Encoding, Magic, work};

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
    /// The position from which keys are searched.
    from: u64,
    /// The next key, if it was found already.
    key: Option<(u64, Anchor)>,
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
            let key = self.next_key(window, base).filter(|(at, _)| *at < limit_at);
            let until = key.map_or(limit_at, |(at, _)| at.saturating_sub(MAX_BEFORE));
            if let Some(run) = self.next_run(window, base, until) {
                return Some(run);
            }
            let (at, anchor) = key?;
            self.key = None;
            self.from = at + 1;
            let floor = self.floor.saturating_sub(base) as usize;
            if let Some(candidate) = anchor.candidate(window, (at - base) as usize, floor) {
                return Some(Candidate { next: at + 1, ..candidate });
            }
        }
    }

    /// The first position of the window that is still needed.
    pub(crate) fn needed_from(&self, window_end: u64) -> u64 {
        let searched = self.key.map_or(window_end.saturating_sub(LOOKAHEAD as u64), |(at, _)| at);
        searched.min(window_end.saturating_sub(LOOKAHEAD as u64)).saturating_sub(LOOKBEHIND as u64)
    }

    /// Continues after an accepted candidate, which ends here.
    pub(crate) fn accept(&mut self, end: u64) {
        self.floor = end;
        self.from = self.from.max(end);
        self.key = self.key.filter(|(at, _)| *at >= end);
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
            self.key = None;
        }
    }

    /// The next key. A part of the window that has none is not searched again.
    fn next_key(&mut self, window: &[u8], base: u64) -> Option<(u64, Anchor)> {
        if self.key.is_none() {
            let from = (self.from.saturating_sub(base) as usize).min(window.len());
            let Some((at, key)) = SEARCH.find(window, from) else {
                self.from = self.from.max((base + window.len() as u64).saturating_sub(MAX_KEY_LEN as u64 - 1));
                return None;
            };
            self.key = Some((base + at as u64, KEYS[key].1));
        }
        self.key
    }

    /// The run at the next position that is looked at, before `until`.
    fn next_run(&mut self, window: &[u8], base: u64, until: u64) -> Option<Candidate> {
        let floor = self.floor.saturating_sub(base) as usize;
        self.sample = self.sample.max(base.next_multiple_of(STRIDE));
        while self.sample < until {
            let first = self.sample;
            let strides = ((until - first).div_ceil(STRIDE) as usize).min(STRIDES_AT_ONCE);
            let text = &window[(first - base) as usize..];
            let mut probed = probe_strides(&text[..text.len().min(strides * STRIDE as usize)]);
            while probed != 0 {
                let probe = probed.trailing_zeros() as usize;
                probed &= probed - 1;
                let at = first + STRIDE * (probe / PROBES.len()) as u64;
                let offset = (at - base) as usize + PROBES[probe % PROBES.len()];
                let (start, encodings) = if let Some(start) = compressed_list(window, offset, floor) {
                    (start, vec![Encoding::Numbers])
                } else if let Some(start) = run_around(window, offset, floor) {
                    (start, run_encodings(window, start))
                } else {
                    continue;
                };
                self.sample = at + STRIDE;
                return Some(Candidate { at: start, encodings, is_run: true, next: at });
            }
            self.sample = first + strides as u64 * STRIDE;
        }
        None
    }
}

/// The places in a stride where a run is looked for. Two, because one may be at the end of a line.
const PROBES: [usize; 2] = [0, LINE_END];

/// Length of a probe.
const PROBE_LEN: usize = 16;

/// Number of strides that are looked at without a branch for each. They are looked at again after each candidate.
const STRIDES_AT_ONCE: usize = 32;

/// The probes of these strides that may be in a run, as bits. Lists of numbers are only looked for at the first probe
/// of a stride: shorter ones are found by their keys.
fn probe_strides(text: &[u8]) -> u64 {
    work::count(text.len());
    let (strides, rest) = text.as_chunks::<{ STRIDE as usize }>();
    let mut probed = 0;
    for (nth, stride) in strides.iter().enumerate() {
        let [first, second] = PROBES.map(|at| [word(stride, at), word(stride, at + 8)]);
        #[allow(clippy::needless_bitwise_bool)] // without branches
        let first = may_be_base64(first) | may_be_numbers(first);
        probed |= (u64::from(first) | u64::from(may_be_base64(second)) << 1) << (PROBES.len() * nth);
    }
    // The window may end in the last stride.
    for (nth, at) in PROBES.into_iter().enumerate() {
        if at + PROBE_LEN <= rest.len() {
            let words = [word(rest, at), word(rest, at + 8)];
            let may_be = may_be_base64(words) || may_be_numbers(words);
            probed |= u64::from(may_be) << (PROBES.len() * strides.len() + nth);
        }
    }
    probed
}

/// The encodings of a run that starts here.
fn run_encodings(window: &[u8], start: usize) -> Vec<Encoding> {
    let head = &window[start..window.len().min(start + MIN_RUN)];
    let is_hex = head.iter().filter(|byte| byte.is_ascii_alphanumeric()).all(u8::is_ascii_hexdigit);
    if is_hex { vec![Encoding::Hex, Encoding::Base64(0)] } else { vec![Encoding::Base64(0)] }
}

/// The start of the list of numbers around a probe, if it begins like compressed data.
#[inline]
fn compressed_list(window: &[u8], at: usize, floor: usize) -> Option<usize> {
    if is_in_list(window, at) { start_of_compressed_list(window, at, floor) } else { None }
}

fn is_in_list(window: &[u8], at: usize) -> bool {
    let probe: Option<&[u8; PROBE_LEN]> = window.get(at..).and_then(|text| text.first_chunk());
    probe.is_some_and(|probe| may_be_numbers([word(probe, 0), word(probe, 8)]))
}

#[cold]
fn start_of_compressed_list(window: &[u8], at: usize, floor: usize) -> Option<usize> {
    // The first probe in a list is at most this far from the text before it.
    let lowest = floor.max(at.saturating_sub(2 * STRIDE as usize));
    if lowest > floor && (lowest..at).step_by(PROBE_LEN).all(|at| is_in_list(window, at)) {
        return None;
    }
    let start = list_start(window, at, lowest).filter(|&start| start > lowest || lowest == floor)?;
    starts_compressed(&window[start..]).then_some(start)
}

/// Whether the first numbers of a list are those of compressed data.
fn starts_compressed(text: &[u8]) -> bool {
    let head = decode_numbers(text, 4).bytes;
    Magic::detect(&head) == Magic::Zlib || matches!(*head, [0x1f, 0x8b, 8, ..] | [0x28, 0xb5, 0x2f, 0xfd])
}

/// The eight bytes at a position of a text that has them.
fn word(text: &[u8], at: usize) -> u64 {
    text[at..].first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

/// The start of the run of Base64 characters around a position, if it is long.
fn run_around(window: &[u8], at: usize, floor: usize) -> Option<usize> {
    let line = window.get(at..)?;
    let after = len_at_start(&line[..line.len().min(STRIDE as usize)]);
    if after < PROBE_LEN {
        return None;
    }
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

/// The start of the line of Base64 before a position. Escapes of its characters, such as `\/`, belong to it.
fn line_start(window: &[u8], at: usize, floor: usize) -> usize {
    let floor = floor.max(at.saturating_sub(LOOKBEHIND / 4)).min(at);
    let mut start = at;
    loop {
        start -= len_at_end(&window[floor..start]);
        let Some(mark) = start.checked_sub(1).filter(|&mark| mark >= floor) else { return start };
        match symbol(&window[mark..]) {
            (Symbol::Char(byte), 2..) if is_base64(byte) => {
                let slashes = window[floor..mark].iter().rev().take(MAX_SLASHES).take_while(|&&byte| byte == b'\\');
                start = mark - slashes.count();
            }
            // The letter of an escaped line break belongs to the text around the run.
            (Symbol::Space, 2..) if matches!(window[start], b'n' | b'r') => return start + 1,
            _ => return start,
        }
    }
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

/// The meaning of a key for the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    /// `\0asm`.
    Nul,
    /// `0asm`, the end of an escape and the letters.
    EscapedNul { is_shifted: bool },
    /// The letters after a character instead of NUL, which begins this many bytes before them.
    Character { back: usize, is_shifted: bool },
    /// The end of the escape of the second letter, and the start of another escape.
    EscapedLetter,
    /// Base64 of a binary, after this text. Its first group begins this many characters before that text, and has this
    /// many bytes before the binary.
    Base64 { before: &'static [u8], back: usize, skipped: u8 },
    /// Base64 of compressed data, after this text.
    Compressed { before: &'static [u8] },
    /// The fourth byte of a binary.
    HexLetter,
    /// The second byte of compressed data, after this text.
    Hex { before: &'static [u8] },
    /// The second number of a binary.
    Number,
    /// The third number of a binary, after `0`.
    HexNumber,
    /// The second number of compressed data, after this text.
    CompressedNumber { prefix: &'static [u8] },
    /// The first number of compressed data, after `0`.
    FirstNumber,
}

/// The keys: a part of each anchor whose first two bytes are rare in texts and programs.
///
/// The search looks for these two bytes. It deals the keys to eight buckets in turn, and verifies each place where both
/// bytes could be those of keys in one bucket, by their halves. Keys whose first two bytes have the same lower halves
/// share the bucket of the first of them. The keys of a bucket, which are eight rows apart, thus begin with similar
/// bytes. One key must have only two bytes: the search takes longer for a third (bench `inside`).
#[rustfmt::skip]
const KEYS: &[(&[u8], Anchor)] = &[
    (b"39,8,", Anchor::CompressedNumber { prefix: b"1" }),
    (b"Fzb", Anchor::Base64 { before: b"AG", back: 0, skipped: 0 }),
    (b"0asm", Anchor::EscapedNul { is_shifted: false }),
    (b"YXNt", Anchor::Base64 { before: b"A", back: 3, skipped: 2 }),
    (b"6d", Anchor::HexLetter),
    (b"Uv/", Anchor::Compressed { before: b"KL" }),
    (b"x73", Anchor::HexNumber),
    (b"hc20", Anchor::Base64 { before: b"B", back: 2, skipped: 1 }),

    (b"39, 8", Anchor::CompressedNumber { prefix: b"1" }),
    (b"4sIA", Anchor::Compressed { before: b"H" }),
    (b"1btn", Anchor::EscapedNul { is_shifted: true }),
    (b"1\\", Anchor::EscapedLetter),
    (b"8b08", Anchor::Hex { before: b"1f" }),
    (b"\xbdasm", Anchor::Character { back: 2, is_shifted: false }), // U+FFFD
    (b"97", Anchor::Number),
    (b"x8b", Anchor::CompressedNumber { prefix: b"0" }),

    // They share the buckets of those above.
    (b"\0asm", Anchor::Nul),
    (b"\x80asm", Anchor::Character { back: 1, is_shifted: false }), // U+0100
    (b"\x01btn", Anchor::Character { back: 0, is_shifted: true }),
    (b"6D", Anchor::HexLetter),
    (b"8B08", Anchor::Hex { before: b"1F" }),
    (b"Uv_", Anchor::Compressed { before: b"KL" }),
    (b"Uv\\", Anchor::Compressed { before: b"KL" }),
    (b"x8B", Anchor::CompressedNumber { prefix: b"0" }),
    (b"x78", Anchor::FirstNumber),
];

/// Length of the longest key.
const MAX_KEY_LEN: usize = 8;

/// Maximum number of bytes of an encoding before its key, unless it is a list of numbers.
const MAX_BEFORE: u64 = 16;

/// The search for all keys at once.
static SEARCH: LazyLock<Search> = LazyLock::new(Search::new);

struct Search {
    /// The search with vector instructions, if the processor has them.
    packed: Option<packed::Searcher>,
    automaton: Option<AhoCorasick>,
}

impl Search {
    fn new() -> Self {
        let patterns = || KEYS.iter().map(|(bytes, _)| bytes);
        let mut builder = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder();
        let packed = builder.extend(patterns()).build();
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns());
        Self { packed, automaton: automaton.ok() }
    }

    /// The position and the number of the first key.
    fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        let found = match &self.packed {
            Some(packed) => packed.find_in(bytes, aho_corasick::Span { start: from, end: bytes.len() }),
            None => self.automaton.as_ref()?.find(aho_corasick::Input::new(bytes).range(from..)),
        };
        work::count(found.map_or(bytes.len(), |found| found.end()) - from);
        found.map(|found| (found.start(), found.pattern().as_usize()))
    }
}

impl Anchor {
    /// The candidate around a key, if the bytes near it do not rule one out.
    fn candidate(self, window: &[u8], at: usize, floor: usize) -> Option<Candidate> {
        let candidate = |at: usize, encodings: Vec<Encoding>| {
            (at >= floor).then_some(Candidate { at, encodings, is_run: false, next: 0 })
        };
        // The start of a text that ends at the key.
        let start_of = |before: &[u8]| window[..at].ends_with(before).then(|| at - before.len());
        // The start of the number before a position, if it has this value.
        let start_of_number = |at: usize, value: u8| {
            number_before(window, at).filter(|&(_, found)| found == value).map(|(start, _)| start)
        };
        match self {
            Self::Nul => {
                let literals = if is_quoted(window, at) { literals(1, false).to_vec() } else { Vec::new() };
                let is_raw = Magic::detect(&window[at..]) == Magic::Wasm;
                candidate(at, literals.into_iter().chain(is_raw.then_some(Encoding::Raw)).collect())
            }
            Self::EscapedNul { .. } if start_of(b"%0").is_some() => candidate(at - 2, vec![Encoding::Percent]),
            Self::EscapedNul { is_shifted } => {
                let (start, slashes) = escape_start(window, at + 1)?;
                candidate(start, literals(slashes, is_shifted).to_vec())
            }
            Self::Character { back, is_shifted } => candidate(at.checked_sub(back)?, literals(1, is_shifted).to_vec()),
            Self::EscapedLetter => {
                let escape = start_of(b"u006").or_else(|| {
                    let rest = &window[at + 1..];
                    let slashes = rest.iter().take(MAX_SLASHES).take_while(|&&byte| byte == b'\\').count();
                    start_of(b"x6").filter(|_| rest[slashes..].starts_with(b"x73"))
                })?;
                let slashes =
                    window[..escape].iter().rev().take(MAX_SLASHES).take_while(|&&byte| byte == b'\\').count();
                let (start, slashes) = escape_start(window, escape - slashes)?;
                candidate(start, literals(slashes, false).to_vec())
            }
            Self::Base64 { before, back, skipped } => {
                candidate(start_of(before)?.checked_sub(back)?, vec![Encoding::Base64(skipped)])
            }
            Self::Compressed { before } => candidate(start_of(before)?, vec![Encoding::Base64(0)]),
            Self::HexLetter => {
                let start = start_of(b"006173").or_else(|| start_of(b"0 61 73 ")?.checked_sub(1))?;
                candidate(start, vec![Encoding::Hex])
            }
            Self::Hex { before } => candidate(start_of(before)?, vec![Encoding::Hex]),
            Self::Number => {
                let start = start_of_number(at, 0)?;
                let Decoded { bytes, is_open, .. } = decode_numbers(&window[start..], b"\0asm".len());
                candidate(start, vec![Encoding::Numbers]).filter(|_| bytes == b"\0asm" || is_open)
            }
            Self::HexNumber => {
                let letter = start_of_number(start_of(b"0")?, b'a')?;
                candidate(start_of_number(letter, 0)?, vec![Encoding::Numbers])
            }
            Self::CompressedNumber { prefix } => {
                candidate(start_of_number(start_of(prefix)?, 0x1f)?, vec![Encoding::Numbers])
            }
            Self::FirstNumber => {
                let start = start_of(b"0")?;
                candidate(start, vec![Encoding::Numbers]).filter(|_| starts_compressed(&window[start..]))
            }
        }
    }
}

/// Maximum number of backslashes before an escape.
const MAX_SLASHES: usize = 8;

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
    let is_code = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'u' | b'{' | b'}');
    let code = window[..end].iter().rev().take(MAX_ESCAPE).take_while(|&&byte| is_code(byte)).count();
    let slashes = window[..end - code].iter().rev().take(MAX_SLASHES).take_while(|&&byte| byte == b'\\').count();
    (slashes > 0 && code > 0).then_some((end - code - slashes, slashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_two_bytes() {
        let lens = || KEYS.iter().map(|(bytes, _)| bytes.len());
        assert_eq!((lens().min(), lens().max().is_some_and(|most| most <= MAX_KEY_LEN)), (Some(2), true));
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
