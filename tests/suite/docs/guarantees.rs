//! What `docs/guarantees.md` names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::spans;

/// The files of a Rust module in this directory.
fn files(directory: &str, module: &[&str]) -> [PathBuf; 2] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory).join(module.join("/"));
    [path.with_extension("rs"), path.join("mod.rs")]
}

/// What is wrong with the name of a test, or of all tests of a module.
fn check(name: &str) -> Result<(), &'static str> {
    let parts: Vec<_> = name.split("::").collect();
    let (directory, module, test) = match parts[..] {
        ["fuzz", target] => {
            let [target, _] = files("fuzz/fuzz_targets", &[target]);
            return target.is_file().then_some(()).ok_or("no such target");
        }
        ["lib", ref module @ .., test] => ("src", module, test),
        ["suite", ref module @ .., test] => ("tests/suite", module, test),
        ["faults", ref module @ .., test] => ("tests/faults", module, test),
        ["oracles", ref module @ .., test] => ("tests/oracles", module, test),
        _ => return Err("of no binary that is known"),
    };
    let sources: Vec<String> = files(directory, module)
        .into_iter()
        .chain(below(directory, module).into_iter().filter(|_| test == "*"))
        .filter_map(|file| fs::read_to_string(file).ok())
        .collect();
    if sources.is_empty() {
        return Err("no such file");
    }
    // What stands between two attributes is one test, with attributes of its own.
    let tests = sources.iter().flat_map(|source| source.split("#[test]").skip(1));
    let mut tests = tests.map(|behind| behind.split_once("fn ").map_or("", |(_, test)| test));
    let is_there = tests.any(|found| test == "*" || found.strip_prefix(test).is_some_and(|rest| rest.starts_with('(')));
    is_there.then_some(()).ok_or("no such test")
}

/// The files in the directory of a module, which its submodules are.
fn below(directory: &str, module: &[&str]) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory).join(module.join("/"));
    fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_tests_that_it_names_are_there() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guarantees.md")).unwrap();
    let laws: Vec<_> =
        text.split("\n## ").filter(|part| part.starts_with(|first: char| first.is_ascii_digit())).collect();
    assert_eq!(laws.len(), 10);
    for law in laws {
        assert!(spans(law).any(is_test) && law.contains("\nNot promised: "), "{law}");
    }
    let names: BTreeSet<_> = spans(&text).filter(|span| is_test(span)).collect();
    assert!(names.len() >= 80, "{}", names.len());
    let wrong: Vec<_> = names.iter().filter_map(|name| Some((name, check(name).err()?))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // So that the check is one.
    assert_eq!(check("suite::framing::rules::no_such_rule"), Err("no such test"));
    assert_eq!(check("suite::no_such_file::*"), Err("no such file"));
    assert_eq!(check("fuzz::no_such_target"), Err("no such target"));
}

fn is_test(span: &str) -> bool {
    ["lib::", "suite::", "faults::", "oracles::", "fuzz::"].iter().any(|binary| span.starts_with(binary))
}

/// The lint that denies unsafe code is lifted where a file is mapped, and nowhere else.
#[test]
fn nothing_else_is_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut directories = vec![root.join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if fs::read_to_string(&path).unwrap().contains("(unsafe_code)") {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found.sort();
    assert_eq!(found, ["src/bin/sectile/input.rs", "src/drive/map.rs", "src/store.rs"]);
    assert!(fs::read_to_string(root.join("Cargo.toml")).unwrap().contains("unsafe_code = \"deny\""));
}
