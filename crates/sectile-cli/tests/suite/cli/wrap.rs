//! `sectile wrap`.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::{Run, command, show_json};
use sectile_testing::binary::module;

fn wrap(directory: &Path, args: &[&str]) -> Run {
    let mut command = command([&["wrap"], args].concat());
    Run::of(command.current_dir(directory).stdin(Stdio::null()).output().unwrap())
}

/// A project with a manifest and a binary. `cp` replaces a compiler.
fn project() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("package.json"), "{\"name\": \"a\", \"version\": \"1.0.0\", \"license\": \"MIT\"}")
        .unwrap();
    fs::write(directory.path().join("in.wasm"), module(&[])).unwrap();
    fs::write(directory.path().join("compile"), "#!/bin/sh\ncp in.wasm \"$2\"\n").unwrap();
    directory
}

fn version(path: &Path) -> serde_json::Value {
    show_json(&fs::read(path).unwrap()).1["item"]["annotations"]["version"].clone()
}

#[test]
fn outputs_of_the_wrapped_command_get_metadata() {
    let project = project();
    let root = project.path();
    let run = wrap(root, &["--", "sh", "compile", "-o", "a b.wasm"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(version(&root.join("a b.wasm")), "1.0.0");
    let run = wrap(root, &["--output", "x.wasm", "--version", "2", "--", "cp", "in.wasm", "x.wasm"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(version(&root.join("x.wasm")), "2");
}

#[test]
fn failures_are_clear() {
    let project = project();
    let root = project.path();
    assert_eq!(wrap(root, &["--", "sh", "-c", "exit 3"]).status, 3);
    let missing = wrap(root, &["--", "no-such-compiler"]);
    assert!(missing.status == 2 && missing.stderr.contains("cannot run `no-such-compiler`"), "{}", missing.stderr);
    let unknown = wrap(root, &["--", "true"]);
    assert!(unknown.status == 2 && unknown.stderr.contains("--output FILE"), "{}", unknown.stderr);
    let absent = wrap(root, &["--output", "x.wasm", "--", "true"]);
    assert!(absent.status == 2 && absent.stderr.contains("x.wasm: no such file"), "{}", absent.stderr);
    fs::write(root.join("pyproject.toml"), "[project]\nname = \"a\"\nversion = \"2.0.0\"\n").unwrap();
    let disagree = wrap(root, &["--", "sh", "compile", "-o", "x.wasm"]);
    assert!(disagree.status == 2 && disagree.stderr.contains("different values for `version`"), "{}", disagree.stderr);
    assert!(!root.join("x.wasm").exists(), "the command ran");
    fs::write(root.join("sectile.toml"), "manifest = \"pyproject.toml\"\n").unwrap();
    assert_eq!(wrap(root, &["--", "sh", "compile", "-o", "x.wasm"]).status, 0);
    assert_eq!(version(&root.join("x.wasm")), "2.0.0");
}
