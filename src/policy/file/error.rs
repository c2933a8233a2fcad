use std::io;
use std::path::{Path, PathBuf};

use super::found::Wrong;
use crate::document::file::Unread;
use crate::document::line_and_column;
use crate::escape::Escaped;

/// Why a file gives no policy. `Display` names the file, and the line and column where there are; it is safe to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("{} cannot be read", Escaped::file(.file))]
    #[non_exhaustive]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is a directory, a FIFO, a device; or larger than any policy is.
    #[error("{} {why}", Escaped::file(.file))]
    #[non_exhaustive]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text is no TOML, or says something that no policy can say.
    #[error("{}:{line}:{column}: {}{}{}", Escaped::file(.file), Escaped::new(key), if key.is_empty() { "" } else { ": " }, Escaped::new(message))]
    #[non_exhaustive]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1, in characters.
        column: u64,
        /// The key, with that of the table before it, divided by a dot; empty where it is about none.
        key: Box<str>,
        /// What is wrong, and what may stand there.
        message: Box<str>,
    },
}

impl PolicyError {
    pub(super) fn wrong(file: &Path, text: &str, wrong: Wrong) -> Self {
        let (line, column) = line_and_column(text, wrong.start);
        Self::Wrong { file: file.to_owned(), line, column, key: wrong.key.into(), message: wrong.message.into() }
    }

    pub(super) fn unread(path: &Path, unread: Unread) -> Self {
        let file = path.to_owned();
        match unread {
            Unread::Io(source) => Self::Io { file, source },
            Unread::NotRegular => Self::Unreadable { file, why: "is no regular file" },
            Unread::TooLarge => Self::Unreadable { file, why: "is larger than 1 MiB, which no policy is" },
            Unread::NotUtf8(before) => {
                let message = "it is not UTF-8".to_owned();
                Self::wrong(path, &before, Wrong { start: before.len(), key: String::new(), message })
            }
        }
    }
}
