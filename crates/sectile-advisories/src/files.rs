//! The files of a database: of a directory, or of a ZIP archive.

#[cfg(feature = "zip")]
mod archive;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::DatabaseError;
use sha2::{Digest, Sha256};

/// Maximum size of an advisory in bytes. The largest known ones have less than 1 MiB.
const MAX_FILE: u64 = 16 << 20;
/// Maximum number of files. All npm records are about 250,000.
const MAX_FILES: u64 = 4_000_000;
/// Maximum size of all files in bytes.
const MAX_TOTAL: u64 = 16 << 30;
/// Maximum depth of directories.
const MAX_DEPTH: usize = 16;

/// A file of a database that may be an advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdvisoryFile<'n> {
    /// `crates/PACKAGE/ID.md` or `rust/PACKAGE/ID.md`.
    RustSec { collection: &'n str, package: &'n str, id: &'n str },
    /// `….json`
    Osv,
}

impl<'n> AdvisoryFile<'n> {
    /// Recognizes a file by its path, with `/` as separator. Hidden files are not advisories.
    fn from_path(path: &'n str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let file = parts.next()?;
        if path.split('/').any(|part| part.starts_with('.')) {
            return None;
        }
        let (id, extension) = file.rsplit_once('.')?;
        if extension == "json" {
            return Some(Self::Osv);
        }
        let (package, collection) = (parts.next()?, parts.next()?);
        let is_advisory = extension == "md" && matches!(collection, "crates" | "rust");
        is_advisory.then_some(Self::RustSec { collection, package, id })
    }
}

/// The identity of a database.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) commit: Option<String>,
    pub(crate) digest: String,
}

/// Calls `visit` with every advisory file of a database in the order of their paths: its path, what
/// it is, and its text or the reason why it cannot be read.
pub(crate) fn for_each(
    path: &Path,
    mut visit: impl FnMut(&str, AdvisoryFile<'_>, Result<&str, String>),
) -> Result<Identity, DatabaseError> {
    let failed = |source| DatabaseError::Read { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        #[cfg(feature = "zip")]
        return archive::for_each(path, visit);
        #[cfg(not(feature = "zip"))]
        return Err(DatabaseError::Archive("this program reads directories only".to_owned()));
    }
    let mut digest = Sha256::new();
    let mut total = 0;
    for (name, file) in list(path)? {
        let Some(kind) = AdvisoryFile::from_path(&name) else { continue };
        let read = || read_text(File::open(&file)?);
        let text = read();
        let content = text.as_deref().unwrap_or_default().as_bytes();
        // Lengths separate names and contents.
        for part in [name.as_bytes(), content] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        add_size(&mut total, content)?;
        visit(&name, kind, text.as_deref().map_err(ToString::to_string));
    }
    Ok(Identity { commit: commit(path), digest: hex(&digest.finalize()) })
}

/// All files below a directory, with their paths relative to it, sorted. Symbolic links to
/// directories are listed as files, which cannot be read.
fn list(root: &Path) -> Result<Vec<(String, PathBuf)>, DatabaseError> {
    let mut files = Vec::new();
    let mut directories = vec![(String::new(), root.to_owned(), 0)];
    while let Some((prefix, directory, depth)) = directories.pop() {
        let failed = |source| DatabaseError::Read { path: directory.clone(), source };
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if !entry.file_type().map_err(failed)?.is_dir() {
                files.push((path, entry.path()));
            } else if depth < MAX_DEPTH {
                directories.push((path + "/", entry.path(), depth + 1));
            } else {
                return Err(DatabaseError::TooLarge { max: MAX_DEPTH as u64, what: "nested directories" });
            }
            if files.len() as u64 > MAX_FILES {
                return Err(DatabaseError::TooLarge { max: MAX_FILES, what: "files" });
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a whole file.
fn read_text(file: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("larger than {MAX_FILE} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8"))
}

fn add_size(total: &mut u64, content: &[u8]) -> Result<(), DatabaseError> {
    *total += content.len() as u64;
    if *total > MAX_TOTAL {
        return Err(DatabaseError::TooLarge { max: MAX_TOTAL, what: "bytes" });
    }
    Ok(())
}

/// The commit that a Git work tree is at, as its files state it. `None` if the directory is not the
/// root of one.
fn commit(root: &Path) -> Option<String> {
    let read = |name: &str| {
        let file = File::open(root.join(".git").join(name)).ok()?;
        read_text(file).ok()
    };
    let head = read("HEAD")?;
    let commit = match head.trim().strip_prefix("ref: ") {
        None => head,
        Some(reference) if reference.split('/').all(|part| !part.starts_with('.')) => {
            let packed = || {
                let packed = read("packed-refs")?;
                let line = packed.lines().find(|line| line.split(' ').nth(1) == Some(reference))?;
                Some(line.split(' ').next()?.to_owned())
            };
            read(reference).or_else(packed)?
        }
        Some(_) => return None,
    };
    let commit = commit.trim();
    let is_hash = matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| commit.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
