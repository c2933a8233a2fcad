//! Formats that may hold binaries and are not opened, by their first bytes.

/// The name of the format, if the bytes at the start of a file or an entry are of one that is not opened.
pub(super) fn unopened_format(head: &[u8]) -> Option<&'static str> {
    let starts = |(magic, name): &(&[u8], &'static str)| head.starts_with(magic).then_some(*name);
    FORMATS.iter().find_map(starts).or_else(|| is_asar(head).then_some("asar"))
}

/// The first bytes of each format. Longer ones come before those that they begin with.
const FORMATS: [(&[u8], &str); 19] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"!<arch>\ndebian-binary", "deb"),
    (b"!<arch>\n", "ar"),
    (b"!<thin>\n", "thin ar"),
    (b"Rar!\x1a\x07", "rar"),
    (b"LZIP\x01", "lzip"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"\x89LZO\0\r\n\x1a\n", "lzop"),
    (b"\x1f\x9d", "compress"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"xar!", "xar"),
    (b"070701", "cpio"),
    (b"070702", "cpio"),
    (b"070707", "cpio"),
    (b"hsqs", "squashfs"),
];

/// Electron's asar: four sizes, each of which contains the next, and a JSON object.
fn is_asar(head: &[u8]) -> bool {
    let number =
        |at: usize| head.get(at..at + 4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let [Some(4), Some(header), Some(padded), Some(len)] = [0, 4, 8, 12].map(number) else { return false };
    header == padded.wrapping_add(4) && padded >= len && head.get(16) == Some(&b'{')
}
