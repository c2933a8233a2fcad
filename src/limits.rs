//! What reading may cost at the most.

/// Explicit limits for hostile input. The defaults are generous: no file that a validator accepts meets one
/// by accident, and what reading one input may hold in memory stays bounded.
///
/// Exceeding one of the first four ends the reading: the outcome is partial, with the limit as its reason.
/// Exceeding one of those behind costs the value alone, which becomes a finding (`too-large`). Findings beyond the last
/// are folded into one.
///
/// ```
/// let limits = sectile::Limits { depth: 10, ..Default::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Items that may enclose one another, the root counted; 1,000 by default. wasmparser's validator
    /// rejects deeper nesting.
    pub depth: u32,
    /// Items in the tree, the root counted; 100,000 by default.
    pub items: u32,
    /// Sections in the whole input; 100,000,000 by default.
    pub sections: u64,
    /// Bytes of a custom section's name; 100,000 by default, which is also the most that wasmparser reads.
    pub name: u32,
    /// Bytes of one section's data (or of one name) that are decoded; 1 MiB by default.
    pub data: u32,
    /// Bytes of one import or export section that are decoded, where somebody asks for imports and exports; 32 MiB by
    /// default. (Modules that export everything have some of 7 MB.)
    pub interface: u32,
    /// Bytes of values kept from the whole input, with a flat charge for each; 64 MiB by default. Once compressed sections
    /// have inflated to more, kept or not, no further one is inflated.
    pub kept: u64,
    /// Bytes that one compressed section may inflate to; 8 MiB by default.
    pub inflated: u32,
    /// Findings kept of each code; 64 by default. Further ones are counted.
    pub findings: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 1_000,
            items: 100_000,
            sections: 100_000_000,
            name: 100_000,
            data: 1 << 20,
            interface: 32 << 20,
            kept: 64 << 20,
            inflated: 8 << 20,
            findings: 64,
        }
    }
}
