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
    /// `sectile.toml`: values and settings for builds, alone or next to a manifest.
    Sectile,
}

impl ManifestFormat {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Cargo, Self::Wkg, Self::Npm, Self::Python, Self::Sectile];

    /// The name of the file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Cargo => "Cargo.toml",
            Self::Wkg => "wkg.toml",
            Self::Npm => "package.json",
            Self::Python => "pyproject.toml",
            Self::Sectile => "sectile.toml",
        }
    }

    /// Tables in which every key is metadata: there is a notice about a key without a
    /// [mapping](Self::key_mappings).
    pub const fn closed_tables(self) -> &'static [&'static str] {
        match self {
            Self::Wkg => &["metadata"],
            Self::Cargo | Self::Npm | Self::Sectile => &[],
            Self::Python => &["project.urls"],
        }
    }

    /// Name of Sectile's own table, with its dots. Unknown keys in this table are errors. Empty if
    /// the whole file is this table; `None` if the format has no such table.
    pub(super) const fn own_table(self) -> Option<&'static str> {
        match self {
            Self::Cargo => Some("package.metadata.sectile"),
            Self::Npm => Some("sectile"),
            Self::Python => Some("tool.sectile"),
            Self::Sectile => Some(""),
            Self::Wkg => None,
        }
    }

    /// The source language for the `producers` section, if the format determines it. Source: the
    /// tool conventions' `ProducersSection.md`.
    pub const fn language(self) -> Option<&'static str> {
        match self {
            Self::Cargo => Some("Rust"),
            Self::Wkg | Self::Npm | Self::Python | Self::Sectile => None,
        }
    }

    /// Whether keys of a table are compared without punctuation, white space and case, like those
    /// of `project.urls`.
    pub(super) fn normalizes(self, table: &str) -> bool {
        self == Self::Python && table == "project.urls"
    }

    /// The tables of which a package manifest must contain at least one. Empty if none is required.
    pub(super) const fn roots(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["package"],
            Self::Wkg => &["metadata"],
            Self::Npm | Self::Sectile => &[],
            Self::Python => &["project", "tool.poetry", "tool.sectile"],
        }
    }
}
