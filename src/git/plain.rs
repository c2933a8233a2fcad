//! What is opened of a repository is a file: a FIFO would be waited for, and a device has no end.

use std::fs;
use std::path::{Path, PathBuf};

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

/// What is read of a place to tell whether a repository is there. (`HEAD` is looked for as any reference is, if it is no file.)
const PROBED: [&str; 7] =
    ["HEAD", "commondir", "gitdir", "refs/HEAD", "refs/tags/HEAD", "refs/heads/HEAD", "refs/remotes/HEAD"];

/// Checks what is looked at to find the repository of a directory, by whose canonical path it is looked for; and that
/// repository.
pub(super) fn check_above(directory: &Path) -> Result<(), GitError> {
    for directory in directory.ancestors() {
        for place in [&directory.join(".git"), directory] {
            let git_dir = pointed_to(place)?;
            PROBED.iter().try_for_each(|file| check_file(&git_dir.join(file)))?;
            if gix::discover::is_git(place).is_ok() {
                return check(&git_dir);
            }
        }
    }
    Ok(())
}

/// Checks a repository, or the file that says where it is.
pub(super) fn check_dot_git(dot_git: &Path) -> Result<(), GitError> {
    check(&pointed_to(dot_git)?)
}

/// The repository at a place: another, where there is a file that says so.
fn pointed_to(dot_git: &Path) -> Result<PathBuf, GitError> {
    check_file(dot_git)?;
    let text = fs::read_to_string(dot_git).ok();
    let target = text.as_deref().and_then(|text| text.strip_prefix("gitdir:"));
    Ok(match target {
        Some(target) => dot_git.parent().unwrap_or(Path::new("")).join(target.trim()),
        None => dot_git.to_owned(),
    })
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
