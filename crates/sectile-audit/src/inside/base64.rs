//! Decodes Base64 in text. Sources: RFC 4648, 4 and 5; RFC 2045, 6.8.

use super::Decoded;
use super::symbols::{Symbol, symbol};

/// Value of a byte that is not a character of Base64.
const NONE: u8 = 0xff;

/// The values of the characters, for both alphabets.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < 26 {
        values[b'A' as usize + at] = at as u8;
        values[b'a' as usize + at] = 26 + at as u8;
        at += 1;
    }
    at = 0;
    while at < 10 {
        values[b'0' as usize + at] = 52 + at as u8;
        at += 1;
    }
    values[b'+' as usize] = 62;
    values[b'-' as usize] = 62;
    values[b'/' as usize] = 63;
    values[b'_' as usize] = 63;
    values
};

/// Whether a byte is a character of Base64, in either alphabet.
pub(super) fn is_base64(byte: u8) -> bool {
    VALUES[usize::from(byte)] != NONE
}

/// Number of characters of Base64 at the start of a text.
pub(super) fn len_at_start(text: &[u8]) -> usize {
    let whole = PART_LEN * text.as_chunks().0.iter().take_while(|part| is_all_base64(part)).count();
    whole + text[whole..].iter().take_while(|&&byte| is_base64(byte)).count()
}

/// Number of characters of Base64 at the end of a text.
pub(super) fn len_at_end(text: &[u8]) -> usize {
    let whole = PART_LEN * text.as_rchunks().1.iter().rev().take_while(|part| is_all_base64(part)).count();
    whole + text[..text.len() - whole].iter().rev().take_while(|&&byte| is_base64(byte)).count()
}

/// Number of bytes in a vector register that all processors have.
const PART_LEN: usize = 16;

/// Whether all bytes are characters of Base64. Compiles to vector instructions, which compare signed bytes.
#[inline]
fn is_all_base64(part: &[u8; PART_LEN]) -> bool {
    let masks = part.map(|byte| {
        // The last byte of each range becomes the greatest signed one.
        let is_letter = (byte | 0x20).wrapping_add(0x7f - b'z').cast_signed() >= 0x7f - 25;
        let is_digit_or_slash = byte.wrapping_add(0x7f - b'9').cast_signed() >= 0x7f - 10;
        #[allow(clippy::needless_bitwise_bool)] // without branches
        let is_base64 = is_letter | is_digit_or_slash | (byte == b'+') | (byte == b'-') | (byte == b'_');
        u8::from(is_base64).wrapping_neg()
    });
    u128::from_ne_bytes(masks) == u128::MAX
}

/// Whether all bytes of both words may be characters of Base64. A test in few instructions, which holds for all
/// characters of Base64 and some others.
#[inline]
pub(super) fn may_be_base64(words: [u64; 2]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // `+` and `-` become `/`. The bytes from there on are the digits, the letters, and less frequent marks. An addition
    // moves them into the upper half.
    let shifted = words.map(|word| ((word | (6 * EACH)) & (0x7f * EACH)) + (0x80 - u64::from(b'/')) * EACH);
    shifted[0] & shifted[1] & !(words[0] | words[1]) & (0x80 * EACH) == 0x80 * EACH
}

/// Decodes from the start of a text to its end, or until `most` bytes are decoded.
pub(super) fn decode(text: &[u8], most: usize) -> Decoded {
    let mut decoded = Decoded::default();
    let (mut at, mut bits, mut pending) = (0, 0_u32, 0_u32);
    while decoded.bytes.len() < most {
        if pending == 0 {
            at += decode_groups(&text[at..], most, &mut decoded.bytes);
        }
        let (symbol, len) = symbol(&text[at..]);
        match symbol {
            Symbol::Char(byte) if is_base64(byte) => {
                bits = bits << 6 | u32::from(VALUES[usize::from(byte)]);
                pending += 6;
                at += len;
                if pending >= 8 {
                    pending -= 8;
                    decoded.bytes.push((bits >> pending) as u8);
                }
                continue;
            }
            Symbol::Char(b'=') => {
                at += len;
                if let (Symbol::Char(b'='), len) = super::symbols::symbol(&text[at..]) {
                    at += len;
                }
                break;
            }
            Symbol::Char(_) => break,
            Symbol::End => (decoded.is_open, decoded.is_cut) = (true, true),
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

/// Decodes whole groups of four characters without escapes. Returns the length of their text.
fn decode_groups(text: &[u8], most: usize, out: &mut Vec<u8>) -> usize {
    let groups = text.as_chunks::<4>().0;
    let before = out.len();
    out.reserve((groups.len() * 3).min(most - before).min(1 << 20));
    for (nth, group) in groups.iter().enumerate() {
        let [a, b, c, d] = group.map(|byte| VALUES[usize::from(byte)]);
        if (a | b | c | d) & 0xc0 != 0 || out.len() >= most {
            return 4 * nth;
        }
        let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    4 * groups.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tests_of_characters_agree() {
        for byte in 0..=u8::MAX {
            let (part, is_base64) = ([byte; PART_LEN], is_base64(byte));
            assert_eq!(is_all_base64(&part), is_base64, "{byte}");
            let words = [[b'A', b'A', byte, b'z', b'z', b'z', b'z', b'z'], [b'0'; 8]].map(u64::from_ne_bytes);
            assert!(may_be_base64(words) >= is_base64, "{byte}");
            assert!(!may_be_base64(words) || (b' '..=0x7f).contains(&byte), "{byte}");
            let text = [&[b'A'; 20][..], &[byte], &[b'z'; 40]].concat();
            let lens = if is_base64 { (61, 61) } else { (20, 40) };
            assert_eq!((len_at_start(&text), len_at_end(&text)), lens, "{byte}");
        }
    }

    #[test]
    fn base64_is_decoded_through_line_breaks_and_literals() {
        for text in [
            &b"aGVsbG8sIHdvcmxk\""[..],
            b"aGVsbG8sIHd\\u0076cmxk\"",
            b"aGVsb\nG8sIHdvcmxk\"",
            b"aGVsb\" + \"G8sIHdvcmxk\"",
            b"aGVs%62G8sIHdvcmxk)",
        ] {
            let decoded = decode(text, usize::MAX);
            assert_eq!(
                (&*decoded.bytes, decoded.len),
                (&b"hello, world"[..], text.len() - 1),
                "{}",
                text.escape_ascii()
            );
        }
        assert_eq!(decode(b"aGk=;", usize::MAX).bytes, b"hi");
        assert_eq!(decode(b"-_-_", usize::MAX).bytes, decode(b"+/+/", usize::MAX).bytes);
        assert!(decode(b"aGVsbG8", usize::MAX).is_open);
    }
}
