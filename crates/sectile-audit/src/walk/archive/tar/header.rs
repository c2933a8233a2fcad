//! One header block of a tar, with every value that a mainstream reader may find in a field.

use std::borrow::Cow;

use crate::walk::file_kind::TAR_BLOCK;

/// A header block.
#[derive(Clone, Copy)]
pub(in crate::walk) struct HeaderBlock<'b>(pub(in crate::walk) &'b [u8; TAR_BLOCK]);

/// The values of a number, as different readers decode it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// All readers agree.
    Plain(u64),
    /// Readers disagree or fail. The most common value is the first.
    Odd(Vec<u64>),
}

impl HeaderBlock<'_> {
    /// Whether the checksum is right for any reader.
    pub(in crate::walk) fn has_checksum(self) -> bool {
        let field = &self.0[148..156];
        match plain_number(field) {
            Some(written) => self.has_sum(written),
            None => may_be_number(field) && readings(field).into_iter().any(|sum| self.has_sum(sum)),
        }
    }

    /// Whether all readers can decode the checksum.
    pub(super) fn has_plain_checksum(self) -> bool {
        plain_number(&self.0[148..156]).is_some()
    }

    fn has_sum(self, written: u64) -> bool {
        const CHECKSUM_OF_BLANKS: i64 = 8 * b' ' as i64;
        let outside = |byte: fn(u8) -> i64| -> i64 {
            let of = |bytes: &[u8]| bytes.iter().map(|&other| byte(other)).sum::<i64>();
            of(&self.0[..148]) + of(&self.0[156..]) + CHECKSUM_OF_BLANKS
        };
        let Ok(written) = i64::try_from(written) else { return false };
        // Some old writers summed signed bytes.
        written == outside(i64::from) || written == outside(|byte| i64::from(byte.cast_signed()))
    }

    /// Whether it looks like a header, regardless of its checksum.
    pub(in crate::walk) fn is_plausible(self) -> bool {
        let is_octal = |field: &[u8]| {
            field.iter().all(|byte| matches!(byte, b'0'..=b'7' | b' ' | 0)) && field.iter().any(u8::is_ascii_digit)
        };
        let is_old = || {
            let fields = [100..108, 108..116, 116..124, 124..136, 136..148, 148..156];
            let has_name = self.0[0] != 0 && self.0[..100].contains(&0); // text has no NUL
            has_name && fields.into_iter().all(|field| is_octal(&self.0[field]))
        };
        &self.0[257..262] == b"ustar" || is_old()
    }

    pub(super) fn type_flag(self) -> u8 {
        self.0[156]
    }

    /// Whether its magic is that of GNU tar.
    pub(super) fn is_gnu(self) -> bool {
        &self.0[257..265] == b"ustar  \0"
    }

    /// The name with its prefix.
    pub(super) fn name(self) -> Cow<'static, [u8]> {
        let (prefix, name) = (until_nul(&self.0[345..500]), until_nul(&self.0[..100]));
        let has_prefix = &self.0[257..263] == b"ustar\0" && !prefix.is_empty();
        if has_prefix { [prefix, b"/", name].concat().into() } else { name.to_vec().into() }
    }

    /// Whether a reader may see a name that ends in a slash.
    pub(super) fn ends_in_slash(self) -> bool {
        let (prefix, name) = (until_nul(&self.0[345..500]), until_nul(&self.0[..100]));
        name.ends_with(b"/") || name.is_empty() && !prefix.is_empty()
    }

    /// Whether no reader rejects the fields for numbers that this module does not use. Python does not read an entry
    /// with a malformed one, and may go on in its data.
    pub(super) fn has_plain_fields(self) -> bool {
        [100..108, 108..116, 116..124, 136..148, 329..337, 337..345].into_iter().all(|range| {
            let field = &self.0[range];
            matches!(field[0], 0x80 | 0xff)
                || until_nul(field).trim_ascii().iter().all(|byte| matches!(byte, b'0'..=b'7'))
        })
    }

    pub(super) fn size(self) -> Number {
        number(&self.0[124..136])
    }
}

/// The bytes up to the first NUL.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Decodes a numeric field.
pub(super) fn number(field: &[u8]) -> Number {
    plain_number(field).map_or_else(|| Number::Odd(readings(field)), Number::Plain)
}

/// The value of a field that all readers decode alike: octal digits after spaces, which spaces and NULs end; only
/// NULs; or base 256 without a sign, up to 63 bits.
fn plain_number(field: &[u8]) -> Option<u64> {
    if let [0x80, rest @ ..] = field {
        let (high, low) = rest.split_at(rest.len().checked_sub(8)?);
        let low = u64::from_be_bytes(low.try_into().ok()?);
        return (high.iter().all(|&byte| byte == 0) && low >> 63 == 0).then_some(low);
    }
    if field.iter().all(|&byte| byte == 0) {
        return Some(0);
    }
    let start = field.iter().position(|&byte| byte != b' ')?;
    let digits = octal_digits(&field[start..]);
    let is_ended = field[start + digits.len()..].iter().all(|byte| matches!(byte, b' ' | 0));
    (is_ended && !digits.is_empty()).then(|| octal(digits))
}

/// Whether a field that is not plain may be a number for any reader. Most blocks of other data are rejected by this.
fn may_be_number(field: &[u8]) -> bool {
    let mut start = field.iter().skip_while(|&&byte| matches!(byte, 0 | b' ' | b'\t'..=b'\r'));
    match start.next() {
        Some(0x80..) => field[1..4].iter().all(|&byte| byte == 0) || field[1..4].iter().all(|&byte| byte == 0xff),
        Some(b'+' | b'-') => start.next().is_some_and(u8::is_ascii_alphanumeric),
        Some(b'0'..=b'7') => true,
        _ => false,
    }
}

/// All values that readers decode from a field that is not plain.
fn readings(field: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    let mut add = |value: u64| {
        if value >> 63 == 0 && !found.contains(&value) {
            found.push(value);
        }
    };
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        let low = field.last_chunk().map_or(0, |low| u64::from_be_bytes(*low));
        add(low);
        add(low & (u64::MAX >> 1));
        add(i64::MAX as u64); // libarchive saturates
    }
    // GNU tar skips white space and one NUL; Go trims all; Python ends at the first NUL, and accepts a sign, a prefix and
    // underscores.
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let trimmed = |bytes: &[u8], blank: &dyn Fn(&u8) -> bool| -> Vec<u8> {
        bytes.iter().copied().skip_while(|byte| blank(byte)).collect()
    };
    for start in [
        trimmed(field, &is_blank),
        trimmed(field.strip_prefix(&[0]).unwrap_or(field), &is_blank),
        trimmed(field, &|byte| *byte == 0 || is_blank(byte)),
    ] {
        let unsigned = start.strip_prefix(b"+").or(start.strip_prefix(b"-")).unwrap_or(&start);
        let unprefixed = unsigned.strip_prefix(b"0o").or(unsigned.strip_prefix(b"0O")).unwrap_or(unsigned);
        let digits: Vec<u8> = unprefixed.iter().copied().filter(|&byte| byte != b'_').collect();
        add(octal(octal_digits(&start)));
        add(octal(octal_digits(unsigned)));
        add(octal(octal_digits(&digits)));
        if unsigned.len() < start.len() {
            add(base_64(unsigned)); // GNU tar's first format of large numbers
        }
    }
    found
}

fn octal_digits(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    &bytes[..len]
}

fn octal(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value << 3 | u64::from(digit - b'0'))
}

fn base_64(bytes: &[u8]) -> u64 {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.iter().map_while(|byte| DIGITS.iter().position(|digit| digit == byte));
    digits.fold(0, |value, digit| value << 6 | digit as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_all_readers_decode_alike() {
        for (field, value) in [
            (&b"00000000012\0"[..], 10),
            (b"00000000012 ", 10),
            (b"         12 ", 10),
            (b"12\0\0\0\0\0\0\0\0\0\0", 10),
            (b"12 \0 \0\0\0\0\0\0\0", 10),
            (b"777777777777", (1 << 36) - 1),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", 0),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", 258),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", i64::MAX as u64),
        ] {
            assert_eq!(number(field), Number::Plain(value), "{field:?}");
        }
    }

    #[test]
    fn odd_numbers_have_all_readings() {
        for (field, values) in [
            (&b"            "[..], &[0][..]),
            (b"\0         12", &[0, 10]),
            (b"\0\x00000000012", &[0, 10]),
            (b"+1536\0\0\0\0\0\0\0", &[0, 0o1536]),
            (b"-12\0\0\0\0\0\0\0\0\0", &[0, 10]),
            (b"0o12\0\0\0\0\0\0\0\0", &[0, 10]),
            (b"1_2\0\0\0\0\0\0\0\0\0", &[1, 10]),
            (b"12x\0\0\0\0\0\0\0\0\0", &[10]),
            (b"12 7\0\0\0\0\0\0\0\0", &[10]),
            (b"\t12\0\0\0\0\0\0\0\0\0", &[10]),
            (b"\x81\0\0\0\0\0\0\0\0\0\x01\x02", &[258, i64::MAX as u64]),
            (b"\x80\0\0\0\xff\0\0\0\0\0\x01\x02", &[0x7f00_0000_0000_0102, i64::MAX as u64]),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", &[i64::MAX as u64 - 1, i64::MAX as u64]),
        ] {
            let Number::Odd(found) = number(field) else { panic!("{field:?}") };
            for value in values {
                assert!(found.contains(value), "{field:?}: {found:?}");
            }
        }
        let Number::Odd(base_64) = number(b"+AAAAAAAAABA") else { panic!() };
        assert!(base_64.contains(&64), "{base_64:?}");
    }
}
