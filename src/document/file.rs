//! A file becomes a text.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::store::{Link, open};

/// A larger file is no manifest, and no policy.
const MAX_LEN: u64 = 1 << 20;

/// Why a file gives no text.
#[derive(Debug)]
pub(crate) enum Unread {
    Io(io::Error),
    NotRegular,
    /// More than 1 MiB.
    TooLarge,
    /// It is no UTF-8: its beginning, up to the first byte that is none.
    NotUtf8(String),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a file, whole. What is no regular file is refused, and never waited for.
pub(crate) fn read(path: &Path) -> Result<String, Unread> {
    let file = open(path, OpenOptions::new().read(true), Link::Followed)?;
    if !file.metadata()?.is_file() {
        return Err(Unread::NotRegular);
    }
    let bytes = beginning(file)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(Unread::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let mut bytes = error.into_bytes();
        let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        bytes.truncate(valid);
        Unread::NotUtf8(String::from_utf8(bytes).unwrap_or_default())
    })
}

fn beginning(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
