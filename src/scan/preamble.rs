//! The preamble of a module or component.

use super::fault::Fault;
use super::section::ItemKind;

/// Magic number, version and layer.
pub(crate) type Preamble = [u8; 8];

impl ItemKind {
    /// The preamble of an item of this kind. Sources: the core specification, *Binary Format /
    /// Modules*, and the component model's *Binary Format*.
    pub(crate) const fn preamble(self) -> Preamble {
        match self {
            Self::Module => *b"\0asm\x01\0\0\0",
            Self::Component => *b"\0asm\x0d\0\x01\0",
        }
    }
}

/// Returns the kind of the root, or the fault of its preamble and the fault's offset.
pub(super) fn root_kind(preamble: Preamble) -> Result<ItemKind, (Fault, u64)> {
    let [m0, m1, m2, m3, v0, v1, l0, l1] = preamble;
    if [m0, m1, m2, m3] != *b"\0asm" {
        return Err((Fault::NotWasm(describe_format(preamble)), 0));
    }
    [ItemKind::Module, ItemKind::Component].into_iter().find(|kind| kind.preamble() == preamble).ok_or_else(|| {
        let (version, layer) = (u16::from_le_bytes([v0, v1]), u16::from_le_bytes([l0, l1]));
        (Fault::Version { version, layer }, 4)
    })
}

/// Describes the format of an input that is not WebAssembly, from its first bytes.
fn describe_format(start: Preamble) -> &'static str {
    const WAT: &str = "the WebAssembly text format: compile it first";
    const FORMATS: [(&[u8], &str); 22] = [
        (b"\x7fELF", "an ELF binary"),
        (b"\x1f\x8b", "gzip: decompress it first"),
        (b"\x28\xb5\x2f\xfd", "zstd: decompress it first"),
        (
            b"\x52\xbc\x53\x76\x46\xdb\x8e\x05",
            "a compressed Substrate runtime: remove the first 8 bytes, then decompress zstd",
        ),
        (b"BZh", "bzip2: decompress it first"),
        (b"\xfd7zXZ", "xz: decompress it first"),
        (b"PK\x03\x04", "a zip archive"),
        (b"MZ", "a Windows executable"),
        (b"\xcf\xfa\xed\xfe", "a Mach-O binary"),
        (b"\xca\xfe\xba\xbe", "a Mach-O universal binary or a Java class"),
        (b"BC\xc0\xde", "LLVM bitcode"),
        (b"!<arch>\n", "an archive of object files"),
        (b"\x89PNG", "a PNG image"),
        (b"%PDF", "a PDF document"),
        (b"(module", WAT),
        (b"(compone", WAT),
        (b";;", WAT),
        (b"(;", WAT),
        (b"<!DOCTYP", "an HTML page"),
        (b"#!", "a script"),
        (b"version ", "text, such as a Git LFS pointer: `git lfs pull` fetches the file"),
        (b"\0\0\0\0", "a file of zeros"),
    ];
    let format = FORMATS.iter().find(|(magic, _)| start.starts_with(magic));
    let is_text = || start.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
    match format {
        Some((_, name)) => name,
        None if is_text() => "text",
        None => "some other format",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_recognized() {
        for (start, expected) in [
            (*b"\x1f\x8b\x08\0\0\0\0\0", "gzip: decompress it first"),
            (*b"\x7fELF\x02\x01\x01\0", "an ELF binary"),
            (*b"(module\n", "the WebAssembly text format: compile it first"),
            (*b"(componx", "text"),
            (*b";; hello", "the WebAssembly text format: compile it first"),
            (*b"tab\tcr\r\n", "text"),
            (*b"~ till ~", "text"),
            (*b"escape\x1bc", "some other format"),
            (*b"delete\x7f ", "some other format"),
            (*b"caf\xc3\xa9   ", "some other format"),
            (*b"version ", "text, such as a Git LFS pointer: `git lfs pull` fetches the file"),
            (
                [0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05],
                "a compressed Substrate runtime: remove the first 8 bytes, then decompress zstd",
            ),
            ([0; 8], "a file of zeros"),
            ([1, 2, 3, 4, 5, 6, 7, 8], "some other format"),
        ] {
            assert!(matches!(root_kind(start), Err((Fault::NotWasm(name), 0)) if name == expected), "{start:?}");
        }
    }
}
