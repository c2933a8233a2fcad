//! Framing errors without their location. `Copy`, so that the scanner's state needs no drop.

use super::section::ItemKind;

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("not WebAssembly: the input is empty")]
    Empty,
    #[error("not WebAssembly: {0} bytes are shorter than the 8-byte preamble")]
    Short(u64),
    #[error("not WebAssembly: it looks like {0}")]
    NotWasm(&'static str),
    #[error(
        "unsupported version {version}, layer {layer}: neither a module (version 1, layer 0) nor a component (version 13, layer 1)"
    )]
    Version { version: u16, layer: u16 },

    #[error("malformed section id {0:#04x}: the largest is 0x7f")]
    SectionId(u8),
    #[error("malformed size of a section: not a LEB128 number of at most 32 bits")]
    SectionSize,
    #[error("section too large: the {section} section of {size} bytes extends past the end of its item at {end:#x}")]
    PastParent { section: &'static str, size: u32, end: u64 },
    #[error("section too large: a nested {kind} has at most 1 GiB, not {size} bytes")]
    NestedTooLarge { kind: ItemKind, size: u32 },
    #[error("section out of order: a module has at most one {0} section, in the order of the specification")]
    OutOfOrder(&'static str),
    #[error("second preamble: a section begins here, not another module or component")]
    SecondPreamble,
    #[error("nested {kind} too short: {size} bytes cannot hold the 8-byte preamble")]
    NestedShort { kind: ItemKind, size: u32 },
    #[error("nested {0} does not begin with the preamble of a {0}")]
    NestedPreamble(ItemKind),

    #[error("custom section of size 0: it has no name")]
    Unnamed,
    #[error("malformed length of a custom section's name: not a LEB128 number of at most 32 bits within the section")]
    NameLength,
    #[error("custom section's name of {len} bytes goes past the end of its section: {left} bytes remain")]
    NamePastSection { len: u32, left: u32 },
    #[error("custom section's name is not UTF-8")]
    NameNotUtf8,

    #[error("the input ends inside the {section} section that begins at {start:#x}")]
    Truncated { section: &'static str, start: u64 },
    #[error("the input ends inside the {kind} whose section begins at {start:#x}, before its end at {end:#x}")]
    TruncatedItem { kind: ItemKind, start: u64, end: u64 },
    #[error("the input ends inside the header of the section that begins at {start:#x}")]
    TruncatedHeader { start: u64 },

    #[error("limit exceeded: more than {max} {what}")]
    Limit { what: &'static str, max: u64 },
}

impl Fault {
    pub(crate) fn is_not_wasm(self) -> bool {
        matches!(self, Self::Empty | Self::Short(_) | Self::NotWasm(_) | Self::Version { .. })
    }

    pub(crate) fn is_truncated(self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::Short(_)
                | Self::Truncated { .. }
                | Self::TruncatedItem { .. }
                | Self::TruncatedHeader { .. }
        )
    }

    pub(crate) fn is_limit(self) -> bool {
        matches!(self, Self::Limit { .. })
    }
}
