use std::io;
use std::path::{Path, PathBuf};

use super::table::InvalidEntry;
use sectile::Escaped;
use sectile_document::file::FileError;
use sectile_document::line_and_column;

/// A policy could not be loaded. `Display` names the file, and the line and column if known; it is
/// safe on a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("{} cannot be read", Escaped::file(.file))]
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
    /// The text is not TOML, or not a valid policy.
    #[error("{}:{line}:{column}: {}{}{}", Escaped::file(.file), Escaped::new(key), if key.is_empty() { "" } else { ": " }, Escaped::new(message))]
    #[non_exhaustive]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1, in characters.
        column: u64,
        /// The key with its table, such as `limits.depth`; empty if the error is not about a key.
        key: Box<str>,
        /// The problem, and what is valid there.
        message: Box<str>,
    },
}

impl PolicyError {
    pub(super) fn invalid(file: &Path, text: &str, entry: InvalidEntry) -> Self {
        let (line, column) = line_and_column(text, entry.start);
        Self::Invalid { file: file.to_owned(), line, column, key: entry.key.into(), message: entry.message.into() }
    }

    pub(super) fn from_file_error(path: &Path, error: FileError) -> Self {
        let file = path.to_owned();
        match error {
            FileError::Io(source) => Self::Io { file, source },
            FileError::NotRegular => Self::Unreadable { file, reason: "is not a regular file" },
            FileError::TooLarge => Self::Unreadable { file, reason: "is larger than 1 MiB, the limit for policies" },
            FileError::NotUtf8(before) => {
                let message = "not UTF-8".to_owned();
                Self::invalid(path, &before, InvalidEntry { start: before.len(), key: String::new(), message })
            }
        }
    }
}
