//! Inputs of the core's tests, kept in a directory: `tests/shared` is generated from them.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs};

/// The variable that names the directory.
pub const DIRECTORY: &str = "SECTILE_RECORD_INPUTS";

/// Maximum length of a recorded input.
const MAX_LEN: usize = 8 << 10;

/// Writes an input to the directory that [`DIRECTORY`] names, unless it is long or there already.
///
/// # Panics
///
/// The file cannot be written.
pub fn record(bytes: &[u8]) {
    static TO: OnceLock<Option<PathBuf>> = OnceLock::new();
    let Some(directory) = TO.get_or_init(|| env::var_os(DIRECTORY).map(PathBuf::from)) else { return };
    if bytes.len() > MAX_LEN {
        return;
    }
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let path = directory.join(format!("{:016x}", hasher.finish()));
    if !path.exists() {
        fs::create_dir_all(directory).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

thread_local! {
    static IS_SEED: Cell<bool> = const { Cell::new(false) };
}

/// Runs the body of a fuzz target over a seed. The binaries that it makes are recorded.
pub fn recording_seed(body: impl FnOnce()) {
    IS_SEED.set(true);
    body();
    IS_SEED.set(false);
}

/// [Records](record) the binary of a seed. Random inputs, of which there are thousands, are not recorded.
pub fn record_seed(bytes: &[u8]) {
    if IS_SEED.get() {
        record(bytes);
    }
}

/// The inputs in a directory, the shortest first; empty if it does not exist.
///
/// # Panics
///
/// A file cannot be read.
pub fn inputs(directory: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut inputs: Vec<_> = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    inputs.sort_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
    inputs
}
