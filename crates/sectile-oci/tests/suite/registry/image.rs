//! Images in a registry, read by ranges.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{PackedImage, anonymous, binary, options, push, reference};
use sectile::drive::{Fetch, FetchOptions};
use sectile::metadata::Metadata;
use sectile::{Error, Limits, Outcome, read_fetch_with, read_slice};
use sectile_oci::LayoutError;
use sectile_oci::registry::{Client, ClientOptions, Credential, Credentials, RegistryImage, RegistryImageError};
use sectile_testing::parts::part;
use sectile_testing::parts_of;
use sectile_testing::ranges::now;
use sectile_testing::registry::{Registry, require_login, start};
use sectile_testing::server::{Reply, Request};

fn read(image: &mut RegistryImage) -> Outcome<Metadata<'static>> {
    now(read_fetch_with(image, FetchOptions::default(), Limits::default()))
}

/// The error of an image whose first bytes cannot be read.
fn read_error(image: &mut RegistryImage) -> Error {
    let (metadata, result, _) = parts_of(read(image));
    assert_eq!(metadata, None);
    result.unwrap_err()
}

fn is_blob(request: &Request) -> bool {
    request.method == "GET" && request.path.contains("/blobs/")
}

#[test]
fn a_layer_is_read_by_ranges() {
    let (server, _) = start(Registry::default(), |_| None);
    let (_directory, path, bytes) = binary(900_000);
    let pushed = PackedImage::new(&path);
    pushed.push(&anonymous(), &reference(&server, "team/app:1")).unwrap();
    let before = server.asked().len();
    for name in ["team/app:1".to_owned(), format!("team/app@{}", pushed.image.descriptor().digest())] {
        let mut image = RegistryImage::open(anonymous(), reference(&server, &name)).unwrap();
        assert_eq!(image.digest(), pushed.image.descriptor().digest());
        assert_eq!((image.layer().digest(), image.layer().size()), (pushed.image.layer().digest(), bytes.len() as u64));
        let outcome = read(&mut image);
        assert_eq!(outcome.value(), Some(&read_slice(&bytes).unwrap()));
        assert!(outcome.is_complete() && outcome.cost().bytes < 100_000, "{:?}", outcome.cost());
        let mut metadata = outcome.complete().unwrap();
        image.compare(&mut metadata);
        assert!(metadata.findings().is_empty());
    }
    let asked = &server.asked()[before..];
    assert!(asked.iter().filter(|request| is_blob(request)).all(|request| request.field("range").is_some()));
}

#[test]
fn credentials_are_requested_once() {
    let (server, _) = start(Registry::default(), require_login);
    let me = || Client::new(Credentials::fixed(Credential::password("me", "hunter2")), options());
    let (_directory, path, _) = binary(9_000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    let before = server.asked().len();
    let mut image = RegistryImage::open(me(), reference(&server, "app:1")).unwrap();
    assert!(read(&mut image).is_complete());
    let shown: Vec<bool> = server.asked()[before..].iter().map(|it| it.field("authorization").is_some()).collect();
    assert_eq!(shown, [false, true, true]);
    assert!(!format!("{image:?}").contains("hunter2"));
}

#[test]
fn a_layer_is_downloaded_once_without_ranges() {
    let registry: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    for len in [9_000, 5 << 20] {
        let whole = Arc::clone(&registry);
        let (server, _) = start(Registry::default(), move |request| {
            let whole = whole.lock().unwrap();
            is_blob(request).then(|| Reply::of(200).body(whole.clone().unwrap_or_default()))
        });
        let (_directory, path, bytes) = binary(len);
        push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
        *registry.lock().unwrap() = Some(bytes.clone());
        let mut image = RegistryImage::open(anonymous(), reference(&server, "app:1")).unwrap();
        assert!(read(&mut image).is_complete() && read(&mut image).is_complete(), "{len}");
        assert_eq!(server.asked().iter().filter(|request| is_blob(request)).count(), 1, "{len}");
        // The length is right, but not the contents.
        let mut wrong = bytes;
        *wrong.last_mut().unwrap() ^= 1;
        *registry.lock().unwrap() = Some(wrong);
        let mut image = RegistryImage::open(anonymous(), reference(&server, "app:1")).unwrap();
        assert!(read_error(&mut image).message().contains("tampered"), "{len}");
    }
}

#[test]
fn a_layer_is_read_from_start_to_end() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, bytes) = binary(6 << 20); // larger than a manifest may be
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let image = RegistryImage::open(anonymous(), reference(&server, "app:1")).unwrap();
    let mut layer = Vec::new();
    image.read_layer().unwrap().read_to_end(&mut layer).unwrap();
    assert_eq!(layer, bytes);
    registry.lock().unwrap().blobs.remove(&image.layer().digest().to_string());
    assert!(image.read_layer().err().unwrap().is_missing());
}

#[test]
fn a_wrong_part_or_layer_is_refused() {
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
        let error = read_error(&mut RegistryImage::open(anonymous(), reference(&server, "app:1")).unwrap());
        assert!(error.is_io(), "{kind}: {error}");
    }
}

#[test]
fn a_manifest_with_another_digest_is_refused() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (_directory, path, _) = binary(1_000);
    let digest = PackedImage::new(&path).image.descriptor().digest();
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let entry = ("application/vnd.oci.image.manifest.v1+json".to_owned(), b"{\"layers\":[]}".to_vec());
    registry.lock().unwrap().manifests.insert(digest.to_string(), entry.clone());
    registry.lock().unwrap().manifests.insert("2".to_owned(), entry);
    let open = |name: &str| RegistryImage::open(anonymous(), reference(&server, name)).unwrap_err();
    let error = open(&format!("app@{digest}"));
    assert!(matches!(error, RegistryImageError::Image(LayoutError::DigestMismatch { .. })), "{error}");
    assert!(matches!(open("app:2"), RegistryImageError::Image(LayoutError::NoWasmLayer { .. })));
    assert!(matches!(open("app:3"), RegistryImageError::Registry(error) if error.is_missing()));
}

#[test]
fn redirected_blob_requests_send_no_credentials() {
    let (elsewhere, holds) = start(Registry::default(), |_| None);
    let to = format!("http://{}", elsewhere.address);
    let (server, registry) = start(Registry::default(), move |request| {
        is_blob(request).then(|| Reply::of(307).field("location", format!("{to}{}", request.path)))
    });
    let (_directory, path, _) = binary(9_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    holds.lock().unwrap().blobs = registry.lock().unwrap().blobs.clone();
    assert!(read(&mut RegistryImage::open(anonymous(), reference(&server, "app:1")).unwrap()).is_complete());
    assert!(elsewhere.asked().iter().all(|it| it.field("authorization").is_none() && it.field("range").is_some()));
}

/// A failed request does not affect the following ones.
#[test]
fn a_failed_range_can_be_fetched_again() {
    let (server, _) = start(Registry::default(), {
        let mut left = 1;
        move |request| {
            let is_it = is_blob(request) && left > 0;
            left -= i32::from(is_it);
            require_login(request).or_else(|| is_it.then(|| Reply::of(404)))
        }
    });
    let me = || Client::new(Credentials::fixed(Credential::password("me", "hunter2")), options());
    let (_directory, path, bytes) = binary(9_000);
    push(&me(), &reference(&server, "app:1"), &path).unwrap();
    let mut image = RegistryImage::open(me(), reference(&server, "app:1")).unwrap();
    let error = now(image.fetch(0..8)).unwrap_err();
    assert!(error.to_string().contains("not found: the repository or image does not exist"), "{error}");
    let len = bytes.len() as u64;
    let fetched = now(image.fetch(0..8)).unwrap();
    assert_eq!((&fetched.bytes()[..], fetched.input_len()), (&bytes[..8], Some(len)));
    // Ranges after the end are empty and cause no requests.
    let before = server.asked().len();
    for range in [8..8, len..len + 1, len + 5..len + 9] {
        let fetched = now(image.fetch(range)).unwrap();
        assert_eq!((fetched.bytes().len(), fetched.input_len()), (0, Some(len)));
    }
    assert_eq!(server.asked().len(), before);
}

/// Each request is fast enough, but their number is unlimited.
#[test]
fn all_requests_for_an_image_share_a_deadline() {
    let (server, _) = start(Registry::default(), |request| {
        if is_blob(request) {
            std::thread::sleep(Duration::from_millis(60));
        }
        None
    });
    let (_directory, path, _) = binary(900_000);
    push(&anonymous(), &reference(&server, "app:1"), &path).unwrap();
    let options = ClientOptions { total_timeout: Duration::from_millis(600), ..options() };
    let client = Client::new(Credentials::anonymous(), options);
    let mut image = RegistryImage::open(client, reference(&server, "app:1")).unwrap();
    let begun = Instant::now();
    let error = (0..1_000).find_map(|nth| now(image.fetch(nth * 8..nth * 8 + 8)).err()).unwrap();
    assert!(error.to_string().contains("timeout: no data received"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
