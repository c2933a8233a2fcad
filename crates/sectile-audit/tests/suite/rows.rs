//! The contents of rows.

use std::fs;

use sectile::Limits;
use sectile::digest::Digest;
use sectile_audit::{Completeness, Root};
use sectile_policy::report::Report;
use serde_json::{Value, json};

use crate::store::{Store, gzip, tar};
use crate::{Answer, audit_store, codes, default_audit, with_policy};
use sectile_testing::binary::{component, custom, module, nested, numbered_module, section};
use sectile_testing::files::real_paths;

#[test]
fn output_does_not_depend_on_threads() {
    let store = Store::large();
    let one = Answer::run(&default_audit().with_threads(1), &store.paths());
    assert_eq!(one.outcome.summary.rows, 300 + 60 + 60 + 4);
    assert_eq!(one.outcome.summary.rows_with(Completeness::Complete), one.outcome.summary.rows);
    for threads in [2, 3, 8, 64] {
        for _ in 0..4 {
            let more = Answer::run(&default_audit().with_threads(threads), &store.paths());
            more.assert_same(&one);
            assert!(more.text == one.text);
            assert_eq!(more.outcome.summary, one.outcome.summary);
        }
    }
}

#[test]
fn rows_are_sorted_by_path() {
    let answer = audit_store(&Store::large());
    let files: Vec<_> = answer.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    let outer = |file: &String| file.split('!').next().unwrap().to_owned();
    assert!(files.is_sorted_by_key(outer), "{files:#?}");
    assert!(files.iter().any(|file| file.ends_with("05/inside.zip!a.tgz!package/2.wasm")), "{files:#?}");
}

#[test]
fn item_equals_the_output_of_show() {
    let paths = real_paths();
    let roots: Vec<_> = paths.iter().map(|path| Root::from(&**path)).collect();
    let answer = Answer::run(&default_audit(), &roots);
    for (path, row) in paths.iter().zip(answer.rows()) {
        let reading = sectile::Input::open(path).unwrap().read_with(Limits::default());
        let mut shown = Vec::new();
        let size = fs::metadata(path).unwrap().len();
        Report::new(path.as_os_str(), Some(size), &reading).write_json(&mut shown).unwrap();
        let shown: Value = serde_json::from_slice(&shown).unwrap();
        for key in ["schema", "file", "size", "item", "outcome"] {
            assert_eq!(row[key], shown[key], "{} {key}", path.display());
        }
        let codes_shown: Vec<_> = shown["findings"].as_array().unwrap().iter().map(|found| &found["code"]).collect();
        assert_eq!(codes(&row), codes_shown, "{}", path.display());
    }
}

#[test]
fn archive_entries_have_the_same_facts_as_files() {
    for nth in 0..4 {
        let bytes = numbered_module(nth);
        let entries = [("a.wasm".to_owned(), bytes.clone())];
        let store = Store::new()
            .with("1.wasm", &bytes)
            .with("2.wasm.gz", gzip(&bytes))
            .with("3.tar", tar(&entries))
            .with("4.tgz", gzip(&tar(&entries)));
        let answer = audit_store(&store);
        let facts = |row: &Value| {
            ["size", "item", "section_totals", "largest", "findings", "accepted", "outcome"].map(|key| row[key].clone())
        };
        let rows = answer.rows();
        assert_eq!(rows.len(), 4, "{}", answer.text);
        assert!(rows.iter().all(|row| facts(row) == facts(&rows[0])), "{}", answer.text);
    }
}

#[test]
fn section_totals_count_the_contents_of_items() {
    let inner = module(&[section(1, &[0; 10]), custom("note", "inner")]);
    let bytes = component(&[nested(&inner), custom("note", "outer"), custom("licenses", "MIT")]);
    let answer = audit_store(&Store::new().with("a.wasm", &bytes));
    let row = answer.row("a.wasm");
    let bytes_of = |section: Vec<u8>| section.len() as u64;
    assert_eq!(
        row["section_totals"],
        json!({
            "custom": [2, bytes_of(custom("note", "inner")) + bytes_of(custom("note", "outer"))],
            "licenses": [1, bytes_of(custom("licenses", "MIT"))],
            "type": [1, 12],
        })
    );
    assert_eq!(
        row["largest"],
        json!({ "kind": "custom", "name": "licenses", "bytes": bytes_of(custom("licenses", "MIT")) })
    );
}

#[test]
fn digests_are_computed_on_request() {
    let bytes = numbered_module(1);
    let store = Store::new().with("a.wasm", &bytes).with("b.tgz", gzip(&tar(&[("c.wasm".to_owned(), bytes.clone())])));
    let rows = audit_store(&store).rows();
    assert!(rows.iter().all(|row| row["digest"] == Value::Null && row["verified"] == false));
    let answer = Answer::run(&default_audit().with_hashing(true), &store.paths());
    for row in answer.rows() {
        assert_eq!((&row["digest"], &row["verified"]), (&json!(Digest::new(&bytes).to_string()), &json!(true)));
    }
    assert_eq!(answer.row("a.wasm")["bytes_read"], json!(bytes.len()));
}

#[test]
fn stated_digest_is_compared_with_the_computed_one() {
    let (right, wrong) = (numbered_module(1), numbered_module(2));
    let blob = |digest: Digest| format!("blobs/sha256/{}", digest.hex());
    let index = json!({ "schemaVersion": 2, "manifests": [] }).to_string();
    let store = Store::new()
        .with("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .with("index.json", index)
        .with(blob(Digest::new(&right)), &right)
        .with(blob(Digest::new(b"something else")), &wrong);
    let answer = audit_store(&store);
    assert_eq!(answer.rows().len(), 2, "{}", answer.text);
    assert!(answer.rows().iter().all(|row| row["verified"] == false && row["digest"].is_string()));
    let hashed = Answer::run(&default_audit().with_hashing(true), &store.paths());
    let row = hashed.row(&Digest::new(&right).hex());
    assert!(codes(&row).is_empty() && row["verified"] == true, "{row}");
    let row = hashed.row(&Digest::new(b"something else").hex());
    assert!(codes(&row).contains(&"digest-mismatch") && row["accepted"] == false, "{row}");
    assert_eq!(row["digest"], json!(Digest::new(&wrong).to_string())); // the computed digest, not the one in its path
}

#[test]
fn exceptions_match_paths_and_digests() {
    let bytes = numbered_module(3); // has an invalid license
    let store = Store::new().with("vendor/a.wasm", &bytes).with("ours/b.wasm", &bytes);
    let digest = Digest::new(&bytes);
    let by_place = "[[exceptions]]\npaths = \"*/vendor/*\"\ncodes = \"not-spdx\"\nreason = \"theirs\"\n";
    let answer = Answer::run(&with_policy(by_place), &store.paths());
    assert_eq!(answer.row("vendor/a.wasm")["accepted"], json!(true), "{}", answer.text);
    assert_eq!(answer.row("vendor/a.wasm")["findings"][0]["excepted"]["reason"], json!("theirs"));
    assert_eq!(answer.row("ours/b.wasm")["accepted"], json!(false));
    let by_digest = format!("[[exceptions]]\ndigests = \"{digest}\"\ncodes = \"not-spdx\"\nreason = \"known\"\n");
    // An exception by digest accepts the digest of the store, unless it requires a verified one.
    let named = Store::new()
        .with("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .with("index.json", json!({ "schemaVersion": 2, "manifests": [] }).to_string())
        .with(format!("blobs/sha256/{}", digest.hex()), &bytes);
    let verified = format!("{by_digest}verified = true\n");
    for (policy, hashes, accepted) in
        [(&by_digest, false, 1), (&by_digest, true, 1), (&verified, false, 0), (&verified, true, 1)]
    {
        let answer = Answer::run(&with_policy(policy).with_hashing(hashes), &named.paths());
        assert_eq!(answer.outcome.summary.accepted, accepted, "{policy} {hashes} {}", answer.text);
    }
    // A directory that only claims to be a layout may name its files arbitrarily.
    for bytes in [numbered_module(4), [&bytes[..], &custom("x", "y")].concat()] {
        let posing = Store::new()
            .with("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
            .with("index.json", json!({ "schemaVersion": 2, "manifests": [] }).to_string())
            .with(format!("blobs/sha256/{}", digest.hex()), &bytes)
            .with("b/oci-layout", "")
            .with(format!("b/blobs/sha256/{}", digest.hex()), &bytes);
        let any = by_digest.replace("codes = \"not-spdx\"\n", "");
        for policy in [&by_digest, &any] {
            let answer = Answer::run(&with_policy(policy), &posing.paths());
            assert_eq!(answer.outcome.summary.accepted, 0, "{policy} {}", answer.text);
            let rows = answer.rows();
            assert!(
                rows.len() >= 2 && rows.iter().any(|row| codes(row).contains(&"digest-mismatch")),
                "{}",
                answer.text
            );
        }
    }
    let unhashed = Answer::run(&with_policy(&by_digest), &store.paths());
    assert_eq!(unhashed.outcome.summary.accepted, 0); // no store states their digest
    let hashed = Answer::run(&with_policy(&by_digest).with_hashing(true), &store.paths());
    assert_eq!(hashed.outcome.summary.accepted, 2, "{}", hashed.text);
}
