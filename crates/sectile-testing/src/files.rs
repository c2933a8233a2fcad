//! Real binaries and the seeds of fuzz targets, by directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::recorded::recording_seed;

/// The root of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The binaries in a directory of the project, sorted.
pub fn paths(directory: &str) -> Vec<PathBuf> {
    let directory = project().join(directory);
    let mut paths: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm" || extension == "o"));
    paths.sort();
    paths
}

/// Names and contents of the binaries in a directory of the project, sorted.
pub fn files(directory: &str) -> Vec<(String, Vec<u8>)> {
    let read = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap());
    paths(directory).into_iter().map(read).collect()
}

/// Paths of the binaries in the repository.
pub fn real_paths() -> Vec<PathBuf> {
    let paths = paths("tests/files");
    assert!(paths.len() >= 20, "{}", paths.len());
    paths
}

/// Names and contents of the binaries in the repository.
pub fn real_files() -> Vec<(String, Vec<u8>)> {
    let files = files("tests/files");
    assert!(files.len() >= 20, "{}", files.len());
    files
}

/// Runs the body of a fuzz target over each of its seeds, which are in this directory of the
/// project.
pub fn for_each_seed(directory: &str, body: impl Fn(&[u8])) {
    let mut seeds = 0;
    for entry in fs::read_dir(project().join(directory)).unwrap() {
        recording_seed(|| body(&fs::read(entry.unwrap().path()).unwrap()));
        seeds += 1;
    }
    assert!(seeds >= 20, "{directory}: {seeds} seeds");
}

/// Makes a FIFO.
#[cfg(unix)]
pub fn make_fifo(path: impl AsRef<Path>) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, path.as_ref(), mode).unwrap();
}
