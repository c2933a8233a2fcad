//! A store with all hostile inputs for walks, archives and stores. The audit ends, every valid blob
//! has its row, and every hostile one has its finding.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use sectile_audit::Completeness;
use serde_json::{Value, json};

use crate::store::{Store, gzip, tar, zip};
use crate::{Answer, audit_store, codes, default_audit};
use sectile_testing::binary::{chain, component, custom, module, numbered_module};

fn planted() -> Store {
    let store = Store::new();
    for nth in 0..50 {
        store.put(format!("good/{nth:02}.wasm"), numbered_module(nth % 3));
    }
    // Files.
    store.put("files/empty.wasm", "");
    store.put("files/elf.wasm", b"\x7fELF\x02\x01\x01\0");
    store.put("files/cut.wasm", &module(&[custom("licenses", "MIT")])[..20]);
    store.put("files/deep.wasm", chain(100_000, &component(&[])));
    store.put("files/control.wasm", module(&[custom("description", "\u{1b}[2J\u{202e}")]));
    store.put("files/bytes.wasm", module(&[custom("authors", b"\xff\xfe")]));
    store.put("files/twice.wasm", module(&[custom("authors", "a"), custom("authors", "b")]));
    store.put(OsStr::from_bytes(b"files/n\xffme.wasm"), numbered_module(0));
    store.put("files/new\nline\u{1b}[31m.wasm", numbered_module(0));
    store.put("files/no-ending", numbered_module(0));
    store.put("files/text.txt", "plain text");
    // Links and special files.
    symlink("..", store.path("files/loop")).unwrap();
    symlink("/etc", store.path("files/out")).unwrap();
    symlink("nowhere", store.path("files/dangling.wasm")).unwrap();
    let fifo = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, store.path("files/fifo.wasm"), fifo).unwrap();
    fs::hard_link(store.path("good/00.wasm"), store.path("good/also.wasm")).unwrap();
    // Archives.
    let entry = |name: &str, bytes: Vec<u8>| (name.to_owned(), bytes);
    let good = [entry("a.wasm", numbered_module(1))];
    store.put("archives/good.tgz", gzip(&tar(&good)));
    let mut lies = tar(&[entry("a.wasm", numbered_module(1)), entry("b.wasm", numbered_module(2))]);
    lies[124..136].copy_from_slice(b"77777777777\0");
    let sum: u32 = lies[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    lies[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    store.put("archives/false.tar", &lies);
    store.put("archives/cut.tgz", &gzip(&tar(&good))[..100]);
    let text = (0..400).map(|nth| format!("{} ", nth * nth)).collect::<String>();
    store.put("archives/cut-text.tgz", &gzip(&tar(&[entry("README", text.into_bytes())]))[..200]);
    let mut damaged = zip(&good);
    let name = damaged.windows(6).position(|bytes| bytes == b"a.wasm").unwrap();
    damaged[name] = b'x'; // the local header has a different name than the directory
    store.put("archives/disagrees.zip", damaged);
    store.put("archives/bomb.gz", gzip(&vec![0; 64 << 20]));
    let mut nested = gzip(&tar(&good));
    for nth in 0..6 {
        nested = gzip(&tar(&[entry(&format!("{nth}.tgz"), nested)]));
    }
    store.put("archives/nested.tgz", nested);
    store.put("archives/up.tar", tar_as_is("../../up.wasm", &numbered_module(2)));
    store
}

/// A tar whose entry has a name that the builder would reject.
fn tar_as_is(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut archive = tar(&[("a".repeat(name.len()), bytes.to_vec())]);
    archive[..name.len()].copy_from_slice(name.as_bytes());
    let sum = archive[..512].iter().enumerate();
    let sum: u32 = sum.map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive
}

#[test]
fn hostile_store_has_all_rows_and_findings() {
    let store = planted();
    let answer = audit_store(&store);
    let good = answer.rows().into_iter().filter(|row| row["file"].as_str().is_some_and(|file| file.contains("/good/")));
    let good: Vec<Value> = good.collect();
    assert_eq!(good.len(), 50, "{}", answer.text);
    assert!(good.iter().all(|row| row["outcome"] == "complete" && row["accepted"] == true));
    let linked = good.iter().find(|row| row["locations"].as_array().unwrap().len() == 2).unwrap();
    assert!(linked["locations"][1].as_str().unwrap().ends_with("good/also.wasm"));

    for (file, outcome, code) in [
        ("files/empty.wasm", "unread", None),
        ("files/elf.wasm", "unread", None),
        ("files/cut.wasm", "partial", None),
        ("files/deep.wasm", "partial", None),
        ("files/control.wasm", "complete", Some("control-characters")),
        ("files/bytes.wasm", "complete", Some("not-utf8")),
        ("files/twice.wasm", "complete", Some("duplicate-section")),
        ("files/new\nline\u{1b}[31m.wasm", "complete", None),
        ("files/no-ending", "complete", None),
        ("files/loop", "skipped", Some("not-followed")),
        ("files/out", "skipped", Some("not-followed")),
        ("files/dangling.wasm", "skipped", Some("not-followed")),
        ("files/fifo.wasm", "skipped", Some("not-a-file")),
        ("archives/good.tgz!a.wasm", "complete", None),
        ("archives/up.tar!../../up.wasm", "complete", None),
    ] {
        let row = answer.row(file);
        assert_eq!(row["outcome"], outcome, "{row}");
        assert!(code.is_none_or(|code| codes(&row).contains(&code)), "{row}");
        assert_eq!(row["reason"].is_null(), matches!(outcome, "complete" | "skipped"), "{row}");
    }
    for (file, code) in [
        ("archives/false.tar", "disputed-archive"),
        ("archives/cut.tgz", "disputed-archive"),
        ("archives/cut-text.tgz", "malformed-archive"),
        ("archives/disagrees.zip", "disputed-archive"),
        ("archives/nested.tgz!5.tgz", "archive-limit"),
    ] {
        let of_file = |row: &Value| row["file"].as_str().is_some_and(|name| name.contains(file));
        let rows: Vec<Value> = answer.rows().into_iter().filter(of_file).collect();
        let is_accepted = code == "malformed-archive"; // no reader finds a binary
        let is_meant = |row: &&Value| row["row"] == "archive" && codes(row).contains(&code);
        assert!(rows.iter().find(is_meant).is_some_and(|row| row["accepted"] == is_accepted), "{file}: {rows:#?}");
    }
    let unnamed = answer.rows().into_iter().find(|row| row["file"].get("base64").is_some()).expect("a name of bytes");
    assert_eq!((&unnamed["outcome"], &unnamed["accepted"]), (&json!("complete"), &json!(true)));
    let is_bomb = |row: &Value| row["file"].as_str().is_some_and(|name| name.contains("bomb.gz"));
    assert!(!answer.rows().iter().any(is_bomb), "zeros are not WebAssembly");
    let summary = &answer.outcome.summary;
    assert!(
        summary.rows_with(Completeness::Unread) == 2 && summary.rows_with(Completeness::Skipped) == 4,
        "{summary:#?}"
    );
    assert!(summary.not_wasm >= 2);
}

/// The size of an entry is its actual number of bytes, not the declared one, even if it is not read
/// completely.
#[test]
fn claimed_entry_sizes_are_not_trusted() {
    let broken = [&numbered_module(0)[..], &[1, 0xff, 0xff, 0xff, 0xff, 0xff]].concat();
    let mut lies = zip(&[("a.wasm".to_owned(), broken.clone()), ("b.wasm".to_owned(), numbered_module(1))]);
    let directory = lies.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    for at in [22, directory + 24] {
        lies[at..at + 4].copy_from_slice(&0xffff_0000_u32.to_le_bytes());
    }
    let store =
        Store::new().with("false.zip", &lies).with("honest.tgz", gzip(&tar(&[("a.wasm".to_owned(), broken.clone())])));
    let answer = audit_store(&store);
    for file in ["false.zip!a.wasm", "honest.tgz!a.wasm"] {
        let rows = answer.rows();
        let row = rows.iter().find(|row| row["file"].as_str().is_some_and(|name| name.ends_with(file))).unwrap();
        assert_eq!((&row["outcome"], &row["size"]), (&json!("partial"), &json!(broken.len())), "{row}");
    }
    assert_eq!(answer.outcome.summary.bytes, (2 * broken.len() + numbered_module(1).len()) as u64);
    let finding = answer.rows().into_iter().find(|row| codes(row) == ["disputed-archive"]).expect("the lie");
    assert!(finding["file"].as_str().unwrap().ends_with("false.zip"), "{finding}");
    assert!(finding["findings"][0]["message"].as_str().unwrap().starts_with("entry `a.wasm`: "), "{finding}");
}

#[test]
fn hostile_store_gives_the_same_rows_with_a_baseline() {
    let store = planted();
    let first = audit_store(&store);
    for threads in [1, 4] {
        Answer::run(&default_audit().with_threads(threads), &store.paths()).assert_same(&first);
    }
    let directory = Store::new().with("report", &first.text);
    let audit =
        default_audit().with_baseline(sectile_audit::Baseline::open(directory.path("report")).unwrap()).unwrap();
    Answer::run(&audit, &store.paths()).assert_same(&first);
}

#[test]
fn directory_of_65536_files() {
    let store = Store::new();
    fs::create_dir(store.path("many")).unwrap();
    let good = numbered_module(0);
    for nth in 0..65_536 {
        fs::write(store.path(format!("many/{nth}")), if nth % 4_096 == 0 { &good[..] } else { b"no" }).unwrap();
    }
    let answer = audit_store(&store);
    assert_eq!((answer.outcome.summary.rows, answer.outcome.summary.not_wasm), (16, 65_520));
}
