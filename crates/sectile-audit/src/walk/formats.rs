//! Formats that may hold binaries and that are not opened, detected by their content.
//!
//! One table has a row for each format. A short signature has an additional check, so that other files do not match.

use std::ffi::OsStr;
use std::path::Path;

/// The parts of a file that identify its format.
#[derive(Clone, Copy, Default)]
pub(super) struct Sample<'s> {
    /// The first bytes, at most a page.
    pub(super) head: &'s [u8],
    /// The bytes from [`VOLUME_AT`], at most [`VOLUME_LEN`].
    pub(super) volume: &'s [u8],
    /// The last bytes.
    pub(super) tail: &'s [u8],
}

/// Offset of the identifier of an optical disc's volume. Source: ECMA-119, 8.1; ECMA-167, 2/9.1.
pub(super) const VOLUME_AT: u64 = 0x8001;

/// Length of that identifier.
pub(super) const VOLUME_LEN: usize = 5;

/// A row of the table.
struct Format {
    /// Its name in reports and policies.
    name: &'static str,
    signatures: &'static [Signature],
}

struct Signature {
    at: Place,
    bytes: &'static [u8],
    check: fn(&[u8]) -> bool,
}

/// Where a signature is.
#[derive(Clone, Copy)]
enum Place {
    /// At an offset in the first page.
    Head(usize),
    /// At [`VOLUME_AT`].
    Volume,
    /// At this distance from the end.
    Tail(usize),
}

const fn head(at: usize, bytes: &'static [u8]) -> Signature {
    checked(at, bytes, |_| true)
}

/// A signature with a check of the first bytes of the file.
const fn checked(at: usize, bytes: &'static [u8], check: fn(&[u8]) -> bool) -> Signature {
    Signature { at: Place::Head(at), bytes, check }
}

const fn volume(bytes: &'static [u8]) -> Signature {
    Signature { at: Place::Volume, bytes, check: |_| true }
}

const fn tail(at: usize, bytes: &'static [u8]) -> Signature {
    Signature { at: Place::Tail(at), bytes, check: |_| true }
}

const fn format(name: &'static str, signatures: &'static [Signature]) -> Format {
    Format { name, signatures }
}

#[rustfmt::skip] // one row a format, with its source
const FORMATS: &[Format] = &[
    // Compressed streams.
    format("xz", &[head(0, b"\xfd7zXZ\0")]), // xz-file-format.txt, 2.1.1.1
    format("bzip2", &[checked(0, b"BZh", is_bzip2)]), // bzip2's decompress.c
    format("lzma", &[checked(0, b"", is_lzma)]), // XZ Utils' lzma-file-format.txt
    format("lz4", &[head(0, b"\x04\x22\x4d\x18"), head(0, b"\x02\x21\x4c\x18")]), // lz4_Frame_format.md
    format("lzip", &[checked(0, b"LZIP", |head| matches!(head.get(4), Some(0 | 1)))]), // lzip's manual, File format
    format("lzop", &[head(0, b"\x89LZO\0\r\n\x1a\n")]), // lzop's lzop.c
    format("compress", &[checked(0, b"\x1f\x9d", is_compress)]), // ncompress' compress42.c
    format("pack", &[checked(0, b"\x1f\x1e", is_pack)]), // gzip's unpack.c
    format("lrzip", &[head(0, b"LRZI\0")]), // lrzip's magic.header.txt
    format("snappy", &[head(0, b"\xff\x06\0\0sNaPpY")]), // Snappy's framing_format.txt
    format("lzfse", &[head(0, b"bvx2"), head(0, b"bvx1"), head(0, b"bvxn")]), // lzfse_internal.h
    format("zchunk", &[head(0, b"\0ZCK1")]), // zchunk_format.txt
    format("uuencode", &[checked(0, b"begin ", is_uuencoded), head(0, b"begin-base64 ")]), // POSIX, uuencode
    // Archives.
    format("7z", &[head(0, b"7z\xbc\xaf\x27\x1c")]), // 7-Zip's 7zFormat.txt
    format("rar", &[head(0, b"Rar!\x1a\x07")]), // RAR 5.0 archive format
    format("cab", &[head(0, b"MSCF\0\0\0\0")]), // MS-CAB, 2.1
    format("deb", &[head(0, b"!<arch>\ndebian-binary")]), // deb(5)
    format("ar", &[head(0, b"!<arch>\n"), head(0, b"<bigaf>\n")]), // System V ABI, 7
    format("cpio", &[
        checked(0, b"070701", is_hexadecimal), checked(0, b"070702", is_hexadecimal),
        checked(0, b"070707", is_octal),
        checked(0, b"\xc7\x71", |head| is_binary_cpio(head, u16::from_le_bytes)),
        checked(0, b"\x71\xc7", |head| is_binary_cpio(head, u16::from_be_bytes)),
    ]), // cpio(5)
    format("rpm", &[head(0, b"\xed\xab\xee\xdb")]), // RPM's format_lead.md
    format("asar", &[checked(0, b"\x04\0\0\0", is_asar)]), // electron/asar's README, Format
    format("xar", &[head(0, b"xar!\0")]), // xar's wiki, xarformat
    format("wim", &[head(0, b"MSWIM\0\0\0")]), // Windows Imaging File Format
    format("OLE compound file", &[head(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")]), // MS-CFB, 2.2
    format("arj", &[checked(0, b"\x60\xea", is_arj)]), // arj's technote.txt
    format("lha", &[checked(2, b"-", is_lha)]), // LHA's header.doc.md
    format("zoo", &[head(20, b"\xdc\xa7\xc4\xfd")]), // zoo.h
    format("ace", &[head(7, b"**ACE**")]), // acefile's documentation
    format("stuffit", &[checked(0, b"SIT!", |head| at(head, 10, b"rLau")), head(0, b"StuffIt (c)1997-")]), // XADMaster's StuffIt parsers
    format("freearc", &[head(0, b"ArC\x01")]), // FreeArc's ArcStructure.hs
    format("zpaq", &[head(0, b"7kSt"), head(0, b"zPQ\x01"), head(0, b"zPQ\x02")]), // zpaq206.pdf, 3
    format("chm", &[head(0, b"ITSF\x03\0\0\0")]), // Unofficial CHM specification
    format("warc", &[head(0, b"WARC/0."), head(0, b"WARC/1.")]), // WARC 1.1, 4
    format("zim", &[head(0, b"ZIM\x04")]), // openZIM's file format
    format("mar", &[head(0, b"MAR1")]), // Mozilla's MAR format
    format("nar", &[head(0, b"\x0d\0\0\0\0\0\0\0nix-archive-1")]), // Nix' protocol, Nix Archive format
    format("flatpak", &[head(0, b"flatpak\0\x01\0\x89\xe5"), head(0, b"xdg-app\0\x01\0\x89\xe5")]), // flatpak-bundle's magic
    format("AppImage", &[checked(0, b"\x7fELF", |head| at(head, 8, b"AI\x01") || at(head, 8, b"AI\x02"))]), // AppImageSpec draft.md
    // File systems and disks.
    format("iso9660", &[volume(b"CD001")]), // ECMA-119, 8.1.2
    format("udf", &[volume(b"BEA01")]), // ECMA-167, 2/9.2
    format("dmg", &[tail(512, b"koly"), head(0, b"encrcdsa")]), // dmg2img's koly block
    format("squashfs", &[
        checked(0, b"hsqs", |head| matches!(head.get(28..30), Some([1..=4, 0]))),
        checked(0, b"sqsh", |head| matches!(head.get(28..30), Some([0, 1..=4]))),
    ]), // Linux, fs/squashfs/squashfs_fs.h
    format("cramfs", &[checked(16, b"Compressed ROMFS", |head| at(head, 0, b"\x45\x3d\xcd\x28") || at(head, 0, b"\x28\xcd\x3d\x45"))]), // Linux, cramfs_fs.h
    format("romfs", &[head(0, b"-rom1fs-")]), // Linux, romfs_fs.h
    format("erofs", &[head(1024, b"\xe2\xe1\xf5\xe0")]), // Linux, erofs_fs.h
    format("ext", &[checked(1080, b"\x53\xef", is_ext)]), // Linux, fs/ext4/ext4.h
    format("f2fs", &[head(1024, b"\x10\x20\xf5\xf2")]), // Linux, f2fs_fs.h
    format("xfs", &[checked(0, b"XFSB\0\0", |head| head.len() > 512)]), // Linux, xfs_format.h
    format("ubi", &[head(0, b"UBI#\x01"), head(0, b"\x31\x18\x10\x06")]), // Linux, ubi-media.h and ubifs-media.h
    format("jffs2", &[head(0, b"\x85\x19\x03\x20"), head(0, b"\x85\x19\x01\xe0"), head(0, b"\x85\x19\x02\xe0")]), // Linux, jffs2.h
    format("hfs+", &[head(1024, b"H+\0\x04"), head(1024, b"HX\0\x05")]), // Apple's TN1150
    format("apfs", &[checked(32, b"NXSB", |head| head.len() > 512)]), // Apple File System Reference
    format("ntfs", &[checked(3, b"NTFS    ", is_boot_sector)]), // Linux, fs/ntfs3/ntfs_fs.h
    format("exfat", &[checked(3, b"EXFAT   ", is_boot_sector)]), // exFAT specification, 3.1
    format("fat", &[checked(54, b"FAT1", is_boot_sector), checked(82, b"FAT32   ", is_boot_sector)]), // fatgen103
    format("gpt", &[head(512, b"EFI PART")]), // UEFI 2.10, 5.3.2
    format("qcow", &[checked(0, b"QFI\xfb", |head| at(head, 4, b"\0\0\0"))]), // QEMU's qcow2.txt
    format("vmdk", &[head(0, b"KDMV"), head(0, b"COWD")]), // Virtual Disk Format 5.0
    format("vhd", &[head(0, b"conectix"), tail(512, b"conectix"), head(0, b"vhdxfile")]), // MS-VHDX, 2.2.1
    format("vdi", &[head(64, b"\x7f\x10\xda\xbe")]), // VirtualBox, VDICore.h
    format("qed", &[head(0, b"QED\0")]), // QEMU's qed_spec.txt
    format("parallels", &[head(0, b"WithoutFreeSpace"), head(0, b"WithouFreSpacExt")]), // QEMU's parallels.txt
];

/// The name of the format of a file that is not opened.
pub(super) fn detect(sample: Sample<'_>) -> Option<&'static str> {
    let is_at = |signature: &Signature| {
        let bytes = match signature.at {
            Place::Head(at) => sample.head.get(at..),
            Place::Volume => Some(sample.volume),
            Place::Tail(at) => sample.tail.len().checked_sub(at).map(|start| &sample.tail[start..]),
        };
        // Most signatures differ in their first byte, which needs no call of `memcmp`.
        let may_be = |bytes: &[u8]| signature.bytes.first().is_none_or(|first| bytes.first() == Some(first));
        bytes.is_some_and(|bytes| may_be(bytes) && bytes.starts_with(signature.bytes)) && (signature.check)(sample.head)
    };
    FORMATS.iter().find(|format| format.signatures.iter().any(is_at)).map(|format| format.name)
}

/// The format that a name states, if the content does not contradict it. Brotli has no signature.
///
/// Source: RFC 7932, 1.
pub(super) fn detect_by_name(name: &OsStr, head: &[u8]) -> Option<&'static str> {
    let is_brotli = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("br"));
    (is_brotli && !head.is_empty() && !is_text(head)).then_some("brotli")
}

/// Whether a sample is text. Its last character may be incomplete.
fn is_text(head: &[u8]) -> bool {
    std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |text| !text.contains('\0'))
}

fn at(head: &[u8], at: usize, bytes: &[u8]) -> bool {
    head.get(at..).is_some_and(|rest| rest.starts_with(bytes))
}

/// A level, then the magic of a block or of the end.
fn is_bzip2(head: &[u8]) -> bool {
    matches!(head.get(3), Some(b'1'..=b'9')) && (at(head, 4, b"1AY&SY") || at(head, 4, b"\x17\x72\x45\x38\x50\x90"))
}

/// Properties, a dictionary of a usual size, a size that is unknown or plausible, and the first byte of the data, 0.
fn is_lzma(head: &[u8]) -> bool {
    let Some(([properties, d0, d1, d2, d3, size @ .., first], _)) = head.split_first_chunk::<14>() else {
        return false;
    };
    let dictionary = u32::from_le_bytes([*d0, *d1, *d2, *d3]);
    let is_usual = dictionary >= 1 << 12
        && (dictionary == u32::MAX || dictionary.is_power_of_two() || (dictionary / 3 * 2).is_power_of_two());
    let size = u64::from_le_bytes(*size);
    let is_plausible = size == u64::MAX || (1..1 << 38).contains(&size);
    (1..225).contains(properties) && properties % 9 + properties / 9 % 5 <= 4 && is_usual && is_plausible && *first == 0
}

/// The number of bits, with no reserved bit.
fn is_compress(head: &[u8]) -> bool {
    head.get(2).is_some_and(|flags| flags & 0x60 == 0 && (9..=16).contains(&(flags & 0x1f)))
}

/// A mode of three digits.
fn is_uuencoded(head: &[u8]) -> bool {
    head.get(6..10).is_some_and(|mode| mode[..3].iter().all(|digit| matches!(digit, b'0'..=b'7')) && mode[3] == b' ')
}

/// A length, and the depth of a tree.
fn is_pack(head: &[u8]) -> bool {
    matches!(head.get(2..7), Some(&[a, b, c, d, 1..=24]) if (1..1 << 30).contains(&u32::from_be_bytes([a, b, c, d])))
}

fn is_hexadecimal(head: &[u8]) -> bool {
    head.get(6..110).is_some_and(|fields| fields.iter().all(u8::is_ascii_hexdigit))
}

fn is_octal(head: &[u8]) -> bool {
    head.get(6..76).is_some_and(|fields| fields.iter().all(|byte| matches!(byte, b'0'..=b'7')))
}

/// A type of file, and a name that ends in NUL.
/// Whether a JSON object follows the four numbers before an asar's header, and their sizes agree.
pub(super) fn is_asar(head: &[u8]) -> bool {
    let Some((numbers, json)) = head.split_first_chunk::<16>() else { return false };
    let [four, pickle, payload, len] =
        [0, 4, 8, 12].map(|at| u32::from_le_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]));
    four == 4 && payload < pickle && len < payload && json.trim_ascii_start().starts_with(b"{")
}

fn is_binary_cpio(head: &[u8], short: fn([u8; 2]) -> u16) -> bool {
    let short = |at: usize| head.get(at..at + 2).map(|bytes| short([bytes[0], bytes[1]]));
    let (Some(mode), Some(name)) = (short(6), short(20)) else { return false };
    let is_type = matches!(mode >> 12, 0 | 1 | 2 | 4 | 6 | 8 | 9 | 10 | 12);
    let end = 26 + usize::from(name);
    let is_named = (2..=4096).contains(&name) && head.get(end - 1).is_none_or(|&byte| byte == 0);
    is_type && is_named && !head[26..].iter().take(usize::from(name) - 1).any(|&byte| byte == 0)
}

/// The size of the first header, and the type of the header of an archive.
fn is_arj(head: &[u8]) -> bool {
    let size = head.get(2..4).map(|size| u16::from_le_bytes([size[0], size[1]]));
    size.is_some_and(|size| (30..=2600).contains(&size))
        && matches!(head.get(4), Some(30..=100))
        && head.get(10) == Some(&2)
}

/// A method between hyphens, and a level of header.
fn is_lha(head: &[u8]) -> bool {
    let Some(method) = head.get(2..7) else { return false };
    let is_method = matches!(method, [b'-', b'l', b'h' | b'z', b'0'..=b'9' | b'd' | b's' | b'x', b'-'])
        || matches!(method, [b'-', b'p', b'm', b'0'..=b'2' | b's', b'-']);
    is_method && matches!(head.get(20), Some(0..=3))
}

/// A superblock with inodes, a plausible size of blocks, and a known revision.
fn is_ext(head: &[u8]) -> bool {
    let long =
        |at: usize| head.get(1024 + at..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
    long(0).is_some_and(|inodes| inodes > 0)
        && long(24).is_some_and(|size| size <= 6)
        && long(76).is_some_and(|revision| revision <= 1)
}

/// A jump at the start and the signature at the end of the first sector.
fn is_boot_sector(head: &[u8]) -> bool {
    at(head, 510, &[0x55, 0xaa]) && matches!(head, [0xeb, _, 0x90, ..] | [0xe9, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect_head(head: &[u8]) -> Option<&'static str> {
        detect(Sample { head, ..Sample::default() })
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
    }

    #[test]
    fn short_signatures_need_more_than_their_bytes() {
        for bytes in [
            &b"BZh9 is how a text may begin"[..],
            b"LZIPPER",
            b"\x1f\x9d\xff",
            b"\x1f\x1e no length",
            b"\x5d\0\0",
            b"\x5d\0\0\x80\0 no size and no data",
            b"\0\0\x10\0\0\x08\0\0\0\0\0\0\0\0",
            b"070701 is a number, not a cpio",
            b"070707 too",
            &[0xc7; 200],
            b"\xc7\x71\0\0\0\0\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0name",
            b"\x60\xea\xff\xff",
            b"a -lh5- within a text, which is longer than a header",
            b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0text",
            b"hsqs is a word",
            b"SIT! down",
        ] {
            assert_eq!(detect_head(bytes), None, "{bytes:?}");
        }
        let text = [&b"x".repeat(1080)[..], b"\x53\xef", &b"x".repeat(100)].concat();
        assert_eq!(detect_head(&text), None);
        assert_eq!(detect_head(b""), None);
    }

    #[test]
    fn brotli_is_detected_by_name_unless_it_is_text() {
        let name = |name: &str, head: &[u8]| detect_by_name(OsStr::new(name), head);
        assert_eq!(name("a.wasm.br", b"\x0b\x0b\x80\0asm"), Some("brotli"));
        assert_eq!(name("a.BR", b"\xff\xfe\xfd"), Some("brotli"));
        for (path, head) in [("locale.br", &b"demat"[..]), ("a.br", b""), ("a.brx", b"\xff\0"), ("br", b"\xff\0")] {
            assert_eq!(name(path, head), None, "{path}");
        }
    }
}
