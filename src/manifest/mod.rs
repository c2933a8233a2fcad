//! Where metadata comes from: the manifests of language tools.
//!
//! A [`Manifest`] is read from a file whose name tells its [`Format`]; each has a [table](Format::rows) of what becomes of
//! which key. What it gives goes into an [`Edit`](crate::edit::Edit) with [`Edit::manifest`](crate::edit::Edit::manifest),
//! behind what is set by hand, which wins. What is dropped, or taken in another form, is a [`Notice`].
//!
//! Nothing is read but the manifest, and for keys of Cargo.toml that are inherited, the manifest of the workspace.

mod cargo;
mod edit;
mod error;
mod found;
mod gather;
mod npm;
mod place;
mod python;
mod repository;
mod table;
mod wkg;

use std::path::Path;

pub use self::error::ManifestError;
pub use self::place::{Notice, NoticeKind, Place};
pub use self::table::{Becomes, Format, Row};

use self::gather::{Gathered, Given};
use crate::document::{self, Malformed, Node, file};
use crate::metadata::Field;

/// What a manifest says.
///
/// ```
/// use sectile::edit::Edit;
/// use sectile::manifest::{Format, Manifest};
/// use sectile::{Limits, metadata::Field};
///
/// let text = "[package]\nname = \"adder\"\nversion = \"1.2.0\"\nlicense = \"MIT/Apache-2.0\"\n";
/// let manifest = Manifest::parse(Format::Cargo, "Cargo.toml", text)?;
/// assert_eq!(manifest.value(Field::Licenses).as_deref(), Some("MIT OR Apache-2.0"));
/// let message = "`MIT/Apache-2.0` is no SPDX expression, and is taken for the one it means: `MIT OR Apache-2.0`";
/// assert_eq!(manifest.notices()[0].to_string(), format!("Cargo.toml:4: package.license: {message}"));
///
/// let edit = Edit::new().set(Field::Version, "1.2.1")?.manifest(&manifest)?; // what is set by hand wins
/// let planned = edit.plan_slice(b"\0asm\x01\0\0\0", Limits::default())?;
/// assert_eq!(planned.changes.len(), 4); // the licence, the name, the version, the language
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Manifest {
    format: Format,
    name: Option<Given>,
    values: Vec<(Field, Given)>,
    notices: Vec<Notice>,
}

impl Manifest {
    /// Reads a manifest. What it is, its file's name tells.
    ///
    /// # Errors
    ///
    /// The name is that of no manifest; the file cannot be read, is no regular file, is larger than 1 MiB or no UTF-8; the
    /// text is malformed, or nests deeper than 100; a key has a value of another kind than its table asks for, or inherits
    /// what is not there. (Values are checked when they are [taken](crate::edit::Edit::manifest).)
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        let path = path.as_ref();
        let name = path.file_name();
        let format = Format::ALL.into_iter().find(|format| name.is_some_and(|name| name == format.file_name()));
        let format = format.ok_or_else(|| ManifestError::UnknownName(path.to_owned()))?;
        let text = file::read(path).map_err(|unread| ManifestError::unread(path, unread))?;
        Self::parse(format, path, &text)
    }

    /// Reads the text of a manifest that stands, or would stand, at a path: there begins the search for the workspace that
    /// a Cargo.toml may inherit from.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn parse(format: Format, path: impl AsRef<Path>, text: &str) -> Result<Self, ManifestError> {
        let path = path.as_ref();
        let (root, mut notices) = document(format, path, text)?;
        let gathered: Gathered = gather::gather(format, path, &root)?;
        notices.extend(gathered.notices);
        let values = gathered.values.into_iter().collect();
        Ok(Self { format, name: gathered.name, values, notices })
    }

    /// What kind of manifest it is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What the package is called.
    pub fn name(&self) -> Option<String> {
        self.name.as_ref().map(Given::value)
    }

    /// What it gives a field.
    pub fn value(&self, field: Field) -> Option<String> {
        self.values.iter().find(|(found, _)| *found == field).map(|(_, given)| given.value())
    }

    /// The fields that it gives values, in the table's order, each with the key that does.
    pub fn values(&self) -> impl Iterator<Item = (Field, String, &Place)> {
        self.values.iter().map(|(field, given)| (*field, given.value(), &given.place))
    }

    /// What it says of how the binary was produced: fields of the `producers` section, with a name. (No manifest tells a
    /// version of what was used.)
    pub fn producers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.format.language().into_iter().map(|language| ("language", language))
    }

    /// What is dropped, or taken in another form, by file and line.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl Given {
    fn value(&self) -> String {
        self.parts.join(", ")
    }
}

/// The text as a tree, and what stands in it twice.
fn document(format: Format, path: &Path, text: &str) -> Result<(Node, Vec<Notice>), ManifestError> {
    let malformed = |Malformed { line, message, .. }| ManifestError::Malformed { file: path.to_owned(), line, message };
    match format {
        Format::Npm => {
            let (root, duplicates) = document::json(text).map_err(malformed)?;
            let notice = |(key, line)| {
                let place = Place { file: path.to_owned(), line, key };
                let message = "the key stands twice, and the last counts".to_owned();
                Notice { place, kind: NoticeKind::Duplicate, message }
            };
            Ok((root, duplicates.into_iter().map(notice).collect()))
        }
        // Python's own reader refuses the mark, the others pass over it.
        Format::Python if text.starts_with('\u{feff}') => {
            let message = "it begins with a byte order mark, which Python refuses".to_owned();
            Err(ManifestError::Malformed { file: path.to_owned(), line: 1, message })
        }
        _ => Ok((document::toml(text).map_err(malformed)?, Vec::new())),
    }
}
