//! Uploads of blobs and manifests.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{PackedImage, anonymous, binary, message, options, patient, push, reference};
use sectile::digest::Digest;
use sectile_oci::registry::{Client, ClientOptions, Credentials};
use sectile_testing::memory::measure;
use sectile_testing::registry::{Registry, error, start};
use sectile_testing::server::{Reply, Server};

/// The size of the config.
fn config_size(path: &Path) -> u64 {
    PackedImage::new(path).image.config_descriptor().size()
}

#[test]
fn pushed_blobs_are_stored_and_not_sent_again() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, bytes) = binary(300_000);
    let reference = reference(&server, "team/app:1.0");
    let pushed = push(&anonymous(), &reference, &path).unwrap();
    assert_eq!((pushed.bytes_sent(), pushed.is_new()), (bytes.len() as u64 + config_size(&path), true));
    assert_eq!(pushed.reference().to_string(), format!("{reference}@{}", pushed.descriptor().digest()));
    {
        let registry = registry.lock().unwrap();
        assert!(registry.blobs[&Digest::new(&bytes).to_string()] == bytes);
        assert_eq!(registry.manifests["1.0"], registry.manifests[&pushed.descriptor().digest().to_string()]);
        assert_eq!(registry.manifests["1.0"].0, "application/vnd.oci.image.manifest.v1+json");
    }
    let before = server.asked().len();
    let again = push(&anonymous(), &reference, &path).unwrap();
    assert_eq!(
        (again.descriptor().digest(), again.bytes_sent(), again.is_new()),
        (pushed.descriptor().digest(), 0, false)
    );
    let asked = server.asked().split_off(before);
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|request| request.method == "HEAD"), "{asked:?}");
}

#[test]
fn an_image_without_a_tag_is_named_by_its_digest() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, _) = binary(100);
    let pushed = push(&anonymous(), &reference(&server, "app"), &path).unwrap();
    assert_eq!(
        registry.lock().unwrap().manifests.keys().collect::<Vec<_>>(),
        [&pushed.descriptor().digest().to_string()]
    );
    // A reference with another digest is refused before any request.
    let before = server.asked().len();
    let other = reference(&server, "app").with_digest(Digest::new(b"other"));
    let error = push(&anonymous(), &other, &path).unwrap_err();
    assert!(error.to_string().contains(&pushed.descriptor().digest().to_string()), "{error}");
    assert_eq!(server.asked().len(), before);
    push(&anonymous(), pushed.reference(), &path).unwrap();
}

#[test]
fn a_large_blob_waits_for_100_continue() {
    let (server, _) = start(Registry::default(), |_| None);
    let (_directory, path, _) = binary(2 << 20);
    push(&patient(), &reference(&server, "app:1"), &path).unwrap();
    let expecting: Vec<_> = server.asked().into_iter().filter(|request| request.field("expect").is_some()).collect();
    assert!(matches!(&*expecting, [put] if put.method == "PUT"), "{expecting:?}");
}

#[test]
fn a_refusal_before_the_body_is_reported() {
    let (server, _) = start(Registry::default(), |request| {
        (request.method == "PUT" && request.field("expect").is_some()).then(|| error(403, "DENIED", "no more room"))
    });
    let (_directory, path, _) = binary(2 << 20);
    let error = push(&patient(), &reference(&server, "app:1"), &path).unwrap_err();
    assert!(error.status() == Some(403) && error.to_string().contains("no more room"), "{error}");
}

#[test]
fn chunks_are_sent_if_the_registry_requests_them() {
    for (min, chunks) in [(1, 5), (100_000, 3), (1 << 20, 0)] {
        let (server, registry) = start(Registry { min_chunk: Some(min), ..Registry::default() }, |_| None);
        let (_directory, path, bytes) = binary(300_000);
        push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
        assert!(registry.lock().unwrap().blobs[&Digest::new(&bytes).to_string()] == bytes);
        let patches = server.lines().iter().filter(|line| line.starts_with("PATCH")).count();
        // The small config is not sent in chunks.
        assert_eq!(patches, if chunks == 0 { 0 } else { bytes.len().div_ceil(min.max(64 << 10)) }, "{min}");
        assert!(chunks == 0 || patches >= chunks, "{patches}");
    }
}

/// Some registries answer a chunk with the previous range, the range of the chunk alone, or no
/// range.
#[test]
fn stale_ranges_of_chunks_are_not_trusted() {
    for range in [Some("0-0"), Some("0-65535"), Some("0-9"), Some("bytes=0-99999999"), Some("junk"), None] {
        for status in [200, 201, 202, 204] {
            let mut stored = Registry { min_chunk: Some(1), ..Registry::default() };
            let (server, _) = start(Registry::default(), move |request| {
                let reply = stored.answer(request);
                if request.method != "PATCH" || request.body.is_none() {
                    return Some(reply);
                }
                let location = format!("{}?_state=b", request.path);
                let reply = Reply::of(status).field("location", location);
                Some(match range {
                    Some(range) => reply.field("range", range),
                    None => reply,
                })
            });
            let (_directory, path, _) = binary(300_000);
            push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
            let patches = server.lines().iter().filter(|line| line.starts_with("PATCH")).count();
            assert_eq!(patches, 5, "{status} {range:?}");
        }
    }
}

/// A registry that takes a part of a chunk rejects the next one, and reports its progress.
#[test]
fn a_partly_accepted_chunk_is_continued() {
    let mut stored = Registry { min_chunk: Some(1), ..Registry::default() };
    let mut is_cut = false;
    let (server, _) = start(Registry::default(), move |request| {
        let reply = stored.answer(request);
        if request.method == "PATCH" && request.body.is_some() && !is_cut {
            is_cut = true;
            let upload = stored.uploads.values_mut().last().unwrap();
            upload.truncate(1000);
        }
        Some(reply)
    });
    let (_directory, path, _) = binary(300_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
}

#[test]
fn blobs_are_accepted_with_each_status_of_success() {
    for status in [200, 201, 202, 204] {
        let mut stored = Registry::default();
        let (server, _) = start(Registry::default(), move |request| {
            let reply = stored.answer(request);
            let is_blob = request.is("PUT", "uploads/") && request.body.is_some();
            Some(if is_blob { Reply::of(status) } else { reply })
        });
        let (_directory, path, _) = binary(1000);
        push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    }
}

/// Clients in Go accept such locations.
#[test]
fn locations_with_unencoded_characters_are_followed() {
    for (location, path, query) in [
        ("/up load/{a|b}?s=x y", "/up%20load/%7Ba%7Cb%7D", "s=x%20y&digest="),
        ("/upload/caf\u{e9}", "/upload/caf%C3%A9", "digest="),
    ] {
        let (server, _) = start(Registry::default(), move |request| {
            if request.method == "POST" {
                return Some(Reply::of(202).field("location", location));
            }
            match request.body {
                None if request.method == "PUT" => Some(Reply::Read),
                Some(_) => Some(Reply::of(201)),
                None => None,
            }
        });
        let (_directory, file, _) = binary(1000);
        push(&anonymous(), &reference(&server, "app:1"), &file).unwrap();
        let asked = server.asked();
        let put = asked.iter().find(|request| request.method == "PUT" && !request.path.contains("manifests")).unwrap();
        assert!(put.path == path && put.query.starts_with(query), "{} {}", put.path, put.query);
    }
}

#[test]
fn chunk_size_is_halved_after_413() {
    let (server, registry) = start(Registry::default(), |request| {
        let len: usize = request.field("content-length")?.parse().unwrap();
        (len > 100_000).then(|| Reply::of(413))
    });
    let (_directory, path, bytes) = binary(1 << 20);
    let client = Client::new(Credentials::anonymous(), ClientOptions { chunk_size: 1 << 18, ..options() });
    push(&client, &reference(&server, "app:1"), &path).unwrap();
    assert!(registry.lock().unwrap().blobs[&Digest::new(&bytes).to_string()] == bytes);
    // The number of attempts is limited.
    let (server, _) =
        start(Registry::default(), |request| (request.path.contains("uploads/u")).then(|| Reply::of(413)));
    let error = push(&client, &reference(&server, "app:1"), &path).unwrap_err();
    assert_eq!(error.status(), Some(413), "{error}");
    assert!(server.asked().len() < 20);
}

#[test]
fn an_interrupted_upload_is_resumed() {
    // The registry keeps the part that it received, and reports it.
    let cut = Arc::new(AtomicUsize::new(0));
    let (server, registry) = start(Registry { min_chunk: Some(1), ..Registry::default() }, {
        let cut = Arc::clone(&cut);
        move |request| {
            let is_third = request.method == "PATCH" && cut.fetch_add(1, Ordering::SeqCst) == 2;
            is_third.then_some(Reply::Cut(1000))
        }
    });
    let (_directory, path, bytes) = binary(300_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    assert!(registry.lock().unwrap().blobs[&Digest::new(&bytes).to_string()] == bytes);
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|line| line.starts_with("GET")).count(), 1, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 2, "{lines:?}"); // one per blob
}

#[test]
fn a_lost_upload_restarts_a_limited_number_of_times() {
    // The registry discards the part that it received.
    let cuts = Arc::new(AtomicUsize::new(0));
    let limit = Arc::new(AtomicUsize::new(1));
    let special = {
        let (cuts, limit) = (Arc::clone(&cuts), Arc::clone(&limit));
        move |request: &sectile_testing::server::Request| {
            if request.is("GET", "uploads/") {
                return Some(error(404, "BLOB_UPLOAD_UNKNOWN", "gone"));
            }
            let len = request.field("content-length").map_or(0, |len| len.parse().unwrap());
            let is_cut = request.is("PUT", "uploads/") && len > 10_000;
            (is_cut && cuts.fetch_add(1, Ordering::SeqCst) < limit.load(Ordering::SeqCst)).then_some(Reply::Cut(1000))
        }
    };
    let (server, registry) = start(Registry::default(), special);
    let (_directory, path, bytes) = binary(300_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    assert!(registry.lock().unwrap().blobs[&Digest::new(&bytes).to_string()] == bytes);

    registry.lock().unwrap().blobs.clear();
    limit.store(usize::MAX, Ordering::SeqCst);
    let error = push(&anonymous(), &reference(&server, "app:2"), &path).unwrap_err();
    assert!(error.is_transient() && message(&error).contains("the connection was lost 5 times"), "{}", message(&error));
}

#[test]
fn a_completed_upload_with_a_lost_response_succeeds() {
    let (server, _) = start(Registry::default(), {
        let mut stored = Registry::default();
        move |request| {
            // The first PUT succeeds, but its response is lost.
            if request.is("PUT", "uploads/") && request.body.is_some() && stored.blobs.is_empty() {
                let digest = request.query.rsplit_once("digest=").unwrap().1.to_owned();
                stored.blobs.insert(digest, Vec::new());
                return Some(Reply::Raw(Vec::new()));
            }
            match request.path.rsplit_once("/blobs/") {
                Some((_, digest)) if request.method == "HEAD" && stored.blobs.contains_key(digest) => {
                    Some(Reply::of(200))
                }
                _ if request.is("GET", "uploads/") => Some(Reply::of(404)),
                _ if request.is("PUT", "manifests/") && request.body.is_some() => Some(Reply::of(201)),
                _ => None,
            }
        }
    });
    let (_directory, path, _) = binary(1000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
}

#[test]
fn locations_may_be_relative_or_on_another_path() {
    for location in ["uploads/x?y", "/v2/app/blobs/uploads/x?y=z", "//HOST/elsewhere?y=z&", "http://HOST/x"] {
        let (server, _) = start(Registry::default(), move |request| {
            let host = request.field("host").unwrap_or_default();
            if request.method == "POST" {
                return Some(Reply::of(202).field("location", location.replace("HOST", host)));
            }
            let is_blob = request.method == "PUT" && !request.path.contains("manifests");
            match request.body {
                None if is_blob => Some(Reply::Read),
                Some(_) if is_blob => {
                    assert!(request.query.contains("digest=sha256:"), "{}", request.query);
                    Some(Reply::of(201))
                }
                Some(_) => Some(Reply::of(201)), // the manifest
                None => None,
            }
        });
        let (_directory, path, _) = binary(1000);
        push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    }
}

#[test]
fn a_large_file_is_streamed() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, bytes) = binary(16 << 20);
    let digest = Digest::new(&bytes);
    let packed = PackedImage::new(&path);
    let reference = reference(&server, "app:1");
    let client = Client::new(Credentials::anonymous(), ClientOptions::default());
    let (pushed, allocated) = measure(|| packed.push(&client, &reference));
    pushed.unwrap();
    assert!(allocated.peak < 1 << 20, "{allocated:?}");
    assert_eq!(registry.lock().unwrap().blobs[&digest.to_string()].len(), bytes.len());
}

#[test]
fn progress_is_monotonic_and_reaches_the_total() {
    let (server, _) = start(Registry::default(), |_| None);
    let (_directory, path, bytes) = binary(300_000);
    let packed = PackedImage::new(&path);
    let mut reports = Vec::new();
    let progress = &mut |sent, of| reports.push((sent, of));
    let reference = reference(&server, "app:1");
    anonymous().push(&reference, &packed.image, &packed.plan, &packed.input, progress).unwrap();
    let whole = bytes.len() as u64 + config_size(&path);
    assert!(
        reports.iter().all(|&(sent, of)| sent <= of && of == whole) && reports.last() == Some(&(whole, whole)),
        "{reports:?}"
    );
    assert!(reports.is_sorted());
}

#[test]
fn expect_is_disabled_after_417() {
    let (server, registry) =
        start(Registry::default(), |request| request.field("expect").is_some().then(|| Reply::of(417)));
    let (_directory, path, bytes) = binary(300_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    assert!(registry.lock().unwrap().blobs[&Digest::new(&bytes).to_string()] == bytes);
    assert_eq!(server.asked().iter().filter(|request| request.field("expect").is_some()).count(), 1);
}

/// The specification requires neither the digest nor a length in the response to `HEAD`.
#[test]
fn responses_to_head_may_be_empty() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, _) = binary(9_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let shared = Arc::clone(&registry);
    let other = Server::start(move |request| match shared.lock().unwrap().answer(request) {
        Reply::Answer { status: 200, .. } if request.method == "HEAD" => {
            Reply::Raw(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n".to_vec())
        }
        reply => reply,
    });
    let repeated = push(&anonymous(), &reference(&other, "app:1"), &path).unwrap();
    assert!(!repeated.is_new() && repeated.bytes_sent() == 0, "{repeated:?}");
    assert_eq!(other.lines().iter().filter(|line| !line.starts_with("HEAD")).count(), 1, "{:?}", other.lines());
    // A tag that refers to another image is found without the digest, too.
    let (_directory, path, _) = binary(20_000);
    assert!(push(&anonymous(), &reference(&other, "app:1"), &path).unwrap().is_new());
}
