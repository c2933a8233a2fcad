use std::io;
use std::path::{Path, PathBuf};

use super::format::ManifestFormat;
use super::location::ManifestLocation;
use sectile::Escaped;
use sectile::edit::EditError;
use sectile::metadata::Field;
use sectile_document::file::FileError;
use sectile_document::line_and_column;

/// The reason why a manifest cannot be used. `Display` names the file, and the line and key if
/// known. Its output is safe on a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file name is not that of a supported manifest.
    #[error("{} is not a supported manifest; expected one of {}", Escaped::file(.0), ManifestFormat::ALL.map(ManifestFormat::file_name).join(", "))]
    UnknownName(PathBuf),
    /// The file cannot be read.
    #[error("cannot read {}", Escaped::file(.file))]
    #[non_exhaustive]
    Io {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not a regular file, or is too large.
    #[error("{} {reason}", Escaped::file(.file))]
    #[non_exhaustive]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The problem.
        reason: &'static str,
    },
    /// The text is not UTF-8, is not TOML or JSON, or is nested too deeply.
    #[error("{}:{line}: {}", Escaped::file(.file), Escaped::new(message))]
    #[non_exhaustive]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The problem.
        message: String,
    },
    /// A key has a value of the wrong type, or inherits a missing value.
    #[error("{location}: {}", Escaped::new(message))]
    #[non_exhaustive]
    InvalidKey {
        /// The key.
        location: Box<ManifestLocation>,
        /// The problem, and what to do.
        message: String,
    },
    /// Sectile's own table has an unknown key.
    #[error("{}:{}:{column}: {}: unknown key; {advice}", Escaped::file(&location.file), location.line, Escaped::new(&location.key))]
    #[non_exhaustive]
    UnknownKey {
        /// The key.
        location: Box<ManifestLocation>,
        /// The column, counted from 1 in characters.
        column: u64,
        /// The known keys.
        advice: String,
    },
    /// Manifests in one directory give different values for a field.
    #[error(
        "{first} and {second} give different values for `{field}`; set it in sectile.toml, or name one manifest with `manifest` there or with --from"
    )]
    #[non_exhaustive]
    Disagreement {
        /// The field.
        field: Field,
        /// The key in one manifest.
        first: Box<ManifestLocation>,
        /// The key in the other manifest.
        second: Box<ManifestLocation>,
    },
    /// A value is not valid for its field.
    #[error("{location}")]
    #[non_exhaustive]
    InvalidValue {
        /// The key of the value.
        location: Box<ManifestLocation>,
        /// The problem.
        source: EditError,
    },
}

impl ManifestError {
    /// Converts the byte offset in an error about an unknown key into its column.
    pub(super) fn with_column(mut self, text: &str) -> Self {
        if let Self::UnknownKey { column, .. } = &mut self {
            *column = line_and_column(text, *column as usize).1;
        }
        self
    }

    pub(super) fn from_file_error(file: &Path, error: FileError) -> Self {
        let file = file.to_owned();
        match error {
            FileError::Io(source) => Self::Io { file, source },
            FileError::NotRegular => Self::Unreadable { file, reason: "is not a regular file" },
            FileError::TooLarge => Self::Unreadable { file, reason: "is larger than 1 MiB" },
            FileError::NotUtf8(before) => {
                let line = before.split('\n').count() as u64;
                Self::Malformed { file, line, message: "it is not UTF-8".to_owned() }
            }
        }
    }
}
