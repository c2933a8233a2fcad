//! The tables of the manifests: what becomes of which key.

use std::borrow::Cow;

use super::error::ManifestError;
use super::found::Found;
use super::place::Notice;
use super::{cargo, npm, python, wkg};
use crate::metadata::Field;

/// A kind of manifest, known by its file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Rust's.
    Cargo,
    /// That of the Wasm package tools.
    Wkg,
    /// Node's.
    Npm,
    /// Python's.
    Python,
}

impl Format {
    /// All of them.
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

    /// What becomes of which key. Of two keys that give one field, the first row counts, unless the rows say that they
    /// join. What stands in no row is not metadata, and is passed over; but in a [closed](Self::closed) table it is said.
    pub fn rows(self) -> Vec<Row> {
        match self {
            Self::Cargo => cargo::rows(),
            Self::Wkg => wkg::ROWS.to_vec(),
            Self::Npm => npm::ROWS.to_vec(),
            Self::Python => python::ROWS.to_vec(),
        }
    }

    /// The tables in which every key is metadata, so that one that stands in no row is said to be dropped.
    pub const fn closed(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["package.metadata.sectile"],
            Self::Wkg => &["metadata"],
            Self::Npm => &[],
            Self::Python => &["project.urls"],
        }
    }

    /// The language that the manifest's programs are written in, as the `producers` section names it, where that is
    /// certain. Source: the tool conventions' `ProducersSection.md`.
    pub const fn language(self) -> Option<&'static str> {
        match self {
            Self::Cargo => Some("Rust"),
            Self::Wkg | Self::Npm | Self::Python => None,
        }
    }

    /// Whether names of entries count without punctuation, space and case, as those of `project.urls` do.
    pub(super) fn normalises(self, table: &str) -> bool {
        self == Self::Python && table == "project.urls"
    }

    /// The table that must be there, if a manifest without it is none that a package has.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Cargo => "package",
            Self::Wkg => "metadata",
            Self::Npm => "",
            Self::Python => "project",
        }
    }
}

/// A row of a manifest's table.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) key: Cow<'static, str>,
    pub(super) becomes: Becomes,
    /// What it is to be, and how it is read.
    pub(super) read: Read,
    pub(super) joins: bool,
}

/// How the value of a key becomes that of a field: its parts, which commas will divide. None, where nothing is to be taken;
/// then a notice says why.
pub(super) type Read = fn(&Found<'_>, &mut Vec<Notice>) -> Result<Vec<String>, ManifestError>;

/// What becomes of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Becomes {
    /// The value of a field.
    Field(Field),
    /// The item's name.
    Name,
    /// Nothing, for a reason.
    Nothing,
}

impl Row {
    pub(super) const fn new(key: &'static str, becomes: Becomes, read: Read) -> Self {
        Self { key: Cow::Borrowed(key), becomes, read, joins: false }
    }

    pub(super) const fn field(key: &'static str, field: Field, read: Read) -> Self {
        Self::new(key, Becomes::Field(field), read)
    }

    /// The value joins those of earlier rows for the same field, instead of giving way to them.
    pub(super) const fn joining(mut self) -> Self {
        self.joins = true;
        self
    }

    /// The key, with those of the tables that hold it before it, divided by dots.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What becomes of its value.
    pub fn becomes(&self) -> Becomes {
        self.becomes
    }

    /// Whether the value joins those of earlier rows for the same field, instead of giving way to them.
    pub fn joins(&self) -> bool {
        self.joins
    }
}
