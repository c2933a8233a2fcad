//! The files in a ZIP archive.

use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{AdvisoryFile, Identity, add_size, hex, read_text};
use crate::DatabaseError;

/// As for a directory. The digest is that of the archive.
pub(super) fn for_each(
    path: &Path,
    mut visit: impl FnMut(&str, AdvisoryFile<'_>, Result<&str, String>),
) -> Result<Identity, DatabaseError> {
    let failed = |source| DatabaseError::Read { path: path.to_owned(), source };
    let mut file = sectile_document::file::open_regular(path).map_err(|error| match error {
        sectile_document::file::FileError::Io(error) => failed(error),
        _ => DatabaseError::Archive("not a regular file".to_owned()),
    })?;
    let mut digest = Sha256::new();
    let mut window = vec![0; 64 << 10];
    loop {
        match file.read(&mut window).map_err(failed)? {
            0 => break,
            read => digest.update(&window[..read]),
        }
    }
    file.rewind().map_err(failed)?;
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| DatabaseError::Archive(error.to_string()))?;
    let mut names = Vec::with_capacity(archive.len());
    for nth in 0..archive.len() {
        let entry = archive.by_index_raw(nth).map_err(|error| DatabaseError::Archive(error.to_string()))?;
        names.push((String::from_utf8_lossy(entry.name_raw()).into_owned(), nth));
    }
    names.sort();
    let mut total = 0;
    for (name, nth) in names {
        let Some(kind) = AdvisoryFile::from_path(&name) else { continue };
        let text = archive.by_index(nth).map_err(io::Error::from).and_then(read_text);
        add_size(&mut total, text.as_deref().unwrap_or_default().as_bytes())?;
        visit(&name, kind, text.as_deref().map_err(ToString::to_string));
    }
    Ok(Identity { commit: None, digest: hex(&digest.finalize()) })
}
