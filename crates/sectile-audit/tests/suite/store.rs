//! Stores to audit.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use sectile_audit::Root;
use tempfile::TempDir;

use sectile_testing::binary::numbered_module;

/// A temporary directory.
pub struct Store(TempDir);

impl Store {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Adds a file with these bytes, and its directories.
    pub fn with(self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Self {
        self.put(path, bytes);
        self
    }

    pub fn put(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    pub fn paths(&self) -> Vec<Root> {
        vec![self.0.path().into()]
    }

    /// About 400 binaries in directories and archives, with other files.
    pub fn large() -> Self {
        let store = Self::new();
        for nth in 0..300 {
            store.put(format!("{:02}/{nth}.wasm", nth % 7), numbered_module(nth));
        }
        let entries: Vec<_> = (0..60).map(|nth| (format!("package/{nth}.wasm"), numbered_module(nth))).collect();
        store.put("03/many.tgz", gzip(&tar(&entries)));
        store.put("05/plain.tar", tar(&entries));
        store.put("05/inside.zip", zip(&[("a.tgz".to_owned(), gzip(&tar(&entries[..3]))), entries[0].clone()]));
        store.put("06/README.md", "# Not WebAssembly\n");
        store
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn tar(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &**bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(&**name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
