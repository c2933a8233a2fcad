//! The inputs: files of the corpus, or binaries of the same shape if the corpus was not fetched.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::shapes;

/// A binary and its name in the benches. The name is the file name, with the prefix `like-` if it
/// was generated.
pub struct Input {
    pub id: String,
    pub bytes: Vec<u8>,
}

impl Input {
    /// A file of the corpus, if `corpus/fetch` has fetched it.
    fn from_corpus(name: &str) -> Option<Self> {
        let bytes = fs::read(corpus(name)).ok()?;
        Some(Self { id: name.to_owned(), bytes })
    }

    fn generated_like(name: &str, bytes: Vec<u8>) -> Self {
        Self { id: format!("like-{name}"), bytes }
    }
}

/// 8 sections in 66 MB.
pub const OPENCASCADE: &str = "opencascade.wasm";
/// 21 sections in 54 MB, many of them with debugging data.
pub const RUBY_DEBUG: &str = "ruby.debug-stdlib.wasm";
/// 10 sections in 39 MB.
pub const DUCKDB: &str = "duckdb-mvp.wasm";
/// 590 sections and 15 nested items in 18 MB.
pub const COMPONENT: &str = "componentize-py.component.wasm";

/// The file of the corpus, or a generated binary of its shape.
pub fn input(name: &str) -> Input {
    Input::from_corpus(name).unwrap_or_else(|| generated(name))
}

/// A generated binary with the shape of a corpus file.
pub fn generated(name: &str) -> Input {
    let bytes = match name {
        OPENCASCADE => shapes::module(&shapes::OPENCASCADE),
        RUBY_DEBUG => shapes::module(&shapes::RUBY_DEBUG),
        DUCKDB => shapes::module(&shapes::DUCKDB),
        COMPONENT => shapes::component(),
        _ => unreachable!("no shape is known of {name}"),
    };
    Input::generated_like(name, bytes)
}

/// A file that is read repeatedly, and deleted afterwards if it was generated.
pub struct BenchFile {
    pub path: PathBuf,
    _made: Option<TempDir>,
}

impl BenchFile {
    /// The file of the corpus, or a temporary file for a generated binary.
    pub fn of(input: &Input) -> Self {
        let path = corpus(&input.id);
        if path.exists() {
            return Self { path, _made: None };
        }
        Self::make(|path| fs::write(path, &input.bytes).expect("the file can be written"))
    }

    /// A temporary file written by this function.
    pub fn make(write: impl FnOnce(&Path)) -> Self {
        let directory = tempfile::tempdir().expect("there is a place for temporary files");
        let path = directory.path().join("input.wasm");
        write(&path);
        Self { path, _made: Some(directory) }
    }
}

fn corpus(name: &str) -> PathBuf {
    crate::files::project().join("benches/corpus/files").join(name)
}
