//! The program `git` as an oracle, and repositories made by it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Runs `git` in a directory, without the configuration of the user and the system, and returns its
/// trimmed output. Returns `None` if `git` is not installed. Panics if `git` fails.
pub fn git(directory: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_DIR")
        .output();
    let Ok(output) = output else {
        // Not printed with a macro, because the test harness would capture the output.
        _ = writeln!(io::stderr(), "SKIPPED: there is no `git` to compare with");
        return None;
    };
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
}

/// A repository with a commit of the files `Cargo.toml` and `sub/file`, in a temporary directory.
/// `None` if `git` is not installed.
pub fn repository() -> Option<(TempDir, PathBuf)> {
    let kept = tempfile::tempdir().unwrap();
    let directory = kept.path().canonicalize().unwrap().join("r");
    fs::create_dir_all(directory.join("sub")).unwrap();
    git(&directory, &["init", "-q", "-b", "main"])?;
    fs::write(directory.join("Cargo.toml"), "[package]\n").unwrap();
    fs::write(directory.join("sub/file"), "one\n").unwrap();
    commit(&directory)?;
    Some((kept, directory))
}

/// Commits all files of a work tree.
pub fn commit(directory: &Path) -> Option<String> {
    git(directory, &["add", "-A"])?;
    git(directory, &["commit", "-q", "-m", "x"])
}

/// The hash of the commit that is checked out, with the suffix `+dirty` if the work tree differs
/// from it.
pub fn revision(directory: &Path) -> Option<String> {
    git(directory, &["describe", "--always", "--abbrev=64", "--dirty=+dirty", "--exclude=*"])
}
