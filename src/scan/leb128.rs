//! LEB128 numbers: unsigned ones of at most 32 bits, and signed ones. The only decoder and encoder in the crate.

/// Byte length of the longest encoding. Shorter numbers may be padded to it.
pub(crate) const MAX_LEN: usize = 5;

/// A decoded number and its byte length, 1 to 5. Length 0 means that it cannot be read; unlike an
/// `Option`, the pair fits into a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leb128 {
    pub(crate) value: u32,
    pub(crate) len: u8,
}

impl Leb128 {
    const UNREADABLE: Self = Self { value: 0, len: 0 };

    /// Decodes the number at the start of `bytes`, from at most five bytes.
    #[inline(always)]
    pub(crate) fn read(bytes: &[u8]) -> Self {
        match bytes {
            [byte, ..] if *byte < 0x80 => Self { value: u32::from(*byte), len: 1 },
            _ => match bytes.first_chunk::<MAX_LEN>() {
                Some(chunk) => Self::read_long(chunk),
                None => Self::read_long(bytes),
            },
        }
    }

    /// Decodes a number of at most four bytes, without a branch for each byte.
    #[cfg(feature = "inventory")]
    #[inline(always)]
    pub(crate) fn read_short(bytes: [u8; 4]) -> Self {
        let word = u32::from_le_bytes(bytes);
        let last = !word & 0x8080_8080;
        if last == 0 {
            return Self::UNREADABLE;
        }
        let word = word & (last ^ (last - 1)); // up to the last byte
        let value = word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000 | word >> 3 & 0xfe0_0000;
        Self { value, len: (last.trailing_zeros() / 8 + 1) as u8 }
    }

    #[inline(always)]
    fn read_long(bytes: &[u8]) -> Self {
        let mut value = 0;
        for (index, &byte) in bytes.iter().enumerate() {
            value |= u32::from(byte & 0x7f) << (7 * index);
            if index == MAX_LEN - 1 && byte > 0x0f {
                break;
            }
            if byte < 0x80 {
                return Self { value, len: index as u8 + 1 };
            }
        }
        Self::UNREADABLE
    }

    /// Whether a number that cannot be read may be completed by more bytes. If not, it is
    /// malformed: its fifth byte has a continuation bit, or bits beyond the 32nd.
    pub(crate) fn may_be_incomplete(bytes: &[u8]) -> bool {
        bytes.len() < MAX_LEN
    }
}

/// Decodes a signed number of 32 or 64 bits at the start of `bytes`: its value and byte length. `None` if it is longer
/// than `bytes` or than its number of bits.
#[cfg(feature = "inventory")]
pub(crate) fn read_signed(bytes: &[u8], bits: u32) -> Option<(i64, usize)> {
    let mut value = 0_i64;
    for (index, &byte) in bytes.iter().enumerate().take(bits.div_ceil(7) as usize) {
        value |= i64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            let unused = 64_u32.saturating_sub(7 * (index as u32 + 1));
            let value = value << unused >> unused;
            let fits = match bits {
                32 => i32::try_from(value).is_ok(),
                _ => index < 9 || matches!(byte, 0 | 0x7f), // the last byte has one bit
            };
            return fits.then_some((value, index + 1));
        }
    }
    None
}

/// Byte length of a number's shortest encoding.
pub(crate) fn shortest(value: u32) -> u8 {
    let bits = 32 - (value | 1).leading_zeros();
    bits.div_ceil(7) as u8
}

/// Encodes a number in `width` bytes, with padding, or in more if it does not fit.
pub(crate) fn encode(value: u32, width: u8) -> impl Iterator<Item = u8> {
    let width = width.max(shortest(value));
    (0..width).map(move |group| {
        let bits = (u64::from(value) >> (7 * u32::from(group))) as u8 & 0x7f;
        bits | if group + 1 < width { 0x80 } else { 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oracle: a straightforward loop in 64 bits.
    fn simple_loop(bytes: &[u8]) -> Leb128 {
        let mut value = 0u64;
        for (index, byte) in bytes.iter().take(MAX_LEN).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_or(Leb128::UNREADABLE, |value| Leb128 { value, len: index as u8 + 1 });
            }
        }
        Leb128::UNREADABLE
    }

    #[cfg(feature = "inventory")]
    #[test]
    fn signed_numbers_are_those_of_wasmparser() {
        const EDGES: [u8; 10] = [0, 1, 7, 8, 0x3f, 0x40, 0x78, 0x7f, 0x80, 0xff];
        for n in 0..EDGES.len().pow(4) {
            let edges = [n, n / 10, n / 100, n / 1_000].map(|n| EDGES[n % 10]);
            for continued in [0, 1, 4, 5, 6, 7] {
                let bytes = [&vec![0x80 | edges[3]; continued][..], &edges].concat();
                let read = |value: wasmparser::Result<i64>, reader: &wasmparser::BinaryReader<'_>| {
                    value.ok().map(|value| (value, reader.original_position() as usize))
                };
                let mut reader = wasmparser::BinaryReader::new(&bytes, 0);
                let value = reader.read_var_i32().map(i64::from);
                assert_eq!(read_signed(&bytes, 32), read(value, &reader), "{bytes:x?}");
                let mut reader = wasmparser::BinaryReader::new(&bytes, 0);
                let value = reader.read_var_i64();
                assert_eq!(read_signed(&bytes, 64), read(value, &reader), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn decoder_agrees_with_a_simple_loop() {
        const EDGES: [u8; 12] = [0, 1, 0x0f, 0x10, 0x1f, 0x40, 0x7f, 0x80, 0x81, 0x8f, 0xf0, 0xff];
        let mut bytes = [0; 6];
        for n in 0..EDGES.len().pow(5) {
            let mut rest = n;
            for byte in &mut bytes[..5] {
                *byte = EDGES[rest % EDGES.len()];
                rest /= EDGES.len();
            }
            for len in 0..=6 {
                let bytes = &bytes[..len];
                assert_eq!(Leb128::read(bytes), simple_loop(bytes), "{bytes:x?}");
            }
            #[cfg(feature = "inventory")]
            {
                let short = *bytes.first_chunk().unwrap();
                assert_eq!(Leb128::read_short(short), simple_loop(&short), "{short:x?}");
            }
        }
    }

    #[test]
    fn padding_is_accepted_up_to_five_bytes() {
        assert_eq!(Leb128::read(&[0x80, 0x80, 0x80, 0x80, 0x00]), Leb128 { value: 0, len: 5 });
        assert_eq!(Leb128::read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Leb128 { value: u32::MAX, len: 5 });
        assert_eq!(Leb128::read(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Leb128::UNREADABLE);
        assert_eq!(Leb128::read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Leb128::UNREADABLE);
        assert_eq!(Leb128::read(&[]), Leb128::UNREADABLE);
    }

    #[test]
    fn encoded_numbers_are_decoded() {
        for value in (0..32).flat_map(|bit| [1 << bit, (1 << bit) - 1, u32::MAX >> bit]) {
            for width in 0..=5 {
                let bytes: Vec<u8> = encode(value, width).collect();
                let len = width.max(shortest(value));
                assert_eq!(Leb128::read(&bytes), Leb128 { value, len });
                assert_eq!(bytes.len(), usize::from(len));
            }
        }
        assert_eq!([0, 0x7f, 0x80, 0x3fff, 0x4000, u32::MAX].map(shortest), [1, 1, 2, 2, 3, 5]);
    }
}
