//! Reads the text of a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use sectile::internal::{Link, open};

/// Manifests and policies are far smaller.
const MAX_LEN: u64 = 1 << 20;

/// The text of a file could not be read.
#[derive(Debug)]
pub enum FileError {
    /// The file cannot be opened or read.
    Io(io::Error),
    /// The file is not a regular file.
    NotRegular,
    /// The file is larger than 1 MiB.
    TooLarge,
    /// The file is not UTF-8: its text before the first invalid byte.
    NotUtf8(String),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a whole file. Anything but a regular file is refused without waiting for it.
///
/// # Errors
///
/// The file cannot be read, is not a regular file, is larger than 1 MiB, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, FileError> {
    read_from(open_regular(path)?)
}

/// Opens a regular file.
///
/// # Errors
///
/// The file cannot be opened, or is not a regular file.
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    let file = open(path, OpenOptions::new().read(true), Link::Followed)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(FileError::NotRegular) }
}

/// Reads a whole stream.
///
/// # Errors
///
/// The stream cannot be read, has more than 1 MiB, or is not UTF-8.
pub fn read_from(stream: impl Read) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    stream.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(FileError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let mut bytes = error.into_bytes();
        let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        bytes.truncate(valid);
        FileError::NotUtf8(String::from_utf8(bytes).unwrap_or_default())
    })
}
