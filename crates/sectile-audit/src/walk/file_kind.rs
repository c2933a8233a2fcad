//! Detects the type of a file by its first bytes.

use std::io::{BufReader, Read};
use std::ops::Range;

use super::archive::HeaderBlock;
use crate::fill::fill;
use crate::reading::RangeReader;
use sectile::Input;

/// The type of a file or an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Wasm,
    Gzip,
    Zstd,
    /// A Substrate runtime: a prefix of [`RUNTIME_PREFIX`] bytes, and Zstandard.
    Runtime,
    Zip,
    Tar,
    Other,
}

/// Size of a tar block, and of a tar header.
pub(super) const TAR_BLOCK: usize = 512;

/// Length of the prefix of a compressed Substrate runtime. Source: `sp-maybe-compressed-blob`.
pub(super) const RUNTIME_PREFIX: usize = 8;
/// Number of bytes at the end of a file in which readers search for the end record of a zip.
///
/// The record has 22 bytes and a comment of at most 65,535. Info-ZIP searches 66,000 bytes.
pub(super) const TAIL_LEN: usize = 66_000 + 22;

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
            [0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05, ..] => Self::Runtime,
            // The longer ones begin with the marker of an archive that was, or might have been, split.
            [b'P', b'K', 3, 4, ..]
            | [b'P', b'K', 5, 6, ..]
            | [b'P', b'K', 7, 8, b'P', b'K', 3, 4, ..]
            | [b'P', b'K', b'0', b'0', b'P', b'K', 3, 4, ..] => Self::Zip,
            _ if is_tar_start(head) => Self::Tar,
            _ => Self::Other,
        }
    }

    /// Detects the type of a range of a file from its head. A tar after more zeros than the head has is found, too.
    pub(super) fn detect_in(input: &Input, range: Range<u64>, head: &[u8]) -> Self {
        let kind = Self::detect(head);
        let is_zeros = head.len() >= TAR_BLOCK && head[0] == 0 && head.iter().all(|&byte| byte == 0);
        let is_before_tar = || ZeroRun::read(&mut BufReader::new(RangeReader { input, range })).is_before_tar;
        if is_zeros && is_before_tar() { Self::Tar } else { kind }
    }

    /// Whether it may contain other files.
    pub(super) fn is_container(self) -> bool {
        !matches!(self, Self::Wasm | Self::Other)
    }
}

/// The position of the first tar header in these bytes, which begin at `start` of a file that is not a tar.
///
/// GNU tar and 7-Zip open such a file, because they skip blocks that are not headers.
pub(super) fn find_tar(bytes: &[u8], start: u64) -> Option<u64> {
    let skipped = start.next_multiple_of(TAR_BLOCK as u64) - start;
    let blocks = bytes.get(usize::try_from(skipped).ok()?..)?.as_chunks::<TAR_BLOCK>().0;
    let found = blocks.iter().position(|block| has_sum(block) && HeaderBlock(block).has_checksum())?;
    Some(start + skipped + (found * TAR_BLOCK) as u64)
}

/// Whether a block has a number where a tar header has its checksum. Rejects most blocks without summing them.
fn has_sum(block: &[u8; TAR_BLOCK]) -> bool {
    let sum = &block[148..156];
    if sum[0] >= 0x80 {
        return sum[1..4] == [0; 3] || sum[1..4] == [0xff; 3]; // base 256
    }
    let digits = sum.strip_prefix(b"+").unwrap_or(sum);
    digits.iter().all(|byte| matches!(byte, b'0'..=b'7' | b' ' | 0))
        && digits.iter().any(|&byte| byte != b' ' && byte != 0)
}

/// Maximum number of zeros before a tar.
const MAX_ZEROS: u64 = 1 << 20;

/// Whether a file that starts with this is a tar, for any reader: it starts with a header, also one whose checksum is
/// wrong, or there is one in its first blocks. Some readers skip to the first header.
fn is_tar_start(head: &[u8]) -> bool {
    let (blocks, _) = head.as_chunks::<TAR_BLOCK>();
    let starts_as_tar = blocks.first().is_some_and(|first| HeaderBlock(first).is_plausible());
    starts_as_tar || blocks.iter().any(|block| HeaderBlock(block).has_checksum())
}

/// The zeros at the start of a file, and the block that follows them.
pub(super) struct ZeroRun {
    /// Number of zeros in whole blocks.
    pub(super) len: u64,
    next: [u8; TAR_BLOCK],
    next_len: usize,
    /// Whether a tar starts after the zeros. Some readers skip them.
    pub(super) is_before_tar: bool,
}

impl ZeroRun {
    /// Reads zeros, up to a limit, and the block after them.
    pub(super) fn read(reader: &mut dyn Read) -> Self {
        let mut run = Self { len: 0, next: [0; TAR_BLOCK], next_len: 0, is_before_tar: false };
        loop {
            run.next_len = fill(reader, &mut run.next).unwrap_or(0); // the next read fails again
            let is_full = run.next_len == TAR_BLOCK;
            if !is_full || run.next != [0; TAR_BLOCK] || run.len >= MAX_ZEROS {
                run.is_before_tar = is_full && is_tar_start(&run.next);
                return run;
            }
            run.len += TAR_BLOCK as u64;
        }
    }

    /// The block after the zeros, or the part of it that exists.
    pub(super) fn next(&self) -> &[u8] {
        &self.next[..self.next_len]
    }
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
            (b"\x52\xbc\x53\x76\x46\xdb\x8e\x05", FileKind::Runtime),
            (b"\x52\xbc\x53\x76\x46\xdb\x8e", FileKind::Other),
            (b"PK\x03\x04", FileKind::Zip),
            (b"PK\x05\x06", FileKind::Zip),
            (b"PK\x07\x08", FileKind::Other),
            (b"PK\x07\x08PK\x03\x04", FileKind::Zip),
            (b"PK00PK\x03\x04", FileKind::Zip),
            (&[0; 8 * TAR_BLOCK], FileKind::Other),
            (&[b' '; TAR_BLOCK], FileKind::Other),
            (&b"0 1 ".repeat(TAR_BLOCK), FileKind::Other),
        ] {
            assert_eq!(FileKind::detect(head), kind, "{head:?}");
        }
        for mut header in [tar::Header::new_old(), tar::Header::new_ustar(), tar::Header::new_gnu()] {
            header.set_path("a").unwrap();
            header.set_size(0);
            header.set_cksum();
            assert_eq!(FileKind::detect(header.as_bytes()), FileKind::Tar);
            let after_zeros = [&[0; 3 * TAR_BLOCK], &header.as_bytes()[..]].concat();
            assert_eq!(FileKind::detect(&after_zeros), FileKind::Tar);
            let after_text = [&[b'x'; TAR_BLOCK], &header.as_bytes()[..]].concat();
            assert_eq!(FileKind::detect(&after_text), FileKind::Tar);
            header.as_mut_bytes()[200] ^= 1;
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            assert_eq!(FileKind::detect(header.as_bytes()), FileKind::Tar, "GNU tar skips a wrong checksum");
            header.as_mut_bytes()[100] = b'x';
            header.as_mut_bytes()[257] = b'x';
            assert_eq!(FileKind::detect(header.as_bytes()), FileKind::Other);
        }
    }
}
