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

/// Larger ones are read by no Git either: references and an index of a hundred million files.
const MAX_LEN: u64 = 16 << 30;

/// Smaller ones are texts of a few lines.
const MAX_TEXT: u64 = 16 << 20;

/// Checks the files of a repository, those of the one that it shares them with, and the names of its packs.
pub(super) fn check(git_dir: &Path) -> Result<(), GitError> {
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
pub(super) fn check_file(path: &Path) -> Result<(), GitError> {
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
