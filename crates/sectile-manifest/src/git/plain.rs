//! Checks that a repository consists of regular files. Opening a FIFO blocks, and a device has no
//! end.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::GitError;

/// Files that are always read.
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

/// Files that are mapped into memory instead of being read.
const MAPPED: [&str; 3] = ["index", "packed-refs", "commit-graph"];

/// Maximum length in bytes of a file that is read.
const MAX_TEXT: u64 = 16 << 20;

const CONFIGS: [&str; 2] = ["config", "config.worktree"];

/// Maximum length in bytes of a configuration file.
const MAX_CONFIG: u64 = 1 << 20;

/// Files that hold one line. Parsing a long line takes seconds per megabyte.
const POINTERS: [&str; 4] = ["HEAD", "commondir", "gitdir", ".git"];

/// Maximum length in bytes of a file that holds one line, and of a reference.
const MAX_POINTER: u64 = 64 << 10;

/// Files that are read to detect a repository. If `HEAD` is not a file, it is looked up like any
/// reference.
const PROBED: [&str; 7] =
    ["HEAD", "commondir", "gitdir", "refs/HEAD", "refs/tags/HEAD", "refs/heads/HEAD", "refs/remotes/HEAD"];

/// Checks the files that are read to find the repository of a directory, and checks that
/// repository. The directory is given by its canonical path.
pub(super) fn check_above(directory: &Path) -> Result<(), GitError> {
    for directory in directory.ancestors() {
        for candidate in [&directory.join(".git"), directory] {
            let git_dir = pointed_to(candidate)?;
            PROBED.iter().try_for_each(|file| check_file(&git_dir.join(file)))?;
            if gix::discover::is_git(candidate).is_ok() {
                return check(&git_dir);
            }
        }
    }
    Ok(())
}

/// Checks a repository, or the `.git` file that points to it.
pub(super) fn check_dot_git(dot_git: &Path) -> Result<(), GitError> {
    check(&pointed_to(dot_git)?)
}

/// Follows a `.git` file to the repository that it points to.
fn pointed_to(dot_git: &Path) -> Result<PathBuf, GitError> {
    check_file(dot_git)?;
    let text = fs::read_to_string(dot_git).ok();
    let target = text.as_deref().and_then(|text| text.strip_prefix("gitdir:"));
    Ok(match target {
        Some(target) => dot_git.parent().unwrap_or(Path::new("")).join(target.trim()),
        None => dot_git.to_owned(),
    })
}

/// Checks the files of a repository and of its shared repository, the checked-out reference, and
/// the packs.
fn check(git_dir: &Path) -> Result<(), GitError> {
    check_directory(git_dir)?;
    let shared = fs::read_to_string(git_dir.join("commondir")).ok().map(|shared| git_dir.join(shared.trim_end()));
    if let Some(shared) = &shared {
        check_directory(shared)?;
    }
    let mut text = fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
    // A branch may be a symbolic reference itself.
    for _ in 0..super::MAX_SYMBOLIC {
        let Some(reference) = text.strip_prefix("ref:").map(str::trim) else { break };
        let directories = [Some(git_dir), shared.as_deref()].into_iter().flatten();
        let paths: Vec<PathBuf> = directories.map(|directory| directory.join(reference)).collect();
        paths.iter().try_for_each(|path| check_kind(path, MAX_POINTER))?;
        text = paths.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    }
    Ok(())
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
    let is_one_of = |names: &[&str]| path.file_name().is_some_and(|name| names.iter().any(|other| name == *other));
    let max_len = match () {
        () if is_one_of(&MAPPED) => u64::MAX,
        () if is_one_of(&POINTERS) => MAX_POINTER,
        () if is_one_of(&CONFIGS) => MAX_CONFIG,
        () => MAX_TEXT,
    };
    check_kind(path, max_len)
}

/// Checks a file, if it exists. A directory is accepted: reading it fails without blocking.
fn check_kind(path: &Path, max_len: u64) -> Result<(), GitError> {
    if is_plain(path, max_len) { Ok(()) } else { Err(GitError::NotPlain { path: path.to_owned() }) }
}

fn is_plain(path: &Path, max_len: u64) -> bool {
    let is_plain = |metadata: fs::Metadata| metadata.is_dir() || (metadata.is_file() && metadata.len() <= max_len);
    path.metadata().map_or(true, is_plain)
}

/// Whether a `.gitattributes` file is safe to read.
pub(super) fn is_plain_attributes(path: &Path) -> bool {
    is_plain(path, MAX_TEXT)
}
