//! Images that are found again.

use std::fs;

use sectile::digest::Digest;
use sectile::oci::{LayoutError, Locator, Selector, Stored};
use sectile::{Code, Input, Limits};

use super::Place;
use crate::support::binary::{custom, module, name};

fn locate(text: &str) -> Result<Locator, LayoutError> {
    Locator::parse(text.as_ref()).expect("it begins with oci:")
}

fn input(text: &str) -> Result<Input, sectile::Error> {
    Input::locate(text)
}

#[test]
fn by_name_by_digest_and_alone() {
    let file = module(&[custom("vendor", "v")]);
    let place = Place::of(&file);
    let image = place.add(Some("1.0.0")).image.descriptor().digest;
    for behind in ["", ":1.0.0", &format!("@{image}")] {
        let input = input(&place.locator(behind)).unwrap();
        assert_eq!(input.len(), file.len() as u64);
        input.read(Limits::default()).unwrap().complete().unwrap();
    }
    assert_eq!(locate(&place.locator(":1.0.0")).unwrap().selector, Selector::Name("1.0.0".to_owned()));
    assert_eq!(locate(&place.locator(&format!("@{image}"))).unwrap().selector, Selector::Digest(image));
    assert!(Locator::parse("app.wasm".as_ref()).is_none() && Locator::parse("./oci:a".as_ref()).is_none());
    let file = input(place.file.to_str().unwrap()).unwrap();
    assert_eq!(file.len(), input(&place.locator("")).unwrap().len());
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let place = Place::of(&module(&[]));
    let digest = place.add(Some("a")).image.descriptor().digest;
    fs::write(&place.file, module(&[custom("x", "y")])).unwrap();
    place.add(Some("b"));
    let message = |behind: &str| input(&place.locator(behind)).unwrap_err().message();
    assert_eq!(message(":c"), "there is no image `c`; there is `a`, `b`");
    assert!(message("").starts_with(&format!("there are several images, `a` ({digest}), `b` (")), "{}", message(""));
    let nameless = Place::of(&module(&[]));
    let one = nameless.add(None).image.descriptor().digest;
    fs::write(&nameless.file, module(&[custom("x", "y")])).unwrap();
    let other = nameless.add(None).image.descriptor().digest;
    let said = input(&nameless.locator("")).unwrap_err().message();
    assert!(said.starts_with(&format!("there are several images, {one}, {other}")), "{said}");
    let absent = Digest::of(b"absent");
    assert!(message(&format!("@{absent}")).ends_with(&format!("{}` is not there", absent.hex())));
    assert!(message("@sha512:aa").contains("sha512"), "{}", message("@sha512:aa"));
    assert!(matches!(locate("oci:/nowhere/at/all:tag"), Err(LayoutError::NotLayout(path)) if path.ends_with("at/all")));
    assert!(matches!(locate("oci://host/repo:tag"), Err(LayoutError::Registry)));
    assert!(
        matches!(locate(r"oci:C:\nowhere:tag"), Err(LayoutError::NotLayout(path)) if path.as_os_str() == r"C:\nowhere")
    );
    assert!(locate("oci:").is_err() && locate("oci::").is_err() && locate("oci:@").is_err());
}

#[test]
#[cfg(unix)]
fn a_directory_may_have_colons_and_at_signs_in_its_name() {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let place = Place::of(&module(&[]));
    place.add(Some("a:b@c"));
    assert_eq!(locate(&place.locator(":a:b@c")).unwrap().selector, Selector::Name("a:b@c".to_owned()));
    for odd in ["x:y", "C:", "x@y", "x:a"] {
        let odd = place.directory.path().join(odd);
        fs::rename(place.layout(), &odd).unwrap();
        let text = format!("oci:{}", odd.display());
        assert_eq!(locate(&text).unwrap().selector, Selector::Only);
        assert_eq!(locate(&format!("{text}:a:b@c")).unwrap().directory, odd);
        fs::rename(odd, place.layout()).unwrap();
    }
    let odd = place.directory.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::rename(place.layout(), &odd).unwrap();
    let text = std::ffi::OsString::from_vec([b"oci:", odd.as_os_str().as_bytes(), b":a:b@c"].concat());
    assert_eq!(Input::locate(text).unwrap().len(), 8);
}

#[test]
fn drift_is_found_and_both_values_are_quoted() {
    let file = module(&[custom("vendor", "v"), custom("version", "1.0.0"), custom("name", name("n"))]);
    let place = Place::of(&file);
    let options = sectile::oci::AnnotationOptions::new();
    let options = options
        .set("org.opencontainers.image.vendor", "another")
        .and_then(|options| options.set("org.opencontainers.image.source", "https://example.com/"))
        .and_then(|options| options.set("org.opencontainers.image.created", "2026-01-31T12:00:00Z"))
        .and_then(|options| options.set("com.example/a", "b"))
        .unwrap();
    let options = sectile::oci::ImageOptions { annotations: options, ..Default::default() };
    place.try_add(None, &options).unwrap();
    let stored = Stored::open(&locate(&place.locator("")).unwrap()).unwrap();
    let mut metadata = stored.input().read(Limits::default()).unwrap().complete().unwrap();
    stored.compare(&mut metadata);
    let found: Vec<_> = metadata.findings().iter().map(|finding| (finding.code, &*finding.message)).collect();
    let vendor = "the manifest's `org.opencontainers.image.vendor` is `another`, and the binary says `v`";
    let source =
        "the manifest's `org.opencontainers.image.source` is `https://example.com/`, and the binary says nothing";
    assert_eq!(found, [(Code::AnnotationDrift, source), (Code::AnnotationDrift, vendor)]);
    assert_eq!(metadata.findings().iter().nth(1).unwrap().section.as_deref(), Some("vendor"));
}

/// What the binary says and cannot be compared is not taken for nothing.
#[test]
fn values_that_cannot_be_read_are_no_silence() {
    let set = |key: &str| sectile::oci::AnnotationOptions::new().set(key, "said").unwrap().allow_invalid();
    for (value, drifts) in [(vec![b'a'; 2 << 20], false), (b"caf\xe9".to_vec(), true)] {
        let place = Place::of(&module(&[custom("vendor", value)]));
        let annotations = set("org.opencontainers.image.vendor");
        place.try_add(None, &sectile::oci::ImageOptions { annotations, ..Default::default() }).unwrap();
        let stored = Stored::open(&locate(&place.locator("")).unwrap()).unwrap();
        let mut metadata = stored.input().read(Limits::default()).unwrap().complete().unwrap();
        stored.compare(&mut metadata);
        let found = metadata.findings().iter().filter(|finding| finding.code == Code::AnnotationDrift);
        let said: Vec<&str> = found.map(|finding| &*finding.message).collect();
        assert_eq!(said.len(), usize::from(drifts), "{said:?}");
        assert!(said.iter().all(|said| said.ends_with("what the binary says is not UTF-8")), "{said:?}");
    }
}

#[test]
fn a_layer_that_was_tampered_with_is_found_when_it_is_hashed() {
    let place = Place::of(&module(&[custom("vendor", "v")]));
    let image = place.add(None).image;
    let blob = place.layout().join("blobs/sha256").join(image.layer().digest.hex());
    let mut bytes = fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() = b'w';
    fs::write(&blob, bytes).unwrap();
    let stored = Stored::open(&locate(&place.locator("")).unwrap()).unwrap();
    let mut metadata = stored.input().read(Limits::default()).unwrap().complete().unwrap();
    stored.verify(&mut metadata).unwrap();
    let codes: Vec<_> = metadata.findings().iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::DigestMismatch]);
}
