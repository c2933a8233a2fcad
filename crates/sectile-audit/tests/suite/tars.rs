//! Archives in `tests/archives` that common tools extract in different ways.

use std::path::Path;

use serde_json::Value;

use crate::{Answer, codes, default_audit};

/// The files, the binaries that a reader extracts from each, and whether readers disagree.
const ARCHIVES: [(&str, &[&str], bool); 10] = [
    ("dir-blank-size.tar", &["!short.wasm", "!second.wasm"], false),
    ("dir-with-size.tar", &["!short.wasm", "!second.wasm"], true),
    ("gz-zeropad.tgz", &["!p/a.wasm"], false),
    ("hardlink-with-size.tar", &["!short.wasm", "!second.wasm"], true),
    ("link-blank-size.tar", &["!short.wasm", "!second.wasm"], false),
    ("one-zeropad.wasm.gz", &[""], false),
    ("pax-emptyval.tar", &["!short.wasm", "!second.wasm"], false),
    ("pax-nulpad.tar", &["!long/name.wasm", "!second.wasm"], true),
    ("symlink-with-size.tar", &["!short.wasm", "!second.wasm"], true),
    ("type-unknown.tar", &["!u.wasm", "!second.wasm"], true),
];

#[test]
fn binaries_that_any_reader_extracts_have_rows() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archives");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), ARCHIVES.len());
    for (name, binaries, is_disputed) in ARCHIVES {
        let answer = Answer::run(&default_audit(), &[directory.join(name).into()]);
        for binary in binaries {
            let is_binary = |row: &&Value| {
                let is_named = row["file"].as_str().is_some_and(|file| file.ends_with(&format!("{name}{binary}")));
                is_named && row["outcome"] == "complete"
            };
            let rows = answer.rows();
            let row = rows.iter().find(is_binary).unwrap_or_else(|| panic!("{name}{binary}: {}", answer.text));
            assert!(row["item"]["annotations"]["licenses"] == "MIT" && row["size"] == 627, "{row}");
        }
        let is_fault = |code: &&str| ["disputed-archive", "malformed-archive"].contains(code);
        let has_fault = |row: &Value| codes(row).iter().any(is_fault) && row["accepted"] == false;
        assert_eq!(answer.rows().iter().any(has_fault), is_disputed, "{name}: {}", answer.text);
    }
}
