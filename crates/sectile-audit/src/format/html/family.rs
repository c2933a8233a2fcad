//! Groups kinds of sections into families, each with a color.

use sectile::internal::purpose;
use sectile::metadata::SectionPurpose;

/// The purpose of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionFamily {
    Code,
    Data,
    Structure,
    Item,
    Metadata,
    Names,
    Debug,
    Linking,
    Several,
    Unknown,
}

impl SectionFamily {
    /// All families in the order of their numbers in the data.
    pub(super) const ALL: [Self; 10] = [
        Self::Code,
        Self::Data,
        Self::Structure,
        Self::Item,
        Self::Metadata,
        Self::Names,
        Self::Debug,
        Self::Linking,
        Self::Several,
        Self::Unknown,
    ];

    /// The family of a section, by the meaning of its ID, or by its name or convention for a custom section.
    pub(super) fn for_kind(kind: &str) -> Self {
        match kind {
            "code" => Self::Code,
            "data" | "element" | "data count" => Self::Data,
            "core module" | "component" => Self::Item,
            "type" | "import" | "function" | "table" | "memory" | "tag" | "global" | "export" | "start" => {
                Self::Structure
            }
            "core instance" | "core type" | "instance" | "alias" | "canon" | "value" => Self::Structure,
            "several" => Self::Several,
            custom => match purpose(custom) {
                Some(SectionPurpose::Names) => Self::Names,
                Some(SectionPurpose::Debug | SectionPurpose::Coredump) => Self::Debug,
                Some(SectionPurpose::Linking | SectionPurpose::Loading | SectionPurpose::Hints) => Self::Linking,
                Some(_) => Self::Metadata,
                None => Self::Unknown,
            },
        }
    }

    /// The class in `page.css`.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Code => "c-code",
            Self::Data => "c-data",
            Self::Structure => "c-struct",
            Self::Item => "c-item",
            Self::Metadata => "c-meta",
            Self::Names => "c-names",
            Self::Debug => "c-debug",
            Self::Linking => "c-link",
            Self::Several => "c-several",
            Self::Unknown => "c-unknown",
        }
    }

    /// The label in a legend.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Data => "data",
            Self::Structure => "types, imports, exports and the like",
            Self::Item => "nested items",
            Self::Metadata => "metadata",
            Self::Names => "names",
            Self::Debug => "debugging data",
            Self::Linking => "linking and loading",
            Self::Several => "several small ones",
            Self::Unknown => "other custom sections",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_expected_families() {
        let cases = [
            ("code", SectionFamily::Code),
            (".debug_*", SectionFamily::Debug),
            (".debug_info", SectionFamily::Debug),
            ("name", SectionFamily::Names),
            ("licenses", SectionFamily::Metadata),
            ("reloc.CODE", SectionFamily::Linking),
            ("custom", SectionFamily::Unknown),
            ("</script>", SectionFamily::Unknown),
        ];
        for (kind, family) in cases {
            assert_eq!(SectionFamily::for_kind(kind), family, "{kind}");
        }
        assert!((0..).zip(SectionFamily::ALL).all(|(nth, family)| family as usize == nth));
    }
}
