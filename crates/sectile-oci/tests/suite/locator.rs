//! Locators, and images that are opened.

use std::fs;

use sectile::digest::Digest;
use sectile::{FindingCode, Input};
use sectile_oci::{LayoutError, LayoutImage, Locator, Selector};

use super::Fixture;
use sectile_testing::binary::{custom, module, name};

fn locate(text: &str) -> Result<Locator, LayoutError> {
    Locator::parse(text.as_ref()).expect("it begins with oci:")
}

fn input(text: &str) -> Result<Input, sectile::Error> {
    sectile_oci::open(text)
}

#[test]
fn images_are_opened_by_name_by_digest_and_alone() {
    let file = module(&[custom("vendor", "v")]);
    let fixture = Fixture::new(&file);
    let image = fixture.add(Some("1.0.0")).image().clone().descriptor().digest();
    for suffix in ["", ":1.0.0", &format!("@{image}")] {
        let input = input(&fixture.locator(suffix)).unwrap();
        assert_eq!(input.len(), file.len() as u64);
        input.read().unwrap();
    }
    assert_eq!(locate(&fixture.locator(":1.0.0")).unwrap().selector(), &Selector::Name("1.0.0".to_owned()));
    assert_eq!(locate(&fixture.locator(&format!("@{image}"))).unwrap().selector(), &Selector::Digest(image));
    assert!(Locator::parse("app.wasm".as_ref()).is_none() && Locator::parse("./oci:a".as_ref()).is_none());
    let file = input(fixture.file.to_str().unwrap()).unwrap();
    assert_eq!(file.len(), input(&fixture.locator("")).unwrap().len());
}

#[test]
fn missing_images_are_reported_with_existing_ones() {
    let fixture = Fixture::new(&module(&[]));
    let digest = fixture.add(Some("a")).image().clone().descriptor().digest();
    fs::write(&fixture.file, module(&[custom("x", "y")])).unwrap();
    fixture.add(Some("b"));
    let message = |suffix: &str| input(&fixture.locator(suffix)).unwrap_err().message();
    assert_eq!(message(":c"), "no image named `c`; available: `a`, `b`");
    assert!(message("").starts_with(&format!("several images match: `a` ({digest}), `b` (")), "{}", message(""));
    let nameless = Fixture::new(&module(&[]));
    let one = nameless.add(None).image().clone().descriptor().digest();
    fs::write(&nameless.file, module(&[custom("x", "y")])).unwrap();
    let other = nameless.add(None).image().clone().descriptor().digest();
    let said = input(&nameless.locator("")).unwrap_err().message();
    assert!(said.starts_with(&format!("several images match: {one}, {other}")), "{said}");
    let absent = Digest::new(b"absent");
    assert!(message(&format!("@{absent}")).starts_with(&format!("the blob {absent} is not in the layout")));
    assert!(message("@sha512:aa").contains("sha512"), "{}", message("@sha512:aa"));
    assert!(matches!(locate("oci:/nowhere/at/all:tag"), Err(LayoutError::NotLayout(path)) if path.ends_with("at/all")));
    assert!(matches!(locate("oci://host/repo:tag"), Err(LayoutError::RegistryLocator)));
    assert!(
        matches!(locate(r"oci:C:\nowhere:tag"), Err(LayoutError::NotLayout(path)) if path.as_os_str() == r"C:\nowhere")
    );
    assert!(locate("oci:").is_err() && locate("oci::").is_err() && locate("oci:@").is_err());
}

#[test]
#[cfg(unix)]
fn a_directory_may_have_colons_and_at_signs_in_its_name() {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let fixture = Fixture::new(&module(&[]));
    fixture.add(Some("a:b@c"));
    assert_eq!(locate(&fixture.locator(":a:b@c")).unwrap().selector(), &Selector::Name("a:b@c".to_owned()));
    for odd in ["x:y", "C:", "x@y", "x:a"] {
        let odd = fixture.directory.path().join(odd);
        fs::rename(fixture.layout(), &odd).unwrap();
        let text = format!("oci:{}", odd.display());
        assert_eq!(locate(&text).unwrap().selector(), &Selector::Only);
        assert_eq!(locate(&format!("{text}:a:b@c")).unwrap().directory(), odd);
        fs::rename(odd, fixture.layout()).unwrap();
    }
    let odd = fixture.directory.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::rename(fixture.layout(), &odd).unwrap();
    let text = std::ffi::OsString::from_vec([b"oci:", odd.as_os_str().as_bytes(), b":a:b@c"].concat());
    assert_eq!(sectile_oci::open(text).unwrap().len(), 8);
}

#[test]
fn drift_findings_quote_both_values() {
    let file = module(&[custom("vendor", "v"), custom("version", "1.0.0"), custom("name", name("n"))]);
    let fixture = Fixture::new(&file);
    let options = sectile_oci::AnnotationOptions::new();
    let options = options
        .with_annotation("org.opencontainers.image.vendor", "another")
        .and_then(|options| options.with_annotation("org.opencontainers.image.source", "https://example.com/"))
        .and_then(|options| options.with_annotation("org.opencontainers.image.created", "2026-01-31T12:00:00Z"))
        .and_then(|options| options.with_annotation("com.example/a", "b"))
        .unwrap();
    let options = sectile_oci::ImageOptions { annotations: options, ..Default::default() };
    fixture.try_add(None, &options).unwrap();
    let stored = LayoutImage::open(&locate(&fixture.locator("")).unwrap()).unwrap();
    let mut metadata = stored.input().read().unwrap();
    stored.compare(&mut metadata);
    let found: Vec<_> = metadata.findings().iter().map(|finding| (finding.code(), finding.message())).collect();
    let vendor = "the manifest's `org.opencontainers.image.vendor` is `another`, but the binary has `v`";
    let source =
        "the manifest's `org.opencontainers.image.source` is `https://example.com/`, but the binary has no value";
    assert_eq!(found, [(FindingCode::AnnotationDrift, source), (FindingCode::AnnotationDrift, vendor)]);
    assert_eq!(metadata.findings().iter().nth(1).unwrap().section(), Some("vendor"));
}

/// `wkg` writes URLs as the URL standard does.
#[test]
fn normalized_urls_do_not_drift() {
    for (binary, image, drifts) in [
        ("https://example.com", "https://example.com/", false),
        ("HTTPS://Example.com:443/a/../b", "https://example.com/b", false),
        ("https://example.com/a", "https://example.com/a/", true),
    ] {
        let fixture = Fixture::new(&module(&[custom("homepage", binary)]));
        let annotations = sectile_oci::AnnotationOptions::new();
        let annotations = annotations.with_annotation("org.opencontainers.image.url", image).unwrap();
        fixture.try_add(None, &sectile_oci::ImageOptions { annotations, ..Default::default() }).unwrap();
        let stored = LayoutImage::open(&locate(&fixture.locator("")).unwrap()).unwrap();
        let mut metadata = stored.input().read().unwrap();
        stored.compare(&mut metadata);
        let found = metadata.findings().iter().filter(|finding| finding.code() == FindingCode::AnnotationDrift);
        assert_eq!(found.count(), usize::from(drifts), "{binary} {image}");
    }
}

/// An unreadable value of the binary does not count as absent.
#[test]
fn unreadable_values_are_not_absent() {
    let set = |key: &str| {
        sectile_oci::AnnotationOptions::new().with_annotation(key, "said").unwrap().with_allow_invalid(true)
    };
    for (value, drifts) in [(vec![b'a'; 2 << 20], false), (b"caf\xe9".to_vec(), true)] {
        let fixture = Fixture::new(&module(&[custom("vendor", value)]));
        let annotations = set("org.opencontainers.image.vendor");
        fixture.try_add(None, &sectile_oci::ImageOptions { annotations, ..Default::default() }).unwrap();
        let stored = LayoutImage::open(&locate(&fixture.locator("")).unwrap()).unwrap();
        let mut metadata = stored.input().read().unwrap();
        stored.compare(&mut metadata);
        let found = metadata.findings().iter().filter(|finding| finding.code() == FindingCode::AnnotationDrift);
        let said: Vec<&str> = found.map(|finding| finding.message()).collect();
        assert_eq!(said.len(), usize::from(drifts), "{said:?}");
        assert!(said.iter().all(|said| said.ends_with("the binary's value is not UTF-8")), "{said:?}");
    }
}

#[test]
fn verify_finds_a_modified_layer() {
    let fixture = Fixture::new(&module(&[custom("vendor", "v")]));
    let image = fixture.add(None).image().clone();
    let blob = fixture.layout().join("blobs/sha256").join(image.layer().digest().hex());
    let mut bytes = fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() = b'w';
    fs::write(&blob, bytes).unwrap();
    let stored = LayoutImage::open(&locate(&fixture.locator("")).unwrap()).unwrap();
    let mut metadata = stored.input().read().unwrap();
    stored.verify(&mut metadata).unwrap();
    let codes: Vec<_> = metadata.findings().iter().map(|finding| finding.code()).collect();
    assert_eq!(codes, [FindingCode::DigestMismatch]);
}
