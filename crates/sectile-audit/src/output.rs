//! Atomic writes of an audit's output.

use std::io::{self, Write};
use std::path::Path;

use sectile::internal::atomic::{Access, AtomicFile};

/// Writes a file atomically: readers see either the old content or all of the new content.
///
/// If `write` fails, the old content stays. A symbolic link stays, and its target is replaced.
///
/// # Errors
///
/// Returns the errors of `write`, and those of the system when the file is created or renamed.
pub fn write_atomic<T>(path: impl AsRef<Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    let path = path.as_ref();
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let file = AtomicFile::create(&path, Access::Default)?;
    let mut out = io::BufWriter::with_capacity(BUFFER_LEN, file.file());
    let written = write(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    file.put()?;
    Ok(written)
}

/// Size of the write buffer in bytes.
const BUFFER_LEN: usize = 256 << 10;
