use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use sectile::digest::Digest;
use sectile_oci::{INDEX_MEDIA_TYPE, LAYER_MEDIA_TYPE, MANIFEST_MEDIA_TYPE};
use sha2::Digest as _;

const COMPAT: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layout written by the test.
struct Layout {
    directory: PathBuf,
    listed: Vec<String>,
}

fn descriptor(media_type: &str, digest: &str, size: usize, tag: Option<&str>) -> String {
    let tag =
        tag.map_or(String::new(), |tag| format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}"#));
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{tag}}}"#)
}

fn manifest(layers: &[String]) -> String {
    let config = descriptor("application/vnd.wasm.config.v0+json", &Digest::new(b"{}").to_string(), 2, None);
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST_MEDIA_TYPE}","config":{config},"layers":[{}]}}"#,
        layers.join(",")
    )
}

fn index(manifests: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX_MEDIA_TYPE}","manifests":[{}]}}"#, manifests.join(","))
}

impl Layout {
    fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
        fs::write(directory.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { directory, listed: Vec::new() }
    }

    fn blob(&self, bytes: &[u8]) -> (String, usize) {
        let digest = Digest::new(bytes);
        fs::write(self.path(digest), bytes).unwrap();
        (digest.to_string(), bytes.len())
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.directory.join("blobs/sha256").join(digest.hex())
    }

    fn layer(&self, media_type: &str, bytes: &[u8]) -> String {
        let (digest, size) = self.blob(bytes);
        descriptor(media_type, &digest, size, None)
    }

    /// Adds a document to the index.
    fn list(&mut self, media_type: &str, document: &str, tags: &[&str]) {
        let (digest, size) = self.blob(document.as_bytes());
        self.listed.extend(tags.iter().map(|tag| descriptor(media_type, &digest, size, Some(tag))));
        if tags.is_empty() {
            self.listed.push(descriptor(media_type, &digest, size, None));
        }
    }

    fn walk_path(&self) -> Recorder {
        fs::write(self.directory.join("index.json"), index(&self.listed)).unwrap();
        walk_path(&self.directory)
    }
}

fn at(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::new(bytes).hex())
}

#[test]
fn layout_blobs_have_the_names_of_their_images() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().join("l"));
    let wasm = layout.layer(LAYER_MEDIA_TYPE, MODULE);
    let older = layout.layer("application/vnd.wasm.content.layer.v1+wasm", b"no module");
    let compat = gzip(&tar(&[("plugin.wasm", MODULE), ("README", b"text")]));
    let compat_layer = layout.layer(COMPAT, &compat);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(std::slice::from_ref(&wasm)), &["one", "uno"]);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[older]), &["old"]);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[compat_layer]), &["compat"]);
    let for_platform = layout.blob(manifest(&[wasm.clone(), String::from(&wasm)]).as_bytes());
    layout.list(
        INDEX_MEDIA_TYPE,
        &index(&[descriptor(MANIFEST_MEDIA_TYPE, &for_platform.0, for_platform.1, None)]),
        &["platforms"],
    );
    let untagged = manifest(&[wasm, layout.layer(LAYER_MEDIA_TYPE, b"")]);
    layout.list(MANIFEST_MEDIA_TYPE, &untagged, &[]);
    layout.blob(OTHER);
    layout.blob(b"{}");
    let recorder = layout.walk_path();
    assert_eq!(recorder.codes(), [""; 0]);
    let mut expected = vec![at(MODULE), at(OTHER), at(b"no module"), at(b""), format!("{}!plugin.wasm", at(&compat))];
    expected.sort();
    assert_eq!(recorder.paths(), expected);
    let image = format!("oci:.@{}", Digest::new(untagged.as_bytes()));
    let untagged = format!("{image}@{}", Digest::new(MODULE));
    let names = ["oci:.:one", &at(MODULE), "oci:.:uno", "oci:.:platforms", &untagged];
    assert!(recorder.blob(&at(MODULE)).names().eq(names));
    assert_eq!(recorder.blob(&at(MODULE)).digest, Some(Digest::new(MODULE).to_string()));
    assert_eq!(recorder.blob(&at(b"no module")).images(), ["oci:.:old"]);
    // The image alone stands for none of its two WebAssembly layers.
    assert_eq!(recorder.blob(&at(b"")).images(), [format!("{image}@{}", Digest::new(b""))]);
    assert_eq!(
        recorder.blob(&expected[expected.iter().position(|file| file.contains('!')).unwrap()]).images(),
        ["oci:.:compat!plugin.wasm"]
    );
    let unnamed = recorder.blob(&at(OTHER)); // in no image
    assert_eq!((unnamed.other_names.len(), unnamed.digest.is_some()), (0, true));

    // A further name changes the state of the index but not of the blob. The baseline compares names.
    let states =
        |recorder: &Recorder| -> Vec<String> { recorder.queried.iter().map(|(_, state)| state.0.clone()).collect() };
    layout.listed.push(layout.listed[2].replace("\"old\"", "\"older\""));
    let renamed = layout.walk_path();
    let changed = states(&recorder).iter().zip(states(&renamed)).filter(|(before, after)| *before != after).count();
    assert_eq!((renamed.blob(&at(b"no module")).images().len(), changed), (2, 1));
    layout.listed.pop();
    layout.walk_path();

    // A layout inside a tree.
    let other = Layout::new(directory.path().join("m"));
    other.blob(MODULE);
    fs::write(directory.path().join("z"), MODULE).unwrap();
    let recorder = walk_path(directory.path());
    assert_eq!(recorder.blobs.len(), expected.len() + 2);
    assert_eq!(recorder.blob(&format!("m/{}", at(MODULE))).other_names.len(), 0);
    assert_eq!(recorder.blob(&format!("l/{}", at(MODULE))).file, "oci:l:one");
    assert_eq!((recorder.blob("z").digest.clone(), recorder.blob("z").other_names.len()), (None, 0));
    assert_eq!(recorder.codes(), ["malformed-layout m/index.json"]);
}

#[test]
fn blobs_with_many_tags_have_all_names() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    for nth in 0..500_u32 {
        let layer = layout.layer(LAYER_MEDIA_TYPE, &[MODULE, &[0, 5, 4], &nth.to_le_bytes()].concat());
        let tags: Vec<String> = (0..20).map(|tag| format!("v{nth}.{tag}")).collect();
        layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[layer]), &tags.iter().map(|tag| &**tag).collect::<Vec<_>>());
    }
    let recorder = layout.walk_path();
    assert_eq!((recorder.blobs.len(), recorder.errors.len()), (500, 0));
    assert!(recorder.blobs.iter().all(|blob| blob.images().len() == 20));
}

#[test]
fn malformed_document_affects_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let wasm = layout.layer(LAYER_MEDIA_TYPE, MODULE);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(std::slice::from_ref(&wasm)), &["good"]);
    layout.list(MANIFEST_MEDIA_TYPE, "{", &["cut"]);
    layout.list(MANIFEST_MEDIA_TYPE, &"[".repeat(1 << 20), &["deep"]);
    layout.list(MANIFEST_MEDIA_TYPE, "{}", &["neither"]);
    layout.list(INDEX_MEDIA_TYPE, &manifest(&[wasm]), &["kind"]);
    let changed = manifest(&[layout.layer(LAYER_MEDIA_TYPE, OTHER)]);
    layout.list(MANIFEST_MEDIA_TYPE, &changed, &["changed"]);
    fs::write(layout.path(Digest::new(changed.as_bytes())), changed.replace('2', "3")).unwrap();
    let lying = descriptor(LAYER_MEDIA_TYPE, &Digest::new(OTHER).to_string(), 999, None);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[lying]), &["lying"]);
    let missing = descriptor(LAYER_MEDIA_TYPE, &Digest::new(b"missing").to_string(), 7, None);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[missing]), &["missing"]);
    let tricky = format!("sha256:../../../../etc/{}", "p".repeat(46));
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[descriptor(LAYER_MEDIA_TYPE, &tricky, 7, None)]), &["tricky"]);
    layout.listed.push(descriptor(MANIFEST_MEDIA_TYPE, &tricky, 7, Some("tricky")));
    layout.listed.push(descriptor(MANIFEST_MEDIA_TYPE, &Digest::new(b"gone").to_string(), 4, Some("gone")));
    let huge = "x".repeat(5 << 20);
    layout.list(MANIFEST_MEDIA_TYPE, &huge, &["huge"]);
    let recorder = layout.walk_path();
    let mut files = vec![at(MODULE), at(OTHER)];
    files.sort();
    assert_eq!(recorder.paths(), files);
    assert_eq!(recorder.blob(&at(MODULE)).images(), ["oci:.:good"], "{:?}", recorder.errors);
    assert_eq!(recorder.blob(&at(OTHER)).images(), ["oci:.:lying"]);
    let mut reported: BTreeMap<String, u32> = BTreeMap::new();
    for error in &recorder.errors {
        *reported.entry(error.code.name().to_owned()).or_default() += 1;
    }
    assert_eq!(
        reported,
        [("absent-blob".to_owned(), 2), ("digest-mismatch".to_owned(), 1), ("malformed-layout".to_owned(), 8)].into(),
        "{:?}",
        recorder.errors
    );
}

/// A mirror may omit the blobs of some platforms, and layers may be kept elsewhere. Source: `image-layout.md` and
/// `descriptor.md` of the image specification.
#[test]
fn absent_blobs_are_notes() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let absent = |bytes: &[u8]| descriptor(MANIFEST_MEDIA_TYPE, &Digest::new(bytes).to_string(), bytes.len(), None);
    let (digest, size) = layout.blob(manifest(&[layout.layer(LAYER_MEDIA_TYPE, MODULE)]).as_bytes());
    let platforms =
        index(&[absent(b"linux"), descriptor(MANIFEST_MEDIA_TYPE, &digest, size, None), absent(b"windows")]);
    layout.list(INDEX_MEDIA_TYPE, &platforms, &["sparse"]);
    let foreign = descriptor(LAYER_MEDIA_TYPE, &Digest::new(b"foreign").to_string(), 7, None);
    let foreign = foreign.replacen('{', "{\"urls\": [\"https://example.com/base\\u001b\", \"x\"], ", 1);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[foreign, layout.layer(LAYER_MEDIA_TYPE, OTHER)]), &["foreign"]);
    let recorder = layout.walk_path();
    let mut files = vec![at(MODULE), at(OTHER)];
    files.sort();
    assert_eq!(recorder.paths(), files);
    let mut codes = recorder.codes();
    codes.sort();
    let mut expected = [&b"linux"[..], b"windows", b"foreign"].map(|bytes| format!("absent-blob {}", at(bytes)));
    expected.sort();
    assert_eq!(codes, expected);
    let foreign = recorder.errors.iter().find(|error| error.message.contains("https://")).unwrap();
    assert!(text(&foreign.location.file).contains(":foreign@sha256:"), "{foreign:?}");
    assert_eq!(sectile::FindingCode::AbsentBlob.severity(), sectile::Severity::Note);
}

#[test]
fn nested_and_cyclic_indexes_terminate() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let (mut digest, mut size) = layout.blob(manifest(&[layout.layer(LAYER_MEDIA_TYPE, MODULE)]).as_bytes());
    for depth in 0..12 {
        let media_type = if depth == 0 { MANIFEST_MEDIA_TYPE } else { INDEX_MEDIA_TYPE };
        // Listed twice: following every path would take two to the twelfth steps.
        let document =
            index(&[descriptor(media_type, &digest, size, None), descriptor(media_type, &digest, size, None)]);
        (digest, size) = layout.blob(document.as_bytes());
        layout.listed.push(descriptor(INDEX_MEDIA_TYPE, &digest, size, Some(&format!("d{depth}"))));
    }
    let itself = format!("sha256:{}", "0".repeat(64));
    let cycle = index(&[descriptor(INDEX_MEDIA_TYPE, &itself, 0, None)]);
    fs::write(layout.path(itself.parse().unwrap()), &cycle).unwrap();
    layout.listed.push(descriptor(INDEX_MEDIA_TYPE, &itself, cycle.len(), Some("cycle")));
    let recorder = layout.walk_path();
    assert_eq!(recorder.blobs[0].images().len(), 8);
    let codes: Vec<_> = recorder.errors.iter().map(|error| error.code.name()).collect();
    assert!(codes.contains(&"digest-mismatch") && codes.len() < 30, "{codes:?}");
}

#[cfg(unix)]
#[test]
fn blob_that_is_a_link_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().join("l"));
    fs::write(directory.path().join("m"), MODULE).unwrap();
    let layer = descriptor(LAYER_MEDIA_TYPE, &Digest::new(MODULE).to_string(), MODULE.len(), None);
    std::os::unix::fs::symlink("../../../m", layout.path(Digest::new(MODULE))).unwrap();
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[layer]), &["linked"]);
    let recorder = layout.walk_path();
    let codes = ["malformed-layout", "not-followed"].map(|code| format!("{code} {}", at(MODULE)));
    assert_eq!((recorder.blobs.len(), recorder.codes()), (0, codes.into()));
    fs::remove_file(layout.directory.join("index.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", layout.directory.join("index.json")).unwrap();
    let codes = walk_path(&layout.directory).codes();
    assert_eq!(codes[0], "malformed-layout index.json");
}

/// At most 16 different pointers to one document are checked; all but one of them are wrong.
#[test]
fn different_pointers_to_one_document_are_limited() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let (digest, size) = layout.blob(manifest(&[layout.layer(LAYER_MEDIA_TYPE, MODULE)]).as_bytes());
    for more in 0..40 {
        layout.listed.push(descriptor(MANIFEST_MEDIA_TYPE, &digest, size + more, Some(&format!("t{more}"))));
    }
    let recorder = layout.walk_path();
    assert_eq!(recorder.blob(&at(MODULE)).images(), ["oci:.:t0"]);
    let location = format!("malformed-layout blobs/sha256/{}", digest.strip_prefix("sha256:").unwrap());
    assert_eq!(recorder.codes(), vec![location; 15]);
}

/// An index of a few megabytes would give billions of names if each image had 20,000 layers.
#[test]
fn number_of_layer_names_is_limited() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let layers = vec![layout.layer(LAYER_MEDIA_TYPE, MODULE); 20_000];
    let tags: Vec<String> = (0..250).map(|nth| nth.to_string()).collect();
    let tags: Vec<&str> = tags.iter().map(|tag| &**tag).collect();
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&layers), &tags);
    let recorder = layout.walk_path();
    assert_eq!(recorder.codes(), [""; 0]);
    assert_eq!(recorder.blob(&at(MODULE)).images().len(), 64);
    assert_eq!(recorder.blob(&at(MODULE)).bytes, MODULE);
}

/// A registry storage written by the test.
struct Storage(PathBuf);

impl Storage {
    fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::new(bytes);
        let hex = digest.hex();
        self.write(&format!("blobs/sha256/{}/{hex}/data", &hex[..2]), bytes);
        digest
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn push(&self, repository: &str, tag: Option<&str>, document: &str) -> Digest {
        let digest = self.blob(document.as_bytes());
        let manifests = format!("repositories/{repository}/_manifests");
        self.write(&format!("{manifests}/revisions/sha256/{}/link", digest.hex()), digest.to_string().as_bytes());
        if let Some(tag) = tag {
            self.write(&format!("{manifests}/tags/{tag}/current/link"), digest.to_string().as_bytes());
        }
        digest
    }
}

#[test]
fn registry_blobs_have_the_names_of_their_repositories() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage(directory.path().join("data/docker/registry/v2"));
    let layer = |bytes: &[u8]| descriptor(LAYER_MEDIA_TYPE, &storage.blob(bytes).to_string(), bytes.len(), None);
    let (module, other) = (manifest(&[layer(MODULE)]), manifest(&[layer(OTHER)]));
    storage.push("team/app", Some("v1"), &module);
    storage.push("team/app", Some("latest"), &module);
    let untagged = storage.push("team/app", None, &other);
    storage.push("app", Some("v1"), &module);
    storage.write("repositories/app/_uploads/1234/data", MODULE);
    storage.write("repositories/app/_layers/sha256/00/link", b"sha256:00");
    storage.write("repositories/bad/_manifests/tags/t/current/link", b"sha256:../../../etc/passwd");
    fs::create_dir_all(storage.0.join("repositories/bad/_manifests/tags/deleted")).unwrap();
    storage.blob(b"text");
    // Links that are a directory or a symbolic link, and tags that are not a directory.
    fs::create_dir_all(storage.0.join("repositories/bad/_manifests/tags/u/current/link")).unwrap();
    fs::create_dir_all(storage.0.join("repositories/bad/_manifests/tags/v/current")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", storage.0.join("repositories/bad/_manifests/tags/v/current/link"))
        .unwrap();
    storage.write("repositories/worse/_manifests/tags", b"no directory");
    let recorder = walk_path(directory.path());
    let location = |bytes: &[u8]| {
        let hex = Digest::new(bytes).hex();
        format!("data/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2])
    };
    let mut files = vec![location(MODULE), location(OTHER)];
    files.sort();
    files.push("data/docker/registry/v2/repositories/app/_uploads/1234/data".to_owned());
    assert_eq!(recorder.paths(), files);
    assert_eq!(
        recorder.blob(&location(MODULE)).images(),
        ["oci:data:app:v1", "oci:data:team/app:latest", "oci:data:team/app:v1"]
    );
    assert_eq!(recorder.blob(&location(OTHER)).images(), [format!("oci:data:team/app@{untagged}")]);
    assert_eq!(recorder.blob(&location(OTHER)).digest, Some(Digest::new(OTHER).to_string()));
    let reported = |code: &str, location: &str| format!("{code} data/docker/registry/v2/repositories/{location}");
    let mut expected = vec![
        reported("malformed-layout", "bad/_manifests/tags/t/current/link"),
        reported("malformed-layout", "bad/_manifests/tags/u/current/link"),
        reported("malformed-layout", "worse/_manifests/tags"),
    ];
    if cfg!(unix) {
        expected.push(reported("not-followed", "bad/_manifests/tags/v/current/link"));
    }
    assert_eq!(recorder.codes(), expected);
    // The storage as the root.
    assert_eq!(walk_path(&storage.0).blobs[0].images().len(), 3);
}

/// Everything in a registry's storage is inspected once, also beside the blobs and the links.
#[test]
fn no_file_of_a_registry_storage_is_hidden() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage(directory.path().join("v2"));
    let layer = descriptor(LAYER_MEDIA_TYPE, &storage.blob(MODULE).to_string(), MODULE.len(), None);
    storage.push("app", Some("v1"), &manifest(&[layer]));
    let hex = Digest::new(MODULE).hex();
    let blob = format!("blobs/sha256/{}/{hex}", &hex[..2]);
    let others = [
        "repositories/app.wasm",
        "repositories/app/evil",
        "repositories/app/_manifests/revisions/x",
        "repositories/app/_manifests/tags/v1/current/link.wasm",
        "repositories/app/_layers/sha256/00/x.tar",
        "repositories/.hidden/_uploads/data",
        "repositories/_trash/x",
        "Repositories/x",
        "blobs/x",
        "blobs/sha512/x",
        "blobs/sha256/x",
        "blobs/sha256/aa/bb/data",
        &format!("{blob}/data2"),
        &format!("{blob}/more/data"),
        "x",
    ];
    let tarred = tar(&[("inner", OTHER)]);
    for other in others {
        storage.write(other, if other.ends_with("x.tar") { &tarred } else { OTHER });
    }
    let with_entry = |path: &str| format!("v2/{path}{}", if path.ends_with("x.tar") { "!inner" } else { "" });
    let mut expected: Vec<String> = others.into_iter().map(with_entry).collect();
    expected.push(format!("v2/{blob}/data"));
    expected.sort();
    for options in [WalkOptions::default(), WalkOptions { same_file_system: true, ..WalkOptions::default() }] {
        let recorder = walk_paths(&[directory.path()], &options, Recorder::default());
        let base = format!("{}/", directory.path().display());
        let mut files: Vec<String> = recorder.paths().into_iter().map(|file| file.replace(&base, "")).collect();
        files.sort();
        assert_eq!((&files, recorder.codes()), (&expected, vec![]));
    }
    assert_eq!(walk_path(directory.path()).blob(&format!("v2/{blob}/data")).images(), ["oci:v2:app:v1"]);
}

/// A sparse index names manifests by digests that are valid and not those of files.
#[test]
fn digests_of_other_algorithms_are_not_malformed() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let put = |path: &str, bytes: &[u8]| {
        let path = directory.path().join("blobs").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let [absent, layer] = ["0", "2"].map(|digit| digit.repeat(128));
    let sha512 = |hex: &str| format!("sha512:{hex}");
    let blake3 = "3".repeat(64);
    let document = manifest(&[layout.layer(LAYER_MEDIA_TYPE, OTHER)]);
    let digits = sha2::Sha512::digest(&document).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    put(&format!("sha512/{hex}"), document.as_bytes());
    put(&format!("blake3/{blake3}"), document.as_bytes());
    let listed = |digest: &str, tag| descriptor(MANIFEST_MEDIA_TYPE, digest, document.len(), Some(tag));
    layout.listed.push(descriptor(MANIFEST_MEDIA_TYPE, &sha512(&absent), 9, Some("absent")));
    layout.listed.push(listed(&sha512(&hex), "present"));
    layout.listed.push(listed(&format!("blake3:{blake3}"), "other"));
    let layers = [descriptor(LAYER_MEDIA_TYPE, &sha512(&layer), 8, None), layout.layer(LAYER_MEDIA_TYPE, MODULE)];
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&layers), &["one"]);
    put(&format!("sha512/{layer}"), b"no module");
    let recorder = layout.walk_path();
    let mut codes = recorder.codes();
    codes.sort();
    let expected = [
        format!("absent-blob blobs/sha512/{absent}"),
        format!("unverified-digest blobs/blake3/{blake3}"),
        format!("unverified-digest blobs/sha512/{layer}"),
    ];
    assert_eq!(codes, expected);
    let is_absent = |error: &WalkError| text(&error.location.file).ends_with(":absent");
    assert!(recorder.errors.iter().any(is_absent), "{:?}", recorder.errors);
    // Images are named by any digest, and so are layers.
    assert_eq!(recorder.blob(&at(OTHER)).images(), ["oci:.:present", "oci:.:other"]);
    assert_eq!(recorder.blob(&at(MODULE)).images(), [format!("oci:.:one@{}", Digest::new(MODULE))]);
    let layer = recorder.blob(&format!("blobs/sha512/{layer}"));
    assert_eq!((layer.images().len(), layer.digest.as_deref()), (1, None));
    // A digest of another length is malformed, and so is a document with another SHA-512.
    layout.listed.push(descriptor(MANIFEST_MEDIA_TYPE, "sha512:00", 9, None));
    put(&format!("sha512/{hex}"), document.replace(OTHER.len().to_string().as_str(), "9").as_bytes());
    let codes = layout.walk_path().codes();
    assert!(codes.iter().any(|code| code.starts_with("malformed-layout index.json")), "{codes:?}");
    assert!(codes.contains(&format!("malformed-layout blobs/sha512/{hex}")), "{codes:?}");
}

/// Everything in a layout is inspected once, regardless of its name.
#[test]
fn no_file_of_a_layout_is_hidden() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let wasm = layout.layer(LAYER_MEDIA_TYPE, MODULE);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[wasm]), &["one"]);
    let hex = Digest::new(MODULE).hex();
    let others = [
        "x",
        ".hidden",
        "blobs/x",
        "blobs/sha256/x",
        "blobs/sha256/.x",
        "blobs/sha256/directory/x",
        &format!("blobs/sha256/{}", hex.to_uppercase()),
        &format!("blobs/sha512/{hex}"),
        "blobs/SHA256/x",
        "Blobs/x",
        "OCI-LAYOUT/x",
        "index.json.bak",
    ];
    for other in others {
        let path = directory.path().join(other);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, OTHER).unwrap();
    }
    let recorder = layout.walk_path();
    let mut expected: Vec<String> = others.iter().map(|&other| other.to_owned()).collect();
    expected.push(at(MODULE));
    expected.sort();
    let mut files: Vec<String> = recorder.paths().into_iter().map(str::to_owned).collect();
    files.sort();
    assert_eq!((files, recorder.codes()), (expected, vec![]));
    assert_eq!(recorder.blob(&at(MODULE)).images(), ["oci:.:one"]);
}

/// The blobs keep their digests and the names of their images.
#[test]
fn store_in_a_directory_of_blobs_hides_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let wasm = layout.layer(LAYER_MEDIA_TYPE, b"no module");
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[wasm]), &["one"]);
    let inner = Layout::new(directory.path().join("blobs/sha256"));
    fs::write(inner.directory.join("index.json"), index(&[])).unwrap();
    let recorder = layout.walk_path();
    let blob = recorder.blob(&at(b"no module"));
    assert_eq!((blob.images(), blob.digest.is_some()), (vec!["oci:.:one"], true));
}

#[test]
fn directory_named_like_a_marker_is_not_a_layout() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir_all(path("a/oci-layout")).unwrap();
    fs::write(path("a/oci-layout/x"), MODULE).unwrap();
    fs::create_dir_all(path("a/blobs/sha256")).unwrap();
    fs::write(path("a/blobs/sha256/x"), MODULE).unwrap();
    // A marker without an index or blobs.
    fs::create_dir(path("b")).unwrap();
    fs::write(path("b/oci-layout"), "not JSON").unwrap();
    fs::write(path("b/x"), MODULE).unwrap();
    let recorder = walk_path(directory.path());
    assert_eq!(recorder.paths(), ["a/blobs/sha256/x", "a/oci-layout/x", "b/x"]);
    assert_eq!(recorder.codes(), [""; 0]);
    // The finding is on the file that is malformed.
    fs::write(path("b/index.json"), index(&[])).unwrap();
    assert_eq!(walk_path(directory.path()).codes(), ["malformed-layout b/oci-layout"]);
}

/// Readers of a layout follow links. The audit does not inspect the blobs that they lead to.
#[cfg(unix)]
#[test]
fn blobs_reached_through_a_link_are_an_error() {
    for linked in ["blobs", "blobs/sha256"] {
        let directory = tempfile::tempdir().unwrap();
        let mut layout = Layout::new(directory.path().join("l"));
        let wasm = layout.layer(LAYER_MEDIA_TYPE, MODULE);
        layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[wasm]), &["one"]);
        let place = directory.path().join("l").join(linked);
        let elsewhere = tempfile::tempdir().unwrap();
        fs::rename(&place, elsewhere.path().join("x")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("x"), &place).unwrap();
        let recorder = layout.walk_path();
        let codes = ["malformed-layout", "not-followed"].map(|code| format!("{code} {linked}"));
        assert_eq!((recorder.blobs.len(), recorder.codes()), (0, codes.into()));
    }
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage(directory.path().join("v2"));
    let layer = descriptor(LAYER_MEDIA_TYPE, &storage.blob(MODULE).to_string(), MODULE.len(), None);
    storage.push("app", Some("v1"), &manifest(&[layer]));
    let hex = Digest::new(MODULE).hex();
    let place = storage.0.join(format!("blobs/sha256/{}/{hex}", &hex[..2]));
    fs::rename(&place, directory.path().join("x")).unwrap();
    std::os::unix::fs::symlink(directory.path().join("x"), &place).unwrap();
    let codes = walk_path(directory.path()).codes();
    assert_eq!(codes.iter().filter(|code| code.starts_with("malformed-layout")).count(), 1, "{codes:?}");
}

#[test]
fn layer_that_is_a_directory_is_malformed() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let missing = descriptor(LAYER_MEDIA_TYPE, &Digest::new(b"missing").to_string(), 7, None);
    layout.list(MANIFEST_MEDIA_TYPE, &manifest(&[missing]), &["one"]);
    fs::create_dir(layout.path(Digest::new(b"missing"))).unwrap();
    assert_eq!(layout.walk_path().codes(), [format!("malformed-layout {}", at(b"missing"))]);
}
