//! What is opened of a repository is a file: a FIFO would be waited for, and a device has no end.

use std::fs;
use std::path::Path;

use super::error::GitError;

/// The files that are read, whatever is asked.
const FILES: [&str; 12] = [
    "HEAD",
    "config",
    "config.worktree",
    "commondir",
    "gitdir",
    "index",
    "packed-refs",
    "shallow",
    "info/attributes",
    "info/exclude",
    "objects/info/alternates",
    "objects/info/commit-graph",
];

/// Those of them that are mapped into memory, and not read whole.
const MAPPED: [&str; 3] = ["index", "packed-refs", "commit-graph"];

/// The most bytes that a file may have that is read whole.
const MAX_TEXT: u64 = 16 << 20;

/// Checks what is looked at to find the repository of a directory.
pub(super) fn check_above(directory: &Path) -> Result<(), GitError> {
    let Ok(directory) = std::path::absolute(directory) else { return Ok(()) };
    for directory in directory.ancestors() {
        let dot_git = directory.join(".git");
        if dot_git.symlink_metadata().is_ok() {
            return check_dot_git(&dot_git);
        }
        if ["objects", "refs"].iter().all(|part| directory.join(part).is_dir()) {
            return check(directory); // it may be bare
        }
    }
    Ok(())
}

/// Checks a repository, or the file that says where it is.
pub(super) fn check_dot_git(dot_git: &Path) -> Result<(), GitError> {
    check_file(dot_git)?;
    match fs::read_to_string(dot_git) {
        Ok(text) => {
            let target = text.strip_prefix("gitdir:").unwrap_or_default().trim();
            check(&dot_git.parent().unwrap_or(Path::new("")).join(target))
        }
        Err(_) => check(dot_git),
    }
}

/// Checks the files of a repository, those of the one that it shares them with, the reference that is checked out, and what
/// lies beside the packs.
fn check(git_dir: &Path) -> Result<(), GitError> {
    check_directory(git_dir)?;
    let shared = fs::read_to_string(git_dir.join("commondir")).ok().map(|shared| git_dir.join(shared.trim_end()));
    if let Some(shared) = &shared {
        check_directory(shared)?;
    }
    let head = fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
    let Some(reference) = head.strip_prefix("ref:") else { return Ok(()) };
    let places = [Some(git_dir), shared.as_deref()].into_iter().flatten();
    places.map(|place| place.join(reference.trim())).try_for_each(|reference| check_file(&reference))
}

fn check_directory(directory: &Path) -> Result<(), GitError> {
    for file in FILES {
        check_file(&directory.join(file))?;
    }
    let packs = fs::read_dir(directory.join("objects/pack"));
    for pack in packs.into_iter().flatten().flatten() {
        check_kind(&pack.path(), u64::MAX)?;
    }
    Ok(())
}

fn check_file(path: &Path) -> Result<(), GitError> {
    let is_mapped = path.file_name().is_some_and(|name| MAPPED.iter().any(|mapped| name == *mapped));
    check_kind(path, if is_mapped { u64::MAX } else { MAX_TEXT })
}

/// Checks a file, if it is there. (A directory cannot be read as one, and is waited for by nobody.)
fn check_kind(path: &Path, max_len: u64) -> Result<(), GitError> {
    if is_plain(path, max_len) { Ok(()) } else { Err(GitError::NotPlain { path: path.to_owned() }) }
}

fn is_plain(path: &Path, max_len: u64) -> bool {
    let is_plain = |metadata: fs::Metadata| metadata.is_dir() || (metadata.is_file() && metadata.len() <= max_len);
    path.metadata().map_or(true, is_plain)
}

/// Whether a `.gitattributes` in a work tree can be read.
pub(super) fn is_plain_attributes(path: &Path) -> bool {
    is_plain(path, MAX_TEXT)
}
