//! Adding images to layouts.

use std::fs;
use std::thread;

use serde_json::{Value, json};

use sectile::Input;
use sectile::digest::Digest;
use sectile::edit::Edit;
use sectile::metadata::Field;
use sectile_oci::{ImageError, ImageOptions, Layout, LayoutError, LayoutImage, Locator, RefName};

use super::{Fixture, tree};
use sectile_testing::binary::{custom, module, name, section};
use sectile_testing::files::project;

fn index(fixture: &Fixture) -> Value {
    serde_json::from_slice(&fs::read(fixture.layout().join("index.json")).unwrap()).unwrap()
}

fn stored(fixture: &Fixture, suffix: &str) -> LayoutImage {
    LayoutImage::open(&Locator::parse(fixture.locator(suffix).as_ref()).unwrap().unwrap()).unwrap()
}

#[test]
fn a_layout_follows_the_specification() {
    let file = module(&[custom("version", "1.0.0")]);
    let fixture = Fixture::new(&file);
    let image = fixture.add(Some("1.0.0")).image().clone();
    let files = tree(&fixture.layout());
    let names: Vec<_> =
        files.iter().map(|(path, _)| path.strip_prefix(fixture.layout()).unwrap().to_str().unwrap()).collect();
    let digests = [image.layer().digest(), image.config_descriptor().digest(), image.descriptor().digest()];
    let mut expected = digests.map(|digest| format!("blobs/sha256/{}", digest.hex())).to_vec();
    expected.sort();
    expected.extend(["index.json", "oci-layout"].map(str::to_owned));
    assert_eq!(names, expected);
    for (path, bytes) in &files {
        if path.parent().unwrap().ends_with("blobs/sha256") {
            assert_eq!(path.file_name().unwrap().to_str().unwrap(), Digest::new(bytes).hex());
        }
    }
    assert_eq!(fs::read(fixture.layout().join("oci-layout")).unwrap(), br#"{"imageLayoutVersion":"1.0.0"}"#);
    assert_eq!(
        index(&fixture),
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": image.descriptor().digest().to_string(),
                "size": image.descriptor().size(),
                "annotations": { "org.opencontainers.image.ref.name": "1.0.0" },
            }],
        })
    );
}

#[test]
fn adding_an_image_again_changes_nothing() {
    let fixture = Fixture::new(&module(&[custom("name", name("a"))]));
    assert!(fixture.add(Some("a")).index_changed());
    let before = tree(&fixture.layout());
    let modified =
        || before.iter().map(|(path, _)| fs::metadata(path).unwrap().modified().unwrap()).collect::<Vec<_>>();
    let modified_before = modified();
    assert!(!fixture.add(Some("a")).index_changed());
    assert_eq!((tree(&fixture.layout()), modified()), (before.clone(), modified_before));
    // A layout in another directory is byte-identical.
    let other = Fixture::new(&module(&[custom("name", name("a"))]));
    other.add(Some("a"));
    assert!(tree(&other.layout()).into_iter().map(|(_, bytes)| bytes).eq(before.into_iter().map(|(_, bytes)| bytes)));
}

#[test]
fn other_entries_stay_and_a_name_is_replaced() {
    let fixture = Fixture::new(&module(&[]));
    fixture.add(Some("a"));
    let foreign = r#"{"annotations":{"kept": "as  it\u0020is"},"schemaVersion":2,"x":[1,{"y":1e2}],"manifests":[
        {"mediaType":"application/vnd.example+json","size":3,"digest":"sha512:who-knows","data":"e30="},
        {"mediaType":"m","digest":"old","size":1,"annotations":{"org.opencontainers.image.ref.name":"b"},"urls":["u"]}]}"#;
    fs::write(fixture.layout().join("index.json"), foreign).unwrap();
    let blobs = tree(&fixture.layout().join("blobs"));
    fs::write(&fixture.file, module(&[custom("vendor", "v")])).unwrap();

    let added = fixture.add(Some("b"));
    let after = fs::read_to_string(fixture.layout().join("index.json")).unwrap();
    let start = r#"{"annotations":{"kept": "as  it\u0020is"},"schemaVersion":2,"x":[1,{"y":1e2}],"manifests":[{"mediaType":"application/vnd.example+json","size":3,"digest":"sha512:who-knows","data":"e30="},{"mediaType":"application/vnd.oci.image.manifest.v1+json","#;
    assert!(after.starts_with(start), "{after}");
    assert_eq!(index(&fixture)["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(index(&fixture)["manifests"][1]["digest"], added.image().descriptor().digest().to_string());
    assert!(blobs.iter().all(|blob| tree(&fixture.layout().join("blobs")).contains(blob)));

    fixture.add(Some("c"));
    fixture.add(None);
    fixture.add(None);
    assert_eq!(index(&fixture)["manifests"].as_array().unwrap().len(), 4, "one more with a name, and one without");
}

/// Adding an image replaces every entry of the same name.
#[test]
fn a_repeated_name_becomes_unique() {
    let fixture = Fixture::new(&module(&[]));
    fixture.add(Some("a"));
    fixture.add(Some("b"));
    let twice = fs::read_to_string(fixture.layout().join("index.json")).unwrap().replace("\"b\"", "\"a\"");
    fs::write(fixture.layout().join("index.json"), twice).unwrap();
    fixture.add(Some("c"));
    fs::write(&fixture.file, module(&[custom("vendor", "v")])).unwrap();
    let digest = fixture.add(Some("a")).image().clone().descriptor().digest();
    let index = index(&fixture);
    let names = index["manifests"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|entry| &entry["annotations"]["org.opencontainers.image.ref.name"]).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(index["manifests"][0]["digest"], digest.to_string());
}

/// An index that would exceed the size limit is not changed.
#[test]
fn an_index_above_the_size_limit_is_not_written() {
    let fixture = Fixture::new(&module(&[]));
    fixture.add(Some("a"));
    let index = fixture.layout().join("index.json");
    let with = |len: usize| format!(r#"{{"schemaVersion":2,"manifests":[],"x":"{}"}}"#, "a".repeat(len));
    let full = with((4 << 20) - with(0).len());
    fs::write(&index, &full).unwrap();
    let error = fixture.try_add(Some("b"), &ImageOptions::default()).unwrap_err();
    assert!(matches!(error, LayoutError::IndexTooLarge(len) if len > 4 << 20), "{error}");
    assert!(fs::read_to_string(&index).unwrap() == full);
}

#[test]
fn errors_name_the_conflicting_path() {
    let fixture = Fixture::new(&module(&[]));
    let image = fixture.add(Some("a")).image().clone();
    for digest in [image.layer().digest(), image.config_descriptor().digest(), image.descriptor().digest()] {
        let blob = fixture.layout().join("blobs/sha256").join(digest.hex());
        let whole = fs::read(&blob).unwrap();
        fs::remove_file(&blob).unwrap();
        fs::create_dir(&blob).unwrap();
        let error = fixture.try_add(Some("a"), &ImageOptions::default()).unwrap_err();
        assert!(matches!(&error, LayoutError::NotRegular(path) if *path == blob), "{error}");
        fs::remove_dir(&blob).unwrap();
        fs::write(&blob, whole).unwrap();
    }
    fs::remove_file(fixture.layout().join("index.json")).unwrap();
    fs::create_dir(fixture.layout().join("index.json")).unwrap();
    let error = fixture.try_add(Some("b"), &ImageOptions::default()).unwrap_err();
    assert!(matches!(&error, LayoutError::NotRegular(path) if path.ends_with("index.json")), "{error}");
    for (directory, at) in [(fixture.file.join("l"), "l"), (fixture.directory.path().join("none/l"), "l")] {
        let error = Layout::open_or_create(&directory, Default::default()).unwrap_err();
        assert!(matches!(&error, LayoutError::Io { file, .. } if file.ends_with(at)), "{error}");
    }
    let file = Layout::open_or_create(&fixture.file, Default::default()).unwrap_err();
    assert!(matches!(&file, LayoutError::Io { file, .. } if file.ends_with("oci-layout")), "{file}");
}

#[test]
fn metadata_is_added_without_changing_the_file() {
    let file = module(&[section(1, b"\x01\x60\0\0")]);
    let fixture = Fixture::new(&file);
    let input = Input::open(&fixture.file).unwrap();
    let plan = Edit::new().set(Field::Vendor, "v").unwrap().plan_input(&input).unwrap().into_plan();
    let layout = Layout::open_or_create(fixture.layout(), Default::default()).unwrap();
    let added = layout.add(&input, &plan, None, &ImageOptions::default()).unwrap();
    drop(layout);
    assert_eq!(fs::read(&fixture.file).unwrap(), file);
    assert_eq!(added.image().annotations()[Field::Vendor.oci_key()], "v");
    let blob = fs::read(fixture.layout().join("blobs/sha256").join(added.image().layer().digest().hex())).unwrap();
    assert_eq!(blob, plan.to_vec(&file).unwrap());
}

#[test]
fn an_added_module_is_read_back_unchanged() {
    let fixture = Fixture::new(&fs::read(project().join("tests/files/rust-auditable.wasm")).unwrap());
    let first = fixture.add(Some("v1")).image().clone();
    let second = fixture.add(Some("v1")).image().clone();
    assert_eq!(first, second);
    let stored = stored(&fixture, ":v1");
    assert_eq!((stored.digest(), &stored.layer().digest()), (first.descriptor().digest(), &first.layer().digest()));
    assert_eq!(stored.annotations(), first.annotations());
    assert_eq!(stored.hash_layer().unwrap(), first.layer().digest());
    let mut metadata = stored.input().read().unwrap();
    let before = metadata.findings().iter().count();
    stored.compare(&mut metadata);
    stored.verify(&mut metadata).unwrap();
    assert_eq!(metadata.findings().iter().count(), before);
}

#[test]
fn a_truncated_blob_is_written_again() {
    let fixture = Fixture::new(&module(&[custom("note", "0123456789")]));
    let image = fixture.add(Some("a")).image().clone();
    let blob = |digest: Digest| fixture.layout().join("blobs/sha256").join(digest.hex());
    for digest in [image.layer().digest(), image.config_descriptor().digest(), image.descriptor().digest()] {
        let whole = fs::read(blob(digest)).unwrap();
        fs::write(blob(digest), &whole[..5]).unwrap();
        fixture.add(Some("a"));
        assert_eq!(fs::read(blob(digest)).unwrap(), whole);
    }
}

#[test]
fn other_directories_are_not_changed() {
    let fixture = Fixture::new(&module(&[]));
    let refused = |error: LayoutError| error.to_string();
    fs::create_dir(fixture.layout()).unwrap();
    fs::write(fixture.layout().join("README"), "mine").unwrap();
    let error = fixture.try_add(None, &ImageOptions::default()).unwrap_err();
    assert!(matches!(error, LayoutError::NotLayout(_)), "{}", refused(error));
    assert_eq!(tree(&fixture.layout()).len(), 1);
    for marker in ["", "{}", r#"{"imageLayoutVersion":"2.0.0"}"#, "[[[[[["] {
        fs::write(fixture.layout().join("oci-layout"), marker).unwrap();
        let error = fixture.try_add(None, &ImageOptions::default()).unwrap_err();
        assert!(matches!(error, LayoutError::Malformed { .. }), "{marker}: {}", refused(error));
    }
    fs::write(fixture.layout().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    for index in [
        "",
        "[]",
        "{}",
        r#"{"schemaVersion":1,"manifests":[]}"#,
        r#"{"schemaVersion":2,"manifests":{}}"#,
        r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
        r#"{"schemaVersion":2,"manifests":[7]}"#,
    ] {
        fs::write(fixture.layout().join("index.json"), index).unwrap();
        let error = fixture.try_add(Some("a"), &ImageOptions::default()).unwrap_err();
        assert!(matches!(error, LayoutError::Malformed { .. }), "{index}: {}", refused(error));
        assert_eq!(fs::read_to_string(fixture.layout().join("index.json")).unwrap(), index);
    }
}

#[test]
fn a_refused_binary_leaves_only_the_marker() {
    let fixture = Fixture::new(&module(&[custom("vendor", "a"), custom("vendor", "b")]));
    let error = fixture.try_add(None, &ImageOptions::default()).unwrap_err();
    assert!(matches!(error, LayoutError::Image(ImageError::Annotation(_))), "{error}");
    assert_eq!(tree(&fixture.layout()).len(), 1, "only the marker");
}

#[test]
fn writers_exclude_each_other_and_lose_nothing() {
    let fixture = Fixture::new(&module(&[]));
    fixture.add(None);
    let open = || Layout::open_or_create(fixture.layout(), Default::default());
    let locked = open().unwrap();
    assert!(matches!(open(), Err(LayoutError::Locked(_))));
    drop(locked);

    let names: Vec<String> = (0..8).map(|nth| format!("n{nth}")).collect();
    let done: Vec<&String> = thread::scope(|scope| {
        let adding: Vec<_> = names
            .iter()
            .map(|name| {
                let fixture = &fixture;
                scope.spawn(move || {
                    loop {
                        match fixture.try_add(Some(name), &ImageOptions::default()) {
                            Ok(_) => return name,
                            Err(LayoutError::Locked(_)) => thread::yield_now(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        adding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done.len(), 8);
    assert_eq!(index(&fixture)["manifests"].as_array().unwrap().len(), 9);
}

#[test]
fn names_follow_the_specification() {
    for right in ["a", "1.0.0", "v1.0.0-rc.1", "a/b:c@d+e", "a--b", "A_b"] {
        assert_eq!(right.parse::<RefName>().unwrap().to_string(), right);
    }
    for wrong in ["", "/", "a/", "/a", "a//b", "-a", "a-", "a..b", "a---b", "a b", "ä", "a\n", "../a", "a.-b"] {
        assert!(matches!(wrong.parse::<RefName>(), Err(LayoutError::InvalidRefName(_))), "{wrong}");
    }
}
