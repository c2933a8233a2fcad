//! Kinds of sections by what they are for: each family has a colour.

use crate::metadata::{Purpose, purpose};

/// What sections are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
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

impl Family {
    /// All of them, by their numbers in the data.
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

    /// That of a section, by what its id means, or of a custom one what it or its convention is called.
    pub(super) fn of(kind: &str) -> Self {
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
                Some(Purpose::Names) => Self::Names,
                Some(Purpose::Debug | Purpose::Coredump) => Self::Debug,
                Some(Purpose::Linking | Purpose::Loading | Purpose::Hints) => Self::Linking,
                Some(_) => Self::Metadata,
                None => Self::Unknown,
            },
        }
    }

    /// Its class in `page.css`.
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

    /// What a legend calls it.
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
    fn kinds_have_their_families() {
        let cases = [
            ("code", Family::Code),
            (".debug_*", Family::Debug),
            (".debug_info", Family::Debug),
            ("name", Family::Names),
            ("licenses", Family::Metadata),
            ("reloc.CODE", Family::Linking),
            ("custom", Family::Unknown),
            ("</script>", Family::Unknown),
        ];
        for (kind, family) in cases {
            assert_eq!(Family::of(kind), family, "{kind}");
        }
        assert!((0..).zip(Family::ALL).all(|(nth, family)| family as usize == nth));
    }
}
