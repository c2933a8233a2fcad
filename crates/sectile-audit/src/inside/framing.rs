//! Decides whether bytes are a binary, and where it ends.

use sectile::scan::{DataRequest, ItemKind, Section, Visitor};
use sectile::{Limits, drive};

/// The binary at the start of some bytes, as far as its framing shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Framed {
    /// End of the last whole section of the root.
    pub(crate) end: usize,
    /// Whether the bytes end there.
    pub(crate) is_whole: bool,
    /// Whether the bytes end inside a section, and more bytes might complete it.
    pub(crate) is_truncated: bool,
}

/// Length of a preamble.
const PREAMBLE_LEN: usize = 8;

/// Minimum length of a binary: a preamble, and a section. Shorter ones occur as constants in programs that read
/// WebAssembly.
pub(crate) const MIN_LEN: usize = 11;

impl Framed {
    /// Reads the headers of all sections.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut sections = RootSections { end: PREAMBLE_LEN as u64, started: None, last_rank: 0, cut: None };
        let outcome = drive::scan_slice(bytes, &mut sections, Limits::default());
        let (_, error, _) = outcome.into_parts();
        if let Some(cut) = sections.cut {
            let end = usize::try_from(cut).unwrap_or(usize::MAX).min(bytes.len());
            return Self { end, is_whole: false, is_truncated: false };
        }
        match error {
            None => Self { end: bytes.len(), is_whole: bytes.len() >= MIN_LEN, is_truncated: false },
            Some(error) => {
                // The last section is whole if the error is about what follows it.
                let at = error.offset().unwrap_or(0);
                let last = sections.started.filter(|&end| end <= at && end <= bytes.len() as u64);
                let end = last.unwrap_or(sections.end);
                let end = usize::try_from(end).unwrap_or(usize::MAX).min(bytes.len());
                Self { end, is_whole: false, is_truncated: error.is_truncated() }
            }
        }
    }

    /// Whether the part up to `end` is a binary.
    pub(crate) fn has_sections(&self) -> bool {
        self.end >= MIN_LEN
    }
}

/// Follows the sections of the root until one that a validator rejects.
struct RootSections {
    /// End of the section before the last one.
    end: u64,
    /// End of the last section.
    started: Option<u64>,
    /// Position in the order of sections.
    last_rank: u8,
    /// Start of the first section that cannot follow.
    cut: Option<u64>,
}

impl Visitor<'_> for RootSections {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.item() != 0 || self.cut.is_some() {
            return DataRequest::Nothing;
        }
        let start = section.range().start;
        self.end = start;
        let rank = if section.item_kind() == ItemKind::Module { rank(section.id()) } else { 0 };
        if section.is_unknown() || (rank > 0 && rank <= self.last_rank) {
            self.cut = Some(start);
        }
        self.last_rank = self.last_rank.max(rank);
        self.started = Some(section.range().end);
        DataRequest::Nothing
    }
}

/// The position of a section in the order that the specification requires, or 0 for custom sections.
fn rank(id: u8) -> u8 {
    match id {
        1..=5 => id,
        13 => 6, // tags
        6..=9 => id + 1,
        12 => 11, // the count of data segments
        10 => 12,
        11 => 13,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";

    #[test]
    fn binaries_end_before_what_cannot_be_a_section() {
        let whole = Framed::read(MODULE);
        assert!(whole.is_whole && whole.end == MODULE.len());
        for after in [&b"\0\0\0\0"[..], b"text follows", b"\x01\x05", &[0xff; 40]] {
            let framed = Framed::read(&[MODULE, after].concat());
            assert_eq!((framed.end, framed.is_whole), (MODULE.len(), false), "{after:?}");
        }
        for len in 8..MODULE.len() {
            let framed = Framed::read(&MODULE[..len]);
            assert!(!framed.is_whole && !framed.has_sections(), "{len}: {framed:?}");
            assert_eq!(framed.is_truncated, len > 8, "{len}");
        }
    }
}
