//! Saved rows that are judged again, compared with a new audit of the same binaries.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::advisories::database;
use super::{Run, command};
use sectile_testing::binary::{
    chain, component, custom, module, module_with_data, name, nested, packages, prefixed, producers, section,
};

/// Every kind of rule. Each refuses something in the [store](store).
const POLICY: &str = r#"
refuse = "note"

[[required]]
items = "all"
fields = ["name", "licenses", "version"]

[[licenses]]
allow = ["MIT"]

[[sources]]
allow = "https://github.com/acme/*"

[[producers]]
names = "rustc"
versions = "<1.90"

[[producers]]
items = "root"
names = "acme-build"
required = true

[[dependencies]]
names = "smallvec"

[[dependencies]]
items = "modules"
required = true
severity = "note"

[[sections]]
names = [".debug_*", "licenses"]
severity = "warning"
reason = "strip it"

[[sections]]
kinds = ["unknown", "core module", "type"]

[[sections]]
items = ["0", "root"]
larger-than = 40

[[imports]]
names = "env.*"

[[advisories]]
classes = ["vulnerability", "unsound"]
reason = "patch"

[[exceptions]]
paths = "*partial.wasm"
codes = "refused-license"
reason = "known"
"#;

/// Binaries with declared, embedded and recovered packages, in items at several depths, with values that occur several
/// times or cannot be read, and with data that ends too early.
fn store() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    let tools = [("processed-by", &[("rustc", "1.80.0"), ("clang", "18")][..]), ("sdk", &[("acme-build", "2")])];
    let rustc = custom("producers", producers(&tools));
    let declared = packages(&[("atty", "0.2.14"), ("smallvec", "1.6.0")]);
    write("declared.wasm", &module(&[custom("licenses", "MIT"), rustc.clone(), declared.clone()]));
    write("recovered.wasm", &module_with_data(crate_path("smallvec-1.6.0")));
    write("embedded.wasm", &module_with_data(go_build("golang.org/x/text", "v0.3.0")));
    write("old.wasm", &module(&[custom("producers", producers(&[("processed-by", &[("rustc", "1.1.0")])]))]));
    let inner = module_with_data(crate_path("atty-0.2.14"));
    write(
        "tree.wasm",
        &component(&[
            nested(&module(&[custom(".debug_info", [0; 64]), custom("licenses", "GPL-3.0-only"), declared.clone()])),
            custom("source", "https://example.org/x"),
            nested(&inner),
            name("tree"),
        ]),
    );
    let twice = ["MIT", "Apache-2.0"].map(|license| custom("licenses", license));
    write("twice.wasm", &module(&[twice[1].clone(), twice[0].clone(), rustc, custom("producers", [9])]));
    write("lists.wasm", &module(&[declared.clone(), packages(&[("time", "0.1.43")])]));
    write("broken.wasm", &module(&[custom(".dep-v0", "corrupt"), custom("version", [0xff]), section(0x70, &[1, 2])]));
    // One import: `env.abort`, a function of the type 0.
    let imports = section(2, &[&[1][..], &prefixed("env"), &prefixed("abort"), &[0, 0]].concat());
    write("imports.wasm", &module(&[section(1, &[1, 0x60, 0, 0]), imports]));
    write("imports-broken.wasm", &module(&[section(2, &[9, 9])]));
    let mut partial = component(&[custom("licenses", "ISC"), nested(&module(&[custom("x", [0; 100]), declared]))]);
    partial.truncate(partial.len() - 30);
    write("partial.wasm", &partial);
    directory
}

/// The path of a source file in Cargo's registry.
fn crate_path(directory: &str) -> String {
    format!("/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/{directory}/src/lib.rs\0")
}

/// Go's build information, with one dependency.
fn go_build(module: &str, version: &str) -> Vec<u8> {
    let start = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
    let end = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
    let text = format!("path\texample.com/app\nmod\texample.com/app\t(devel)\t\ndep\t{module}\t{version}\th1:x=\n");
    [&start[..], text.as_bytes(), end].concat()
}

/// Writes a database with an advisory about a Go module.
fn go_database(directory: &Path) {
    let record = r#"{"id":"GO-2020-0015","modified":"2026-05-01T10:00:00Z","summary":"Infinite loop","affected":[{
        "package":{"ecosystem":"Go","name":"golang.org/x/text"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.3.3"}]}]}]}"#;
    fs::create_dir(directory).unwrap();
    fs::write(directory.join("GO-2020-0015.json"), record).unwrap();
}

fn sectile(directory: &Path, arguments: &str) -> Run {
    let database = database();
    let words = arguments.split_whitespace().map(|word| if word == "DB" { database.to_str().unwrap() } else { word });
    Run::of(command(words).current_dir(directory).output().unwrap())
}

/// A line of the output without the fingerprint of the policy, which tells how the rows were made.
fn without_fingerprint(line: &str) -> String {
    let key = ["\"fingerprint\":\"", "\"policyFingerprint\":\""].into_iter().find(|key| line.contains(key));
    match key.and_then(|key| line.split_once(key)) {
        Some((before, value)) => format!("{before}{}", value.split_once('"').unwrap().1),
        None => line.to_owned(),
    }
}

const FORMATS: [&str; 7] = ["jsonl", "csv", "sarif", "markdown", "junit", "github", "table"];

/// Audits the store for rows, and compares a report of these rows with an audit under the same options.
fn assert_same(earlier: &str, options: &str) {
    let (store, output) = (store(), tempfile::tempdir().unwrap());
    let at = |name: &str| output.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("policy.toml"), POLICY).unwrap();
    fs::write(at("imports.toml"), "[[imports]]\nnames = 'other'\n").unwrap();
    go_database(Path::new(&at("go")));
    let named = |options: &str| options.replace("OUT/", &at(""));
    let saved = [at("rows.jsonl"), at("rows.parquet")];
    sectile(store.path(), &named(&format!("audit . --packages all {earlier} -o {} -o {}", saved[0], saved[1])));
    for (rows, format) in saved.iter().flat_map(|rows| FORMATS.map(|format| (rows, format))) {
        let options = named(options);
        let fresh = sectile(store.path(), &format!("audit . --packages all {options} --format {format}"));
        let again = sectile(store.path(), &format!("report {rows} {options} --format {format}"));
        assert!(!again.text().is_empty(), "{format}: {}", again.stderr);
        assert_eq!(again.status, fresh.status, "{format}: {}", again.stderr);
        let [again, fresh] = [again, fresh].map(|run| run.text().lines().map(without_fingerprint).collect::<Vec<_>>());
        if let Some((fresh, again)) = fresh.iter().zip(&again).find(|(fresh, again)| fresh != again) {
            let at = fresh.bytes().zip(again.bytes()).take_while(|(fresh, again)| fresh == again).count();
            let part = |line: &str| line.get(at.saturating_sub(200)..).unwrap_or_default().chars().take(400).collect();
            let parts: [String; 2] = [part(fresh), part(again)];
            panic!("{format}: the audit has\n{}\nthe report has\n{}", parts[0], parts[1]);
        }
        assert_eq!(again.len(), fresh.len(), "{format}");
    }
}

#[test]
fn a_newer_database_finds_the_same_in_rows_as_in_binaries() {
    assert_same("", "--advisories DB --advisories OUT/go");
    // The earlier audit had another database.
    assert_same("--advisories DB", "--advisories OUT/go");
}

#[test]
fn a_rule_that_a_row_cannot_answer_is_not_judged() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    write("deep.wasm", &chain(60, &component(&[custom("licenses", "ISC")])));
    write("many.wasm", &module(&vec![custom("x", ""); 5_000]));
    write("policy.toml", b"[[sections]]\nnames = 'x'\n[[imports]]\nnames = '*'\n");
    sectile(directory.path(), "audit . -o rows.jsonl");
    let report = sectile(directory.path(), "report rows.jsonl --policy policy.toml --json");
    let causes = |file: &str| {
        let row = report.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let row = row.into_iter().find(|row| row["file"] == file).unwrap();
        let findings = row["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "not-judged");
        findings.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let sections = "a rule of the policy cannot be judged: the sections were not read";
    let imports = "a rule of the policy cannot be judged: the imports were not read";
    let lost = "sections `licenses` have values that are not in the saved row";
    assert_eq!(causes("./deep.wasm"), ["11 items are not in the saved row", lost, sections, imports]);
    assert_eq!(causes("./many.wasm"), [sections, imports]);
}

#[test]
fn a_policy_judges_rows_as_it_judges_binaries() {
    assert_same("--policy OUT/imports.toml", "--policy OUT/policy.toml --advisories DB --advisories OUT/go");
    assert_same("--policy OUT/policy.toml", "--policy OUT/imports.toml");
}
