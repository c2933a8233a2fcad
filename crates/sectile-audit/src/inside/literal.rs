//! Decodes strings in literals, each character of which is a byte.
//!
//! Escapes are those of JavaScript, JSON, Python and C. A source map has the literals of a script inside a JSON string,
//! so that they are escaped twice. Emscripten writes binaries as strings of the characters up to U+00FF, with U+0100 or
//! U+FFFD instead of NUL; some of its versions add 1 to each character.

use super::{Decoded, Encoding};

/// The escaping of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Escaping {
    /// Number of levels.
    pub(crate) levels: u8,
    /// Whether each character is one more than its byte.
    pub(crate) is_shifted: bool,
}

impl Escaping {
    /// An encoding with this number of levels, which is limited.
    pub(super) fn literal(levels: usize, is_shifted: bool) -> Encoding {
        const MAX_LEVELS: usize = 3;
        Encoding::Literal(Self { levels: levels.min(MAX_LEVELS) as u8, is_shifted })
    }
}

/// Decodes a literal from a position in it; `before` is the byte before this position.
pub(super) fn decode(text: &[u8], before: Option<u8>, escaping: Escaping, most: usize) -> Decoded {
    let quote = before.filter(|byte| matches!(byte, b'"' | b'\'' | b'`')).map(u32::from);
    let mut chars = Chars { text, at: 0, has_ended: false };
    let mut decoded = Decoded::default();
    while decoded.bytes.len() < most {
        let before = chars.at;
        let Some((char, is_escaped)) = chars.next(escaping.levels) else { break };
        let is_quote = match quote {
            Some(quote) => char == quote,
            None => matches!(char, 0x22 | 0x27 | 0x60),
        };
        if is_quote && !is_escaped {
            let mut after = chars.clone();
            if after.concatenation(escaping.levels, char) {
                chars = after;
                continue;
            }
            decoded.is_open = after.at == text.len() && !after.has_ended;
            chars.at = before;
            chars.has_ended = true;
            break;
        }
        let byte = match char {
            1..=0x100 if escaping.is_shifted => (char - 1) as u8,
            0..=0xff if !escaping.is_shifted => char as u8,
            0x100 | 0xfffd => 0,
            _ => {
                chars.at = before;
                chars.has_ended = true;
                break;
            }
        };
        decoded.bytes.push(byte);
    }
    decoded.len = chars.at;
    decoded.is_cut = !chars.has_ended && chars.at == text.len();
    decoded.is_open |= decoded.is_cut;
    decoded
}

/// The characters of a text.
#[derive(Clone)]
struct Chars<'t> {
    text: &'t [u8],
    at: usize,
    /// Whether the text ended before the window.
    has_ended: bool,
}

const BACKSLASH: u32 = 0x5c;

impl Chars<'_> {
    /// Goes to the next literal of a concatenation, after the quote that begins it. Returns whether there is one.
    fn concatenation(&mut self, levels: u8, quote: u32) -> bool {
        const MAX_JOINT: usize = 256;
        let mut has_operator = false;
        for _ in 0..MAX_JOINT {
            match self.next(levels) {
                Some((char, false)) if char == quote => return true,
                Some((0x20 | 0x09 | 0x0a | 0x0d, _)) => {}
                Some((0x2b | 0x2e | 0x2c | 0x5c, _)) if !has_operator => has_operator = true,
                Some(_) => {
                    self.has_ended = true;
                    return false;
                }
                None => return false,
            }
        }
        self.has_ended = true;
        false
    }

    /// The next character after this number of levels of escapes, and whether the last level escaped it.
    fn next(&mut self, levels: u8) -> Option<(u32, bool)> {
        let Some(below) = levels.checked_sub(1) else { return self.plain().map(|char| (char, false)) };
        let (char, is_escaped) = self.next(below)?;
        if below > 0 && char == 0x22 && !is_escaped {
            self.has_ended = true; // the string around the literal ends
            return None;
        }
        if char != BACKSLASH {
            return Some((char, false));
        }
        let (char, _) = self.next(below)?;
        let value = match char {
            0x6e => 0x0a,                 // n
            0x72 => 0x0d,                 // r
            0x74 => 0x09,                 // t
            0x62 => 0x08,                 // b
            0x66 => 0x0c,                 // f
            0x76 => 0x0b,                 // v
            0x61 => 0x07,                 // a
            0x78 => self.code(below, 2)?, // x
            0x75 => self.code(below, 4)?, // u
            0x30..=0x37 => self.octal(below, char - 0x30),
            0x0a => return self.next(levels), // a line is continued
            0x0d => {
                let mut after = self.clone();
                if let Some((0x0a, _)) = after.next(below) {
                    *self = after;
                }
                return self.next(levels);
            }
            other => other,
        };
        Some((value, true))
    }

    /// A character of UTF-8, or a byte that is not UTF-8.
    fn plain(&mut self) -> Option<u32> {
        let rest = &self.text[self.at..];
        let first = *rest.first()?;
        let len = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let char =
            rest.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|text| text.chars().next());
        self.at += if char.is_some() { len } else { 1 };
        Some(char.map_or(u32::from(first), u32::from))
    }

    /// The value of an escape of this many hexadecimal digits, or of digits in braces.
    fn code(&mut self, below: u8, digits: u32) -> Option<u32> {
        const MAX_DIGITS: u32 = 8;
        let (mut value, mut is_braced) = (0, false);
        for nth in 0..MAX_DIGITS {
            if nth >= digits && !is_braced {
                break;
            }
            let (char, _) = self.next(below)?;
            match (char, char::from_u32(char).and_then(|char| char.to_digit(16))) {
                (0x7b, _) if nth == 0 => is_braced = true,
                (0x7d, _) if is_braced => break,
                (_, Some(digit)) => value = value << 4 | digit,
                _ => return Some(u32::MAX), // no byte
            }
        }
        Some(value)
    }

    /// The value of an octal escape of up to three digits.
    fn octal(&mut self, below: u8, first: u32) -> u32 {
        let mut value = first;
        for _ in 0..2 {
            let mut after = self.clone();
            match after.next(below) {
                Some((digit @ 0x30..=0x37, _)) if value * 8 + (digit - 0x30) <= 0xff => {
                    value = value * 8 + (digit - 0x30);
                }
                _ => break,
            }
            *self = after;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8], levels: u8) -> Vec<u8> {
        decode(text, Some(b'"'), Escaping { levels, is_shifted: false }, usize::MAX).bytes
    }

    #[test]
    fn escapes_of_several_languages_are_bytes() {
        for (text, levels) in [
            (&b"\\0asm\\x01\\n\""[..], 1),
            (b"\\x00asm\\u0001\\x0a\"", 1),
            (b"\\000asm\\001\\012\"", 1),
            (b"\\u{0}\\x61sm\\u{1}\\n\"", 1),
            (b"\\0a\" + \"sm\\x01\\n\"", 1),
            (b"\\0as\\\nm\\x01\\n\"", 1),
            ("\u{100}asm\x01\\n\"".as_bytes(), 1),
            (b"\\\\0asm\\\\x01\\\\n\\\"", 2),
            (b"\\u0000asm\\u0001\\\\n\\\"", 2),
        ] {
            assert_eq!(decoded(text, levels), b"\0asm\x01\n", "{}", text.escape_ascii());
        }
        assert_eq!(decoded("\u{ff}\u{80}\\\"\\\\\"".as_bytes(), 1), b"\xff\x80\"\\");
        let shifted = Escaping { levels: 1, is_shifted: true };
        assert_eq!(decode("\x01btn\u{100}'".as_bytes(), Some(b'\''), shifted, usize::MAX).bytes, b"\0asm\xff");
    }
}
