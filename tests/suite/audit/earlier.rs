//! Rows of an earlier report hold for what was not changed since.

use std::fs;
use std::path::PathBuf;

use sectile::audit::{Audit, Earlier, EarlierError, Form, Progress, WalkOptions};
use serde_json::Value;
use tempfile::TempDir;

use super::store::{Store, binary, gzip, tar};
use super::{Answer, audited, by, plain};
use crate::support::binary::{custom, module};

/// A report in a file.
fn report(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn since(audit: Audit, text: &str) -> Result<Audit, EarlierError> {
    let (_directory, path) = report(text);
    audit.since(Earlier::open(path)?)
}

#[test]
fn what_did_not_change_is_not_read_again() {
    let store = Store::large();
    let before = audited(&store);
    let same = Answer::of(&since(plain(), &before.text).unwrap(), &store.paths());
    same.is_as(&before);
    let passed = same.audited.summary.passed_bytes; // what is no WebAssembly has no row that would say so
    assert_eq!(same.progress.bytes_read(), passed, "nothing is read");
    assert!(before.progress.bytes_read() > 100 * passed);
    let (again, was) = (&same.audited.summary, &before.audited.summary);
    assert_eq!(
        (again.rows, again.accepted, again.refused, again.bytes),
        (was.rows, was.accepted, was.refused, was.bytes)
    );
    assert!(again.licenses() == was.licenses() && again.producers() == was.producers());
}

#[test]
fn what_changed_is_read_anew() {
    let store = Store::large();
    let before = audited(&store);
    store.put("00/0.wasm", binary(1));
    store.put("00/new.wasm", binary(2));
    store.put("03/many.tgz", gzip(&tar(&[("package/only.wasm".to_owned(), binary(3))])));
    fs::remove_file(store.path("01/1.wasm")).unwrap();
    fs::rename(store.path("02/2.wasm"), store.path("02/renamed.wasm")).unwrap();
    let whole = audited(&store);
    let since = Answer::of(&since(plain(), &before.text).unwrap(), &store.paths());
    since.is_as(&whole);
    assert!(since.progress.bytes_read() > 0 && since.progress.bytes_read() < whole.progress.bytes_read() / 10);
}

#[test]
fn a_report_that_is_cut_off_anywhere_serves_as_far_as_it_goes() {
    let store = Store::new().with("a.wasm", binary(0)).with("b.wasm.gz", gzip(&binary(1))).with("c.wasm", binary(2));
    let whole = audited(&store);
    let head = whole.text.find('\n').unwrap() + 1;
    for end in (0..whole.text.len()).step_by(7) {
        match since(plain(), &whole.text[..end]) {
            Ok(audit) => Answer::of(&audit, &store.paths()).is_as(&whole),
            Err(EarlierError::NoReport) => assert!(end < head, "{end}"),
            Err(error) => panic!("{end}: {error}"),
        }
    }
}

#[test]
fn what_is_asked_for_later_holds() {
    let store = Store::new().with("a.wasm", binary(0)).with("b.wasm", binary(1));
    let before = audited(&store);
    let whole = Answer::of(&plain().hashing(true), &store.paths());
    let since = since(plain(), &before.text).unwrap();
    Answer::of(&since.hashing(true), &store.paths()).is_as(&whole);
}

/// What is excused stays so, in every form, and none of it is read again.
#[test]
fn what_is_excused_is_not_read_again() {
    let policy = "[[exceptions]]\npaths = \"*/vendor/*\"\ncodes = \"not-spdx\"\nreason = \"theirs: \\u202E</a>\"\n\
                  [[exceptions]]\npaths = \"*/old/*\"\nreason = \"until it is built anew\"\nexpires = 2026-03-31\n";
    let audit = || by(policy).on_day("2026-03-30".parse().unwrap());
    let store = Store::new()
        .with("vendor/a.wasm", binary(3))
        .with("old/b.tgz", gzip(&tar(&[("b.wasm".to_owned(), binary(3)), ("c.wasm".to_owned(), binary(0))])))
        .with("ours/c.wasm", binary(3));
    let before = Answer::of(&audit(), &store.paths());
    assert_eq!((before.audited.summary.accepted, before.audited.summary.refused), (3, 1), "{}", before.text);
    let same = Answer::of(&since(audit(), &before.text).unwrap(), &store.paths());
    same.is_as(&before);
    assert_eq!((same.progress.bytes_read(), same.audited.summary.accepted), (0, 3));
    // Forms that are made of what is known of a finding, and not of the line.
    for form in [Form::Sarif, Form::Html, Form::Csv] {
        let written = |audit: &Audit| {
            let mut out = Vec::new();
            audit.run(&store.paths(), Some(form), &mut out, &Progress::new()).unwrap();
            String::from_utf8(out).unwrap()
        };
        let (anew, since) = (written(&audit()), written(&since(audit(), &before.text).unwrap()));
        let judged = |text: &str| match form {
            Form::Sarif => {
                let log: Value = serde_json::from_str(text).unwrap();
                log["runs"][0]["results"].as_array().unwrap().iter().map(Value::to_string).collect()
            }
            Form::Html => {
                let rows = text.split_once("class=\"rows\">").unwrap().1.split_once("</script>").unwrap().0;
                let rows = rows.lines().filter(|line| !line.is_empty());
                rows.map(|line| serde_json::from_str::<Value>(line).unwrap()[18].to_string()).collect()
            }
            // The last column says what was read.
            _ => text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>(),
        };
        let excused = ["theirs: ", "until it is built anew"].map(|reason| anew.matches(reason).count());
        assert!(form == Form::Csv || excused.iter().all(|count| *count > 0), "{form:?} {excused:?}");
        assert_eq!(judged(&since), judged(&anew), "{form:?}");
    }
    // An exception that nobody can make is none.
    for (from, to) in [("2026-03-31", "2026-02-31"), ("\"until it is built anew\"", "\" \"")] {
        let text = before.text.replace(from, to);
        assert_ne!(text, before.text);
        let again = Answer::of(&since(audit(), &text).unwrap(), &store.paths());
        again.is_as(&before);
        assert!(again.progress.bytes_read() > 0, "{from}");
    }
}

/// What became of the report since it was opened costs no row.
#[test]
fn a_report_that_is_cut_off_while_it_serves_is_not_missed() {
    let store = Store::new().with("a.wasm", binary(0)).with("b.wasm", binary(1));
    let whole = audited(&store);
    let (_directory, path) = report(&whole.text);
    let audit = plain().since(Earlier::open(&path).unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    let again = Answer::of(&audit, &store.paths());
    again.is_as(&whole);
    assert_eq!(again.progress.bytes_read(), whole.progress.bytes_read());
}

/// Rows of one archive that are more than anybody wants to hold are made anew.
#[test]
fn rows_that_are_too_many_to_be_held_are_made_anew() {
    let large = module(&[custom("description", vec![b'x'; 1 << 20])]);
    let entries: Vec<_> = (0..33).map(|nth| (format!("{nth}.wasm"), large.clone())).collect();
    let store = Store::new().with("few.tar", tar(&entries[..4])).with("many.tar", tar(&entries));
    let before = audited(&store);
    assert!(before.text.len() > 36 << 20);
    let same = Answer::of(&since(plain(), &before.text).unwrap(), &store.paths());
    same.is_as(&before);
    assert_eq!(same.audited.summary.archives, 1, "one was looked into again");
}

#[test]
fn rows_that_were_tampered_with_are_no_rows() {
    let store = Store::new().with("a.wasm", binary(3));
    let whole = audited(&store);
    for (from, to) in [
        ("\"outcome\":\"complete\"", "\"outcome\":\"unread\""),
        ("\"code\":\"not-spdx\"", "\"code\":\"no-code\""),
        ("\"code\":\"not-spdx\"", "\"code\":\"changed\""),
        ("a.wasm", "b.wasm"),
        ("\"size\":", "\"size\":-"),
        ("\"accepted\":false", "\"accepted\":no"),
        ("\"shares\":{", "\"shares\":[],\"not-shares\":{"),
    ] {
        let text = whole.text.replace(from, to);
        assert_ne!(text, whole.text);
        let again = Answer::of(&since(plain(), &text).unwrap(), &store.paths());
        again.is_as(&whole);
        assert!(again.progress.bytes_read() > 0, "{from}");
    }
}

#[test]
fn what_is_not_comparable_is_refused() {
    let store = Store::new().with("a.wasm", binary(0));
    let text = audited(&store).text;
    assert!(since(plain(), &text).is_ok());
    let other = "[[licenses]]\nallow = \"MIT\"\n";
    assert!(matches!(since(by(other), &text), Err(EarlierError::OtherPolicy)));
    assert!(matches!(since(plain().hashing(true), &text), Err(EarlierError::NotHashed)));
    let hashed = Answer::of(&plain().hashing(true), &store.paths()).text;
    assert!(since(plain(), &hashed).is_ok()); // it says more than is asked for
    let version = text.replacen(env!("CARGO_PKG_VERSION"), "0.0.0", 1);
    assert!(matches!(since(plain(), &version), Err(EarlierError::OtherVersion(version)) if version == "0.0.0"));
    for text in ["", "{}\n", "{\"schema\":2,\"audit\":{}}\n", "file,size\n"] {
        assert!(matches!(since(plain(), text), Err(EarlierError::NoReport)), "{text}");
    }
}

#[test]
fn archives_that_were_not_looked_into_as_far_are_looked_into_anew() {
    let store = Store::large();
    let shallow = || {
        let mut walking = WalkOptions::default();
        walking.nested = 1;
        plain().with_walk(walking)
    };
    let before = Answer::of(&shallow(), &store.paths());
    assert!(before.audited.summary.rows < audited(&store).audited.summary.rows);
    assert!(since(shallow(), &before.text).is_ok());
    assert!(matches!(since(plain(), &before.text), Err(EarlierError::OtherPolicy)));
}

#[test]
fn an_exception_that_expired_since_is_another_policy() {
    let store = Store::new().with("vendor/a.wasm", binary(3));
    let policy = "[[exceptions]]\npaths = \"*\"\ncodes = \"not-spdx\"\nreason = \"theirs\"\nexpires = 2026-03-31\n";
    let on = |day: &str| by(policy).on_day(day.parse().unwrap());
    let before = Answer::of(&on("2026-03-30"), &store.paths());
    assert_eq!(before.audited.summary.accepted, 1, "{}", before.text);
    assert!(since(on("2026-03-31"), &before.text).is_ok());
    assert!(matches!(since(on("2026-04-01"), &before.text), Err(EarlierError::OtherPolicy)));
    assert_eq!(Answer::of(&on("2026-04-01"), &store.paths()).audited.summary.accepted, 0);
}
