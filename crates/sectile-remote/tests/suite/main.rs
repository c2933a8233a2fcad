//! Objects on web servers and in stores. They are read by ranges, in one version, and without
//! revealing secrets.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod threads;

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sectile::drive::{Fetch, FetchOptions, Fetched};
use sectile::metadata::Metadata;
use sectile::{Error, Limits, Outcome, read_fetch_with, read_slice};
use sectile_remote::object_store::memory::InMemory;
use sectile_remote::object_store::{ObjectStore, ObjectStoreExt};
use sectile_remote::{Object, RemoteError, RemoteOptions, read_many};

use sectile_testing::binary::{custom, module, section};
use sectile_testing::parts::part;
use sectile_testing::parts_of;
use sectile_testing::server::{Reply, Server};

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A module with 300 KB between two groups of section headers.
fn sample() -> Vec<u8> {
    module(&[custom("licenses", "MIT"), section(10, &vec![0; 300_000]), custom("vendor", "v")])
}

fn options() -> RemoteOptions {
    RemoteOptions { retries: 2, total_timeout: Duration::from_secs(20), ..Default::default() }
}

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

fn read(object: &mut Object) -> Outcome<Metadata<'static>> {
    wait(read_fetch_with(object, FetchOptions::default(), Limits::default()))
}

fn read_url(url: &str, options: &RemoteOptions) -> Outcome<Metadata<'static>> {
    read(&mut Object::open(url, options).unwrap())
}

/// The error of an input of which nothing could be read.
#[track_caller]
fn unread(outcome: Outcome<Metadata<'static>>) -> Error {
    let (metadata, result, _) = parts_of(outcome);
    assert_eq!(metadata, None);
    result.unwrap_err()
}

/// The error that ended the reading of an object.
#[track_caller]
fn remote_error(outcome: &Outcome<Metadata<'static>>) -> RemoteError {
    let error = outcome.error().unwrap();
    assert!(error.is_io(), "{error}");
    let source = std::error::Error::source(error).unwrap();
    RemoteError::find_in(source).unwrap().clone()
}

#[test]
fn an_object_is_read_by_ranges_in_one_version() {
    let bytes = sample();
    let served = bytes.clone();
    let server = Server::start(move |request| match part(&served, request) {
        Reply::Answer { status, fields, body } => Reply::Answer { status, fields, body }.field("etag", "\"one\""),
        other => other,
    });
    let outcome = read_url(&url(&server, "/a%20b/app.wasm?key=a%2Fb&x=1"), &options());
    assert_eq!(outcome.value(), Some(&read_slice(&bytes).unwrap()));
    let cost = outcome.cost();
    assert!(outcome.is_complete() && cost.reads == 2 && cost.bytes < 70_000, "{cost:?}");
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked.iter().all(|request| request.path == "/a%20b/app.wasm" && request.query == "key=a%2Fb&x=1"),
        "{asked:?}"
    );
    assert_eq!((asked[0].field("if-match"), asked[1].field("if-match")), (None, Some("\"one\"")));
}

#[test]
fn an_object_that_changes_is_an_error() {
    // Another tag, another weak tag, another length, a failed precondition.
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
        assert_eq!(remote_error(&read_url(&url(&server, "/app.wasm"), &options())), RemoteError::Changed, "{kind}");
    }
}

#[test]
fn an_empty_object_is_not_webassembly() {
    let server = Server::start(|request| part(&[], request));
    let error = unread(read_url(&url(&server, "/empty"), &options()));
    assert!(error.is_not_wasm(), "{error}");
}

#[test]
fn a_server_without_ranges_is_an_error() {
    let server = Server::start(|_| Reply::of(200).body(sample()));
    assert_eq!(remote_error(&read_url(&url(&server, "/app.wasm"), &options())), RemoteError::NoRanges);
}

#[test]
fn a_wrong_range_is_refused() {
    let server = Server::start(|_| Reply::of(206).field("content-range", "bytes 5-9/100").body("abcde"));
    let error = remote_error(&read_url(&url(&server, "/app.wasm"), &options()));
    assert!(matches!(error, RemoteError::Malformed | RemoteError::Other(_) | RemoteError::NoRanges), "{error:?}");
    let server = Server::start(|_| Reply::of(206).field("content-range", "bytes 0-65535/100000").body(vec![0; 100]));
    let error = remote_error(&read_url(&url(&server, "/app.wasm"), &options()));
    assert!(matches!(error, RemoteError::ConnectionLost), "{error:?}");
}

#[test]
fn statuses_map_to_errors_without_secrets() {
    for (status, expected) in [
        (404, RemoteError::Missing),
        (403, RemoteError::Denied(403)),
        (401, RemoteError::Denied(401)),
        (400, RemoteError::Status(400)),
    ] {
        let server = Server::start(move |_| Reply::of(status).body("5ec12e7 is said again"));
        let outcome = read_url(&url(&server, "/app.wasm?X-Amz-Signature=5ec12e7"), &options());
        assert_eq!(remote_error(&outcome), expected);
        let error = unread(outcome);
        let shown = format!("{error:?}") + &error.message();
        assert!(!shown.contains("5ec12e7"), "{shown}");
    }
}

#[test]
fn a_missing_bucket_is_named() {
    for body in [
        "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>",
        "<Error><Code>ContainerNotFound</Code></Error>",
    ] {
        let server = Server::start(move |_| Reply::of(404).body(body));
        let outcome = read_url(&url(&server, "/app.wasm"), &options());
        assert_eq!(remote_error(&outcome), RemoteError::MissingBucket);
    }
    let server = Server::start(|_| Reply::of(404).body("<Error><Code>NoSuchKey</Code></Error>"));
    assert_eq!(remote_error(&read_url(&url(&server, "/app.wasm"), &options())), RemoteError::Missing);
}

#[test]
fn a_busy_server_is_retried() {
    let mut requests = 0;
    let server = Server::start(move |request| {
        requests += 1;
        if requests == 1 { Reply::of(503) } else { part(&sample(), request) }
    });
    assert!(read_url(&url(&server, "/app.wasm"), &options()).is_complete());
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_stalled_response_times_out() {
    let server = Server::start(|_| Reply::Stall);
    let options = RemoteOptions { retries: 0, idle_timeout: Duration::from_millis(200), ..options() };
    let error = remote_error(&read_url(&url(&server, "/app.wasm"), &options));
    assert!(matches!(error, RemoteError::TimedOut), "{error:?}");
}

/// The response never pauses, but would take an hour.
#[test]
fn a_slow_response_times_out() {
    let head = "HTTP/1.1 206 X\r\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                content-range: bytes 0-65535/99999\r\ncontent-length: 65536\r\n\r\n";
    let server = Server::start(|_| Reply::Drip(head.as_bytes().to_vec()));
    let options = RemoteOptions { total_timeout: Duration::from_millis(300), ..options() };
    let begun = std::time::Instant::now();
    let error = remote_error(&read_url(&url(&server, "/app.wasm"), &options));
    assert!(matches!(error, RemoteError::TimedOut), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// Each request is fast enough, but their number is unlimited.
#[test]
fn all_requests_for_an_object_share_a_deadline() {
    let server = Server::start(|request| {
        std::thread::sleep(Duration::from_millis(60));
        part(&sample(), request)
    });
    let options = RemoteOptions { object_timeout: Duration::from_millis(600), ..options() };
    let mut object = Object::open(&url(&server, "/app.wasm"), &options).unwrap();
    let begun = std::time::Instant::now();
    let error = (0..1_000).find_map(|nth| wait(object.fetch(nth * 8..nth * 8 + 8)).err()).unwrap();
    assert_eq!(RemoteError::find_in(&error), Some(&RemoteError::TimedOut), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // The next object has its own time.
    let mut object = Object::open(&url(&server, "/app.wasm"), &options).unwrap();
    assert!(wait(object.fetch(0..8)).is_ok());
    // A download may take this long, plus the time for its length at the minimum rate.
    let head = "HTTP/1.1 206 X\r\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                content-range: bytes 0-19999/20000\r\ncontent-length: 20000\r\n\r\n";
    let server = Server::start(|_| Reply::Drip(head.as_bytes().to_vec()));
    let mut object = Object::open(&url(&server, "/app.wasm"), &options).unwrap();
    let begun = std::time::Instant::now();
    let ended = wait(async {
        let mut stream = sectile_remote::internal::stream_from(&mut object, 0).await?;
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            chunk?;
        }
        Ok(())
    });
    assert_eq!(ended, Err(RemoteError::TimedOut));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn redirects_to_private_addresses_need_an_option() {
    let target = Server::start(|request| part(&sample(), request));
    let to = url(&target, "/app.wasm?token=5ec12e7");
    let server = Server::start(move |_| Reply::of(307).field("location", &to));
    for host in ["127.0.0.1", "localhost"] {
        let place = format!("http://{host}:{}/app.wasm", server.address.port());
        let error = remote_error(&read_url(&place, &options()));
        assert!(matches!(&error, RemoteError::Redirect { to, .. } if !to.contains("5ec12e7")), "{error:?}");
    }
    assert!(target.asked().is_empty());

    let options = RemoteOptions { private_redirects: true, ..options() };
    assert!(read_url(&url(&server, "/app.wasm"), &options).is_complete());
    assert!(target.asked().iter().all(|request| request.field("range").is_some()));
}

/// A name is checked by its addresses. A name without addresses is unreachable.
#[test]
fn redirects_to_names_are_checked_by_address() {
    let target = Server::start(|request| part(&sample(), request));
    let to = format!("http://localhost:{}/app.wasm", target.address.port());
    let server = Server::start(move |_| Reply::of(307).field("location", &to));
    let error = remote_error(&read_url(&url(&server, "/app.wasm"), &options()));
    assert!(matches!(&error, RemoteError::Redirect { reason, .. } if reason.contains("private network")), "{error:?}");
    assert!(target.asked().is_empty());
    let to = format!("http://{}.invalid/app.wasm", "n".repeat(64)); // label too long: no lookup
    let server = Server::start(move |_| Reply::of(307).field("location", &to));
    let error = remote_error(&read_url(&url(&server, "/app.wasm"), &RemoteOptions { retries: 0, ..options() }));
    assert_eq!(error, RemoteError::Unreachable);
}

#[test]
fn missing_servers_and_other_protocols_are_errors() {
    let options = RemoteOptions { retries: 0, ..options() };
    // A port that no other test uses.
    assert_eq!(remote_error(&read_url("http://127.0.0.1:1/app.wasm", &options)), RemoteError::Unreachable);
    for answer in ["", "HTTP/1.1 20", "SSH-2.0-OpenSSH_9.2\r\n\r\n"] {
        let server = Server::start(move |_| Reply::Raw(answer.as_bytes().to_vec()));
        assert_eq!(
            remote_error(&read_url(&url(&server, "/app.wasm"), &options)),
            RemoteError::ConnectionLost,
            "{answer:?}"
        );
    }
}

#[test]
fn the_length_is_known_after_the_first_response() {
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
fn a_file_url_names_an_object() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a b%?#ü.wasm");
    std::fs::write(&path, sample()).unwrap();
    let url = reqwest::Url::from_file_path(&path).unwrap();
    let outcome = read_url(url.as_str(), &options());
    assert_eq!(outcome.value(), Some(&read_slice(&sample()).unwrap()));
    assert!(outcome.cost().bytes < 100_000, "{:?}", outcome.cost());
    assert_eq!(remote_error(&read_url(url.join("missing").unwrap().as_str(), &options())), RemoteError::Missing);
    let error = Object::open("file:///", &options()).unwrap_err();
    assert!(matches!(error, RemoteError::InvalidUrl(_)), "{error:?}");
}

#[test]
fn redirects_to_invalid_targets_are_refused() {
    for to in
        ["http://169.254.169.254/latest", "http://[::1]:1/", "ftp://example.com/", "http://user:word@example.com/"]
    {
        let server = Server::start(move |_| Reply::of(302).field("location", to));
        let error = remote_error(&read_url(&url(&server, "/app.wasm"), &options()));
        assert!(matches!(&error, RemoteError::Redirect { to, .. } if !to.contains("word")), "{to}: {error:?}");
    }
    let server = Server::start(|_| Reply::of(302).field("location", "/again"));
    let error = remote_error(&read_url(&url(&server, "/app.wasm"), &options()));
    assert!(
        matches!(&error, RemoteError::Redirect { reason, .. } if reason.contains("too many redirects")),
        "{error:?}"
    );
}

#[test]
fn invalid_urls_are_refused_without_their_secrets() {
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
        assert!(matches!(error, RemoteError::InvalidUrl(_)), "{text}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("5ec12e7"), "{error:?}");
    }
    if std::env::vars_os().all(|(name, _)| !name.to_string_lossy().starts_with("AZURE_")) {
        let error = Object::open("az://container/key", &options()).unwrap_err();
        assert!(error.to_string().contains("AZURE_STORAGE_ACCOUNT_NAME"), "{error}");
    }
}

#[test]
fn objects_of_the_callers_store_are_read() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let bytes = sample();
    wait(store.put(&"a/app.wasm".into(), bytes.clone().into())).unwrap();
    wait(store.put(&"empty".into(), Vec::new().into())).unwrap();
    let read_path = |path| read(&mut Object::new(Arc::clone(&store), path).unwrap());
    assert_eq!(read_path("a/app.wasm").value(), Some(&read_slice(&bytes).unwrap()));
    assert!(unread(read_path("empty")).is_not_wasm());
    assert_eq!(remote_error(&read_path("none")), RemoteError::Missing);
}

#[test]
fn concurrent_requests_are_limited() {
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
    wait(read_many(sources, 7, FetchOptions::default(), Limits::default(), |index, outcome| {
        assert!(outcome.is_complete());
        seen.push(index);
    }));
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..100));
    assert_eq!(most.into_inner(), 7);
}
