//! The kinds of rows: binaries, archives with findings, and other files with findings.

use std::fs;

use sectile_audit::{Baseline, Format, Progress, RowKind, Summary};
use serde_json::{Value, json};

use crate::store::{Store, gzip, tar, zip};
use crate::{Answer, audit_store, codes, default_audit, with_policy};
use sectile_testing::binary::numbered_module;

/// An archive that ends inside the data of its last entry.
fn cut_tar(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
    let mut bytes = tar(&entries);
    bytes.truncate(bytes.len() - 1024 - 100);
    bytes
}

fn text() -> Vec<u8> {
    b"plain text".repeat(400)
}

/// A zip with an entry that is marked as encrypted.
fn encrypted_zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip(&[(name.to_owned(), bytes.to_vec())]);
    let directory = zip.windows(4).position(|at| at == b"PK\x01\x02").unwrap();
    zip[6] |= 1;
    zip[directory + 8] |= 1;
    zip
}

fn row_kinds(answer: &Answer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    answer.rows().iter().map(|row| (text(&row["row"]), text(&row["file"]))).collect()
}

/// The counts by kind add up to those of all rows.
#[track_caller]
fn assert_sums(answer: &Answer) {
    let summary = &answer.outcome.summary;
    let sum = |count: fn(&Summary, RowKind) -> u64| RowKind::ALL.iter().map(|&kind| count(summary, kind)).sum::<u64>();
    assert_eq!(sum(|summary, kind| summary.rows_of(kind).rows), summary.rows);
    assert_eq!(sum(|summary, kind| summary.rows_of(kind).accepted), summary.accepted);
    assert_eq!(sum(|summary, kind| summary.rows_of(kind).refused), summary.refused);
    let last: Value = serde_json::from_str(answer.text.lines().last().unwrap()).unwrap();
    for kind in RowKind::ALL {
        let rows = answer.rows().iter().filter(|row| row["row"] == kind.name()).count() as u64;
        assert_eq!(summary.rows_of(kind).rows, rows);
        assert_eq!(last["summary"]["by_row"][kind.plural()]["rows"], rows);
    }
}

#[test]
fn damage_is_an_error_only_if_a_binary_is_in_the_file() {
    let module = numbered_module(1);
    let nested = gzip(&cut_tar(&[("README", text())]));
    let store = Store::new()
        .with("a.tar", cut_tar(&[("README", text())]))
        .with("b.tar", cut_tar(&[("app", module.clone()), ("README", text())]))
        .with("c.tar", tar(&[("first.tgz".to_owned(), nested.clone()), ("app".to_owned(), module.clone())]))
        .with("d.tar", tar(&[("first.tgz".to_owned(), nested), ("second".to_owned(), text())]));
    let answer = audit_store(&store);
    let found = |end: &str| {
        let row = answer.row(end);
        assert_eq!((&row["row"], &row["outcome"], &row["item"]), (&json!("archive"), &json!("complete"), &Value::Null));
        (codes(&row).join(" "), row["findings"][0]["severity"].clone(), row["accepted"] == true)
    };
    let (warning, error) = (json!("warning"), json!("error"));
    assert_eq!(found("a.tar"), ("malformed-archive".to_owned(), warning.clone(), true));
    assert_eq!(found("b.tar"), ("disputed-archive".to_owned(), error.clone(), false));
    // The binary of another entry, after the damage.
    assert_eq!(found("c.tar!first.tgz"), ("disputed-archive".to_owned(), error, false));
    assert_eq!(found("d.tar!first.tgz"), ("malformed-archive".to_owned(), warning, true));
    assert_eq!(answer.outcome.summary.rows_of(RowKind::Binary).rows, 2);
    assert_eq!(answer.outcome.summary.rows_of(RowKind::Archive).refused, 2);
    assert_sums(&answer);
}

/// The name of an entry says that it is WebAssembly, although no reader can read it.
#[test]
fn damage_of_an_entry_that_is_named_as_wasm_is_an_error() {
    let mut damaged = zip(&[("app.wasm".to_owned(), text())]);
    damaged[18] ^= 1; // its size
    let answer = audit_store(&Store::new().with("a.zip", &damaged));
    assert_eq!(codes(&answer.row("a.zip")), ["disputed-archive"], "{}", answer.text);
}

#[test]
fn findings_of_an_archive_are_on_one_row() {
    let modules: Vec<_> = (0..40).map(|nth| (format!("{nth}.bin"), numbered_module(nth))).collect();
    let mut damaged = zip(&modules);
    // The local headers of all entries have different names than the directory.
    let headers: Vec<_> = (0..damaged.len()).filter(|&at| damaged[at..].starts_with(b"PK\x03\x04")).collect();
    for at in headers.into_iter().skip(1) {
        damaged[at + 30] = b'x';
    }
    let answer = audit_store(&Store::new().with("a.zip", &damaged));
    let archives: Vec<_> = answer.rows().into_iter().filter(|row| row["row"] == "archive").collect();
    assert_eq!(archives.len(), 1, "{}", answer.text);
    let codes = codes(&archives[0]);
    assert!((2..=17).contains(&codes.len()) && codes.iter().all(|code| *code == "disputed-archive"), "{codes:?}");
    assert!(archives[0]["findings"][0]["message"].as_str().unwrap().starts_with("entry `1.bin`: "), "{}", archives[0]);
}

#[test]
fn archives_over_a_limit_are_partial() {
    let mut nested = tar(&[("README".to_owned(), text())]);
    for nth in 0..6 {
        nested = tar(&[(format!("{nth}.tar"), nested)]);
    }
    let answer = audit_store(&Store::new().with("a.tar", nested));
    let row = answer.row("5.tar!4.tar!3.tar");
    assert_eq!((&row["row"], &row["outcome"], &row["accepted"]), (&json!("archive"), &json!("partial"), &json!(false)));
    assert_eq!(codes(&row), ["archive-limit"]);
}

#[test]
fn entries_that_are_not_opened_are_counted_by_format() {
    let secret = encrypted_zip("secret.txt", &text());
    let other = encrypted_zip("other.txt", &text());
    let inner = tar(&[("s.zip".to_owned(), secret.clone()), ("o.zip".to_owned(), other), ("a".to_owned(), text())]);
    let store = Store::new().with("a.zip", secret).with("b.tar", inner).with("z.txt", text());
    let answer = audit_store(&store);
    let row = answer.row("b.tar");
    assert_eq!((codes(&row), &row["accepted"]), (vec!["not-opened"], &json!(true)), "one finding a file: {row}");
    assert_eq!(row["not_opened"], json!({ "encrypted zip entry": 2 }));
    let message = row["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("encrypted zip entry (2)") && message.ends_with("`s.zip!secret.txt`"), "{message}");
    let last: Value = serde_json::from_str(answer.text.lines().last().unwrap()).unwrap();
    let expected = json!({ "files": 3, "formats": { "encrypted zip entry": 3 } });
    assert_eq!(last["summary"]["not_opened"], expected);
    assert_eq!(answer.outcome.summary.not_opened(), [("encrypted zip entry", 3)]);
    assert_sums(&answer);
    // The same from the rows of an earlier report.
    let report = Store::new().with("report", &answer.text);
    let audit = default_audit().with_baseline(Baseline::open(report.path("report")).unwrap()).unwrap();
    let again = Answer::run(&audit, &store.paths());
    again.assert_same(&answer);
    assert_eq!(again.outcome.summary.not_opened(), [("encrypted zip entry", 3)]);
    assert_sums(&again);
}

/// The name says that it is WebAssembly, so it is an unread binary.
#[test]
fn encrypted_entry_that_is_named_as_wasm_is_a_binary() {
    let answer = audit_store(&Store::new().with("a.zip", encrypted_zip("app.wasm", &numbered_module(1))));
    let row = answer.row("a.zip!app.wasm");
    assert_eq!((&row["row"], &row["outcome"], &row["accepted"]), (&json!("binary"), &json!("unread"), &json!(false)));
    assert_eq!((codes(&row), &row["not_opened"]), (vec!["not-opened"], &json!({ "encrypted zip entry": 1 })));
}

#[test]
fn policy_sets_the_severity_of_what_may_hide_binaries() {
    let store = Store::new()
        .with("a.zip", encrypted_zip("secret.txt", &text()))
        .with("b.tar", cut_tar(&[("app", numbered_module(1)), ("README", text())]));
    let refused = |policy: &str| {
        let answer = Answer::run(&with_policy(policy), &store.paths());
        let is_refused = |end: &str| {
            answer.rows().iter().any(|row| row["file"].as_str().unwrap().ends_with(end) && row["accepted"] == false)
        };
        [is_refused("a.zip"), is_refused("b.tar")]
    };
    assert_eq!(refused(""), [false, true]);
    assert_eq!(refused("severity.hidden = \"error\""), [true, true]);
    assert_eq!(refused("severity.hidden = \"ignore\""), [false, false]);
    assert_eq!(refused("severity.hidden = \"warning\"\nrefuse = \"warning\""), [true, true]);
    assert_eq!(refused("[severity]\nhidden = \"error\"\nnot-opened = \"note\""), [false, true]);
    assert_eq!(refused("[severity]\ndisputed-archive = \"error\"\nhidden = \"note\""), [false, true]);
}

#[test]
fn only_binaries_are_binaries() {
    let store = Store::new()
        .with("a/app.wasm", numbered_module(1))
        .with("b/garbage.wasm", "garbage")
        .with("c/index.json", "{")
        .with("c/oci-layout", "{}")
        .with("d.tar", cut_tar(&[("README", text())]))
        .with("e/README", "text");
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", store.path("e/link.wasm")).unwrap();
    let answer = audit_store(&store);
    let mut expected =
        vec![("binary", "app.wasm"), ("binary", "garbage.wasm"), ("file", "oci-layout"), ("archive", "d.tar")];
    if cfg!(unix) {
        expected.push(("file", "link.wasm"));
    }
    let expected: Vec<_> = expected.into_iter().map(|(kind, file)| (kind.to_owned(), file.to_owned())).collect();
    assert_eq!(row_kinds(&answer), expected);
    assert_sums(&answer);
    assert_eq!(answer.progress.binaries(), 2);
}

/// Every format distinguishes the kinds.
#[test]
fn every_format_shows_the_kind_of_a_row() {
    let store = Store::new()
        .with("a.wasm", numbered_module(1))
        .with("b.tar", cut_tar(&[("README", text())]))
        .with("c.zip", encrypted_zip("secret.txt", &text()));
    let written = |format: Format| {
        let mut out = Vec::new();
        default_audit().run(&store.paths(), Some(format), &mut out, &Progress::new()).unwrap();
        String::from_utf8(out).unwrap()
    };
    let table = written(Format::Csv);
    let kinds: Vec<_> = table.lines().map(|line| line.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(kinds, ["row", "binary", "archive", "archive"]);
    let log: Value = serde_json::from_str(&written(Format::Sarif)).unwrap();
    let run = &log["runs"][0];
    let of_tar =
        run["results"].as_array().unwrap().iter().find(|result| result["ruleId"] == "malformed-archive").unwrap();
    assert_eq!(of_tar["properties"]["row"], "archive");
    assert_eq!(run["properties"]["byRow"]["archives"], json!({ "rows": 2, "accepted": 2, "refused": 0 }));
    assert_eq!(run["properties"]["notOpened"], json!({ "files": 1, "formats": { "encrypted zip entry": 1 } }));
    let page = written(Format::Html);
    for part in ["<dt>Binaries</dt><dd>1<small>", "2 archives, 0 files", "Not opened", "encrypted zip entry"] {
        assert!(page.contains(part), "{part}");
    }
}

/// Fixtures of archive libraries are damaged on purpose, and contain no binary.
#[test]
fn malformed_test_files_are_not_refused() {
    let mut zero_sum = tar(&[("a".to_owned(), text())]);
    zero_sum[600] = 1;
    zero_sum.truncate(700);
    let store = Store::new()
        .with("testdata/cut.tar", cut_tar(&[("README", text())]))
        .with("testdata/cut.tgz", &gzip(&text())[..30])
        .with("testdata/short.tar", zero_sum)
        .with("testdata/not.zip", b"PK\x03\x04 and no more");
    let answer = audit_store(&store);
    let summary = &answer.outcome.summary;
    assert_eq!((summary.refused, summary.accepted), (0, summary.rows), "{}", answer.text);
    assert_eq!(summary.rows_of(RowKind::Binary).rows, 0);
    assert!(summary.rows_of(RowKind::Archive).rows >= 3, "{}", answer.text);
    fs::write(store.path("testdata/app.wasm"), numbered_module(1)).unwrap();
    assert_eq!(audit_store(&store).outcome.summary.refused, 0, "the binary is in another file");
}
