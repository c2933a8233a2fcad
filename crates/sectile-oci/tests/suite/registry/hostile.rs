//! Broken and hostile registries.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{PackedImage, anonymous, binary, hurried, message, options, push, reference};
use sectile::digest::Digest;
use sectile_oci::registry::{Client, ClientOptions, Credential, Credentials, RegistryError, Scheme};
use sectile_testing::registry::{Registry, error, start};
use sectile_testing::server::{Reply, Request, Server};

/// Pushes to a registry with these special replies.
fn pushed(special: impl FnMut(&Request) -> Option<Reply> + Send + 'static) -> (Result<(), RegistryError>, Vec<String>) {
    let (server, _) = start(Registry::default(), special);
    let (_directory, path, _) = binary(1000);
    let begun = Instant::now();
    let client = Client::new(Credentials::anonymous(), hurried());
    let result = push(&client, &reference(&server, "team/app:1"), &path).map(|_| ());
    assert!(begun.elapsed() < Duration::from_secs(10));
    (result, server.lines())
}

#[track_caller]
fn refused(special: impl FnMut(&Request) -> Option<Reply> + Send + 'static) -> (RegistryError, Vec<String>) {
    let (result, lines) = pushed(special);
    let error = result.unwrap_err();
    assert!(error.to_string().contains("/team/app: "), "{error}");
    (error, lines)
}

#[test]
fn each_status_has_advice() {
    for (status, advice) in [
        (400, "the registry rejected the request"),
        (401, "unsupported authorization scheme"),
        (403, "log in as a user with access"),
        (404, "the repository or image does not exist"),
        (405, "does not support this"),
        (418, "the registry rejected the request"),
        (500, "try again later"),
    ] {
        let (refusal, lines) = refused(move |request| {
            (request.method == "POST").then(|| error(status, "SOME_CODE", "something \u{1b}[31m\u{202e} is wrong"))
        });
        let shown = refusal.to_string();
        assert!(shown.contains("POST http://127.0.0.1:") && shown.contains(advice), "{shown}");
        if status != 401 {
            assert_eq!(refusal.status(), Some(status));
            assert!(shown.contains(r"SOME_CODE `something \x1b[31m\u{202e} is wrong`"), "{shown}");
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 1, "{lines:?}");
    }
}

#[test]
fn a_busy_registry_is_retried_after_its_pause() {
    for (status, field, value) in [
        (429, "retry-after", "0"),
        (503, "retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (503, "x", "y"),
        (502, "x", "y"),
        (504, "x", "y"),
    ] {
        let mut left = 3;
        let (result, lines) = pushed(move |request| {
            left -= i32::from(request.method == "POST");
            let reply = Reply::of(status).field("date", "Sun, 06 Nov 1994 08:49:37 GMT").field(field, value);
            (request.method == "POST" && left > 0).then_some(reply)
        });
        assert!(result.is_ok(), "{status}: {result:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 4);
    }
}

#[test]
fn retries_of_a_busy_registry_end() {
    let (error, lines) = refused(|request| (request.method == "HEAD").then(|| Reply::of(503)));
    assert!(error.status() == Some(503) && error.is_transient(), "{error}");
    assert_eq!(lines.len(), 5);
    let (error, lines) = refused(|request| (request.method == "POST").then(|| Reply::of(429)));
    assert!(error.status() == Some(429) && error.is_transient(), "{error}");
    assert!(error.to_string().contains("too many requests: try again later"), "{error}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 5, "{lines:?}");
    for (after, seconds) in
        [("3600", "3600 s"), ("Sun, 06 Nov 1994 09:49:37 GMT", "3600 s"), ("99999999999999999999", " s")]
    {
        let (error, lines) = refused(move |_| {
            Some(Reply::of(429).field("date", "Sun, 06 Nov 1994 08:49:37 GMT").field("retry-after", after))
        });
        assert!(error.is_transient() && error.to_string().contains(seconds), "{error}");
        assert_eq!(lines.len(), 1);
    }
}

#[test]
fn truncated_responses_are_retried() {
    for half in
        ["", "HTTP/1.1 20", "HTTP/1.1 202 X\r\nlocation: /v2/x", "HTTP/1.1 202 X\r\ncontent-length: 10\r\n\r\nhalf"]
    {
        let (error, lines) =
            refused(move |request| (request.method == "POST").then(|| Reply::Raw(half.as_bytes().to_vec())));
        assert!(error.is_transient() && message(&error).contains("was lost 5 times"), "{half}: {}", message(&error));
        assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 5, "{half}");
    }
    // One failure is not an error.
    let mut left = 1;
    let (result, _) = pushed(move |request| {
        let is_it = request.method == "POST" && left > 0;
        left -= i32::from(is_it);
        is_it.then(|| Reply::Raw(b"HTTP/1.1 2".to_vec()))
    });
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn stalled_and_endless_responses_time_out() {
    let (error, _) = refused(|_| Some(Reply::Stall));
    assert!(message(&error).contains("timeout: no data received"), "{error}");
    for beginning in ["", "HTTP/1.1 2", "HTTP/1.1 202 X\r\nx: ", "HTTP/1.1 202 X\r\ncontent-length: 1000000\r\n\r\n"] {
        let (error, lines) =
            refused(move |request| (request.method == "POST").then(|| Reply::Drip(beginning.as_bytes().to_vec())));
        assert!(!error.is_denied(), "{beginning}: {error}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 1, "{beginning}");
    }
}

#[test]
fn large_and_malformed_responses_are_refused() {
    let header = format!("HTTP/1.1 202 X\r\nx: {}\r\n\r\n", "a".repeat(100_000));
    let body = [b"HTTP/1.1 202 X\r\n\r\n".to_vec(), vec![b'a'; 5 << 20]].concat();
    for (answer, why) in [
        (header.into_bytes(), "64 KiB"),
        (body, "4 MiB"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(), "malformed response"),
        (b"HTTP/1.1 202 X\r\ncontent-length: 18446744073709551616\r\n\r\n".to_vec(), ""),
        (b"HTTP/1.1 202 X\r\nlocation: \xff\r\n\r\n".to_vec(), "no upload location"),
        (format!("HTTP/1.1 202 X\r\nlocation: /{}\r\n\r\n", "a".repeat(20_000)).into_bytes(), "16 KiB"),
        (b"HTTP/1.1 202 X\r\nlocation: ftp://h/\r\ncontent-length: 0\r\n\r\n".to_vec(), "not allowed"),
        (b"HTTP/1.1 202 X\r\nlocation: http://a@127.0.0.1/\r\ncontent-length: 0\r\n\r\n".to_vec(), "not allowed"),
        (b"HTTP/1.1 202 X\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n".to_vec(), "not secure"),
    ] {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(60)]).into_owned();
        let (error, _) = refused(move |request| (request.method == "POST").then(|| Reply::Raw(answer.clone())));
        assert!(message(&error).contains(why), "{shown}: {}", message(&error));
    }
}

#[test]
fn a_wrong_digest_is_an_error() {
    let other = Digest::new(b"something else");
    for (method, part, found) in [
        ("HEAD", "blobs/", other.to_string()),
        ("PUT", "uploads/", other.to_string()),
        ("PUT", "manifests/", other.to_string()),
        ("PUT", "manifests/", "sha256:../../x".to_owned()),
    ] {
        let (error, _) = refused(move |request| {
            let is_it = request.is(method, part) && (method == "HEAD" || request.body.is_some());
            let status = if method == "HEAD" { 200 } else { 201 };
            is_it.then(|| Reply::of(status).field("docker-content-digest", &found))
        });
        assert!(error.to_string().contains(" instead of sha256:"), "{error}");
    }
}

#[test]
fn wrong_upload_ranges_are_errors() {
    for range in ["0-99999999", "0-0", "5-9", "x", "0-18446744073709551615"] {
        let (server, _) = start(Registry { min_chunk: Some(1), ..Registry::default() }, move |request| {
            let reply = Reply::of(202).field("range", range);
            (request.method == "PATCH" && request.body.is_some()).then_some(reply)
        });
        let (_directory, path, _) = binary(300_000);
        let error = push(&anonymous(), &reference(&server, "app:1"), &path);
        // Malformed ranges are ignored, and then the registry lacks the data.
        let error = error.unwrap_err();
        assert!(server.asked().len() < 30, "{range}: {error}");
    }
}

/// The registry has the chunk, but its response was lost. So it reports the next one as out of
/// order.
#[test]
fn an_out_of_order_chunk_resumes_the_upload() {
    for times in [1, u32::MAX] {
        let mut left = times;
        let (server, registry) = start(Registry { min_chunk: Some(1), ..Registry::default() }, move |request| {
            let is_it = left > 0 && request.method == "PATCH" && request.body.is_some();
            let is_it = is_it && !request.field("content-range").unwrap().starts_with("0-");
            left -= u32::from(is_it);
            is_it.then(|| error(416, "BLOB_UPLOAD_INVALID", "out of order"))
        });
        let (_directory, path, bytes) = binary(300_000);
        let result = push(&anonymous(), &reference(&server, "app:1"), &path);
        let asked = server.lines().iter().filter(|line| line.starts_with("GET")).count();
        if times == 1 {
            assert!(result.is_ok() && asked == 1, "{result:?} {:?}", server.lines());
            assert!(registry.lock().unwrap().blobs.values().any(|blob| *blob == bytes));
        } else {
            assert_eq!(result.unwrap_err().status(), Some(416));
            assert_eq!(asked, 4);
        }
    }
}

#[test]
fn a_registry_that_loses_chunks_is_an_error() {
    let mut taken = 0;
    let (server, _) = start(Registry { min_chunk: Some(1), ..Registry::default() }, move |request| {
        let is_sent = request.method == "PATCH" && request.body.is_some();
        taken += u32::from(is_sent);
        is_sent.then(|| Reply::of(202).field("range", format!("0-{taken}")))
    });
    let (_directory, path, _) = binary(300_000);
    let error = push(&anonymous(), &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.status() == Some(400) && error.to_string().contains("DIGEST_INVALID"), "{error}");
    assert!(server.asked().len() < 20);
}

#[test]
fn locations_are_relative_to_the_redirected_url() {
    let (result, lines) = pushed(|request| {
        let sent_on = Reply::of(307).field("location", "/elsewhere/uploads");
        match (&*request.method, &*request.path) {
            ("POST", "/elsewhere/uploads") => Some(Reply::of(202).field("location", "here")),
            ("POST", _) => Some(sent_on),
            ("PUT", "/elsewhere/here") if request.body.is_some() => Some(Reply::of(201)),
            ("PUT", "/elsewhere/here") => Some(Reply::Read),
            ("PUT", _) if request.body.is_some() => Some(Reply::of(201)), // the manifest
            _ => None,
        }
    });
    assert!(result.is_ok(), "{result:?} {lines:?}");
}

#[test]
fn redirects_are_limited_and_send_no_secrets() {
    let elsewhere = Arc::new(Mutex::new(Vec::new()));
    let other = Server::start({
        let elsewhere = Arc::clone(&elsewhere);
        move |request| {
            elsewhere.lock().unwrap().push(request.clone());
            Reply::of(200)
        }
    });
    let (server, _) = start(Registry::default(), {
        let to = format!("http://{}/storage?signature=hunter2", other.address);
        move |request| {
            let is_known = request.field("authorization").is_some();
            if !is_known {
                return Some(Reply::of(401).field("www-authenticate", "Basic realm=x"));
            }
            let is_blob = request.is("HEAD", "blobs/");
            is_blob.then(|| Reply::of(307).field("location", &to))
        }
    });
    let (_directory, path, _) = binary(1000);
    let client = Client::new(Credentials::fixed(Credential::password("me", "hunter2")), options());
    // The other host reports that it has the blobs, so none is sent.
    let error = push(&client, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.to_string().contains("BLOB_UNKNOWN") && !message(&error).contains("hunter2"), "{error}");
    let elsewhere = elsewhere.lock().unwrap();
    assert_eq!(elsewhere.len(), 2);
    assert!(
        elsewhere
            .iter()
            .all(|request| request.field("authorization").is_none() && request.query == "signature=hunter2")
    );

    for (to, why) in [
        ("?again", "too many redirects"),
        ("ftp://example.com/", "not an http or https"),
        ("http://example.com/x?signature=hunter2", "not secure"),
        ("\u{7f}", ""),
    ] {
        let (error, lines) = refused(move |_| Some(Reply::of(302).field("location", to)));
        assert!(error.to_string().contains(why) && !error.to_string().contains("hunter2"), "{to}: {error}");
        assert!(lines.len() <= 6);
    }
}

#[test]
fn redirected_uploads_keep_method_and_body() {
    for status in [301, 302, 303] {
        let (error, _) = refused(move |request| {
            (request.is("PUT", "uploads/u")).then(|| Reply::of(status).field("location", "/elsewhere"))
        });
        assert!(error.to_string().contains("would change the request method"), "{error}");
    }
    for status in [307, 308] {
        let (result, lines) = pushed(move |request| {
            let is_sent_on = request.is("PUT", "uploads/u") && !request.query.contains("on");
            let to = format!("{}?{}&on", request.path, request.query);
            is_sent_on.then(|| Reply::of(status).field("location", to))
        });
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(lines.iter().filter(|line| line.contains("PUT") && line.contains("uploads")).count(), 4);
    }
}

/// The client requests the manifest before it sends one.
#[test]
fn a_denied_manifest_request_is_an_error() {
    let (error, lines) = refused(|request| request.is("HEAD", "manifests/").then(|| Reply::of(403)));
    assert!(error.is_denied() && error.to_string().contains("HEAD http://127.0.0.1:"), "{error}");
    assert!(!lines.iter().any(|line| line.starts_with("PUT") && line.contains("manifests")), "{lines:?}");
}

/// A plan for one file is not applied to another.
#[test]
fn a_plan_for_another_file_is_refused() {
    let (server, _) = start(Registry::default(), |_| None);
    let [(_one, one, _), (_other, other, _)] = [binary(1000), binary(2000)];
    let [one, other] = [PackedImage::new(&one), PackedImage::new(&other)];
    let to = reference(&server, "app:1");
    for (image, plan) in [(&one.image, &other.plan), (&other.image, &one.plan), (&other.image, &other.plan)] {
        let error = anonymous().push(&to, image, plan, &one.input, &mut |_, _| {}).unwrap_err();
        assert!(error.is_source() && error.to_string().contains("has changed"), "{error}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn an_unknown_host_is_unreachable() {
    let (_directory, path, _) = binary(100);
    // The label is too long for the domain name system, so no lookup is needed.
    let to = format!("{}.invalid:1/app:1", "n".repeat(64)).parse().unwrap();
    let error = push(&anonymous(), &to, &path).unwrap_err();
    assert!(error.is_transient() && message(&error).contains("cannot connect: "), "{}", message(&error));
}

#[test]
fn a_closed_port_is_unreachable() {
    let (_directory, path, _) = binary(100);
    // A port that no other test uses.
    let error = push(&anonymous(), &"127.0.0.1:1/app:1".parse().unwrap(), &path).unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("cannot connect"), "{error}");
}

#[test]
fn https_to_a_plain_server_fails() {
    let server = Server::start(|_| Reply::of(200));
    let (_directory, path, _) = binary(100);
    let client = Client::new(Credentials::anonymous(), ClientOptions { scheme: Scheme::Https, ..options() });
    let error = push(&client, &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.to_string().contains("HEAD https://127.0.0.1:"), "{error}");
    assert!(server.asked().iter().all(|request| request.field("authorization").is_none()));
}

#[test]
fn a_file_that_changes_is_not_pushed() {
    let (_directory, path, bytes) = binary(300_000);
    let packed = PackedImage::new(&path);
    let touched = AtomicUsize::new(0);
    let (server, registry) = start(Registry { min_chunk: Some(1), ..Registry::default() }, {
        let path = path.clone();
        move |request| {
            if request.method == "PATCH" && request.body.is_none() && touched.fetch_add(1, Ordering::SeqCst) == 1 {
                let mut changed = bytes.clone();
                changed[200_000] ^= 1;
                changed.push(0);
                fs::write(&path, &changed).unwrap();
            }
            None
        }
    });
    let error = packed.push(&anonymous(), &reference(&server, "app:1")).unwrap_err();
    assert!(error.is_source() && error.to_string().contains("has changed"), "{error}");
    assert!(registry.lock().unwrap().manifests.is_empty());

    // Truncated during an upload in one request.
    let (_directory, path, _) = binary(2 << 20);
    let packed = PackedImage::new(&path);
    let (server, registry) = start(Registry::default(), {
        let path = path.clone();
        move |request| {
            if request.method == "PUT" && request.body.is_none() && request.field("expect").is_some() {
                fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1000).unwrap();
            }
            None
        }
    });
    let error = packed.push(&anonymous(), &reference(&server, "app:1")).unwrap_err();
    assert!(error.is_source() && error.to_string().contains("has changed"), "{error}");
    assert!(registry.lock().unwrap().manifests.is_empty());
}
