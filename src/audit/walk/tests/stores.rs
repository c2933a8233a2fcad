use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::digest::Digest;
use crate::oci::{INDEX, LAYER, MANIFEST};

const COMPAT: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layout that is written by hand.
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
    let config = descriptor("application/vnd.wasm.config.v0+json", &Digest::of(b"{}").to_string(), 2, None);
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{}]}}"#, layers.join(","))
}

fn index(manifests: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, manifests.join(","))
}

impl Layout {
    fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
        fs::write(directory.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { directory, listed: Vec::new() }
    }

    fn blob(&self, bytes: &[u8]) -> (String, usize) {
        let digest = Digest::of(bytes);
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

    fn show(&self) -> Shown {
        fs::write(self.directory.join("index.json"), index(&self.listed)).unwrap();
        show(&self.directory)
    }
}

fn at(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::of(bytes).hex())
}

#[test]
fn a_layouts_blobs_know_their_images() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().join("l"));
    let wasm = layout.layer(LAYER, MODULE);
    let older = layout.layer("application/vnd.wasm.content.layer.v1+wasm", b"no module");
    let compat = gzip(&tar(&[("plugin.wasm", MODULE), ("README", b"text")]));
    let compat_layer = layout.layer(COMPAT, &compat);
    layout.list(MANIFEST, &manifest(std::slice::from_ref(&wasm)), &["one", "uno"]);
    layout.list(MANIFEST, &manifest(&[older]), &["old"]);
    layout.list(MANIFEST, &manifest(&[compat_layer]), &["compat"]);
    let for_platform = layout.blob(manifest(&[wasm.clone(), String::from(&wasm)]).as_bytes());
    layout.list(INDEX, &index(&[descriptor(MANIFEST, &for_platform.0, for_platform.1, None)]), &["platforms"]);
    let untagged = manifest(&[wasm, layout.layer(LAYER, b"")]);
    layout.list(MANIFEST, &untagged, &[]);
    layout.blob(OTHER);
    layout.blob(b"{}");
    let shown = layout.show();
    assert_eq!(shown.codes(), [""; 0]);
    let mut expected = vec![at(MODULE), at(OTHER), at(b"no module"), at(b""), format!("{}!plugin.wasm", at(&compat))];
    expected.sort();
    assert_eq!(shown.files(), expected);
    let untagged = format!("oci:.@{}", Digest::of(untagged.as_bytes()));
    assert_eq!(shown.blob(&at(MODULE)).others, ["oci:.:one", "oci:.:uno", "oci:.:platforms", &untagged]);
    assert_eq!(shown.blob(&at(MODULE)).digest, Some(Digest::of(MODULE).to_string()));
    assert_eq!(shown.blob(&at(b"no module")).others, ["oci:.:old"]);
    assert_eq!(shown.blob(&at(b"")).others, [&*untagged]);
    assert_eq!(
        shown.blob(&expected[expected.iter().position(|file| file.contains('!')).unwrap()]).others,
        ["oci:.:compat!plugin.wasm"]
    );
    let unnamed = shown.blob(&at(OTHER)); // by no image
    assert_eq!((unnamed.others.len(), unnamed.digest.is_some()), (0, true));

    // One more name is no other state of the blob, but of the index: names are compared by who knows them.
    let states = |shown: &Shown| -> Vec<String> { shown.asked.iter().map(|(_, state)| state.0.clone()).collect() };
    layout.listed.push(layout.listed[2].replace("\"old\"", "\"older\""));
    let renamed = layout.show();
    let changed = states(&shown).iter().zip(states(&renamed)).filter(|(before, after)| *before != after).count();
    assert_eq!((renamed.blob(&at(b"no module")).others.len(), changed), (2, 1));
    layout.listed.pop();
    layout.show();

    // Inside a tree it is the same.
    let other = Layout::new(directory.path().join("m"));
    other.blob(MODULE);
    fs::write(directory.path().join("z"), MODULE).unwrap();
    let shown = show(directory.path());
    assert_eq!(shown.blobs.len(), expected.len() + 2);
    assert_eq!(shown.blob(&format!("m/{}", at(MODULE))).others.len(), 0);
    assert_eq!(shown.blob(&format!("l/{}", at(MODULE))).others[0], "oci:l:one");
    assert_eq!((shown.blob("z").digest.clone(), shown.blob("z").others.len()), (None, 0));
    assert_eq!(shown.codes(), ["malformed-layout m/index.json"]);
}

#[test]
fn ten_thousand_tags_over_five_hundred_blobs() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    for nth in 0..500_u32 {
        let layer = layout.layer(LAYER, &[MODULE, &[0, 5, 4], &nth.to_le_bytes()].concat());
        let tags: Vec<String> = (0..20).map(|tag| format!("v{nth}.{tag}")).collect();
        layout.list(MANIFEST, &manifest(&[layer]), &tags.iter().map(|tag| &**tag).collect::<Vec<_>>());
    }
    let shown = layout.show();
    assert_eq!((shown.blobs.len(), shown.troubles.len()), (500, 0));
    assert!(shown.blobs.iter().all(|blob| blob.others.len() == 20));
}

#[test]
fn a_broken_document_costs_itself() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let wasm = layout.layer(LAYER, MODULE);
    layout.list(MANIFEST, &manifest(std::slice::from_ref(&wasm)), &["good"]);
    layout.list(MANIFEST, "{", &["cut"]);
    layout.list(MANIFEST, &"[".repeat(1 << 20), &["deep"]);
    layout.list(MANIFEST, "{}", &["neither"]);
    layout.list(INDEX, &manifest(&[wasm]), &["kind"]);
    let changed = manifest(&[layout.layer(LAYER, OTHER)]);
    layout.list(MANIFEST, &changed, &["changed"]);
    fs::write(layout.path(Digest::of(changed.as_bytes())), changed.replace('2', "3")).unwrap();
    let lying = descriptor(LAYER, &Digest::of(OTHER).to_string(), 999, None);
    layout.list(MANIFEST, &manifest(&[lying]), &["lying"]);
    let missing = descriptor(LAYER, &Digest::of(b"missing").to_string(), 7, None);
    layout.list(MANIFEST, &manifest(&[missing]), &["missing"]);
    let tricky = format!("sha256:../../../../etc/{}", "p".repeat(46));
    layout.list(MANIFEST, &manifest(&[descriptor(LAYER, &tricky, 7, None)]), &["tricky"]);
    layout.listed.push(descriptor(MANIFEST, &tricky, 7, Some("tricky")));
    layout.listed.push(descriptor(MANIFEST, &Digest::of(b"gone").to_string(), 4, Some("gone")));
    let huge = "x".repeat(5 << 20);
    layout.list(MANIFEST, &huge, &["huge"]);
    let shown = layout.show();
    let mut files = vec![at(MODULE), at(OTHER)];
    files.sort();
    assert_eq!(shown.files(), files);
    assert_eq!(shown.blob(&at(MODULE)).others, ["oci:.:good"], "{:?}", shown.troubles);
    assert_eq!(shown.blob(&at(OTHER)).others, ["oci:.:lying"]);
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    for trouble in &shown.troubles {
        *told.entry(trouble.code.name().to_owned()).or_default() += 1;
    }
    assert_eq!(
        told,
        [("digest-mismatch".to_owned(), 1), ("malformed-layout".to_owned(), 10)].into(),
        "{:?}",
        shown.troubles
    );
}

#[test]
fn indexes_inside_indexes_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let (mut digest, mut size) = layout.blob(manifest(&[layout.layer(LAYER, MODULE)]).as_bytes());
    for depth in 0..12 {
        let media_type = if depth == 0 { MANIFEST } else { INDEX };
        // Twice, so that every path to it would be two to the twelfth.
        let document =
            index(&[descriptor(media_type, &digest, size, None), descriptor(media_type, &digest, size, None)]);
        (digest, size) = layout.blob(document.as_bytes());
        layout.listed.push(descriptor(INDEX, &digest, size, Some(&format!("d{depth}"))));
    }
    let itself = format!("sha256:{}", "0".repeat(64));
    let cycle = index(&[descriptor(INDEX, &itself, 0, None)]);
    fs::write(layout.path(itself.parse().unwrap()), &cycle).unwrap();
    layout.listed.push(descriptor(INDEX, &itself, cycle.len(), Some("cycle")));
    let shown = layout.show();
    assert_eq!(shown.blobs[0].others.len(), 8);
    let codes: Vec<_> = shown.troubles.iter().map(|trouble| trouble.code.name()).collect();
    assert!(codes.contains(&"digest-mismatch") && codes.len() < 30, "{codes:?}");
}

#[cfg(unix)]
#[test]
fn a_blob_that_is_a_link_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().join("l"));
    fs::write(directory.path().join("m"), MODULE).unwrap();
    let layer = descriptor(LAYER, &Digest::of(MODULE).to_string(), MODULE.len(), None);
    std::os::unix::fs::symlink("../../../m", layout.path(Digest::of(MODULE))).unwrap();
    layout.list(MANIFEST, &manifest(&[layer]), &["linked"]);
    let shown = layout.show();
    assert_eq!((shown.blobs.len(), shown.codes()), (0, vec![format!("not-followed {}", at(MODULE))]));
    fs::remove_file(layout.directory.join("index.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", layout.directory.join("index.json")).unwrap();
    let codes = show(&layout.directory).codes();
    assert_eq!(codes[0], "malformed-layout index.json");
}

/// Of a document that is described in many ways, all but one of them wrong, only so many are looked at.
#[test]
fn descriptions_of_one_document_are_few() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let (digest, size) = layout.blob(manifest(&[layout.layer(LAYER, MODULE)]).as_bytes());
    for more in 0..40 {
        layout.listed.push(descriptor(MANIFEST, &digest, size + more, Some(&format!("t{more}"))));
    }
    let shown = layout.show();
    assert_eq!(shown.blob(&at(MODULE)).others, ["oci:.:t0"]);
    let place = format!("malformed-layout blobs/sha256/{}", digest.strip_prefix("sha256:").unwrap());
    assert_eq!(shown.codes(), vec![place; 15]);
}

/// An index of 4 MiB, each of whose images has 20,000 layers, is but some megabytes; the names of those layers are not.
#[test]
fn names_of_layers_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let mut layout = Layout::new(directory.path().to_owned());
    let layers = vec![layout.layer(LAYER, MODULE); 20_000];
    let tags: Vec<String> = (0..250).map(|nth| nth.to_string()).collect();
    let tags: Vec<&str> = tags.iter().map(|tag| &**tag).collect();
    layout.list(MANIFEST, &manifest(&layers), &tags[..100]);
    assert_eq!(layout.show().codes(), [""; 0]);
    layout.list(MANIFEST, &manifest(&layers), &tags[100..]);
    let shown = layout.show();
    assert_eq!(shown.codes().len(), 1, "{:?}", shown.codes());
    assert!(shown.troubles[0].message.contains("more than 4000000 names"), "{:?}", shown.troubles);
    assert_eq!(shown.blob(&at(MODULE)).bytes, MODULE);
}

/// A registry's storage that is written by hand.
struct Storage(PathBuf);

impl Storage {
    fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
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
fn a_registrys_blobs_know_their_repositories() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage(directory.path().join("data/docker/registry/v2"));
    let layer = |bytes: &[u8]| descriptor(LAYER, &storage.blob(bytes).to_string(), bytes.len(), None);
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
    // A link that is a directory, or leads elsewhere; tags that are no directory.
    fs::create_dir_all(storage.0.join("repositories/bad/_manifests/tags/u/current/link")).unwrap();
    fs::create_dir_all(storage.0.join("repositories/bad/_manifests/tags/v/current")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", storage.0.join("repositories/bad/_manifests/tags/v/current/link"))
        .unwrap();
    storage.write("repositories/worse/_manifests/tags", b"no directory");
    let shown = show(directory.path());
    let place = |bytes: &[u8]| {
        let hex = Digest::of(bytes).hex();
        format!("data/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2])
    };
    let mut files = vec![place(MODULE), place(OTHER)];
    files.sort();
    assert_eq!(shown.files(), files);
    assert_eq!(shown.blob(&place(MODULE)).others, ["app:v1", "team/app:latest", "team/app:v1"]);
    assert_eq!(shown.blob(&place(OTHER)).others, [format!("team/app@{untagged}")]);
    assert_eq!(shown.blob(&place(OTHER)).digest, Some(Digest::of(OTHER).to_string()));
    let told = |code: &str, place: &str| format!("{code} data/docker/registry/v2/repositories/{place}");
    let mut expected = vec![
        told("malformed-layout", "bad/_manifests/tags/t/current/link"),
        told("malformed-layout", "bad/_manifests/tags/u/current/link"),
        told("unreadable", "worse/_manifests/tags"),
    ];
    if cfg!(unix) {
        expected.insert(2, told("unreadable", "bad/_manifests/tags/v/current/link"));
    }
    assert_eq!(shown.codes(), expected);
    // Given by itself, it is one, too.
    assert_eq!(show(&storage.0).blobs[0].others, shown.blobs[0].others);
}
