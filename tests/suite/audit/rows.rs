//! What rows say.

use std::fs;

use sectile::Limits;
use sectile::audit::{Ended, Root};
use sectile::digest::Digest;
use sectile::report::Report;
use serde_json::{Value, json};

use super::store::{Store, binary, gzip, tar};
use super::{Answer, audited, by, codes, plain};
use crate::support::binary::{component, custom, module, nested, section};
use crate::support::files::real_paths;

#[test]
fn the_answer_does_not_depend_on_threads() {
    let store = Store::large();
    let one = Answer::of(&plain().on_threads(1), &store.paths());
    assert_eq!(one.audited.summary.rows, 300 + 60 + 60 + 4);
    assert_eq!(one.audited.summary.ended(Ended::Complete), one.audited.summary.rows);
    for threads in [2, 3, 8, 64] {
        for _ in 0..4 {
            let more = Answer::of(&plain().on_threads(threads), &store.paths());
            more.is_as(&one);
            assert!(more.text == one.text);
            assert_eq!(more.audited.summary, one.audited.summary);
        }
    }
}

#[test]
fn rows_have_the_order_of_their_paths() {
    let answer = audited(&Store::large());
    let files: Vec<_> = answer.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    let outer = |file: &String| file.split('!').next().unwrap().to_owned();
    assert!(files.is_sorted_by_key(outer), "{files:#?}");
    assert!(files.iter().any(|file| file.ends_with("05/inside.zip!a.tgz!package/2.wasm")), "{files:#?}");
}

#[test]
fn an_item_is_what_show_says() {
    let paths = real_paths();
    let roots: Vec<_> = paths.iter().map(|path| Root::from(&**path)).collect();
    let answer = Answer::of(&plain(), &roots);
    for (path, row) in paths.iter().zip(answer.rows()) {
        let reading = sectile::Input::open(path).unwrap().read(Limits::default());
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
fn what_an_archive_holds_is_read_as_a_file_is() {
    for nth in 0..4 {
        let bytes = binary(nth);
        let entries = [("a.wasm".to_owned(), bytes.clone())];
        let store = Store::new()
            .with("1.wasm", &bytes)
            .with("2.wasm.gz", gzip(&bytes))
            .with("3.tar", tar(&entries))
            .with("4.tgz", gzip(&tar(&entries)));
        let answer = audited(&store);
        let facts = |row: &Value| {
            ["size", "item", "shares", "largest", "findings", "accepted", "outcome"].map(|key| row[key].clone())
        };
        let rows = answer.rows();
        assert_eq!(rows.len(), 4, "{}", answer.text);
        assert!(rows.iter().all(|row| facts(row) == facts(&rows[0])), "{}", answer.text);
    }
}

#[test]
fn shares_count_what_items_hold_and_not_the_items() {
    let inner = module(&[section(1, &[0; 10]), custom("note", "inner")]);
    let bytes = component(&[nested(&inner), custom("note", "outer"), custom("licenses", "MIT")]);
    let answer = audited(&Store::new().with("a.wasm", &bytes));
    let row = answer.row("a.wasm");
    let bytes_of = |section: Vec<u8>| section.len() as u64;
    assert_eq!(
        row["shares"],
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
fn hashes_are_computed_when_that_is_asked_for() {
    let bytes = binary(1);
    let store = Store::new().with("a.wasm", &bytes).with("b.tgz", gzip(&tar(&[("c.wasm".to_owned(), bytes.clone())])));
    let rows = audited(&store).rows();
    assert!(rows.iter().all(|row| row["digest"] == Value::Null && row["verified"] == false));
    let answer = Answer::of(&plain().hashing(true), &store.paths());
    for row in answer.rows() {
        assert_eq!((&row["digest"], &row["verified"]), (&json!(Digest::of(&bytes).to_string()), &json!(true)));
    }
    assert_eq!(answer.row("a.wasm")["bytes_read"], json!(bytes.len()));
}

#[test]
fn a_blob_is_called_by_its_store_and_compared_when_it_is_hashed() {
    let (right, wrong) = (binary(1), binary(2));
    let blob = |digest: Digest| format!("blobs/sha256/{}", digest.hex());
    let index = json!({ "schemaVersion": 2, "manifests": [] }).to_string();
    let store = Store::new()
        .with("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .with("index.json", index)
        .with(blob(Digest::of(&right)), &right)
        .with(blob(Digest::of(b"something else")), &wrong);
    let answer = audited(&store);
    assert_eq!(answer.rows().len(), 2, "{}", answer.text);
    assert!(answer.rows().iter().all(|row| row["verified"] == false && row["digest"].is_string()));
    let hashed = Answer::of(&plain().hashing(true), &store.paths());
    let row = hashed.row(&Digest::of(&right).hex());
    assert!(codes(&row).is_empty() && row["verified"] == true, "{row}");
    let row = hashed.row(&Digest::of(b"something else").hex());
    assert!(codes(&row).contains(&"digest-mismatch") && row["accepted"] == false, "{row}");
    assert_eq!(row["digest"], json!(Digest::of(&wrong).to_string())); // what it has, and not what it is called
}

#[test]
fn exceptions_are_made_for_places_and_digests() {
    let bytes = binary(3); // its licence is nonsense
    let store = Store::new().with("vendor/a.wasm", &bytes).with("ours/b.wasm", &bytes);
    let digest = Digest::of(&bytes);
    let by_place = "[[exceptions]]\npaths = \"*/vendor/*\"\ncodes = \"not-spdx\"\nreason = \"theirs\"\n";
    let answer = Answer::of(&by(by_place), &store.paths());
    assert_eq!(answer.row("vendor/a.wasm")["accepted"], json!(true), "{}", answer.text);
    assert_eq!(answer.row("vendor/a.wasm")["findings"][0]["excepted"]["reason"], json!("theirs"));
    assert_eq!(answer.row("ours/b.wasm")["accepted"], json!(false));
    let by_digest = format!("[[exceptions]]\ndigests = \"{digest}\"\ncodes = \"not-spdx\"\nreason = \"known\"\n");
    // What a store calls a blob by will do, where the exception does not say otherwise.
    let named = Store::new()
        .with("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .with("index.json", json!({ "schemaVersion": 2, "manifests": [] }).to_string())
        .with(format!("blobs/sha256/{}", digest.hex()), &bytes);
    let verified = format!("{by_digest}verified = true\n");
    for (policy, hashes, accepted) in
        [(&by_digest, false, 1), (&by_digest, true, 1), (&verified, false, 0), (&verified, true, 1)]
    {
        let answer = Answer::of(&by(policy).hashing(hashes), &named.paths());
        assert_eq!(answer.audited.summary.accepted, accepted, "{policy} {hashes} {}", answer.text);
    }
    let unhashed = Answer::of(&by(&by_digest), &store.paths());
    assert_eq!(unhashed.audited.summary.accepted, 0); // nobody calls them by it
    let hashed = Answer::of(&by(&by_digest).hashing(true), &store.paths());
    assert_eq!(hashed.audited.summary.accepted, 2, "{}", hashed.text);
}
