//! Classifies the first bytes of decoded data.

/// The type of decoded data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magic {
    Wasm,
    Zlib,
    /// Text, or a format that the walk detects itself.
    Known,
    Unknown,
}

impl Magic {
    /// Detects the type of data that begins with `head`.
    ///
    /// Sources: RFC 1950, 2.2; RFC 1952, 2.3.1; RFC 8878, 3.1.1.
    pub(crate) fn detect(head: &[u8]) -> Self {
        match head {
            [0, b'a', b's', b'm', 1 | 13, 0, 0 | 1, 0, ..] => Self::Wasm,
            [0x1f, 0x8b, 8, flags, ..] if *flags < 0x20 => Self::Known,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'P', b'K', 3, 4, ..] => Self::Known,
            // A window of at most 32 KiB, no preset dictionary, and the check bits.
            [first @ (0x08 | 0x18 | 0x28 | 0x38 | 0x48 | 0x58 | 0x68 | 0x78), second, ..]
                if second & 0x20 == 0 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0 =>
            {
                Self::Zlib
            }
            _ if is_text(head) => Self::Known,
            _ => Self::Unknown,
        }
    }
}

/// Whether most bytes are those of a text.
fn is_text(head: &[u8]) -> bool {
    let odd = head.iter().filter(|byte| matches!(byte, 0..=8 | 14..=31 | 127)).count();
    !head.is_empty() && odd * 32 <= head.len()
}
