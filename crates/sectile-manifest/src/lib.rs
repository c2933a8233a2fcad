//! Metadata from the manifests of language tools.
//!
//! | item | purpose |
//! | --- | --- |
//! | [`Manifest`] | the metadata in one file, whose name determines its [`ManifestFormat`] |
//! | [`ManifestFormat::key_mappings`] | the table of mappings from keys to metadata |
//! | [`Manifest::add_to`] | adds the values to an [`Edit`](sectile::edit::Edit) |
//! | [`Notice`] | a value that is ignored or changed |
//! | [`Project`] | for builds: a manifest, `sectile.toml` next to it, and their [settings](BuildSettings) |
//! | [`outputs`] | the files that a command line writes |
//!
//! Values that an edit already sets take precedence over those of a manifest.
//!
//! Only the manifest is read, and the workspace's manifest for inherited keys of Cargo.toml.
//! Feature `git` adds the `git` module, which determines the revision of the work tree.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cargo;
mod edit;
mod entry;
mod error;
mod format;
mod gather;
#[cfg(feature = "git")]
#[cfg_attr(docsrs, doc(cfg(feature = "git")))]
pub mod git;
mod location;
mod mapping;
mod npm;
mod outputs;
mod own;
mod project;
mod python;
mod repository;
mod wkg;

use std::path::{Path, PathBuf};

pub use self::error::ManifestError;
pub use self::format::ManifestFormat;
pub use self::location::{ManifestLocation, Notice, NoticeKind};
pub use self::mapping::{KeyMapping, KeyTarget};
pub use self::outputs::outputs;
pub use self::own::{BuildKey, BuildSettings, SectionData, StripProfile};
pub use self::project::Project;

use self::gather::{GatheredValues, GivenValue};
use self::location::Notices;
use sectile::metadata::Field;
use sectile_document::{self, Node, SyntaxError, file};

/// The metadata in a manifest.
///
/// ```
/// use sectile::{Edit, Field};
/// use sectile_manifest::{Manifest, ManifestFormat};
///
/// let text = "[package]\nname = \"adder\"\nversion = \"1.2.0\"\nlicense = \"MIT/Apache-2.0\"\n";
/// let manifest = Manifest::parse(ManifestFormat::Cargo, "Cargo.toml", text)?;
/// assert_eq!(manifest.value(Field::Licenses).as_deref(), Some("MIT OR Apache-2.0"));
/// let message = "`MIT/Apache-2.0` is not an SPDX expression; using `MIT OR Apache-2.0`";
/// assert_eq!(manifest.notices()[0].to_string(), format!("Cargo.toml:4: package.license: {message}"));
///
/// let edit = manifest.add_to(Edit::new().set(Field::Version, "1.2.1")?)?; // the edit's own version wins
/// let planned = edit.plan_slice(b"\0asm\x01\0\0\0")?;
/// assert_eq!(planned.changes().len(), 4); // the license, the name, the version, the language
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Manifest {
    format: ManifestFormat,
    path: PathBuf,
    name: Option<GivenValue>,
    values: Vec<(Field, GivenValue)>,
    settings: BuildSettings,
    notices: Vec<Notice>,
}

impl Manifest {
    /// Reads a manifest. The file name determines its format.
    ///
    /// # Errors
    ///
    /// - The file name is not that of a manifest.
    /// - The file cannot be read, is not a regular file, is larger than 1 MiB or not UTF-8.
    /// - The text is malformed, or nested deeper than 100.
    /// - A key has a value of the wrong type, or inherits a missing value.
    ///
    /// Values are checked when they are [added to an edit](Self::add_to).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        let path = path.as_ref();
        let name = path.file_name();
        let format = ManifestFormat::ALL.into_iter().find(|format| name.is_some_and(|name| name == format.file_name()));
        let format = format.ok_or_else(|| ManifestError::UnknownName(path.to_owned()))?;
        let text = file::read(path).map_err(|error| ManifestError::from_file_error(path, error))?;
        Self::parse(format, path, &text)
    }

    /// Parses the text of a manifest. The search for the workspace of a Cargo.toml starts at the
    /// path. The file need not exist.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn parse(format: ManifestFormat, path: impl AsRef<Path>, text: &str) -> Result<Self, ManifestError> {
        let path = path.as_ref();
        let (root, notices) = document(format, path, text)?;
        let gathered: GatheredValues = gather::gather(format, path, &root, notices).map_err(|error| {
            // Offsets in JSON do not count the byte order mark.
            error.with_column(if format == ManifestFormat::Npm { text.trim_start_matches('\u{feff}') } else { text })
        })?;
        let notices = gathered.notices.into_sorted();
        let values = gathered.values.into_iter().collect();
        Ok(Self { format, path: path.to_owned(), name: gathered.name, values, settings: gathered.settings, notices })
    }

    /// The format of the manifest.
    pub fn format(&self) -> ManifestFormat {
        self.format
    }

    /// The path of the manifest.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings for builds.
    pub fn settings(&self) -> &BuildSettings {
        &self.settings
    }

    /// The name of the package.
    pub fn name(&self) -> Option<String> {
        self.name.as_ref().map(GivenValue::value)
    }

    /// The value of a field.
    pub fn value(&self, field: Field) -> Option<String> {
        self.values.iter().find(|(found, _)| *found == field).map(|(_, given)| given.value())
    }

    /// The fields that the manifest sets, in the order of the field table: field, value, and
    /// location of the key.
    pub fn values(&self) -> impl Iterator<Item = (Field, String, &ManifestLocation)> {
        self.values.iter().map(|(field, given)| (*field, given.value(), &given.location))
    }

    /// Entries for the `producers` section, as field and name. Manifests do not contain the version
    /// of a tool.
    pub fn producers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.format.language().into_iter().map(|language| ("language", language))
    }

    /// Notices about ignored and changed values, by file and line. There are at most 64, and the
    /// last one counts the omitted ones.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl GivenValue {
    fn value(&self) -> String {
        self.parts.join(", ")
    }
}

/// Parses the text; returns the tree, and notices about duplicate keys.
fn document(format: ManifestFormat, path: &Path, text: &str) -> Result<(Node, Notices), ManifestError> {
    let malformed =
        |SyntaxError { line, message, .. }| ManifestError::Malformed { file: path.to_owned(), line, message };
    match format {
        ManifestFormat::Npm => {
            let (root, duplicates) = sectile_document::json(text).map_err(malformed)?;
            let mut notices = Notices::default();
            for (key, line) in duplicates.first {
                let location = ManifestLocation { file: path.to_owned(), line, key };
                let message = "duplicate key; the last value is used".to_owned();
                notices.push(Notice { location, kind: NoticeKind::Duplicate, message });
            }
            notices.add_count(duplicates.more);
            Ok((root, notices))
        }
        // Python's own parser rejects the byte order mark; the others skip it.
        ManifestFormat::Python if text.starts_with('\u{feff}') => {
            let message = "starts with a byte order mark, which Python rejects".to_owned();
            Err(ManifestError::Malformed { file: path.to_owned(), line: 1, message })
        }
        _ => Ok((sectile_document::toml(text).map_err(malformed)?, Notices::default())),
    }
}
