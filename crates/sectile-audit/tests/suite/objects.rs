//! Remote objects have the same rows as files, in the order of their names, with few requests.

mod watched;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::mem;
use std::panic;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use sectile::digest::Digest;
use sectile_audit::{Audit, Baseline, Format, ListedObject, Progress, Root, RowReader, Summary, WalkOptions};
use sectile_remote::object_store::memory::InMemory;
use sectile_remote::object_store::path::Path;
use sectile_remote::object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use sectile_remote::{RemoteError, RemoteOptions};
use serde_json::Value;

use crate::store::{Store, gzip, tar, zip};
use crate::{Answer, audit_store, codes, default_audit};
use sectile_testing::binary::{custom, large_module, module, numbered_module, section};
use watched::{BadAnswer, WatchedStore};

/// Waits for a future that never blocks.
fn wait_within<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("a store in memory never waits"),
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    wait_within(future)
}

const BASE_URL: &str = "memory://store/";

fn roots(store: &Arc<WatchedStore>) -> [Root; 1] {
    [Root::objects(Arc::clone(store) as _, "", BASE_URL).unwrap()]
}

fn of(store: &Arc<WatchedStore>) -> Answer {
    Answer::run(&default_audit(), &roots(store))
}

fn in_flight(audit: Audit, in_flight: usize) -> Audit {
    let mut options = WalkOptions::default();
    options.in_flight = in_flight;
    audit.with_walk(options)
}

/// The rows without the parts that depend on the location.
fn facts(answer: &Answer, base: &str) -> Vec<Value> {
    let mut rows = answer.rows();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        row.remove("bytes_read");
        row.remove("state");
        for name in ["file", "locations"] {
            let text = row[name].to_string().replace(base, "");
            row.insert(name.to_owned(), serde_json::from_str(&text).unwrap());
        }
    }
    rows
}

#[test]
fn objects_have_the_same_rows_as_files() {
    let files = Store::large();
    files.put("07/large.wasm", large_module(0));
    files.put("07/large.wasm.gz", gzip(&large_module(0)));
    files.put("07/large.tar", tar(&[("a.wasm".to_owned(), large_module(0)), ("b.wasm".to_owned(), large_module(1))]));
    files.put("07/large.zip", zip(&[("a.wasm".to_owned(), large_module(0)), ("b".to_owned(), vec![7; 100_000])]));
    files.put("08/empty", "");
    files.put("08/empty.wasm", "");
    files.put("08/none.wasm", "no module");
    files.put("08/cut.wasm", &large_module(0)[..200_000]);
    files.put("08/cut.tgz", &gzip(&tar(&[("a.wasm".to_owned(), large_module(3))]))[..200]);
    let store = Arc::new(WatchedStore::default().filled(files.paths()[0].as_path().unwrap()));
    let base = format!("{}/", files.paths()[0].as_path().unwrap().display());
    for hashes in [false, true] {
        let of_files = Answer::run(&default_audit().with_hashing(hashes), &files.paths());
        let of_objects = Answer::run(&default_audit().with_hashing(hashes), &roots(&store));
        let (expected, is) = (facts(&of_files, &base), facts(&of_objects, BASE_URL));
        assert!(expected.len() > 400);
        for (expected, is) in expected.iter().zip(&is) {
            assert_eq!(is, expected, "{hashes}");
        }
        assert_eq!(is.len(), expected.len());
        let (is, was) = (&of_objects.outcome.summary, &of_files.outcome.summary);
        assert_eq!((is.not_wasm, is.archives, is.bytes), (was.not_wasm, was.archives, was.bytes));
    }
}

#[test]
fn objects_and_entries_are_read_by_row_name() {
    let archive = zip(&[("a!.tgz".to_owned(), gzip(&tar(&[("b.wasm".to_owned(), numbered_module(1))])))]);
    let store = Arc::new(
        WatchedStore::default()
            .with("app!.zip", archive)
            .with("one.wasm.gz", gzip(&numbered_module(2)))
            .with("dir/plain.wasm", numbered_module(3)),
    );
    let answer = of(&store);
    assert_eq!(answer.rows().len(), 3, "{}", answer.text);
    for row in answer.rows() {
        let name = row["file"].as_str().unwrap();
        let object = if name.contains("zip") { "app!.zip" } else { name.strip_prefix(BASE_URL).unwrap() };
        let root = Root::objects(Arc::clone(&store) as _, object, BASE_URL).unwrap();
        let mut bytes = Vec::new();
        let copy = RowReader::new().copy_from(&root, name.as_ref(), &mut bytes).unwrap();
        assert_eq!((copy.size, copy.digest), (bytes.len() as u64, Digest::new(&bytes)), "{name}");
        assert_eq!(row["size"], bytes.len(), "{name}");
    }
}

#[test]
fn few_requests_are_made() {
    let store = WatchedStore::default()
        .with("large.wasm", large_module(0))
        .with("small.wasm", numbered_module(0))
        .with("empty", "");
    let store = Arc::new(
        store.with("text", vec![b'x'; 1 << 20]).with("small.tgz", gzip(&tar(&[("a".to_owned(), numbered_module(0))]))),
    );
    let answer = of(&store);
    let requests = ["empty", "large.wasm", "small.tgz", "small.wasm", "text"].map(|path| store.requests_for(path));
    // One of them reads the end of an object, where the directory of a zip may be.
    assert_eq!(requests, [0, 2, 1, 1, 2]);
    assert!(answer.outcome.summary.not_wasm_bytes_read < 160_000 && answer.progress.bytes_read() < 400_000);
}

#[test]
fn long_modules_cost_two_requests_and_a_fiftieth_of_their_bytes() {
    let code = section(10, &vec![0; 4 << 20]);
    let bytes = module(&[custom("licenses", "MIT"), code, custom("vendor", "v")]);
    for (path, most) in [("a.wasm", bytes.len() / 50), ("dir/module", bytes.len() / 31)] {
        let store = Arc::new(WatchedStore::default().with(path, &bytes));
        let row = of(&store).row(path);
        assert_eq!(row["item"]["annotations"], serde_json::json!({ "licenses": "MIT", "vendor": "v" }), "{row}");
        let transferred = store.transferred.load(Ordering::SeqCst);
        assert_eq!((store.requests(), &row["bytes_read"]), (2, &transferred.into()), "{row}");
        assert!(transferred <= most as u64, "{path}: {transferred}");
    }
}

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    (0..).flat_map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).take(len).collect()
}

/// Rows do not depend on the cost of a request, except for the bytes that are read.
#[test]
fn objects_are_read_whole_where_requests_would_cost_more() {
    let tarred = tar(&[("a.wasm".to_owned(), numbered_module(0)), ("b".to_owned(), vec![7; 80_000])]);
    // The tar begins after the bytes that are searched at the start of a remote source, and before those at its end.
    let hidden = [vec![b'x'; 80_000], tarred, vec![b'x'; 80_000]].concat();
    let contents = [
        ("a.wasm", module(&[custom("licenses", "MIT"), section(10, &vec![0; 100_000]), custom("vendor", "v")])),
        ("b.wasm", large_module(0)),
        ("c.wasm", module(&[section(10, &vec![0; 1 << 20]), custom("vendor", "v")])),
        ("d", hidden),
        ("e", vec![b'x'; 200_000]),
        ("f.wasm", vec![b'x'; 200_000]),
        ("g", zip(&[("a.wasm".to_owned(), module(&[section(10, &noise(150_000))]))])),
    ];
    let read = |request_cost: u64| {
        let store = contents.iter().fold(WatchedStore::default(), |store, (path, bytes)| store.with(path, bytes));
        let store = Arc::new(store);
        let mut options = WalkOptions::default();
        options.request_cost = request_cost;
        let answer = Answer::run(&default_audit().with_walk(options), &roots(&store));
        let requests = contents.each_ref().map(|(path, _)| store.requests_for(path));
        for row in answer.rows().iter().filter(|row| row["archive"].is_null()) {
            let (name, bytes_read) = (row["file"].as_str().unwrap(), row["bytes_read"].as_u64().unwrap());
            assert!(bytes_read <= row["size"].as_u64().unwrap(), "{name}: {bytes_read}");
        }
        assert_eq!(answer.progress.bytes_read(), store.transferred.load(Ordering::SeqCst), "{}", answer.text);
        (facts(&answer, BASE_URL), requests)
    };
    let (rows, requests) = read(0);
    assert_eq!(requests, [2, 2, 2, 2, 2, 3, 2]);
    let (default, requests) = read(WalkOptions::default().request_cost);
    assert_eq!(requests, [1, 2, 2, 1, 1, 1, 1]);
    assert_eq!(default, rows);
    for cost in [4 << 20, WalkOptions::REQUEST_COST_LIMIT, u64::MAX] {
        let (whole, requests) = read(cost);
        assert_eq!((whole, requests), (rows.clone(), [1; 7]));
    }
}

/// A short head has the headers of few of these. The last bytes have many of the others.
#[test]
fn headers_far_from_the_start_cost_few_requests() {
    let padded = |before: usize, after: usize| {
        let parts = [section(1, &vec![0; before]), custom("licenses", "MIT"), section(10, &vec![0; 1 << 20])];
        module(&[&parts[..], &[custom("name", vec![0; after]), custom("vendor", "v")]].concat())
    };
    let shapes = [(100, 100), (20_000, 100), (60_000, 100), (70_000, 100), (100, 90_000), (20_000, 90_000)];
    let mut store = WatchedStore::default();
    for (before, after) in shapes {
        store = store.with(&format!("{before}-{after}.wasm"), padded(before, after));
    }
    let store = Arc::new(store);
    let answer = of(&store);
    let requests = shapes.map(|(before, after)| store.requests_for(&format!("{before}-{after}.wasm")));
    // With a head of 64 KiB, and no use of the last bytes: 3, 3, 3, 4, 4 and 4.
    assert_eq!(requests, [2, 3, 3, 3, 3, 4]);
    assert!(answer.rows().iter().all(|row| row["item"]["annotations"]["licenses"] == "MIT"), "{}", answer.text);
}

/// An image of an optical disc with an empty directory. Source: ECMA-119.
fn disc() -> Vec<u8> {
    const SECTOR: usize = 2048;
    let both = |number: u32| [number.to_le_bytes(), number.to_be_bytes()].concat();
    let mut directory = vec![34, 0];
    directory.extend([both(19), both(SECTOR as u32), vec![0; 7], vec![2, 0, 0], vec![1, 0, 0, 1, 1, 0]].concat());
    let mut sectors = vec![0; 500 * SECTOR];
    let mut put = |sector: usize, at: usize, bytes: &[u8]| {
        sectors[sector * SECTOR + at..][..bytes.len()].copy_from_slice(bytes);
    };
    put(16, 0, b"\x01CD001\x01");
    put(16, 8, &[b' '; 64]);
    put(16, 80, &both(500));
    put(16, 120, &[1, 0, 0, 1, 1, 0, 0, 1, 0, 8, 8, 0]);
    put(16, 156, &directory);
    put(17, 0, b"\xffCD001\x01");
    put(19, 0, &directory);
    sectors
}

/// Also of a long object, whose name decides on the length of the first request.
#[test]
fn contents_in_the_first_64_kib_are_detected_under_any_name() {
    let at = |offset: usize, bytes: &[u8]| [&vec![b'x'; offset], bytes, &vec![b'x'; 1 << 20]].concat();
    let archive = |bytes: &[u8]| at(30 << 10, bytes);
    let tarred = tar(&[("inner.wasm".to_owned(), numbered_module(0))]);
    let zipped = zip(&[("inner.wasm".to_owned(), numbered_module(0))]);
    let store = WatchedStore::default().with("disc.iso", disc()).with("disc", disc()).with("disc.wasm", disc());
    let store = store.with("tar", archive(&tarred)).with("tar.wasm", archive(&tarred));
    let store = Arc::new(store.with("zip", archive(&zipped)).with("zip.wasm", archive(&zipped)));
    let answer = of(&store);
    for disc in ["disc.iso", "disc"] {
        let row = answer.row(&format!("/{disc}"));
        assert_eq!((&row["kind"], codes(&row)), (&Value::Null, vec!["not-opened"]), "{row}");
        assert!(row.to_string().contains("iso9660"), "{row}");
    }
    assert_eq!(answer.row("/disc.wasm")["outcome"], "unread");
    for archive in ["tar", "tar.wasm"] {
        let row = answer.row(&format!("/{archive}!inner.wasm"));
        assert_eq!(row["item"]["annotations"]["licenses"], "MIT", "{row}");
    }
    for opened in ["tar", "tar.wasm", "zip", "zip.wasm"] {
        assert!(answer.text.contains(&format!(r#""archive":"{BASE_URL}{opened}""#)), "{opened}: {}", answer.text);
    }
}

#[test]
fn row_order_does_not_depend_on_timing() {
    let fill = |store: WatchedStore| {
        for nth in 0..300 {
            store.keep(&format!("{:02}/{nth}.wasm", nth % 7), numbered_module(nth));
        }
        Arc::new(store)
    };
    let expected = Answer::run(&in_flight(default_audit().with_threads(1), 1), &roots(&fill(WatchedStore::default())));
    let body = |answer: &Answer| facts(answer, BASE_URL);
    let files: Vec<_> = expected.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    assert!(files.is_sorted() && files.len() == 300);
    for (threads, many) in [(1, 7), (3, 5), (2, 200)] {
        let store = fill(WatchedStore { is_slow: true, ..WatchedStore::default() });
        let answer = Answer::run(&in_flight(default_audit().with_threads(threads), many), &roots(&store));
        assert_eq!(body(&answer), body(&expected));
        let most = store.most.load(Ordering::SeqCst);
        assert!(most > many / 2 && most <= threads * many, "{most} at once on {threads} threads");
    }
}

/// Batches have 4 objects, then 8 and 16.
#[test]
fn others_are_requested_while_one_object_takes_long() {
    let store = WatchedStore { is_held_until: Some(("14.wasm", 26)), ..WatchedStore::default() };
    for nth in 0..40 {
        store.keep(&format!("{nth:02}.wasm"), numbered_module(nth));
    }
    let answer = Answer::run(&in_flight(default_audit().with_threads(1), 4), &roots(&Arc::new(store)));
    let files: Vec<_> = answer.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    assert!(files.len() == 40 && files.is_sorted());
}

#[test]
fn listing_is_not_far_ahead_of_requests() {
    let store = WatchedStore::default();
    for nth in 0..10_000 {
        store.keep(&format!("{nth:05}.wasm"), numbered_module(nth % 100));
    }
    let store = Arc::new(store);
    let answer = Answer::run(&in_flight(default_audit(), 4), &roots(&store));
    let files: Vec<_> = answer.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    assert!(files.len() == 10_000 && files.is_sorted());
    assert_eq!(store.requests(), 10_000);
    let ahead = store.ahead.load(Ordering::SeqCst);
    assert!(ahead < 500, "{ahead} were listed before they were asked for");
}

#[test]
fn reused_objects_are_not_requested() {
    let store = WatchedStore::default();
    for nth in 0..100 {
        store.keep(&format!("{nth:02}.wasm"), numbered_module(nth / 2)); // pairs that differ in their names only
    }
    store.keep(
        "a.tgz",
        gzip(&tar(&[("a.wasm".to_owned(), numbered_module(1)), ("b.wasm".to_owned(), numbered_module(2))])),
    );
    store.keep("text", "text");
    let store = Arc::new(store);
    let before = of(&store);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    fs::write(&path, &before.text).unwrap();
    let since = || default_audit().with_baseline(Baseline::open(&path).unwrap()).unwrap();

    store.forget();
    let again = Answer::run(&since(), &roots(&store));
    again.assert_same(&before);
    assert_eq!((store.requests(), store.requests_for("text")), (1, 1), "what has no row is looked at again");

    store.keep("41.wasm", numbered_module(7));
    let whole = of(&store);
    store.forget();
    Answer::run(&since(), &roots(&store)).assert_same(&whole);
    assert_eq!((store.requests(), store.requests_for("41.wasm")), (2, 1));
}

#[test]
fn vanished_and_changed_objects_have_rows() {
    let fill = |store: WatchedStore| {
        Arc::new(
            store.with("a.wasm", numbered_module(0)).with("b.wasm", large_module(0)).with("c.wasm", numbered_module(1)),
        )
    };
    let vanished = of(&fill(WatchedStore { vanishes: Some("b.wasm"), ..WatchedStore::default() }));
    let row = vanished.row("b.wasm");
    assert_eq!((codes(&row), &row["outcome"]), (vec!["unreadable"], &"unread".into()));
    assert!(row.to_string().contains("the object does not exist"), "{row}");
    assert_eq!(vanished.rows().len(), 3);

    let changed = of(&fill(WatchedStore { changes: Some("b.wasm"), ..WatchedStore::default() }));
    let row = changed.row("b.wasm");
    assert!(codes(&row).contains(&"changed") && row["outcome"] == "unread", "{row}");
    assert!(row["accepted"] == false && changed.rows().len() == 3);
}

/// The row has a message, and no secret of the store.
#[test]
fn bad_answers_are_reported_without_secrets() {
    let archive = tar(&[("a.wasm".to_owned(), large_module(0)), ("b.wasm".to_owned(), large_module(1))]);
    for (bad_answer, says) in [
        (BadAnswer::Cut, "the connection was lost"),
        (BadAnswer::Breaks, "http://host/"),
        (BadAnswer::More, "the response is not the requested range"),
        (BadAnswer::Elsewhere, "the response is not the requested range"),
        (BadAnswer::Denied, "access denied (403)"),
    ] {
        for (path, bytes) in [("b.wasm", large_module(0)), ("b.tar", archive.clone())] {
            for hashes in [false, true] {
                let store = WatchedStore { bad_answer: Some((path, bad_answer)), ..WatchedStore::default() };
                let store = Arc::new(
                    store.with("a.wasm", numbered_module(0)).with(path, &bytes).with("c.wasm", numbered_module(1)),
                );
                let answer = Answer::run(&default_audit().with_hashing(hashes), &roots(&store));
                let rows = answer.rows();
                let of_bad = |row: &&Value| row["file"].as_str().unwrap().contains(path);
                let is_told = |row: &Value| row["accepted"] == false && row.to_string().contains(says);
                // Bytes after the end of an archive are not read.
                let is_read = !(matches!(bad_answer, BadAnswer::More) && path == "b.tar");
                assert_eq!(
                    rows.iter().filter(of_bad).any(is_told),
                    is_read,
                    "{path} {bad_answer:?} {hashes} {rows:#?}"
                );
                assert!(!answer.text.contains("5ec12e7"), "{}", answer.text);
                assert!(["store/a.wasm", "c.wasm"].iter().all(|path| answer.row(path)["outcome"] == "complete"));
            }
        }
    }
}

/// A stop waits neither for an answer nor for the rest of one.
#[test]
fn stop_does_not_wait_for_a_store() {
    let archive = tar(&[("a.wasm".to_owned(), large_module(0)), ("b.wasm".to_owned(), large_module(1))]);
    for (path, bytes) in [("b.wasm", large_module(0)), ("b.tar", archive)] {
        for bad_answer in [BadAnswer::Silent, BadAnswer::Hangs] {
            let store = WatchedStore { bad_answer: Some((path, bad_answer)), ..WatchedStore::default() };
            let store = Arc::new(store.with("a.wasm", numbered_module(0)).with(path, &bytes));
            let progress = Arc::new(Progress::new());
            let (ends, ended) = mpsc::channel();
            let (waiting, requests) = (Arc::clone(&progress), Arc::clone(&store));
            thread::spawn(move || {
                let outcome =
                    default_audit().run(&roots(&store), Some(Format::Jsonl), &mut io::sink(), &waiting).unwrap();
                _ = ends.send(outcome); // the receiver may have timed out
            });
            while requests.requests_for(path) < 2 {
                thread::sleep(Duration::from_millis(1));
            }
            progress.stop();
            let outcome =
                ended.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{path} {bad_answer:?}"));
            assert!(
                outcome.stop.is_some() && outcome.summary.refused == 0,
                "{path} {bad_answer:?} {:?}",
                outcome.summary
            );
        }
    }
}

#[test]
fn several_stores_are_walked_in_order() {
    let [one, other] = [0, 1].map(|nth| Arc::new(WatchedStore::default().with("a.wasm", numbered_module(nth))));
    let root = |store: &Arc<WatchedStore>, base_url| Root::objects(Arc::clone(store) as _, "", base_url).unwrap();
    let answer = Answer::run(&default_audit(), &[root(&one, "memory://one/"), root(&other, "memory://other/")]);
    let files: Vec<_> = answer.rows().iter().map(|row| row["file"].clone()).collect();
    assert_eq!(files, ["memory://one/a.wasm", "memory://other/a.wasm"]);
}

/// The state of an object without tags is its modification time.
#[test]
fn objects_without_tags_are_reused() {
    let bytes = |license: &str| module(&[custom("licenses", license)]);
    let store = Arc::new(WatchedStore { is_untagged: true, ..WatchedStore::default() }.with("a.wasm", bytes("MIT")));
    let before = of(&store);
    let report = Store::new().with("report", &before.text);
    let since = || default_audit().with_baseline(Baseline::open(report.path("report")).unwrap()).unwrap();
    store.forget();
    Answer::run(&since(), &roots(&store)).assert_same(&before);
    assert_eq!(store.requests(), 0);
    store.keep("a.wasm", bytes("ISC")); // of the same length
    store.written.store(1, Ordering::SeqCst);
    let row = Answer::run(&since(), &roots(&store)).row("a.wasm");
    assert_eq!(row["item"]["annotations"]["licenses"], "ISC", "{row}");
    assert!(row["state"].as_str().unwrap().contains(":1::"), "{row}");
}

/// The limits apply to streamed archives and to buffered ones.
#[test]
fn remote_archive_over_the_limit_is_not_requested() {
    let tarred = tar(&[("a.wasm".to_owned(), large_module(0))]);
    let zipped = zip(&[("a.wasm".to_owned(), module(&[section(10, &noise(480_000))]))]);
    let store = Arc::new(WatchedStore::default().with("a.tar", &tarred).with("b.zip", &zipped));
    let limited = |inflated: usize, held: usize| {
        let mut options = WalkOptions::default();
        (options.max_inflated, options.max_held_bytes) = (inflated as u64, held as u64);
        store.forget();
        let answer = Answer::run(&default_audit().with_walk(options), &roots(&store));
        (answer, store.requests())
    };
    let (answer, requests) = limited(tarred.len(), zipped.len());
    assert_eq!((answer.outcome.summary.accepted, requests), (2, 4), "{}", answer.text);
    let (answer, requests) = limited(tarred.len() - 1, zipped.len() - 1);
    assert_eq!((answer.rows().len(), requests), (2, 2), "{}", answer.text);
    for row in answer.rows() {
        assert!(codes(&row) == ["archive-limit"] && row.to_string().contains("the limit for remote archives"), "{row}");
    }
}

#[test]
fn changed_remote_archive_is_not_complete() {
    let entries: Vec<_> = (0..8).map(|nth| (format!("{nth}.wasm"), large_module(nth))).collect();
    let store =
        Arc::new(WatchedStore { changes: Some("a.tar"), ..WatchedStore::default() }.with("a.tar", tar(&entries)));
    let answer = of(&store);
    let rows = answer.rows();
    assert!(
        rows.iter().any(|row| row["file"] == "memory://store/a.tar" && codes(row).contains(&"changed")),
        "{rows:#?}"
    );
    assert!(!answer.text.contains("\"archive\":"), "these are not all rows");
}

/// The panic reaches the caller soon, although rows are missing.
#[test]
fn panic_in_a_store_ends_the_audit() {
    for threads in [1, 3] {
        let store = WatchedStore { panics: Some("0003.wasm"), is_slow: true, ..WatchedStore::default() };
        for nth in 0..2_000 {
            store.keep(&format!("{nth:04}.wasm"), numbered_module(0));
        }
        let store = Arc::new(store);
        let (ends, ended) = mpsc::channel();
        thread::spawn(move || {
            let audit = in_flight(default_audit().with_threads(threads), 1);
            let run = || audit.run(&roots(&store), Some(Format::Jsonl), &mut io::sink(), &Progress::new());
            let panicked = panic::catch_unwind(panic::AssertUnwindSafe(run)).is_err();
            ends.send((panicked, store.requests())).unwrap();
        });
        let (panicked, requests) = ended.recv_timeout(Duration::from_secs(60)).expect("it ends");
        assert!(panicked && requests < 1_000, "{panicked} {requests}");
    }
}

#[test]
fn failed_listing_is_reported_after_its_objects() {
    let store = WatchedStore { listing_fails_after: Some(50), ..WatchedStore::default() };
    for nth in 0..100 {
        store.keep(&format!("{nth:02}.wasm"), numbered_module(nth));
    }
    let answer = of(&Arc::new(store));
    let rows = answer.rows();
    assert_eq!((rows.len(), &rows[50]["file"]), (51, &BASE_URL.into()));
    assert_eq!(codes(&rows[50]), ["unreadable"]);
    assert!(rows[50].to_string().contains("failed before its end") && !answer.text.contains("5ec12e7"), "{}", rows[50]);
}

/// The listing of a store, as its caller has it.
fn listing(store: &Arc<WatchedStore>) -> Vec<ListedObject> {
    let listed = |meta: ObjectMeta| ListedObject {
        key: meta.location.to_string(),
        size: Some(meta.size),
        etag: meta.e_tag,
        modified: meta.last_modified.into(),
    };
    let mut objects: Vec<_> = wait(store.inner.list(None).map(|meta| listed(meta.unwrap())).collect());
    objects.sort_by(|one, other| one.key.cmp(&other.key));
    objects
}

/// Each object has the row that it has if the audit lists the store, in any split over processes.
#[test]
fn objects_listed_by_the_caller_have_the_same_rows() {
    let files = Store::large();
    let store = Arc::new(WatchedStore::default().filled(files.paths()[0].as_path().unwrap()));
    let whole = of(&store);
    let objects = listing(&store);
    let audit = |objects: Vec<ListedObject>| {
        let [root] = roots(&store);
        Answer::run(&default_audit(), &[root.with_listing(objects).unwrap()])
    };
    let listed = audit(objects.clone());
    assert_eq!(listed.text, whole.text);
    let (mut rows, mut summary) = (Vec::new(), Summary::default());
    for part in objects.chunks(objects.len() / 3) {
        let part = audit(part.to_vec());
        rows.extend(part.rows());
        summary.merge(Summary::from_json(&part.outcome.summary.to_json()).unwrap());
    }
    assert_eq!(rows, whole.rows());
    assert_eq!(summary, whole.outcome.summary);
    assert_eq!(summary.to_json(), whole.outcome.summary.to_json());
}

#[test]
fn stale_listings_and_unusual_keys_have_findings() {
    let store = Arc::new(WatchedStore::default().with("a.wasm", numbered_module(0)).with("b.wasm", numbered_module(1)));
    let mut objects = listing(&store);
    objects[0].size = objects[0].size.map(|size| size + 1);
    objects[1].key = "gone.wasm".to_owned();
    let sizes = [Some(8), None, Some(0), None];
    let unusual = ["/a.wasm", "a//b.wasm", "c/../a.wasm", ""].into_iter().zip(sizes).map(|(key, size)| ListedObject {
        key: key.to_owned(),
        size,
        etag: None,
        modified: SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40),
    });
    let far = ListedObject {
        key: "b.wasm".to_owned(),
        size: Some(1),
        etag: None,
        modified: SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60),
    };
    assert!(objects[0].is_requestable() && unusual.clone().all(|object| !object.is_requestable()));
    objects.extend(unusual);
    objects.push(far);
    let [root] = roots(&store);
    let answer = Answer::run(&default_audit(), &[root.with_listing(objects).unwrap()]);
    let rows = answer.rows();
    let found: Vec<_> = rows.iter().map(|row| codes(row)[0]).collect();
    let invalid = ["unreadable"; 4];
    assert_eq!(found, [&["changed", "unreadable"], &invalid[..], &["changed"]].concat());
    assert!(Root::from("store").with_listing([]).is_err());
    let [root] = roots(&store);
    assert!(Answer::run(&default_audit(), &[root.with_listing([]).unwrap()]).rows().is_empty());
}

#[test]
fn prefix_matches_whole_segments_or_one_object() {
    let store = WatchedStore::default()
        .with("app/a.wasm", numbered_module(0))
        .with("apple.wasm", numbered_module(1))
        .with("app/b/c.wasm", numbered_module(2));
    let store = Arc::new(store);
    let files = |prefix: &str| {
        let answer =
            Answer::run(&default_audit(), &[Root::objects(Arc::clone(&store) as _, prefix, BASE_URL).unwrap()]);
        answer.rows().iter().map(|row| row["file"].as_str().unwrap().replace(BASE_URL, "")).collect::<Vec<_>>()
    };
    assert_eq!(files("app"), ["app/a.wasm", "app/b/c.wasm"]);
    assert_eq!(files("app/"), ["app/a.wasm", "app/b/c.wasm"]);
    assert_eq!(files("apple.wasm"), ["apple.wasm"]);
    let none = Answer::run(&default_audit(), &[Root::objects(Arc::clone(&store) as _, "nothing", BASE_URL).unwrap()]);
    assert_eq!(codes(&none.row("nothing/")), ["unreadable"]);
}

#[test]
fn object_names_are_valid_urls() {
    let keys =
        ["a b.wasm", "100%.wasm", "a%20b.wasm", "ü/?#&+.wasm", "{x}|\\^`\"<>.wasm", "%2e%2e/a.wasm", "a:b@c!.wasm"];
    let store = keys.iter().fold(WatchedStore::default(), |store, key| store.with(key, numbered_module(0)));
    let answer = of(&Arc::new(store));
    assert_eq!(answer.rows().len(), keys.len());
    for row in answer.rows() {
        let url = row["file"].as_str().unwrap();
        let parsed = reqwest::Url::parse(url).unwrap();
        let path = Path::from_url_path(parsed.path()).unwrap();
        assert!(keys.contains(&path.as_ref()) && parsed.as_str() == url, "{url}");
    }
}

#[test]
fn roots_that_cannot_be_listed_are_errors() {
    for (url, says) in [
        ("https://user:5ec12e7@example.com/", "user"),
        ("https://example.com/store/", "web server"),
        ("oci://example.com/team", "registry"),
        ("gopher://example.com/", "gopher"),
    ] {
        let error = Root::url(url, &RemoteOptions::default()).unwrap_err();
        assert!(error.to_string().contains(says) && !format!("{error:?}").contains("5ec12e7"), "{error:?}");
    }
    for base_url in ["no URL", "memory:store", "memory://store/a"] {
        let error = Root::objects(Arc::new(InMemory::new()), "", base_url).unwrap_err();
        assert!(matches!(error, RemoteError::InvalidUrl(_)), "{base_url} {error:?}");
    }
    let root = Root::objects(Arc::new(InMemory::new()), "app", BASE_URL).unwrap();
    assert!(format!("{root:?}").contains("memory://store/app/"), "{root:?}");
    let store = Store::new().with("a.wasm", numbered_module(0));
    let url = reqwest::Url::from_directory_path(store.paths()[0].as_path().unwrap()).unwrap();
    let answer = Answer::run(&default_audit(), &[Root::url(url.as_str(), &RemoteOptions::default()).unwrap()]);
    answer.row("a.wasm");
    assert_eq!(audit_store(&store).rows().len(), answer.rows().len());
}
