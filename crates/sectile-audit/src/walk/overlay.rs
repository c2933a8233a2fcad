//! Finds the data after an executable in its file: the archive of a self-extracting program.
//!
//! Sources: System V ABI, *ELF Header* and *Program Header*; Microsoft's PE Format, *COFF File Header* and *Section Table*.

/// Number of bytes to detect the format of an overlay.
pub(super) const OVERLAY_LEN: usize = 64;

/// The offset of the first byte after an executable that starts with `head`, by the headers that are in `head`.
pub(super) fn overlay_start(head: &[u8]) -> Option<u64> {
    match head {
        [0x7f, b'E', b'L', b'F', class @ (1 | 2), order @ (1 | 2), ..] => {
            elf_end(&Fields { bytes: head, is_big_endian: *order == 2 }, *class == 2)
        }
        [b'M', b'Z', ..] => pe_end(&Fields { bytes: head, is_big_endian: false }),
        _ => None,
    }
    .filter(|&end| end > 0)
}

fn elf_end(fields: &Fields<'_>, is_64: bool) -> Option<u64> {
    // Offsets of: program headers, section headers, then the sizes and numbers of both.
    let [programs, sections, program_len, program_count, section_len, section_count] =
        if is_64 { [0x20, 0x28, 0x36, 0x38, 0x3a, 0x3c] } else { [0x1c, 0x20, 0x2a, 0x2c, 0x2e, 0x30] };
    let address = |at| if is_64 { fields.quad(at) } else { fields.long(at) };
    let mut end = address(sections)?.checked_add(fields.short(section_len)? * fields.short(section_count)?)?;
    let (start, len) = (address(programs)?, fields.short(program_len)?);
    let [offset, size] = if is_64 { [8, 32] } else { [4, 16] };
    for nth in 0..fields.short(program_count)? {
        let Some(header) = start.checked_add(nth * len).and_then(|at| usize::try_from(at).ok()) else { break };
        let segment = header.checked_add(offset).and_then(address).zip(header.checked_add(size).and_then(address));
        let Some((offset, size)) = segment else { break };
        end = end.max(offset.checked_add(size)?);
    }
    Some(end)
}

fn pe_end(fields: &Fields<'_>) -> Option<u64> {
    let header = usize::try_from(fields.long(0x3c)?).ok()?;
    if fields.bytes.get(header..header.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let sections = header + 24 + fields.short(header + 20)? as usize;
    let section_end = |nth: u64| {
        let section = sections + 40 * nth as usize;
        fields.long(section + 20)?.checked_add(fields.long(section + 16)?)
    };
    (0..fields.short(header + 6)?).map_while(section_end).max()
}

/// Numbers in a header.
struct Fields<'h> {
    bytes: &'h [u8],
    is_big_endian: bool,
}

impl Fields<'_> {
    fn number(&self, at: usize, len: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(len)?)?;
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.is_big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) })
    }

    fn short(&self, at: usize) -> Option<u64> {
        self.number(at, 2)
    }

    fn long(&self, at: usize) -> Option<u64> {
        self.number(at, 4)
    }

    fn quad(&self, at: usize) -> Option<u64> {
        self.number(at, 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_and_false_headers_have_no_end() {
        let elf = [&b"\x7fELF\x02\x01\x01"[..], &[0xff; 200]].concat();
        let pe = [&b"MZ"[..], &[0; 0x3a], &0x40_u32.to_le_bytes(), b"PE\0\0", &[0xff; 100]].concat();
        for whole in [&elf, &pe] {
            for end in 0..whole.len() {
                let start = overlay_start(&whole[..end]);
                assert!(start.is_none_or(|start| start > 0), "{end}");
            }
        }
        assert_eq!(overlay_start(b"MZ is how a text begins"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn executable_ends_with_its_file() {
        let path = std::env::current_exe().unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(overlay_start(&bytes[..4096]), Some(bytes.len() as u64));
    }
}
