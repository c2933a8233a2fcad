//! What is opened of a repository is a file: a FIFO would be waited for, and a device has no end.

use std::fs;
use std::path::Path;

use super::error::GitError;

/// The files that are read whole, or mapped, whatever is asked.
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
    "objects/pack/multi-pack-index",
];

/// The most bytes that an index or a list of references may have: more would be for hundreds of millions of files.
const MAX_LEN: u64 = 16 << 30;

/// The most bytes that a text of a few lines may have.
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

/// Checks the files of a repository, those of the one that it shares them with, and the names of its packs.
fn check(git_dir: &Path) -> Result<(), GitError> {
    check_directory(git_dir)?;
    let shared = fs::read_to_string(git_dir.join("commondir")).ok();
    match shared {
        Some(shared) => check_directory(&git_dir.join(shared.trim_end())),
        None => Ok(()),
    }
}

fn check_directory(directory: &Path) -> Result<(), GitError> {
    for file in FILES {
        check_file(&directory.join(file))?;
    }
    let packs = fs::read_dir(directory.join("objects/pack"));
    for pack in packs.into_iter().flatten().flatten() {
        check_file(&pack.path())?;
    }
    Ok(())
}

/// Checks a file, if it is there. (A directory cannot be opened as one, and is waited for by nobody.)
fn check_file(path: &Path) -> Result<(), GitError> {
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    let name = path.file_name().unwrap_or_default();
    let is_text = ["HEAD", "config", "config.worktree", "commondir", "gitdir", ".git"].iter().any(|text| name == *text);
    let is_pack = path.extension().is_some_and(|extension| extension == "pack");
    let max = if is_text { MAX_TEXT } else { MAX_LEN };
    if metadata.is_dir() || (metadata.is_file() && (is_pack || metadata.len() <= max)) {
        return Ok(());
    }
    Err(GitError::NotPlain { path: path.to_owned() })
}
