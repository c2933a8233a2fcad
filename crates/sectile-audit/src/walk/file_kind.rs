//! Detects the type of a file by its first bytes.

use super::options::WalkOptions;

/// The type of a file or an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Wasm,
    Gzip,
    Zstd,
    Zip,
    Tar,
    Other,
}

/// Size of a tar block, and of a tar header.
pub(super) const TAR_BLOCK: usize = 512;

impl FileKind {
    /// Detects the type from the first [`TAR_BLOCK`] bytes, or from all bytes of a shorter file.
    ///
    /// Sources: RFC 1952, 2.3.1; RFC 8878, 3.1.1 and 3.1.2; PKWARE's APPNOTE 4.3.7 and 4.3.16; POSIX `pax`, *ustar
    /// Interchange Format* (older tars are detected by their checksum).
    pub(super) fn detect(head: &[u8]) -> Self {
        match head {
            [0, b'a', b's', b'm', ..] => Self::Wasm,
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ if head.first_chunk().is_some_and(is_tar_header) => Self::Tar,
            _ => Self::Other,
        }
    }

    /// Whether it may contain other files.
    pub(super) fn is_container(self) -> bool {
        !matches!(self, Self::Wasm | Self::Other)
    }

    /// Whether to skip it: it is neither WebAssembly nor an archive to open, and nothing says that it is WebAssembly.
    pub(super) fn is_skipped(self, expects_wasm: bool, options: &WalkOptions) -> bool {
        !expects_wasm && (self == Self::Other || self.is_container() && options.max_nesting == 0)
    }
}

/// Whether a block is a tar header with a correct checksum.
pub(super) fn is_tar_header(block: &[u8; TAR_BLOCK]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    let written = tar::Header::from_byte_slice(block).cksum();
    let sum = |byte: fn(u8) -> i64| -> i64 {
        let bytes = block[..SUM.start].iter().chain(&block[SUM.end..]);
        bytes.map(|&other| byte(other)).sum::<i64>() + 8 * i64::from(b' ')
    };
    // Some old writers summed signed bytes.
    written.is_ok_and(|written| {
        let written = i64::from(written);
        written == sum(i64::from) || written == sum(|byte| i64::from(byte.cast_signed()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_types_by_first_bytes() {
        for (head, kind) in [
            (&b""[..], FileKind::Other),
            (b"\0as", FileKind::Other),
            (b"\0asm", FileKind::Wasm),
            (b"\0asm\xff\xff\xff\xff", FileKind::Wasm),
            (b"\x1f\x8b\x08\0", FileKind::Gzip),
            (b"\x1f\x8b\x07\0", FileKind::Other),
            (b"\x28\xb5\x2f\xfd", FileKind::Zstd),
            (b"\x5f\x2a\x4d\x18\0\0\0\0", FileKind::Zstd),
            (b"PK\x03\x04", FileKind::Zip),
            (b"PK\x05\x06", FileKind::Zip),
            (b"PK\x07\x08", FileKind::Other),
            (&[0; TAR_BLOCK], FileKind::Other),
            (&[b' '; TAR_BLOCK], FileKind::Other),
        ] {
            assert_eq!(FileKind::detect(head), kind, "{head:?}");
        }
        for mut header in [tar::Header::new_old(), tar::Header::new_ustar(), tar::Header::new_gnu()] {
            header.set_path("a").unwrap();
            header.set_size(0);
            header.set_cksum();
            assert_eq!(FileKind::detect(header.as_bytes()), FileKind::Tar);
            header.as_mut_bytes()[200] ^= 1;
            assert_eq!(FileKind::detect(header.as_bytes()), FileKind::Other);
        }
    }
}
