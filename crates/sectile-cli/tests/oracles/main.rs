//! Other tools read edited files. They must be installed: `.ci/run` installs them and runs these
//! tests.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod consumers;
mod inventory;
mod oci;
mod osv;
mod peers;
mod policy;
mod program;
mod push;
mod registry;
#[cfg(feature = "remote")]
mod remote;
mod sbom;
mod server;
mod syft;

use std::fs;
use std::process::Command;

use sectile::edit::{Edit, EditError, Strip};
use sectile::{Field, Input};
use sectile_testing::files::project;
use serde_json::Value;
use tempfile::TempDir;

/// A file of `tests/files` after edits.
struct Edited {
    _directory: TempDir,
    path: std::path::PathBuf,
}

impl Edited {
    fn of(file: &str, edits: &[Edit]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(file);
        fs::copy(project().join("tests/files").join(file), &path).unwrap();
        for edit in edits {
            match edit.plan_input(&Input::open(&path).unwrap()) {
                Ok(planned) => planned.plan().replace(&path, Default::default()).unwrap(),
                Err(EditError::MovesLinked) => {} // sections that symbols refer to are not stripped from an object
                Err(error) => panic!("{file}: {error}"),
            }
        }
        Self { _directory: directory, path }
    }

    /// The output of a command whose last argument is the file; `None` if the command rejects the
    /// file.
    fn shown_by(&self, command: &[&str]) -> Option<String> {
        let output = Command::new(command[0]).args(&command[1..]).arg(&self.path).output().expect(command[0]);
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}

/// An edit that sets the producers and more.
fn set_metadata() -> Edit {
    let edit = Edit::new().name("n").unwrap().add_producer("sdk", "a", "1");
    edit.set(Field::Vendor, "the vendor").unwrap().set(Field::Licenses, "MIT").unwrap()
}

/// Edits that add, change and remove. Each is applied after the previous one.
fn edits() -> [Vec<Edit>; 5] {
    let bare = || Edit::new().clear_name().unwrap().unset_producers().unwrap();
    let stripped = || Edit::new().strip(Strip::new().names().all());
    [
        vec![bare()],
        vec![stripped()],
        vec![set_metadata()],
        vec![bare(), set_metadata()],
        vec![stripped(), set_metadata()],
    ]
}

const MODULES: [&str; 12] = [
    "assemblyscript-sum.wasm",
    "clang-fib.debug.wasm",
    "clang-fib.o",
    "clang-sm3.wasm",
    "emscripten-fib.wasm",
    "rust-auditable.wasm",
    "rust-magic_kernel.wasm",
    "tinygo-gofmt.wasm",
    "tree-sitter-json.dylink.wasm",
    "tree-sitter-json.dylink0.wasm",
    "wasi-libc-crt1-command.o",
    "zig-zig_fmt.wasm",
];
const COMPONENTS: [&str; 3] =
    ["clang-fib.component.wasm", "rust-auditable.component.wasm", "wit-package.component.wasm"];

/// Checks that a tool reads the same after an edit as before, and also the added sections.
fn assert_still_read_by(command: &[&str], files: &[&str], sees_vendor: impl Fn(&str) -> bool) {
    let mut read = 0;
    for file in files {
        if Edited::of(file, &[]).shown_by(command).is_none() {
            continue;
        }
        read += 1;
        for (nth, edits) in edits().iter().enumerate() {
            let edited = Edited::of(file, edits);
            let shown = edited.shown_by(command).unwrap_or_else(|| panic!("{command:?} refuses {file}: {edits:?}"));
            assert!(nth < 2 || sees_vendor(&shown), "{file}: {shown}");
        }
    }
    assert!(read * 2 > files.len(), "{command:?} reads {read} of {} files", files.len());
}

/// LLVM requires an order of the sections.
#[test]
#[ignore = "needs llvm-objdump"]
fn llvm_objdump() {
    assert_still_read_by(&["llvm-objdump", "-h"], &MODULES, |shown| shown.contains("vendor"));
}

/// Only files that wabt can read: it does not know newer opcodes.
#[test]
#[ignore = "needs wasm-objdump"]
fn wasm_objdump() {
    assert_still_read_by(&["wasm-objdump", "-h"], &MODULES, |shown| shown.contains("\"vendor\""));
}

#[test]
#[ignore = "needs wasm-tools"]
fn wasm_tools_objdump() {
    let files = [&MODULES[..], &COMPONENTS].concat();
    assert_still_read_by(&["wasm-tools", "objdump"], &files, |shown| shown.contains("custom \"vendor\""));
}

#[test]
#[ignore = "needs wasm-tools"]
fn wasm_tools_validate() {
    let files = [&MODULES[..], &COMPONENTS].concat();
    assert_still_read_by(&["wasm-tools", "validate", "--features", "all"], &files, |_| true);
}

/// The values according to wasm-metadata. wkg publishes the result of the same
/// `Payload::from_binary`.
#[test]
#[ignore = "needs wasm-tools"]
fn wasm_tools_metadata() {
    for file in MODULES.into_iter().chain(COMPONENTS) {
        let edited = Edited::of(file, &[set_metadata()]);
        let shown = edited.shown_by(&["wasm-tools", "metadata", "show", "--json"]).unwrap();
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let metadata = shown.get("module").or_else(|| shown["component"].get("metadata")).unwrap();
        assert_eq!((&metadata["name"], &metadata["licenses"]), (&"n".into(), &"MIT".into()), "{file}");
        assert!(metadata["producers"].to_string().contains(r#"["sdk",{"a":"1""#), "{file}: {}", metadata["producers"]);
    }
}
