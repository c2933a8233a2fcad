//! Objects of a store that is far away: the same rows as of files, in the order of their names, with few requests.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::mem;
use std::panic;
use std::path::Path as FilePath;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use sectile::audit::{Audit, Earlier, Form, Progress, Root, WalkOptions};
use sectile::remote::object_store::memory::InMemory;
use sectile::remote::object_store::path::Path;
use sectile::remote::object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use sectile::remote::{RemoteError, RemoteOptions};
use serde_json::Value;

use super::store::{Store, binary, gzip, tar, zip};
use super::{Answer, audited, codes, plain};
use crate::support::binary::{custom, module, section};
use crate::support::parts::part;
use crate::support::server::{Reply, Server};

/// A store in memory that notes what it is asked, and does what stores do in the field.
#[derive(Debug, Default)]
struct Watched {
    inner: InMemory,
    /// Requests for each object.
    asked: Mutex<HashMap<String, usize>>,
    now: AtomicUsize,
    /// Requests at once, at the most.
    most: AtomicUsize,
    listed: Arc<AtomicUsize>,
    /// Objects that were listed, and nothing asked of, at the most.
    ahead: AtomicUsize,
    /// How long each request takes, in milliseconds, depends on its place.
    is_slow: bool,
    /// The listing fails behind so many objects.
    breaks_behind: Option<usize>,
    /// The object that is another one from its second request on.
    changes: Option<&'static str>,
    /// The object that nobody may ask for.
    panics: Option<&'static str>,
    /// The object that is gone once it is listed.
    vanishes: Option<&'static str>,
    /// The object of which all answers but the first are no good.
    odd: Option<(&'static str, Odd)>,
    /// Whether nothing is said of objects but when they were written to, in seconds.
    is_untagged: bool,
    written: AtomicU64,
    /// Whether something was replaced.
    is_done: AtomicBool,
}

/// What an answer is that is no good.
#[derive(Clone, Copy, Debug)]
enum Odd {
    /// It ends early.
    Cut,
    /// It breaks.
    Breaks,
    /// It has more than it says.
    More,
    /// It is another part.
    Elsewhere,
    /// Its bytes never come.
    Hangs,
    /// There is none.
    Silent,
    Denied,
}

impl Odd {
    fn of(self, mut answer: GetResult) -> Result<GetResult> {
        let empty = GetResultPayload::Stream(stream::empty().boxed());
        let GetResultPayload::Stream(pieces) = mem::replace(&mut answer.payload, empty) else { panic!("no stream") };
        let pieces: Vec<_> = wait_within(pieces.collect());
        let (last, most) =
            pieces.split_last().map(|(last, most)| (last.as_ref().unwrap().clone(), most.len())).unwrap();
        let most = stream::iter(pieces).take(most);
        answer.payload = GetResultPayload::Stream(match self {
            Self::Cut => most.boxed(),
            Self::Breaks => most.chain(stream::iter([Err(broken())])).boxed(),
            Self::More => most.chain(stream::iter([Ok(last.clone()), Ok(last)])).boxed(),
            Self::Hangs => most.chain(stream::pending()).boxed(),
            Self::Elsewhere => {
                answer.range = answer.range.start + 1..answer.range.end + 1;
                most.chain(stream::iter([Ok(last)])).boxed()
            }
            Self::Silent => unreachable!("it has no answer"),
            Self::Denied => {
                return Err(Error::PermissionDenied { path: "5ec12e7".to_owned(), source: "5ec12e7".into() });
            }
        });
        Ok(answer)
    }
}

/// What a store says of an object that has no tags.
fn untagged(meta: ObjectMeta, written: u64) -> ObjectMeta {
    let last_modified = (SystemTime::UNIX_EPOCH + Duration::from_secs(written)).into();
    ObjectMeta { e_tag: None, last_modified, ..meta }
}

fn broken() -> Error {
    Error::Generic { store: "watched", source: "it says http://me:5ec12e7@host/?key=5ec12e7".into() }
}

/// In pieces, as from a network, some of them empty.
fn in_pieces(mut answer: GetResult) -> GetResult {
    let empty = GetResultPayload::Stream(stream::empty().boxed());
    let GetResultPayload::Stream(whole) = mem::replace(&mut answer.payload, empty) else { panic!("no stream") };
    let pieces = whole.flat_map(|whole| {
        let whole = whole.unwrap();
        let pieces: Vec<_> = whole.chunks(40_000).map(|piece| whole.slice_ref(piece)).collect();
        stream::iter([whole.slice(..0)].into_iter().chain(pieces).map(Ok))
    });
    answer.payload = GetResultPayload::Stream(pieces.boxed());
    answer
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("watched")
    }
}

impl Watched {
    fn with(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.keep(path, bytes);
        self
    }

    fn keep(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = Path::parse(path).unwrap();
        wait(self.inner.put(&path, PutPayload::from(bytes.as_ref().to_vec()))).unwrap();
    }

    /// With all that lies in a directory.
    fn filled(self, directory: &FilePath) -> Self {
        for entry in walkdir::WalkDir::new(directory).into_iter().map(std::result::Result::unwrap) {
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(directory).unwrap().to_str().unwrap();
                self.keep(path, fs::read(entry.path()).unwrap());
            }
        }
        self
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().values().sum()
    }

    fn asked_for(&self, path: &str) -> usize {
        self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let (nth, all) = {
            let mut asked = self.asked.lock().unwrap();
            let nth = asked.entry(path.to_string()).or_default();
            *nth += 1;
            (*nth, asked.len())
        };
        self.ahead.fetch_max(self.listed.load(Ordering::SeqCst).saturating_sub(all), Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        if self.is_slow {
            let place = path.as_ref().bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            tokio::time::sleep(Duration::from_millis(place % 12)).await;
        }
        assert_ne!(self.panics, Some(path.as_ref()), "as this store does");
        if self.changes == Some(path.as_ref()) && nth > 1 && !self.is_done.swap(true, Ordering::SeqCst) {
            self.inner.put(path, PutPayload::from(large(1))).await?;
        }
        let answer = self.inner.get_opts(path, options).await.map(in_pieces);
        self.now.fetch_sub(1, Ordering::SeqCst);
        let mut answer = answer?;
        if self.is_untagged {
            answer.meta = untagged(answer.meta, self.written.load(Ordering::SeqCst));
        }
        match self.odd.filter(|(of, _)| nth > 1 && *of == path.as_ref()) {
            None => Ok(answer),
            Some((_, Odd::Silent)) => std::future::pending().await,
            Some((_, odd)) => odd.of(answer),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed: Vec<_> = wait_within(self.inner.list(prefix).collect());
        let count = Arc::clone(&self.listed);
        let is_untagged = self.is_untagged;
        let written = self.written.load(Ordering::SeqCst);
        let listed = stream::iter(listed)
            .map(move |meta| if is_untagged { meta.map(|meta| untagged(meta, written)) } else { meta });
        let counted = listed.inspect(move |_| _ = count.fetch_add(1, Ordering::SeqCst));
        if let Some(path) = self.vanishes {
            wait_within(self.inner.delete(&path.into())).unwrap();
        }
        match self.breaks_behind {
            None => counted.boxed(),
            Some(many) => counted.take(many).chain(stream::iter([Err(broken())])).boxed(),
        }
    }

    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "put".to_owned(), implementer: "watched".to_owned() })
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// Waits where memory alone is asked.
fn wait_within<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("memory makes nobody wait"),
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    wait_within(future)
}

const CALLED: &str = "memory://store/";

fn roots(store: &Arc<Watched>) -> [Root; 1] {
    [Root::objects(Arc::clone(store) as _, "", CALLED).unwrap()]
}

fn of(store: &Arc<Watched>) -> Answer {
    Answer::of(&plain(), &roots(store))
}

fn in_flight(audit: Audit, in_flight: usize) -> Audit {
    let mut options = WalkOptions::default();
    options.in_flight = in_flight;
    audit.with_walk(options)
}

/// A module whose metadata lies at both ends, and that is more than one window.
fn large(fill: u8) -> Vec<u8> {
    module(&[custom("licenses", "MIT"), section(10, &vec![fill; 300_000]), custom("vendor", "v")])
}

/// What rows say, without what depends on where it lies.
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
fn objects_have_the_rows_of_files() {
    let files = Store::large();
    files.put("07/large.wasm", large(0));
    files.put("07/large.wasm.gz", gzip(&large(0)));
    files.put("07/large.tar", tar(&[("a.wasm".to_owned(), large(0)), ("b.wasm".to_owned(), large(1))]));
    files.put("07/large.zip", zip(&[("a.wasm".to_owned(), large(0)), ("b".to_owned(), vec![7; 100_000])]));
    files.put("08/empty", "");
    files.put("08/empty.wasm", "");
    files.put("08/none.wasm", "no module");
    files.put("08/cut.wasm", &large(0)[..200_000]);
    files.put("08/cut.tgz", &gzip(&tar(&[("a.wasm".to_owned(), large(3))]))[..200]);
    let store = Arc::new(Watched::default().filled(files.paths()[0].as_path().unwrap()));
    let base = format!("{}/", files.paths()[0].as_path().unwrap().display());
    for hashes in [false, true] {
        let of_files = Answer::of(&plain().hashing(hashes), &files.paths());
        let of_objects = Answer::of(&plain().hashing(hashes), &roots(&store));
        let (expected, is) = (facts(&of_files, &base), facts(&of_objects, CALLED));
        assert!(expected.len() > 400);
        for (expected, is) in expected.iter().zip(&is) {
            assert_eq!(is, expected, "{hashes}");
        }
        assert_eq!(is.len(), expected.len());
        let (is, was) = (&of_objects.audited.summary, &of_files.audited.summary);
        assert_eq!((is.passed, is.archives, is.bytes), (was.passed, was.archives, was.bytes));
    }
}

#[test]
fn little_is_asked_for() {
    let store = Watched::default().with("large.wasm", large(0)).with("small.wasm", binary(0)).with("empty", "");
    let store =
        Arc::new(store.with("text", vec![b'x'; 1 << 20]).with("small.tgz", gzip(&tar(&[("a".to_owned(), binary(0))]))));
    let answer = of(&store);
    let asked = ["empty", "large.wasm", "small.tgz", "small.wasm", "text"].map(|path| store.asked_for(path));
    assert_eq!(asked, [0, 2, 1, 1, 1]);
    assert!(answer.audited.summary.passed_bytes == 64 << 10 && answer.progress.bytes_read() < 300_000);
}

#[test]
fn the_order_is_that_of_names_whatever_the_timing() {
    let fill = |store: Watched| {
        for nth in 0..300 {
            store.keep(&format!("{:02}/{nth}.wasm", nth % 7), binary(nth));
        }
        Arc::new(store)
    };
    let expected = Answer::of(&in_flight(plain().on_threads(1), 1), &roots(&fill(Watched::default())));
    let body = |answer: &Answer| facts(answer, CALLED);
    let files: Vec<_> = expected.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    assert!(files.is_sorted() && files.len() == 300);
    for (threads, many) in [(1, 7), (3, 5), (2, 200)] {
        let store = fill(Watched { is_slow: true, ..Watched::default() });
        let answer = Answer::of(&in_flight(plain().on_threads(threads), many), &roots(&store));
        assert_eq!(body(&answer), body(&expected));
        let most = store.most.load(Ordering::SeqCst);
        assert!(most > many / 2 && most <= threads * many, "{most} at once on {threads} threads");
    }
}

#[test]
fn ten_thousand_objects_stream_through() {
    let store = Watched::default();
    for nth in 0..10_000 {
        store.keep(&format!("{nth:05}.wasm"), binary(nth % 100));
    }
    let store = Arc::new(store);
    let answer = of(&store);
    let files: Vec<_> = answer.rows().iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    assert!(files.len() == 10_000 && files.is_sorted());
    assert_eq!(store.asked(), 10_000);
    let ahead = store.ahead.load(Ordering::SeqCst);
    assert!(ahead < 500, "{ahead} were listed before they were asked for");
}

#[test]
fn what_is_known_costs_no_request() {
    let store = Watched::default();
    for nth in 0..100 {
        store.keep(&format!("{nth:02}.wasm"), binary(nth / 2)); // pairs that differ in nothing but their names
    }
    store.keep("a.tgz", gzip(&tar(&[("a.wasm".to_owned(), binary(1)), ("b.wasm".to_owned(), binary(2))])));
    store.keep("text", "text");
    let store = Arc::new(store);
    let before = of(&store);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    fs::write(&path, &before.text).unwrap();
    let since = || plain().since(Earlier::open(&path).unwrap()).unwrap();

    store.forget();
    let again = Answer::of(&since(), &roots(&store));
    again.is_as(&before);
    assert_eq!((store.asked(), store.asked_for("text")), (1, 1), "what has no row is looked at again");

    store.keep("41.wasm", binary(7));
    let whole = of(&store);
    store.forget();
    Answer::of(&since(), &roots(&store)).is_as(&whole);
    assert_eq!((store.asked(), store.asked_for("41.wasm")), (2, 1));
}

#[test]
fn what_vanishes_or_changes_is_a_row_and_no_more() {
    let fill =
        |store: Watched| Arc::new(store.with("a.wasm", binary(0)).with("b.wasm", large(0)).with("c.wasm", binary(1)));
    let vanished = of(&fill(Watched { vanishes: Some("b.wasm"), ..Watched::default() }));
    let row = vanished.row("b.wasm");
    assert_eq!((codes(&row), &row["outcome"]), (vec!["unreadable"], &"unread".into()));
    assert!(row.to_string().contains("there is no such object"), "{row}");
    assert_eq!(vanished.rows().len(), 3);

    let changed = of(&fill(Watched { changes: Some("b.wasm"), ..Watched::default() }));
    let row = changed.row("b.wasm");
    assert!(codes(&row).contains(&"changed") && row["outcome"] == "partial", "{row}");
    assert!(row["accepted"] == false && changed.rows().len() == 3);
}

/// What its row says, and nothing that the store said of a secret.
#[test]
fn answers_that_are_no_good_are_told_apart() {
    let archive = tar(&[("a.wasm".to_owned(), large(0)), ("b.wasm".to_owned(), large(1))]);
    for (odd, says) in [
        (Odd::Cut, "the connection breaks"),
        (Odd::Breaks, "http://host/"),
        (Odd::More, "not the part that was asked for"),
        (Odd::Elsewhere, "not the part that was asked for"),
        (Odd::Denied, "answers 403"),
    ] {
        for (path, bytes) in [("b.wasm", large(0)), ("b.tar", archive.clone())] {
            for hashes in [false, true] {
                let store = Watched { odd: Some((path, odd)), ..Watched::default() };
                let store = Arc::new(store.with("a.wasm", binary(0)).with(path, &bytes).with("c.wasm", binary(1)));
                let answer = Answer::of(&plain().hashing(hashes), &roots(&store));
                let rows = answer.rows();
                let of_odd = |row: &&Value| row["file"].as_str().unwrap().contains(path);
                let is_told = |row: &Value| row["accepted"] == false && row.to_string().contains(says);
                // What comes behind the end of an archive nobody reads.
                let is_read = !(matches!(odd, Odd::More) && path == "b.tar");
                assert_eq!(rows.iter().filter(of_odd).any(is_told), is_read, "{path} {odd:?} {hashes} {rows:#?}");
                assert!(!answer.text.contains("5ec12e7"), "{}", answer.text);
                assert!(["store/a.wasm", "c.wasm"].iter().all(|path| answer.row(path)["outcome"] == "complete"));
            }
        }
    }
}

/// One that does not answer, or breaks off without an end, keeps nobody who stops.
#[test]
fn who_stops_does_not_wait_for_a_store() {
    let archive = tar(&[("a.wasm".to_owned(), large(0)), ("b.wasm".to_owned(), large(1))]);
    for (path, bytes) in [("b.wasm", large(0)), ("b.tar", archive)] {
        for odd in [Odd::Silent, Odd::Hangs] {
            let store = Watched { odd: Some((path, odd)), ..Watched::default() };
            let store = Arc::new(store.with("a.wasm", binary(0)).with(path, &bytes));
            let progress = Arc::new(Progress::new());
            let (ends, ended) = mpsc::channel();
            let (waiting, asked) = (Arc::clone(&progress), Arc::clone(&store));
            thread::spawn(move || {
                let audited = plain().run(&roots(&store), Some(Form::Jsonl), &mut io::sink(), &waiting).unwrap();
                _ = ends.send(audited); // to nobody, where that was given up
            });
            while asked.asked_for(path) < 2 {
                thread::sleep(Duration::from_millis(1));
            }
            progress.stop();
            let audited = ended.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{path} {odd:?}"));
            assert!(audited.stop.is_some() && audited.summary.refused == 0, "{path} {odd:?} {:?}", audited.summary);
        }
    }
}

#[test]
fn several_stores_are_walked_one_after_the_other() {
    let [one, other] = [0, 1].map(|nth| Arc::new(Watched::default().with("a.wasm", binary(nth))));
    let root = |store: &Arc<Watched>, called| Root::objects(Arc::clone(store) as _, "", called).unwrap();
    let answer = Answer::of(&plain(), &[root(&one, "memory://one/"), root(&other, "memory://other/")]);
    let files: Vec<_> = answer.rows().iter().map(|row| row["file"].clone()).collect();
    assert_eq!(files, ["memory://one/a.wasm", "memory://other/a.wasm"]);
}

/// A store that gives no tags says when an object was written to.
#[test]
fn objects_without_tags_are_known_again() {
    let bytes = |licence: &str| module(&[custom("licenses", licence)]);
    let store = Arc::new(Watched { is_untagged: true, ..Watched::default() }.with("a.wasm", bytes("MIT")));
    let before = of(&store);
    let report = Store::new().with("report", &before.text);
    let since = || plain().since(Earlier::open(report.path("report")).unwrap()).unwrap();
    store.forget();
    Answer::of(&since(), &roots(&store)).is_as(&before);
    assert_eq!(store.asked(), 0);
    store.keep("a.wasm", bytes("ISC")); // of the same length
    store.written.store(1, Ordering::SeqCst);
    let row = Answer::of(&since(), &roots(&store)).row("a.wasm");
    assert_eq!(row["item"]["annotations"]["licenses"], "ISC", "{row}");
    assert!(row["state"].as_str().unwrap().contains(":1::"), "{row}");
}

/// What comes as a stream is not read without end; nor is what is to be held.
#[test]
fn an_archive_that_is_too_large_far_away_is_not_asked_for() {
    let tarred = tar(&[("a.wasm".to_owned(), large(0))]);
    let noise: Vec<u8> = (0..37_000_u64).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).collect();
    let zipped = zip(&[("a.wasm".to_owned(), module(&[section(10, &noise)]))]);
    let store = Arc::new(Watched::default().with("a.tar", &tarred).with("b.zip", &zipped));
    let limited = |inflated: usize, held: usize| {
        let mut options = WalkOptions::default();
        (options.inflated, options.held) = (inflated as u64, held as u64);
        store.forget();
        let answer = Answer::of(&plain().with_walk(options), &roots(&store));
        (answer, store.asked())
    };
    let (answer, asked) = limited(tarred.len(), zipped.len());
    assert_eq!((answer.audited.summary.accepted, asked), (2, 4), "{}", answer.text);
    let (answer, asked) = limited(tarred.len() - 1, zipped.len() - 1);
    assert_eq!((answer.rows().len(), asked), (2, 2), "{}", answer.text);
    for row in answer.rows() {
        assert!(codes(&row) == ["archive-limit"] && row.to_string().contains("looked into far away"), "{row}");
    }
}

#[test]
fn an_archive_that_changes_is_not_believed() {
    let entries: Vec<_> = (0..8).map(|nth| (format!("{nth}.wasm"), large(nth))).collect();
    let store = Arc::new(Watched { changes: Some("a.tar"), ..Watched::default() }.with("a.tar", tar(&entries)));
    let answer = of(&store);
    let rows = answer.rows();
    assert!(
        rows.iter().any(|row| row["file"] == "memory://store/a.tar" && codes(row).contains(&"changed")),
        "{rows:#?}"
    );
    assert!(!answer.text.contains("\"archive\":"), "these are not all rows");
}

/// The panic is that of who runs the audit, soon, whatever waits for rows that will not come.
#[test]
fn a_store_that_panics_ends_the_audit() {
    for threads in [1, 3] {
        let store = Watched { panics: Some("0003.wasm"), is_slow: true, ..Watched::default() };
        for nth in 0..2_000 {
            store.keep(&format!("{nth:04}.wasm"), binary(0));
        }
        let store = Arc::new(store);
        let (ends, ended) = mpsc::channel();
        thread::spawn(move || {
            let audit = in_flight(plain().on_threads(threads), 1);
            let run = || audit.run(&roots(&store), Some(Form::Jsonl), &mut io::sink(), &Progress::new());
            let panicked = panic::catch_unwind(panic::AssertUnwindSafe(run)).is_err();
            ends.send((panicked, store.asked())).unwrap();
        });
        let (panicked, asked) = ended.recv_timeout(Duration::from_secs(60)).expect("it ends");
        assert!(panicked && asked < 1_000, "{panicked} {asked}");
    }
}

#[test]
fn a_listing_that_breaks_off_is_told_and_what_came_before_is_there() {
    let store = Watched { breaks_behind: Some(50), ..Watched::default() };
    for nth in 0..100 {
        store.keep(&format!("{nth:02}.wasm"), binary(nth));
    }
    let answer = of(&Arc::new(store));
    let rows = answer.rows();
    assert_eq!((rows.len(), &rows[50]["file"]), (51, &CALLED.into()));
    assert_eq!(codes(&rows[50]), ["unreadable"]);
    assert!(rows[50].to_string().contains("breaks off") && !answer.text.contains("5ec12e7"), "{}", rows[50]);
}

#[test]
fn a_prefix_is_of_whole_segments_and_may_be_one_object() {
    let store =
        Watched::default().with("app/a.wasm", binary(0)).with("apple.wasm", binary(1)).with("app/b/c.wasm", binary(2));
    let store = Arc::new(store);
    let files = |prefix: &str| {
        let answer = Answer::of(&plain(), &[Root::objects(Arc::clone(&store) as _, prefix, CALLED).unwrap()]);
        answer.rows().iter().map(|row| row["file"].as_str().unwrap().replace(CALLED, "")).collect::<Vec<_>>()
    };
    assert_eq!(files("app"), ["app/a.wasm", "app/b/c.wasm"]);
    assert_eq!(files("app/"), ["app/a.wasm", "app/b/c.wasm"]);
    assert_eq!(files("apple.wasm"), ["apple.wasm"]);
    let none = Answer::of(&plain(), &[Root::objects(Arc::clone(&store) as _, "nothing", CALLED).unwrap()]);
    assert_eq!(codes(&none.row("nothing/")), ["unreadable"]);
}

#[test]
fn an_object_is_called_as_it_can_be_opened() {
    let keys =
        ["a b.wasm", "100%.wasm", "a%20b.wasm", "ü/?#&+.wasm", "{x}|\\^`\"<>.wasm", "%2e%2e/a.wasm", "a:b@c!.wasm"];
    let store = keys.iter().fold(Watched::default(), |store, key| store.with(key, binary(0)));
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
fn what_cannot_be_listed_says_so() {
    for (url, says) in [
        ("https://user:5ec12e7@example.com/", "user"),
        ("https://example.com/store/", "web server"),
        ("oci://example.com/team", "registry"),
        ("gopher://example.com/", "gopher"),
    ] {
        let error = Root::url(url, &RemoteOptions::default()).unwrap_err();
        assert!(error.to_string().contains(says) && !format!("{error:?}").contains("5ec12e7"), "{error:?}");
    }
    for called in ["no URL", "memory:store", "memory://store/a"] {
        let error = Root::objects(Arc::new(InMemory::new()), "", called).unwrap_err();
        assert!(matches!(error, RemoteError::Locator(_)), "{called} {error:?}");
    }
    let root = Root::objects(Arc::new(InMemory::new()), "app", CALLED).unwrap();
    assert!(format!("{root:?}").contains("memory://store/app/"), "{root:?}");
    let store = Store::new().with("a.wasm", binary(0));
    let url = reqwest::Url::from_directory_path(store.paths()[0].as_path().unwrap()).unwrap();
    let answer = Answer::of(&plain(), &[Root::url(url.as_str(), &RemoteOptions::default()).unwrap()]);
    answer.row("a.wasm");
    assert_eq!(audited(&store).rows().len(), answer.rows().len());
}

/// A store that lists as S3 does, and gives parts.
fn s3(objects: Vec<(&'static str, Vec<u8>)>) -> Server {
    Server::start(move |request| {
        if !request.query.contains("list-type=2") {
            let key = request.path.strip_prefix("/bucket/").unwrap();
            let found = objects.iter().find(|(name, _)| *name == key);
            return found.map_or(Reply::of(404), |(_, bytes)| {
                part(bytes, request).field("etag", "\"e\"").field("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            });
        }
        let url = reqwest::Url::parse(&format!("http://x/?{}", request.query)).unwrap();
        let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let after = asked.get("continuation-token").or(asked.get("start-after")).cloned().unwrap_or_default();
        let most = asked.get("max-keys").map_or(1000, |keys| keys.parse().unwrap());
        let prefix = asked.get("prefix").map_or("", |prefix| prefix);
        let rest: Vec<_> = objects.iter().filter(|(key, _)| *key > &*after && key.starts_with(prefix)).collect();
        let mut xml = "<ListBucketResult>".to_owned();
        for (key, bytes) in rest.iter().take(most) {
            xml += &format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>{}</Size></Contents>",
                bytes.len()
            );
        }
        if rest.len() > most {
            xml += &format!("<NextContinuationToken>{}</NextContinuationToken>", rest[most - 1].0);
        }
        Reply::of(200).field("content-type", "application/xml").body(xml + "</ListBucketResult>")
    })
}

fn command(server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sectile"));
    command.args(arguments).envs([
        ("AWS_ENDPOINT_URL", &*format!("http://{}", server.address)),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "5ec12e7"),
        ("AWS_REGION", "us-east-1"),
    ]);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_key_that_nothing_can_be_asked_for_by_hides_no_other() {
    let keys = ["a.wasm", "b/../c.wasm", "b//c.wasm", "c.wasm", "d.wasm", "e//", "f.wasm"];
    let server = s3(keys.map(|key| (key, binary(0))).to_vec());
    let (status, out, said) = command(&server, &["audit", "s3://bucket/", "--format", "jsonl"]);
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows: Vec<_> = lines.filter(|line| line.get("file").is_some()).collect();
    let outcomes: Vec<_> =
        rows.iter().map(|row| (row["file"].as_str().unwrap(), row["outcome"].as_str().unwrap())).collect();
    assert_eq!(rows.len(), keys.len(), "{outcomes:?} {said}");
    for (key, (file, outcome)) in keys.iter().zip(&outcomes) {
        let is_odd = key.contains("//") || key.contains("..");
        assert_eq!(*outcome, if is_odd { "unread" } else { "complete" }, "{file}");
    }
    assert_eq!((outcomes[1].0, outcomes[2].0), ("s3://bucket/b/%2E%2E/c.wasm", "s3://bucket/b//c.wasm"));
    assert_eq!((status, &*said), (Some(2), ""));
}

/// A store that does not let itself be listed, and one that lists the same again and again.
#[test]
fn a_listing_that_leads_nowhere_ends() {
    let denied = Server::start(|_| Reply::of(403).body("5ec12e7"));
    let stuck = Server::start(|_| {
        let key =
            "<Contents><Key>a//b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>";
        let xml = format!("<ListBucketResult>{key}</ListBucketResult>");
        Reply::of(200).field("content-type", "application/xml").body(xml)
    });
    for (server, rows, says) in [(&denied, 1, "403"), (&stuck, 2, "breaks off")] {
        let (status, out, said) = command(server, &["audit", "s3://bucket/", "--format", "jsonl"]);
        assert_eq!((status, &*said, out.lines().count()), (Some(2), "", rows + 2), "{out}");
        let last = out.lines().nth(rows).unwrap();
        assert!(last.contains("unreadable") && last.contains(says) && !out.contains("5ec12e7"), "{out}");
        assert!(server.asked().len() < 20);
    }
    // Nothing is listed, and whether there is one object nobody says.
    let neither = Server::start(|request| match request.query.contains("list-type=2") {
        true => Reply::of(200).field("content-type", "application/xml").body("<ListBucketResult></ListBucketResult>"),
        false => Reply::of(403),
    });
    let (status, out, _) = command(&neither, &["audit", "s3://bucket/app", "--format", "jsonl"]);
    assert!(status == Some(2) && out.lines().nth(1).unwrap().contains("answers 403"), "{out}");
}

#[test]
fn the_command_reads_what_it_says_it_read() {
    let server = s3(vec![("app/a.wasm", binary(0)), ("app/large.wasm", large(0)), ("apple.wasm", binary(1))]);
    let (status, out, said) = command(&server, &["audit", "s3://bucket/app/", "--format", "jsonl", "--in-flight", "3"]);
    assert_eq!((status, &*said), (Some(0), ""));
    let files: Vec<_> = out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["file"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(files, ["s3://bucket/app/a.wasm", "s3://bucket/app/large.wasm"]);
    assert_eq!(command(&server, &["show", &files[1]]).0, Some(0));
    for refused in ["https://example.com/", "oci://example.com/team"] {
        let (status, _, said) = command(&server, &["audit", refused]);
        assert!(status == Some(2) && said.contains("listed"), "{said}");
    }
}
