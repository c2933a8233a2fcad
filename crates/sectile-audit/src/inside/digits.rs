//! Decodes hexadecimal text and lists of numbers.

use memchr::memmem;

use super::Decoded;
use super::symbols::{Symbol, hex_digit, symbol};

/// Decodes pairs of hexadecimal digits, also with spaces between them.
pub(super) fn decode_hex(text: &[u8], most: usize) -> Decoded {
    let mut decoded = Decoded::default();
    let (mut at, mut high) = (0, None);
    while decoded.bytes.len() < most {
        let (symbol, len) = symbol(&text[at..]);
        match symbol {
            Symbol::Char(digit) if digit.is_ascii_hexdigit() => {
                let digit = hex_digit(digit);
                match high.take() {
                    Some(high) => decoded.bytes.push(high << 4 | digit),
                    None => high = Some(digit),
                }
                at += len;
                continue;
            }
            Symbol::Char(_) => {}
            Symbol::End => (decoded.is_open, decoded.is_cut) = (true, true),
            Symbol::Space if high.is_none() && text.get(at + len).is_some_and(u8::is_ascii_hexdigit) => {
                decoded.breaks.push(decoded.bytes.len());
                at += len;
                continue;
            }
            Symbol::Space | Symbol::Quote(_) => {
                if let Some(len) = decoded.next_part(&text[at..]) {
                    at += len;
                    continue;
                }
            }
        }
        break;
    }
    decoded.len = at;
    decoded
}

/// Decodes the bytes of a URI up to a character that a URI cannot have. Source: RFC 3986, 2.
pub(super) fn decode_percent(text: &[u8], most: usize) -> Decoded {
    let mut decoded = Decoded::default();
    while decoded.bytes.len() < most {
        let (byte, len) = match &text[decoded.len..] {
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex_digit(*high) << 4 | hex_digit(*low), 3)
            }
            [] | [b'%'] | [b'%', _] => {
                (decoded.is_open, decoded.is_cut) = (true, true);
                break;
            }
            [byte @ (b'!' | b'#'..=b'&' | b'('..=b';' | b'=' | b'?'..=b'[' | b']'..=b'_' | b'a'..=b'~'), ..] => {
                (*byte, 1)
            }
            _ => break,
        };
        decoded.bytes.push(byte);
        decoded.len += len;
    }
    decoded
}

/// Decodes numbers from -128 to 255, decimal or hexadecimal, separated by commas, semicolons, spaces or comments.
pub(super) fn decode_numbers(text: &[u8], most: usize) -> Decoded {
    let mut decoded = Decoded::default();
    let mut at = 0;
    while decoded.bytes.len() < most {
        let Some((value, len)) = number(&text[at..]) else { break };
        at += len;
        decoded.bytes.push(value);
        decoded.len = at;
        match separator(&text[at..]) {
            Some(0) | None => break,
            Some(len) => at += len,
        }
    }
    decoded.is_open |= at == text.len();
    decoded.is_cut = decoded.is_open;
    decoded
}

/// A number that is a byte, and its length in text.
fn number(text: &[u8]) -> Option<(u8, usize)> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let sign = text.len() - digits.len();
    let (radix, prefix) = match digits {
        [b'0', b'x' | b'X', ..] => (16, 2),
        _ => (10, 0),
    };
    let digits = &digits[prefix..];
    let len = digits.iter().take(4).take_while(|&&digit| char::from(digit).is_digit(radix)).count();
    let value =
        digits[..len].iter().try_fold(0, |value, &digit| Some(value * radix + char::from(digit).to_digit(radix)?))?;
    // A negative number is a byte in two's complement.
    let byte = match sign {
        0 => u8::try_from(value).ok()?,
        _ if value <= 128 => 0_u8.wrapping_sub(value as u8),
        _ => return None,
    };
    (1..=3).contains(&len).then_some((byte, sign + prefix + len))
}

/// The length of the separator before the next number, or of the rest of the window if it has only separators.
fn separator(text: &[u8]) -> Option<usize> {
    const MAX_LEN: usize = 1 << 10;
    let (mut at, mut has_comma) = (0, false);
    while at < MAX_LEN {
        let (symbol, mut len) = symbol(&text[at..]);
        match symbol {
            Symbol::Space => {}
            Symbol::Char(b'/' | b'#') => len = comment(&text[at..text.len().min(at + MAX_LEN)])?,
            Symbol::Char(b',' | b';') if !has_comma => has_comma = true,
            Symbol::Char(b'-' | b'0'..=b'9') | Symbol::End => return Some(at),
            _ => return None,
        }
        at += len;
    }
    None
}

/// The length of a comment up to the end of its line, which may be escaped, or up to its own end.
fn comment(text: &[u8]) -> Option<usize> {
    let ends: &[&[u8]] = match text {
        [b'/', b'*', ..] => &[b"*/"],
        [b'/', b'/', ..] | [b'#', ..] => &[b"\n", b"\\n"],
        _ => return None,
    };
    let found = ends.iter().filter_map(|end| memmem::find(text, end).map(|at| at + end.len())).min();
    Some(found.unwrap_or(text.len()))
}

/// The position of the number that ends before a position in a text, and its value.
pub(super) fn number_before(text: &[u8], end: usize) -> Option<(usize, u8)> {
    const MAX_BACK: usize = 64;
    let floor = end.saturating_sub(MAX_BACK);
    let mut at = end;
    while at > floor && (is_separator(text[at - 1]) || is_escaped_space(&text[..at])) {
        at -= 1;
    }
    let digits_end = at;
    while at > floor && (text[at - 1].is_ascii_hexdigit() || matches!(text[at - 1], b'x' | b'X')) {
        at -= 1;
    }
    // The letter of an escaped space is not a digit.
    let (value, len) = number(&text[at..digits_end])?;
    (at + len == digits_end && digits_end < end).then_some((at, value))
}

/// The start of the list of decimal numbers around a position, but at least `lowest`. Block comments belong to it.
pub(super) fn list_start(text: &[u8], at: usize, lowest: usize) -> Option<usize> {
    let is_part = |byte: u8| is_separator(byte) || matches!(byte, b'-' | b'0'..=b'9');
    let mut start = at;
    while start > lowest {
        if is_part(text[start - 1]) || is_escaped_space(&text[..start]) {
            start -= 1;
        } else if text[..start].ends_with(b"*/") {
            start = lowest + memmem::rfind(&text[lowest..start], b"/*")?;
        } else {
            break;
        }
    }
    let first = text[start..].iter().take(at + 1 - start).position(|byte| matches!(byte, b'-' | b'0'..=b'9'))?;
    Some(start + first)
}

/// Whether all bytes of both words may be those of a list of decimal numbers. A test in few instructions, which also
/// holds for some other marks.
#[inline]
pub(super) fn may_be_numbers(words: [u64; 2]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // An addition moves all bytes after `9` into the upper half.
    let upper = words.map(|word| word.wrapping_add((0x7f - u64::from(b'9')) * EACH) | word);
    (upper[0] | upper[1]) & (0x80 * EACH) == 0
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b',' | b';' | b' ' | b'\t' | b'\r' | b'\n' | b'\\')
}

/// Whether a text ends in the letter of `\n`, `\r` or `\t`.
fn is_escaped_space(text: &[u8]) -> bool {
    matches!(text, [.., b'\\', b'n' | b'r' | b't'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_lists_of_numbers_are_recognized() {
        for (text, expected) in [
            (b"120, 156, -99, 4", true),
            (b"1,2,3,4,5,6,7,8,", true),
            (b"                ", true),
            (b"120, 156, x99, 4", false),
            (b"120, 156, \xff99, 4", false),
        ] {
            let words = [0, 8].map(|at| u64::from_ne_bytes(text[at..at + 8].try_into().unwrap()));
            assert_eq!(may_be_numbers(words), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn hexadecimal_text_is_decoded() {
        for text in [&b"0061736D\""[..], b"00 61 73 6d\"", b"0061\n736d\"", b"0061' + '736d\""] {
            assert_eq!(decode_hex(text, usize::MAX).bytes, b"\0asm", "{}", text.escape_ascii());
        }
    }

    #[test]
    fn lists_of_numbers_are_decoded() {
        for text in [
            &b"0,97,115,109,255]"[..],
            b"0, 97, 115, 109, 255,]",
            b"0x00, 0x61, 0x73, 0x6D, 0xff}",
            b"0,\n    97,\n    115,\n    109,\n    255\n]",
            b"0,\\n97,\\n115,\\n109,\\n-1]",
            b"0 97 115 109 255)",
            b"0, /* NUL */ 97,\n // the others\n 115, 109,\\n# and the last\\n255]",
        ] {
            assert_eq!(decode_numbers(text, usize::MAX).bytes, b"\0asm\xff", "{}", text.escape_ascii());
        }
        assert_eq!(decode_numbers(b"0,97,256,1", usize::MAX).bytes, b"\0a");
        let text = b"[0, 97, 115";
        assert_eq!(number_before(text, 8), Some((4, 97)));
        assert_eq!(number_before(text, 4), Some((1, 0)));
        assert_eq!(list_start(b"x = [120, -100, 7]", 12, 0), Some(5));
        assert_eq!(list_start(b"x = [\\n120,\\n-100]", 12, 0), Some(7));
        assert_eq!(list_start(b"x = [120, /* level */ 156, 7]", 26, 0), Some(5));
    }
}
