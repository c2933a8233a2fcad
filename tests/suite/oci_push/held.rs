//! What a registry holds, read where it lies.

use std::sync::{Arc, Mutex};

use super::{Packed, anonymous, binary, options, push, reference};
use crate::support::parts::part;
use crate::support::ranges::now;
use crate::support::registry::{Registry, lets_me_in, start};
use crate::support::server::{Reply, Request};
use sectile::drive::{Fetch, FetchOptions};
use sectile::metadata::Metadata;
use sectile::oci::LayoutError;
use sectile::oci::registry::{Client, Credential, Credentials, Held, HeldError};
use sectile::{Error, Limits, Outcome, read_fetch, read_slice};

fn read(held: &mut Held) -> Result<Outcome<Metadata<'static>>, Error> {
    now(read_fetch(held, FetchOptions::default(), Limits::default()))
}

fn is_blob(request: &Request) -> bool {
    request.method == "GET" && request.path.contains("/blobs/")
}

#[test]
fn a_layer_is_read_by_ranges() {
    let (server, _) = start(Registry::default(), |_| None);
    let (_directory, path, bytes) = binary(900_000);
    let pushed = Packed::of(&path);
    pushed.push(&anonymous(), &reference(&server, "team/app:1")).unwrap();
    let before = server.asked().len();
    for name in ["team/app:1".to_owned(), format!("team/app@{}", pushed.image.descriptor().digest)] {
        let mut held = Held::open(anonymous(), reference(&server, &name)).unwrap();
        assert_eq!(held.image(), pushed.image.descriptor().digest);
        assert_eq!((held.layer().digest, held.layer().size), (pushed.image.layer().digest, bytes.len() as u64));
        let outcome = read(&mut held).unwrap();
        assert_eq!(outcome.value, read_slice(&bytes, Limits::default()).unwrap().value);
        assert!(outcome.is_complete() && outcome.cost.bytes < 100_000, "{:?}", outcome.cost);
        let mut metadata = outcome.value;
        held.compare(&mut metadata);
        assert!(metadata.findings().is_empty());
    }
    let asked = &server.asked()[before..];
    assert!(asked.iter().filter(|request| is_blob(request)).all(|request| request.field("range").is_some()));
}

#[test]
fn who_reads_is_asked_once() {
    let (server, _) = start(Registry::default(), lets_me_in);
    let me = || Client::new(Credentials::fixed(Credential::password("me", "hunter2")), options());
    let (_directory, path, _) = binary(9_000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    let before = server.asked().len();
    let mut held = Held::open(me(), reference(&server, "app:1")).unwrap();
    assert!(read(&mut held).unwrap().is_complete());
    let shown: Vec<bool> = server.asked()[before..].iter().map(|it| it.field("authorization").is_some()).collect();
    assert_eq!(shown, [false, true, true]);
    assert!(!format!("{held:?}").contains("hunter2"));
}

#[test]
fn a_registry_that_ignores_ranges_gives_small_layers_and_no_large_ones() {
    let registry: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    for (len, is_read) in [(9_000, true), (5 << 20, false)] {
        let whole = Arc::clone(&registry);
        let (server, _) = start(Registry::default(), move |request| {
            let whole = whole.lock().unwrap();
            is_blob(request).then(|| Reply::of(200).body(whole.clone().unwrap_or_default()))
        });
        let (_directory, path, bytes) = binary(len);
        push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
        *registry.lock().unwrap() = Some(bytes);
        let reading = read(&mut Held::open(anonymous(), reference(&server, "app:1")).unwrap());
        assert_eq!(reading.is_ok_and(|outcome| outcome.is_complete()), is_read, "{len}");
    }
}

#[test]
fn another_part_is_refused_and_so_is_another_layer() {
    for kind in 0..4 {
        let (server, _) = start(Registry::default(), move |request| {
            is_blob(request).then(|| match kind {
                0 => Reply::of(206).field("content-range", "bytes 1-9/10").body("123456789"),
                1 => Reply::of(206).body("123456789"),
                2 => part(b"something else", request),
                _ => Reply::of(200).body("something else"),
            })
        });
        let (_directory, path, _) = binary(9_000);
        push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
        let error = read(&mut Held::open(anonymous(), reference(&server, "app:1")).unwrap()).unwrap_err();
        assert!(error.is_io(), "{kind}: {error}");
    }
}

#[test]
fn a_manifest_that_is_not_what_it_is_called_by_is_refused() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, _) = binary(1_000);
    let digest = Packed::of(&path).image.descriptor().digest;
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let entry = ("application/vnd.oci.image.manifest.v1+json".to_owned(), b"{\"layers\":[]}".to_vec());
    registry.lock().unwrap().manifests.insert(digest.to_string(), entry.clone());
    registry.lock().unwrap().manifests.insert("2".to_owned(), entry);
    let open = |name: &str| Held::open(anonymous(), reference(&server, name)).unwrap_err();
    let error = open(&format!("app@{digest}"));
    assert!(matches!(error, HeldError::Image(LayoutError::Content { .. })), "{error}");
    assert!(matches!(open("app:2"), HeldError::Image(LayoutError::NoWasm { .. })));
    assert!(matches!(open("app:3"), HeldError::Registry(error) if error.is_missing()));
}

#[test]
fn a_blob_that_is_sent_on_shows_nothing_secret_there() {
    let (elsewhere, holds) = start(Registry::default(), |_| None);
    let to = format!("http://{}", elsewhere.address);
    let (server, registry) = start(Registry::default(), move |request| {
        is_blob(request).then(|| Reply::of(307).field("location", format!("{to}{}", request.path)))
    });
    let (_directory, path, _) = binary(9_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    holds.lock().unwrap().blobs = registry.lock().unwrap().blobs.clone();
    assert!(read(&mut Held::open(anonymous(), reference(&server, "app:1")).unwrap()).unwrap().is_complete());
    assert!(elsewhere.asked().iter().all(|it| it.field("authorization").is_none() && it.field("range").is_some()));
}

/// An answer that is no good costs the part that was asked for, and nothing of what comes after.
#[test]
fn what_could_not_be_had_once_can_be_asked_for_again() {
    let (server, _) = start(Registry::default(), {
        let mut left = 1;
        move |request| {
            let is_it = is_blob(request) && left > 0;
            left -= i32::from(is_it);
            lets_me_in(request).or_else(|| is_it.then(|| Reply::of(404)))
        }
    });
    let me = || Client::new(Credentials::fixed(Credential::password("me", "hunter2")), options());
    let (_directory, path, bytes) = binary(9_000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    let mut held = Held::open(me(), reference(&server, "app:1")).unwrap();
    let error = now(held.fetch(0..8)).unwrap_err();
    assert!(error.to_string().contains("there is no such repository, or nothing of that name"), "{error}");
    let len = bytes.len() as u64;
    let fetched = now(held.fetch(0..8)).unwrap();
    assert_eq!((&*fetched.bytes, fetched.len), (&bytes[..8], Some(len)));
    // Behind the end there is nothing, and nobody is asked for it.
    let before = server.asked().len();
    for range in [8..8, len..len + 1, len + 5..len + 9] {
        let fetched = now(held.fetch(range)).unwrap();
        assert_eq!((fetched.bytes.len(), fetched.len), (0, Some(len)));
    }
    assert_eq!(server.asked().len(), before);
}
