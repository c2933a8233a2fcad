//! Limits on the cost of reading.

/// Limits that bound the memory and time for one input. The defaults are generous: a valid binary
/// does not exceed them by accident.
///
/// If one of the first four is exceeded, the pass ends: the outcome is partial, and its error is
/// the limit. If another is exceeded, only the value is skipped, with a finding (`too-large`).
/// Findings beyond the last limit are only counted.
///
/// ```
/// let limits = sectile::Limits { max_depth: 10, ..Default::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nested items, including the root; 1,000 by default. wasmparser's validator rejects
    /// deeper nesting.
    pub max_depth: u32,
    /// Items in the tree, including the root; 100,000 by default.
    pub max_items: u32,
    /// Sections in the whole input; 100,000,000 by default.
    pub max_sections: u64,
    /// Byte length of a custom section's name; 100,000 by default, as in wasmparser.
    pub max_name_len: u32,
    /// Byte length of one section's data, or of one name, that is decoded; 1 MiB by default.
    pub max_section_data: u32,
    /// Byte length of an import or export section that is decoded, if the interface is requested;
    /// 32 MiB by default. Modules that export everything have sections of 7 MB.
    pub max_interface_section: u32,
    /// Bytes of values kept from the whole input, with a flat charge for each value; 64 MiB by
    /// default. Once compressed sections have inflated to more than this in total, kept or not, no
    /// further one is inflated.
    pub max_retained_bytes: u64,
    /// Bytes that one compressed section may inflate to; 8 MiB by default.
    pub max_inflated: u32,
    /// Findings kept for each code; 64 by default. Further findings are only counted.
    pub max_findings_per_code: u32,
}

impl Limits {
    /// The defaults, to derive other limits from in a constant.
    pub const DEFAULT: Self = Self {
        max_depth: 1_000,
        max_items: 100_000,
        max_sections: 100_000_000,
        max_name_len: 100_000,
        max_section_data: 1 << 20,
        max_interface_section: 32 << 20,
        max_retained_bytes: 64 << 20,
        max_inflated: 8 << 20,
        max_findings_per_code: 64,
    };

    /// These limits, with those of `other` in place of each that has its default value.
    ///
    /// ```
    /// use sectile::Limits;
    ///
    /// let small = Limits { max_depth: 5, max_items: 10, ..Limits::DEFAULT };
    /// let own = Limits { max_depth: 2_000, ..Limits::DEFAULT };
    /// assert_eq!(own.or(small), Limits { max_depth: 2_000, max_items: 10, ..Limits::DEFAULT });
    /// ```
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        macro_rules! pick_each {
            ($($limit:ident),*) => {
                Self {
                    $($limit: if self.$limit == Self::DEFAULT.$limit { other.$limit } else { self.$limit }),*
                }
            };
        }
        pick_each!(
            max_depth,
            max_items,
            max_sections,
            max_name_len,
            max_section_data,
            max_interface_section,
            max_retained_bytes,
            max_inflated,
            max_findings_per_code
        )
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
