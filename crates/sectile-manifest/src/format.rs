//! The formats of manifests.

/// The format of a manifest, known by its file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ManifestFormat {
    /// `Cargo.toml` of Rust.
    Cargo,
    /// `wkg.toml` of the Wasm package tools.
    Wkg,
    /// `package.json` of Node.
    Npm,
    /// `pyproject.toml` of Python.
    Python,
}

impl ManifestFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Cargo, Self::Wkg, Self::Npm, Self::Python];

    /// The name of the file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Cargo => "Cargo.toml",
            Self::Wkg => "wkg.toml",
            Self::Npm => "package.json",
            Self::Python => "pyproject.toml",
        }
    }

    /// Tables in which every key is metadata: there is a notice about a key without a
    /// [mapping](Self::key_mappings).
    pub const fn closed_tables(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["package.metadata.sectile"],
            Self::Wkg => &["metadata"],
            Self::Npm => &[],
            Self::Python => &["project.urls"],
        }
    }

    /// The source language for the `producers` section, if the format determines it. Source: the
    /// tool conventions' `ProducersSection.md`.
    pub const fn language(self) -> Option<&'static str> {
        match self {
            Self::Cargo => Some("Rust"),
            Self::Wkg | Self::Npm | Self::Python => None,
        }
    }

    /// Whether the keys of a table are compared without punctuation, space and case, as those of
    /// `project.urls`.
    pub(super) fn normalizes(self, table: &str) -> bool {
        self == Self::Python && table == "project.urls"
    }

    /// The tables of which a manifest of a package must contain one; none if there is no such
    /// table.
    pub(super) const fn roots(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["package"],
            Self::Wkg => &["metadata"],
            Self::Npm => &[],
            Self::Python => &["project", "tool.poetry"],
        }
    }
}
