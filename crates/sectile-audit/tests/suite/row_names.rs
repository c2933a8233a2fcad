//! The names of rows.

use std::fs;

use sectile_audit::{Baseline, RowName};

use crate::store::{Store, gzip, tar, zip};
use crate::{Answer, audit_store, default_audit, with_policy};
use sectile_testing::binary::{custom, module, numbered_module};

/// Archives and entries with `!` in their names, and their rows.
fn store() -> (Store, Vec<RowName>) {
    let entries = |names: &[&str]| -> Vec<_> {
        (0..).zip(names).map(|(nth, name)| ((*name).to_owned(), numbered_module(nth))).collect()
    };
    let inner = ("odd!".to_owned(), tar(&entries(&["!", "x!"])));
    let store = Store::new()
        .with("a!.tar", tar(&entries(&["!a.wasm", "b!!c.wasm", "d.wasm!"])))
        .with("b.zip", zip(&[inner]))
        .with("c!d.wasm", numbered_module(0))
        .with("e!.wasm.gz", gzip(&numbered_module(0)));
    let at = |file| RowName::new(store.path(file));
    let rows = vec![
        at("a!.tar").with_entry("!a.wasm"),
        at("a!.tar").with_entry("b!!c.wasm"),
        at("a!.tar").with_entry("d.wasm!"),
        at("b.zip").with_entry("odd!").with_entry("!"),
        at("b.zip").with_entry("odd!").with_entry("x!"),
        at("c!d.wasm"),
        at("e!.wasm.gz"),
    ];
    (store, rows)
}

#[test]
fn rows_are_named_by_path_and_entries() {
    let (store, expected) = store();
    let answer = audit_store(&store);
    let names: Vec<_> = answer.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    let written: Vec<_> = expected.iter().map(|name| name.to_os_string().into_string().unwrap()).collect();
    assert_eq!(names, written);
    for (name, expected) in names.iter().zip(expected) {
        if fs::exists(name).unwrap() {
            continue;
        }
        assert_eq!(RowName::parse(name.as_ref()), Ok(expected));
    }
    for end in ["/a!!.tar!./!!a.wasm", "/a!!.tar!b!!!!c.wasm", "/b.zip!odd!!!x!!", "/c!d.wasm", "/e!.wasm.gz"] {
        answer.row(end);
    }
}

#[test]
fn messages_name_entries_as_rows_do() {
    let broken =
        zip(&[("a!.wasm".to_owned(), numbered_module(0)), ("!b.7z".to_owned(), b"7z\xbc\xaf\x27\x1c".to_vec())]);
    let answer = audit_store(&Store::new().with("a.zip", broken));
    assert!(answer.text.contains("the first is `./!!b.7z`"), "{}", answer.text);
}

#[test]
fn rows_with_separators_in_names_are_reused() {
    let (store, _) = store();
    let before = audit_store(&store);
    let report = tempfile::NamedTempFile::new().unwrap();
    fs::write(report.path(), &before.text).unwrap();
    let audit = default_audit().with_baseline(Baseline::open(report.path()).unwrap()).unwrap();
    let again = Answer::run(&audit, &store.paths());
    again.assert_same(&before);
    assert_eq!(again.progress.bytes_read(), 0);
}

/// An exception for an archive does not apply to a file whose name starts with the archive's name.
#[test]
fn exceptions_match_the_names_of_rows() {
    let bytes = module(&[custom("licenses", "nonsense")]);
    let store =
        Store::new().with("a!.tar", tar(&[("b.wasm".to_owned(), bytes.clone())])).with("a!.tar!!b.wasm", &bytes);
    for (pattern, accepted) in [("*/a!!.tar!*", [true, false]), ("*/a!.tar!*", [false, true])] {
        let policy =
            format!("severity.not-spdx = 'error'\n[[exceptions]]\npaths = \"{pattern}\"\nreason = \"theirs\"\n");
        let answer = Answer::run(&with_policy(&policy), &store.paths());
        let found: Vec<_> = answer.rows().iter().map(|row| row["accepted"] == true).collect();
        assert_eq!(found, accepted, "{pattern}: {}", answer.text);
    }
}
