use std::io;
use std::path::{Path, PathBuf};

use super::place::Place;
use super::table::Format;
use crate::document::file::Unread;
use crate::edit::EditError;
use crate::escape::Escaped;

/// Why nothing is taken from a manifest. `Display` names the file, and the line and the key where there is one; it is safe
/// to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file's name is not that of a manifest.
    #[error("{} is no manifest that is known by its name: these are {}", Escaped::file(.0), Format::ALL.map(Format::file_name).join(", "))]
    UnknownName(PathBuf),
    /// The file cannot be read.
    #[error("{} cannot be read", Escaped::file(.file))]
    #[non_exhaustive]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is a directory, a FIFO, a device; or larger than any manifest is; or no UTF-8.
    #[error("{} {why}", Escaped::file(.file))]
    #[non_exhaustive]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text is no TOML or no JSON, or nests too deep.
    #[error("{}:{line}: {}", Escaped::file(.file), Escaped::new(message))]
    #[non_exhaustive]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// A key has a value that is not what it is to be, or inherits what is not there.
    #[error("{place}: {}", Escaped::new(message))]
    #[non_exhaustive]
    Key {
        /// The key.
        place: Box<Place>,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A value is not what the table of fields asks for.
    #[error("{place}")]
    #[non_exhaustive]
    Refused {
        /// The key that gives the value.
        place: Box<Place>,
        /// What is wrong with it.
        source: EditError,
    },
}

impl ManifestError {
    /// Why a manifest's file gives no text.
    pub(super) fn unread(file: &Path, unread: Unread) -> Self {
        let file = file.to_owned();
        match unread {
            Unread::Io(source) => Self::Io { file, source },
            Unread::NotRegular => Self::Unreadable { file, why: "is no regular file" },
            Unread::TooLarge => Self::Unreadable { file, why: "is larger than 1 MiB, which no manifest is" },
            Unread::NotUtf8(before) => {
                let line = before.split('\n').count() as u64;
                Self::Malformed { file, line, message: "it is not UTF-8".to_owned() }
            }
        }
    }
}
