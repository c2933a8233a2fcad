//! What bytes are, by how they begin.

use super::WalkOptions;

/// What a file or an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Wasm,
    Gzip,
    Zstd,
    Zip,
    Tar,
    Other,
}

/// The block that a tar is made of; its header fills one.
pub(super) const BLOCK: usize = 512;

impl Kind {
    /// Told by the first [`BLOCK`] bytes, or by all that there are.
    ///
    /// Sources: RFC 1952, 2.3.1; RFC 8878, 3.1.1 and 3.1.2; PKWARE's APPNOTE 4.3.7 and 4.3.16; POSIX `pax`, *ustar Interchange
    /// Format* (older tars are told by their checksum).
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0, b'a', b's', b'm', ..] => Self::Wasm,
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ if head.first_chunk().is_some_and(is_tar_header) => Self::Tar,
            _ => Self::Other,
        }
    }

    /// Whether there may be something else in it.
    pub(super) fn holds_others(self) -> bool {
        !matches!(self, Self::Wasm | Self::Other)
    }

    /// Whether what begins so is passed over: it is nothing to look into, and nobody says that it is WebAssembly.
    pub(super) fn is_passed(self, says_wasm: bool, options: &WalkOptions) -> bool {
        !says_wasm && (self == Self::Other || self.holds_others() && options.nested == 0)
    }
}

/// Whether a block is the header of an entry, and as it was written.
pub(super) fn is_tar_header(block: &[u8; BLOCK]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    let written = tar::Header::from_byte_slice(block).cksum();
    let sum = |byte: fn(u8) -> i64| -> i64 {
        let bytes = block[..SUM.start].iter().chain(&block[SUM.end..]);
        bytes.map(|&other| byte(other)).sum::<i64>() + 8 * i64::from(b' ')
    };
    // Some old writers took bytes for signed.
    written.is_ok_and(|written| {
        let written = i64::from(written);
        written == sum(i64::from) || written == sum(|byte| i64::from(byte.cast_signed()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings() {
        for (head, kind) in [
            (&b""[..], Kind::Other),
            (b"\0as", Kind::Other),
            (b"\0asm", Kind::Wasm),
            (b"\0asm\xff\xff\xff\xff", Kind::Wasm),
            (b"\x1f\x8b\x08\0", Kind::Gzip),
            (b"\x1f\x8b\x07\0", Kind::Other),
            (b"\x28\xb5\x2f\xfd", Kind::Zstd),
            (b"\x5f\x2a\x4d\x18\0\0\0\0", Kind::Zstd),
            (b"PK\x03\x04", Kind::Zip),
            (b"PK\x05\x06", Kind::Zip),
            (b"PK\x07\x08", Kind::Other),
            (&[0; BLOCK], Kind::Other),
            (&[b' '; BLOCK], Kind::Other),
        ] {
            assert_eq!(Kind::of(head), kind, "{head:?}");
        }
        for mut header in [tar::Header::new_old(), tar::Header::new_ustar(), tar::Header::new_gnu()] {
            header.set_path("a").unwrap();
            header.set_size(0);
            header.set_cksum();
            assert_eq!(Kind::of(header.as_bytes()), Kind::Tar);
            header.as_mut_bytes()[200] ^= 1;
            assert_eq!(Kind::of(header.as_bytes()), Kind::Other);
        }
    }
}
