//! Real binaries, by directory.

use std::fs;
use std::path::{Path, PathBuf};

/// The binaries in a directory of the project, sorted.
pub fn paths(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut paths: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm" || extension == "o"));
    paths.sort();
    paths
}

/// The same with their names and what is in them.
pub fn files(directory: &str) -> Vec<(String, Vec<u8>)> {
    let read = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap());
    paths(directory).into_iter().map(read).collect()
}

/// Where those are that are checked in.
pub fn real_paths() -> Vec<PathBuf> {
    let paths = paths("tests/files");
    assert!(paths.len() >= 20, "{}", paths.len());
    paths
}

/// Those that are checked in.
pub fn real_files() -> Vec<(String, Vec<u8>)> {
    let files = files("tests/files");
    assert!(files.len() >= 20, "{}", files.len());
    files
}

/// A FIFO, which nobody has opened.
#[cfg(all(unix, any(feature = "git", feature = "manifest", feature = "oci", feature = "policy")))]
pub fn make_fifo(path: impl AsRef<Path>) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, path.as_ref(), mode).unwrap();
}
