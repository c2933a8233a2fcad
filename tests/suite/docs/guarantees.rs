//! The tests that `docs/guarantees.md` names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sectile_testing::docs::{spans, text_of};
use sectile_testing::files::project;

/// The directories with the sources of a test binary, relative to the root of the repository, and
/// the rest of the name. `suite::a::b` is in `tests/suite`, and `sectile-oci::suite::a::b` in
/// `crates/sectile-oci/tests/suite`.
fn binary<'a>(parts: &'a [&'a str]) -> Option<(Vec<PathBuf>, &'a [&'a str])> {
    let (member, parts) = match parts {
        [member, rest @ ..] if member.starts_with("sectile-") => (Path::new("crates").join(member), rest),
        _ => (PathBuf::new(), parts),
    };
    let (binary, rest) = parts.split_first()?;
    let is_root = member.as_os_str().is_empty();
    let directories = match *binary {
        "lib" => vec![member.join("src")],
        "suite" => vec![member.join("tests/suite")],
        "readers" if !is_root => vec![member.join("tests/readers")],
        "faults" | "oracles" if is_root => vec![Path::new("crates/sectile-cli/tests").join(binary)],
        "fuzz" if is_root => fuzz_targets(),
        _ => return None,
    };
    Some((directories, rest))
}

fn fuzz_targets() -> Vec<PathBuf> {
    let members = fs::read_dir(project().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let members = members.map(|member| member.join("fuzz/fuzz_targets")).filter(|targets| targets.is_dir());
    members.chain([project().join("fuzz/fuzz_targets")]).collect()
}

/// Checks the name of a test, or of all tests of a module (`module::*`).
fn check(name: &str) -> Result<(), &'static str> {
    let parts: Vec<_> = name.split("::").collect();
    let (directories, path) = binary(&parts).ok_or("no such binary")?;
    let directories = directories.iter().map(|directory| project().join(directory));
    if parts[0] == "fuzz" {
        let [target] = path else { return Err("a fuzz target has one name") };
        let mut files = directories.map(|directory| directory.join(target).with_extension("rs"));
        return files.any(|file| file.is_file()).then_some(()).ok_or("no such target");
    }
    let (test, module) = path.split_last().ok_or("no test is named")?;
    let sources: Vec<String> = directories
        .flat_map(|directory| sources(&directory.join(module.join("/")), *test == "*"))
        .filter_map(|file| fs::read_to_string(file).ok())
        .collect();
    if sources.is_empty() {
        return Err("no such file");
    }
    // Attributes may follow `#[test]`.
    let tests = sources.iter().flat_map(|source| source.split("#[test]").skip(1));
    let mut tests = tests.map(|rest| rest.split_once("fn ").map_or("", |(_, test)| test));
    let is_there =
        tests.any(|found| *test == "*" || found.strip_prefix(test).is_some_and(|rest| rest.starts_with('(')));
    is_there.then_some(()).ok_or("no such test")
}

/// The files that a module may be in, and for all of its tests those of its submodules.
fn sources(module: &Path, is_all: bool) -> Vec<PathBuf> {
    let below = fs::read_dir(module).into_iter().flatten().map(|entry| entry.unwrap().path());
    [module.with_extension("rs"), module.join("mod.rs"), module.join("main.rs")]
        .into_iter()
        .chain(below.filter(|_| is_all))
        .collect()
}

#[test]
fn the_named_tests_exist() {
    let text = text_of(project().join("docs/guarantees.md"));
    let laws: Vec<_> =
        text.split("\n## ").filter(|part| part.starts_with(|first: char| first.is_ascii_digit())).collect();
    assert_eq!(laws.len(), 11);
    for law in laws {
        assert!(spans(law).any(is_test) && law.contains("\nNot promised:"), "{law}");
    }
    let names: BTreeSet<_> = spans(&text).filter(|span| is_test(span)).collect();
    assert!(names.len() >= 80, "{}", names.len());
    let wrong: Vec<_> = names.iter().filter_map(|name| Some((name, check(name).err()?))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_missing_test_is_reported() {
    for (name, expected) in [
        ("suite::framing::rules::rule_25_the_root_ends_with_the_input", Ok(())),
        ("suite::framing::rules::no_such_rule", Err("no such test")),
        ("suite::framing::rules::rule_25", Err("no such test")),
        ("suite::no_such_file::*", Err("no such file")),
        ("sectile-policy::suite::policy::rules::*", Ok(())),
        ("sectile-policy::suite::framing::rules::*", Err("no such file")),
        ("sectile-none::suite::policy::rules::*", Err("no such file")),
        ("sectile-policy::faults::matrix::*", Err("no such binary")),
        ("faults::matrix::*", Ok(())),
        ("faults::no_such_file::*", Err("no such file")),
        ("lib::escape::every_deceptive_character_is_escaped", Ok(())),
        ("sectile-audit::lib::walk::tests::tree::*", Ok(())),
        ("sectile-audit::lib::escape::*", Err("no such file")),
        ("sectile-audit::readers::cases_are_the_same_in_every_run", Ok(())),
        ("fuzz::plans", Ok(())),
        ("fuzz::archives", Ok(())), // in crates/sectile-audit
        ("fuzz::no_such_target", Err("no such target")),
        ("benches::scan", Err("no such binary")),
    ] {
        assert_eq!(check(name), expected, "{name}");
    }
}

fn is_test(span: &str) -> bool {
    let binaries = ["lib::", "suite::", "faults::", "oracles::", "fuzz::"];
    binaries.iter().any(|binary| span.starts_with(binary)) || span.starts_with("sectile-") && span.contains("::")
}

/// Unsafe code is allowed only where a file is mapped, at the boundaries of the C library and of the Wasm core, and in the
/// counting allocator of the tests.
#[test]
fn unsafe_code_is_limited_to_known_files() {
    let others = ["", "bindings/c", "bindings/python", "bindings/wasm", "xtask"];
    let mut members = others.map(|member| project().join(member)).to_vec();
    members.extend(fs::read_dir(project().join("crates")).unwrap().map(|entry| entry.unwrap().path()));
    let mut found = Vec::new();
    let mut directories: Vec<PathBuf> = members.iter().map(|member| member.join("src")).collect();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if fs::read_to_string(&path).unwrap().contains("(unsafe_code)") {
                found.push(path.strip_prefix(project()).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found.sort();
    let expected = [
        "bindings/c/src/lib.rs",
        "bindings/wasm/src/abi.rs",
        "crates/sectile-cli/src/input.rs",
        "crates/sectile-testing/src/memory.rs",
        "src/drive/map.rs",
        "src/input.rs",
    ];
    assert_eq!(found, expected);

    members.push(project().join("benches"));
    let manifest = |member: &Path| text_of(member.join("Cargo.toml"));
    assert!(manifest(project()).contains("unsafe_code = \"deny\""));
    for member in members {
        assert!(manifest(&member).contains("[lints]\nworkspace = true"), "{}", member.display());
    }
}
