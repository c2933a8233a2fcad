//! Objects behind a web server, in a store, and from the command: in one state, by ranges, and without giving a secret away.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sectile::drive::{Fetch, FetchOptions, Fetched};
use sectile::metadata::Metadata;
use sectile::remote::object_store::memory::InMemory;
use sectile::remote::object_store::{ObjectStore, ObjectStoreExt};
use sectile::remote::{Object, RemoteError, RemoteOptions, read_all};
use sectile::{Error, Limits, Outcome, read_fetch, read_slice};

use crate::support::binary::{custom, module, section};
use crate::support::parts::part;
use crate::support::server::{Reply, Server};

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Two clusters of headers, with 300 KB between.
fn sample() -> Vec<u8> {
    module(&[custom("licenses", "MIT"), section(10, &vec![0; 300_000]), custom("vendor", "v")])
}

fn options() -> RemoteOptions {
    RemoteOptions { retries: 2, patience: Duration::from_secs(20), ..Default::default() }
}

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

fn read_url(url: &str, options: &RemoteOptions) -> Result<Outcome<Metadata<'static>>, Error> {
    let mut object = Object::open(url, options).unwrap();
    wait(read_fetch(&mut object, FetchOptions::default(), Limits::default()))
}

/// What kept an object from being read.
fn why(reading: Result<Outcome<Metadata<'static>>, Error>) -> RemoteError {
    let error = match reading {
        Ok(outcome) => outcome.broken.unwrap(),
        Err(error) => error,
    };
    assert!(error.is_io(), "{error}");
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<std::io::Error>().unwrap();
    source.get_ref().unwrap().downcast_ref::<RemoteError>().unwrap().clone()
}

#[test]
fn an_object_is_read_by_ranges_in_one_state() {
    let bytes = sample();
    let served = bytes.clone();
    let server = Server::start(move |request| match part(&served, request) {
        Reply::Answer { status, fields, body } => Reply::Answer { status, fields, body }.field("etag", "\"one\""),
        other => other,
    });
    let outcome = read_url(&url(&server, "/a%20b/app.wasm?key=a%2Fb&x=1"), &options()).unwrap();
    assert_eq!(outcome.value, read_slice(&bytes, Limits::default()).unwrap().value);
    assert!(outcome.is_complete() && outcome.cost.reads == 2 && outcome.cost.bytes < 70_000, "{:?}", outcome.cost);
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked.iter().all(|request| request.path == "/a%20b/app.wasm" && request.query == "key=a%2Fb&x=1"),
        "{asked:?}"
    );
    assert_eq!((asked[0].field("if-match"), asked[1].field("if-match")), (None, Some("\"one\"")));
}

#[test]
fn an_object_that_changes_in_between_is_an_error() {
    // Another tag; another tag that is weak; another length; a refusal.
    for kind in 0..4 {
        let mut requests = 0;
        let server = Server::start(move |request| {
            let mut bytes = sample();
            requests += 1;
            if requests > 1 && kind == 3 {
                return Reply::of(412);
            }
            if requests > 1 && kind == 2 {
                bytes.push(0);
            }
            let tag = if requests > 1 && kind < 2 { "two" } else { "one" };
            match kind {
                2 => part(&bytes, request),
                1 => part(&bytes, request).field("etag", format!("W/\"{tag}\"")),
                _ => part(&bytes, request).field("etag", format!("\"{tag}\"")),
            }
        });
        assert_eq!(why(read_url(&url(&server, "/app.wasm"), &options())), RemoteError::Changed, "{kind}");
    }
}

#[test]
fn an_empty_object_is_no_webassembly() {
    let server = Server::start(|request| part(&[], request));
    let error = read_url(&url(&server, "/empty"), &options()).unwrap_err();
    assert!(error.is_not_wasm(), "{error}");
}

#[test]
fn a_server_that_ignores_ranges_is_told_from_one_that_has_them() {
    let server = Server::start(|_| Reply::of(200).body(sample()));
    assert_eq!(why(read_url(&url(&server, "/app.wasm"), &options())), RemoteError::NoRanges);
}

#[test]
fn another_part_than_was_asked_for_is_refused() {
    let server = Server::start(|_| Reply::of(206).field("content-range", "bytes 5-9/100").body("abcde"));
    let error = why(read_url(&url(&server, "/app.wasm"), &options()));
    assert!(matches!(error, RemoteError::Malformed | RemoteError::Other(_) | RemoteError::NoRanges), "{error:?}");
    let server = Server::start(|_| Reply::of(206).field("content-range", "bytes 0-65535/100000").body(vec![0; 100]));
    let error = why(read_url(&url(&server, "/app.wasm"), &options()));
    assert!(matches!(error, RemoteError::Broken), "{error:?}");
}

#[test]
fn statuses_say_what_they_mean_and_give_no_secret_away() {
    for (status, expected) in [
        (404, RemoteError::Missing),
        (403, RemoteError::Denied(403)),
        (401, RemoteError::Denied(401)),
        (400, RemoteError::Status(400)),
    ] {
        let server = Server::start(move |_| Reply::of(status).body("5ec12e7 is said again"));
        let reading = read_url(&url(&server, "/app.wasm?X-Amz-Signature=5ec12e7"), &options());
        let said = format!("{:?}", reading.as_ref().unwrap_err()) + &reading.as_ref().unwrap_err().message();
        assert!(!said.contains("5ec12e7"), "{said}");
        assert_eq!(why(reading), expected);
    }
}

#[test]
fn a_busy_server_is_asked_again() {
    let mut requests = 0;
    let server = Server::start(move |request| {
        requests += 1;
        if requests == 1 { Reply::of(503) } else { part(&sample(), request) }
    });
    assert!(read_url(&url(&server, "/app.wasm"), &options()).unwrap().is_complete());
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_server_that_stalls_is_not_waited_for_for_ever() {
    let server = Server::start(|_| Reply::Stall);
    let options = RemoteOptions { retries: 0, stalled: Duration::from_millis(200), ..options() };
    let error = why(read_url(&url(&server, "/app.wasm"), &options));
    assert!(matches!(error, RemoteError::TimedOut), "{error:?}");
}

/// Something comes again and again, and so little that it would take an hour.
#[test]
fn a_server_that_drips_is_not_waited_for_for_ever() {
    let head = "HTTP/1.1 206 X\r\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                content-range: bytes 0-65535/99999\r\ncontent-length: 65536\r\n\r\n";
    let server = Server::start(|_| Reply::Drip(head.as_bytes().to_vec()));
    let options = RemoteOptions { patience: Duration::from_millis(300), ..options() };
    let begun = std::time::Instant::now();
    let error = why(read_url(&url(&server, "/app.wasm"), &options));
    assert!(matches!(error, RemoteError::TimedOut), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_redirect_to_a_private_address_is_not_followed_by_default() {
    let target = Server::start(|request| part(&sample(), request));
    let to = url(&target, "/app.wasm?token=5ec12e7");
    let server = Server::start(move |_| Reply::of(307).field("location", &to));
    for host in ["127.0.0.1", "localhost"] {
        let place = format!("http://{host}:{}/app.wasm", server.address.port());
        let error = why(read_url(&place, &options()));
        assert!(matches!(&error, RemoteError::Redirect { to, .. } if !to.contains("5ec12e7")), "{error:?}");
    }
    assert!(target.asked().is_empty());

    let options = RemoteOptions { private_redirects: true, ..options() };
    assert!(read_url(&url(&server, "/app.wasm"), &options).unwrap().is_complete());
    assert!(target.asked().iter().all(|request| request.field("range").is_some()));
}

/// A name that means an address of this machine is one; and one that means nothing is not reached.
#[test]
fn a_redirect_to_a_name_goes_where_the_name_leads() {
    let target = Server::start(|request| part(&sample(), request));
    let to = format!("http://localhost:{}/app.wasm", target.address.port());
    let server = Server::start(move |_| Reply::of(307).field("location", &to));
    let error = why(read_url(&url(&server, "/app.wasm"), &options()));
    assert!(matches!(&error, RemoteError::Redirect { why, .. } if why.contains("private network")), "{error:?}");
    assert!(target.asked().is_empty());
    let to = format!("http://{}.invalid/app.wasm", "n".repeat(64)); // no label is so long: nobody is asked for it
    let server = Server::start(move |_| Reply::of(307).field("location", &to));
    let error = why(read_url(&url(&server, "/app.wasm"), &RemoteOptions { retries: 0, ..options() }));
    assert_eq!(error, RemoteError::Unreachable);
}

#[test]
fn a_server_that_is_not_there_or_speaks_otherwise() {
    let options = RemoteOptions { retries: 0, ..options() };
    // A port that no other test is given meanwhile.
    assert_eq!(why(read_url("http://127.0.0.1:1/app.wasm", &options)), RemoteError::Unreachable);
    for answer in ["", "HTTP/1.1 20", "SSH-2.0-OpenSSH_9.2\r\n\r\n"] {
        let server = Server::start(move |_| Reply::Raw(answer.as_bytes().to_vec()));
        assert_eq!(why(read_url(&url(&server, "/app.wasm"), &options)), RemoteError::Broken, "{answer:?}");
    }
}

/// How long it is, the first answer says.
#[test]
fn a_length_is_known_once_it_was_said() {
    let server =
        Server::start(|request| part(if request.path == "/empty" { b"" } else { b"\0asm\x01\0\0\0" }, request));
    for (path, len) in [("/app.wasm", 8), ("/empty", 0)] {
        let mut object = Object::open(&url(&server, path), &options()).unwrap();
        assert_eq!((object.len(), object.is_empty()), (None, false));
        wait(object.fetch(0..8)).unwrap();
        assert_eq!((object.len(), object.is_empty()), (Some(len), len == 0), "{path}");
    }
}

#[test]
fn a_file_url_is_an_object_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a b%?#ü.wasm");
    std::fs::write(&path, sample()).unwrap();
    let url = reqwest::Url::from_file_path(&path).unwrap();
    let outcome = read_url(url.as_str(), &options()).unwrap();
    assert_eq!(outcome.value, read_slice(&sample(), Limits::default()).unwrap().value);
    assert!(outcome.cost.bytes < 100_000, "{:?}", outcome.cost);
    assert_eq!(why(read_url(url.join("missing").unwrap().as_str(), &options())), RemoteError::Missing);
    let error = Object::open("file:///", &options()).unwrap_err();
    assert!(matches!(error, RemoteError::Locator(_)), "{error:?}");
}

#[test]
fn redirects_to_odd_places_are_refused() {
    for to in
        ["http://169.254.169.254/latest", "http://[::1]:1/", "ftp://example.com/", "http://user:word@example.com/"]
    {
        let server = Server::start(move |_| Reply::of(302).field("location", to));
        let error = why(read_url(&url(&server, "/app.wasm"), &options()));
        assert!(matches!(&error, RemoteError::Redirect { to, .. } if !to.contains("word")), "{to}: {error:?}");
    }
    let server = Server::start(|_| Reply::of(302).field("location", "/again"));
    let error = why(read_url(&url(&server, "/app.wasm"), &options()));
    assert!(matches!(&error, RemoteError::Redirect { why, .. } if why.contains("again")), "{error:?}");
}

#[test]
fn what_names_no_object_says_why_and_not_with_which_password() {
    for text in [
        "https://user:5ec12e7@example.com/a",
        "s3://bucket",
        "s3://",
        "az:///key",
        "gopher://x/y",
        "nothing",
        "s3://b/k?x=5ec12e7",
        "s3://b/k#5ec12e7",
    ] {
        let error = Object::open(text, &options()).unwrap_err();
        assert!(matches!(error, RemoteError::Locator(_)), "{text}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("5ec12e7"), "{error:?}");
    }
    if std::env::vars_os().all(|(name, _)| !name.to_string_lossy().starts_with("AZURE_")) {
        let error = Object::open("az://container/key", &options()).unwrap_err();
        assert!(error.to_string().contains("AZURE_STORAGE_ACCOUNT_NAME"), "{error}");
    }
}

#[test]
fn objects_of_a_store_of_ones_own() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let bytes = sample();
    wait(store.put(&"a/app.wasm".into(), bytes.clone().into())).unwrap();
    wait(store.put(&"empty".into(), Vec::new().into())).unwrap();
    let read = |path| {
        let mut object = Object::of(Arc::clone(&store), path).unwrap();
        wait(read_fetch(&mut object, FetchOptions::default(), Limits::default()))
    };
    assert_eq!(read("a/app.wasm").unwrap().value, read_slice(&bytes, Limits::default()).unwrap().value);
    assert!(read("empty").unwrap_err().is_not_wasm());
    assert_eq!(why(read("none")), RemoteError::Missing);
}

#[test]
fn of_many_objects_so_many_are_asked_for_at_once() {
    struct Counted<'a>(&'a [u8], &'a AtomicUsize, &'a AtomicUsize);
    impl Fetch for Counted<'_> {
        async fn fetch(&mut self, range: Range<u64>) -> std::io::Result<Fetched> {
            let now = self.1.fetch_add(1, Ordering::SeqCst) + 1;
            self.2.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.1.fetch_sub(1, Ordering::SeqCst);
            let len = self.0.len() as u64;
            let bytes = self.0[range.start as usize..range.end.min(len) as usize].to_vec();
            Ok(Fetched::new(bytes, Some(len)))
        }
    }
    let bytes = sample();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let sources = (0..100).map(|_| Counted(&bytes, &now, &most));
    let mut seen = Vec::new();
    wait(read_all(sources, 7, FetchOptions::default(), Limits::default(), |nth, reading| {
        assert!(reading.unwrap().is_complete());
        seen.push(nth);
    }));
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..100));
    assert_eq!(most.into_inner(), 7);
}
