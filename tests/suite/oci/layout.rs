//! Image layouts that are written.

use std::fs;
use std::thread;

use serde_json::{Value, json};

use sectile::digest::Digest;
use sectile::edit::Edit;
use sectile::metadata::Field;
use sectile::oci::{ImageError, ImageOptions, Layout, LayoutError, Locator, RefName, Stored};
use sectile::{Input, Limits};

use super::{Place, tree};
use crate::support::binary::{custom, module, name, section};

fn index(place: &Place) -> Value {
    serde_json::from_slice(&fs::read(place.layout().join("index.json")).unwrap()).unwrap()
}

fn stored(place: &Place, behind: &str) -> Stored {
    Stored::open(&Locator::parse(place.locator(behind).as_ref()).unwrap().unwrap()).unwrap()
}

#[test]
fn a_layout_is_what_the_specification_says() {
    let file = module(&[custom("version", "1.0.0")]);
    let place = Place::of(&file);
    let image = place.add(Some("1.0.0")).image;
    let files = tree(&place.layout());
    let names: Vec<_> =
        files.iter().map(|(path, _)| path.strip_prefix(place.layout()).unwrap().to_str().unwrap()).collect();
    let digests = [image.layer().digest, image.config_descriptor().digest, image.descriptor().digest];
    let mut expected = digests.map(|digest| format!("blobs/sha256/{}", digest.hex())).to_vec();
    expected.sort();
    expected.extend(["index.json", "oci-layout"].map(str::to_owned));
    assert_eq!(names, expected);
    for (path, bytes) in &files {
        if path.parent().unwrap().ends_with("blobs/sha256") {
            assert_eq!(path.file_name().unwrap().to_str().unwrap(), Digest::of(bytes).hex());
        }
    }
    assert_eq!(fs::read(place.layout().join("oci-layout")).unwrap(), br#"{"imageLayoutVersion":"1.0.0"}"#);
    assert_eq!(
        index(&place),
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": image.descriptor().digest.to_string(),
                "size": image.descriptor().size,
                "annotations": { "org.opencontainers.image.ref.name": "1.0.0" },
            }],
        })
    );
}

#[test]
fn the_same_again_changes_nothing() {
    let place = Place::of(&module(&[custom("name", name("a"))]));
    assert!(place.add(Some("a")).changed);
    let before = tree(&place.layout());
    let stamps = || before.iter().map(|(path, _)| fs::metadata(path).unwrap().modified().unwrap()).collect::<Vec<_>>();
    let stamped = stamps();
    assert!(!place.add(Some("a")).changed);
    assert_eq!((tree(&place.layout()), stamps()), (before.clone(), stamped));
    // And elsewhere it is the same, byte for byte.
    let other = Place::of(&module(&[custom("name", name("a"))]));
    other.add(Some("a"));
    assert!(tree(&other.layout()).into_iter().map(|(_, bytes)| bytes).eq(before.into_iter().map(|(_, bytes)| bytes)));
}

#[test]
fn what_is_there_stays_and_a_name_is_taken_over() {
    let place = Place::of(&module(&[]));
    place.add(Some("a"));
    let foreign = r#"{"annotations":{"kept": "as  it\u0020is"},"schemaVersion":2,"x":[1,{"y":1e2}],"manifests":[
        {"mediaType":"application/vnd.example+json","size":3,"digest":"sha512:who-knows","data":"e30="},
        {"mediaType":"m","digest":"old","size":1,"annotations":{"org.opencontainers.image.ref.name":"b"},"urls":["u"]}]}"#;
    fs::write(place.layout().join("index.json"), foreign).unwrap();
    let blobs = tree(&place.layout().join("blobs"));
    fs::write(&place.file, module(&[custom("vendor", "v")])).unwrap();

    let added = place.add(Some("b"));
    let after = fs::read_to_string(place.layout().join("index.json")).unwrap();
    let start = r#"{"annotations":{"kept": "as  it\u0020is"},"schemaVersion":2,"x":[1,{"y":1e2}],"manifests":[{"mediaType":"application/vnd.example+json","size":3,"digest":"sha512:who-knows","data":"e30="},{"mediaType":"application/vnd.oci.image.manifest.v1+json","#;
    assert!(after.starts_with(start), "{after}");
    assert_eq!(index(&place)["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(index(&place)["manifests"][1]["digest"], added.image.descriptor().digest.to_string());
    assert!(blobs.iter().all(|blob| tree(&place.layout().join("blobs")).contains(blob)));

    place.add(Some("c"));
    place.add(None);
    place.add(None);
    assert_eq!(index(&place)["manifests"].as_array().unwrap().len(), 4, "one more with a name, and one without");
}

/// An index that has a name twice has it once when it is given to another image.
#[test]
fn a_name_that_is_there_twice_is_there_once() {
    let place = Place::of(&module(&[]));
    place.add(Some("a"));
    place.add(Some("b"));
    let twice = fs::read_to_string(place.layout().join("index.json")).unwrap().replace("\"b\"", "\"a\"");
    fs::write(place.layout().join("index.json"), twice).unwrap();
    place.add(Some("c"));
    fs::write(&place.file, module(&[custom("vendor", "v")])).unwrap();
    let digest = place.add(Some("a")).image.descriptor().digest;
    let index = index(&place);
    let names = index["manifests"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|entry| &entry["annotations"]["org.opencontainers.image.ref.name"]).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(index["manifests"][0]["digest"], digest.to_string());
}

/// One that would be larger than anybody reads stays as it is.
#[test]
fn an_index_does_not_outgrow_who_reads_it() {
    let place = Place::of(&module(&[]));
    place.add(Some("a"));
    let index = place.layout().join("index.json");
    let with = |len: usize| format!(r#"{{"schemaVersion":2,"manifests":[],"x":"{}"}}"#, "a".repeat(len));
    let full = with((4 << 20) - with(0).len());
    fs::write(&index, &full).unwrap();
    let error = place.try_add(Some("b"), &ImageOptions::default()).unwrap_err();
    assert!(matches!(error, LayoutError::IndexTooLarge(len) if len > 4 << 20), "{error}");
    assert!(fs::read_to_string(&index).unwrap() == full);
}

#[test]
fn what_stands_in_the_way_of_a_layout_is_said() {
    let place = Place::of(&module(&[]));
    let image = place.add(Some("a")).image;
    for digest in [image.layer().digest, image.config_descriptor().digest, image.descriptor().digest] {
        let blob = place.layout().join("blobs/sha256").join(digest.hex());
        let whole = fs::read(&blob).unwrap();
        fs::remove_file(&blob).unwrap();
        fs::create_dir(&blob).unwrap();
        let error = place.try_add(Some("a"), &ImageOptions::default()).unwrap_err();
        assert!(matches!(&error, LayoutError::NotRegular(path) if *path == blob), "{error}");
        fs::remove_dir(&blob).unwrap();
        fs::write(&blob, whole).unwrap();
    }
    fs::remove_file(place.layout().join("index.json")).unwrap();
    fs::create_dir(place.layout().join("index.json")).unwrap();
    let error = place.try_add(Some("b"), &ImageOptions::default()).unwrap_err();
    assert!(matches!(&error, LayoutError::NotRegular(path) if path.ends_with("index.json")), "{error}");
    for (directory, at) in [(place.file.join("l"), "l"), (place.directory.path().join("none/l"), "l")] {
        let error = Layout::open_or_create(&directory, Default::default()).unwrap_err();
        assert!(matches!(&error, LayoutError::Io { file, .. } if file.ends_with(at)), "{error}");
    }
    let file = Layout::open_or_create(&place.file, Default::default()).unwrap_err();
    assert!(matches!(&file, LayoutError::Io { file, .. } if file.ends_with("oci-layout")), "{file}");
}

#[test]
fn metadata_is_spliced_in_on_the_way_and_the_file_stays_as_it_is() {
    let file = module(&[section(1, b"\x01\x60\0\0")]);
    let place = Place::of(&file);
    let input = Input::open(&place.file).unwrap();
    let plan = Edit::new().set(Field::Vendor, "v").unwrap().plan(&input, Limits::default()).unwrap().plan;
    let layout = Layout::open_or_create(place.layout(), Default::default()).unwrap();
    let added = layout.add(&input, &plan, None, &ImageOptions::default(), Limits::default()).unwrap();
    drop(layout);
    assert_eq!(fs::read(&place.file).unwrap(), file);
    assert_eq!(added.image.annotations()[Field::Vendor.oci_key()], "v");
    let blob = fs::read(place.layout().join("blobs/sha256").join(added.image.layer().digest.hex())).unwrap();
    assert_eq!(blob, plan.to_vec(&file).unwrap());
}

#[test]
fn a_module_goes_in_and_comes_back_byte_for_byte() {
    let place = Place::of(&fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/rust-auditable.wasm")).unwrap());
    let first = place.add(Some("v1")).image;
    let second = place.add(Some("v1")).image;
    assert_eq!(first, second);
    let stored = stored(&place, ":v1");
    assert_eq!((stored.image(), &stored.layer().digest), (first.descriptor().digest, &first.layer().digest));
    assert_eq!(stored.annotations(), first.annotations());
    assert_eq!(stored.hash().unwrap(), first.layer().digest);
    let mut outcome = stored.input().read(Limits::default()).unwrap();
    let before = outcome.value.findings().iter().count();
    stored.compare(&mut outcome.value);
    stored.verify(&mut outcome.value).unwrap();
    assert_eq!(outcome.value.findings().iter().count(), before);
}

#[test]
fn a_blob_that_somebody_left_cut_off_is_written_anew() {
    let place = Place::of(&module(&[custom("note", "0123456789")]));
    let image = place.add(Some("a")).image;
    let blob = |digest: Digest| place.layout().join("blobs/sha256").join(digest.hex());
    for digest in [image.layer().digest, image.config_descriptor().digest, image.descriptor().digest] {
        let whole = fs::read(blob(digest)).unwrap();
        fs::write(blob(digest), &whole[..5]).unwrap();
        place.add(Some("a"));
        assert_eq!(fs::read(blob(digest)).unwrap(), whole);
    }
}

#[test]
fn what_is_no_layout_is_left_alone() {
    let place = Place::of(&module(&[]));
    let refused = |error: LayoutError| error.to_string();
    fs::create_dir(place.layout()).unwrap();
    fs::write(place.layout().join("README"), "mine").unwrap();
    let error = place.try_add(None, &ImageOptions::default()).unwrap_err();
    assert!(matches!(error, LayoutError::NotLayout(_)), "{}", refused(error));
    assert_eq!(tree(&place.layout()).len(), 1);
    for marker in ["", "{}", r#"{"imageLayoutVersion":"2.0.0"}"#, "[[[[[["] {
        fs::write(place.layout().join("oci-layout"), marker).unwrap();
        let error = place.try_add(None, &ImageOptions::default()).unwrap_err();
        assert!(matches!(error, LayoutError::Malformed { .. }), "{marker}: {}", refused(error));
    }
    fs::write(place.layout().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    for index in [
        "",
        "[]",
        "{}",
        r#"{"schemaVersion":1,"manifests":[]}"#,
        r#"{"schemaVersion":2,"manifests":{}}"#,
        r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
        r#"{"schemaVersion":2,"manifests":[7]}"#,
    ] {
        fs::write(place.layout().join("index.json"), index).unwrap();
        let error = place.try_add(Some("a"), &ImageOptions::default()).unwrap_err();
        assert!(matches!(error, LayoutError::Malformed { .. }), "{index}: {}", refused(error));
        assert_eq!(fs::read_to_string(place.layout().join("index.json")).unwrap(), index);
    }
}

#[test]
fn what_cannot_be_an_image_leaves_nothing_behind() {
    let place = Place::of(&module(&[custom("vendor", "a"), custom("vendor", "b")]));
    let error = place.try_add(None, &ImageOptions::default()).unwrap_err();
    assert!(matches!(error, LayoutError::Image(ImageError::Annotation(_))), "{error}");
    assert_eq!(tree(&place.layout()).len(), 1, "the marker alone");
}

#[test]
fn one_writer_at_a_time_and_all_that_were_let_in_are_there() {
    let place = Place::of(&module(&[]));
    place.add(None);
    let open = || Layout::open_or_create(place.layout(), Default::default());
    let held = open().unwrap();
    assert!(matches!(open(), Err(LayoutError::Locked)));
    drop(held);

    let names: Vec<String> = (0..8).map(|nth| format!("n{nth}")).collect();
    let done: Vec<&String> = thread::scope(|scope| {
        let adding: Vec<_> = names
            .iter()
            .map(|name| {
                let place = &place;
                scope.spawn(move || {
                    loop {
                        match place.try_add(Some(name), &ImageOptions::default()) {
                            Ok(_) => return name,
                            Err(LayoutError::Locked) => thread::yield_now(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        adding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done.len(), 8);
    assert_eq!(index(&place)["manifests"].as_array().unwrap().len(), 9);
}

#[test]
fn names_are_as_the_specification_has_them() {
    for right in ["a", "1.0.0", "v1.0.0-rc.1", "a/b:c@d+e", "a--b", "A_b"] {
        assert_eq!(right.parse::<RefName>().unwrap().to_string(), right);
    }
    for wrong in ["", "/", "a/", "/a", "a//b", "-a", "a-", "a..b", "a---b", "a b", "ä", "a\n", "../a", "a.-b"] {
        assert!(matches!(wrong.parse::<RefName>(), Err(LayoutError::RefName(_))), "{wrong}");
    }
}
