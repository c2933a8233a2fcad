//! A manifest's file becomes a text.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::error::ManifestError;
use crate::store::{Link, open};

/// A larger file is no manifest.
const MAX_LEN: u64 = 1 << 20;

/// Reads a file, whole. What is no regular file is refused, and never waited for.
pub(super) fn read(path: &Path) -> Result<String, ManifestError> {
    let io = |error| ManifestError::Io { file: path.to_owned(), error };
    let unreadable = |why| ManifestError::Unreadable { file: path.to_owned(), why };
    let file = open(path, OpenOptions::new().read(true), Link::Followed).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(unreadable("is no regular file"));
    }
    let bytes = beginning(file).map_err(io)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(unreadable("is larger than 1 MiB, which no manifest is"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count() as u64;
        ManifestError::Malformed { file: path.to_owned(), line, message: "it is not UTF-8".to_owned() }
    })
}

fn beginning(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
