//! An answer in a file: the old one, or the whole of the new one.

use std::io::{self, Write};
use std::path::Path;

use crate::atomic::{Access, AtomicFile};

/// Writes a file as a whole: whatever stood there before stands there until all is written, and for good where it cannot be. A
/// link stays, and what it leads to is replaced.
///
/// # Errors
///
/// Those of `write`, and those of the system when the file is created or put into its place.
pub fn write_whole<T>(place: impl AsRef<Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    let place = place.as_ref();
    let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
    let file = AtomicFile::create(&place, Access::Default)?;
    let mut out = io::BufWriter::with_capacity(WRITTEN, file.file());
    let written = write(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    file.put()?;
    Ok(written)
}

/// Bytes of a file that are written at once.
const WRITTEN: usize = 256 << 10;
