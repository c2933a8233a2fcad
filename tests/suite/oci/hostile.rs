//! Layouts that lie.

use std::fs;

use serde_json::{Value, json};

use sectile::Input;
use sectile::digest::Digest;
use sectile::oci::{LayoutError, Locator, Stored};

use super::Place;
use crate::support::binary::module;
#[cfg(unix)]
use crate::support::files::make_fifo;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout, put together by hand.
struct Forged(Place);

impl Forged {
    fn new() -> Self {
        let place = Place::of(&module(&[]));
        place.add(None);
        Self(place)
    }

    fn directory(&self) -> std::path::PathBuf {
        self.0.layout()
    }

    fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        fs::write(self.directory().join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        digest
    }

    fn index(&self, entries: Value) {
        let index = json!({"schemaVersion": 2, "manifests": entries});
        fs::write(self.directory().join("index.json"), index.to_string()).unwrap();
    }

    /// An entry for a document that is put among the blobs.
    fn document(&self, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string();
        json!({"mediaType": media_type, "digest": self.blob(bytes.as_bytes()).to_string(), "size": bytes.len()})
    }

    /// What comes of an image with these layers.
    fn with_layers(&self, layers: Value) -> Result<Stored, LayoutError> {
        let config = json!({"mediaType": "c", "digest": "not looked at", "size": 1});
        let entry = self.document(MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": layers}));
        self.index(json!([entry]));
        self.open()
    }

    fn open(&self) -> Result<Stored, LayoutError> {
        Stored::open(&Locator::parse(self.0.locator("").as_ref()).unwrap()?)
    }
}

fn layer(media_type: &str, digest: impl ToString, size: u64) -> Value {
    json!({"mediaType": media_type, "digest": digest.to_string(), "size": size})
}

#[test]
fn layers_of_every_type_in_use_and_only_one() {
    let forged = Forged::new();
    let wasm = forged.blob(&module(&[]));
    let tar = layer("application/vnd.oci.image.layer.v1.tar+gzip", "sha256:whatever", 1);
    for media_type in [
        "application/wasm",
        "application/vnd.wasm.content.layer.v1+wasm",
        "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
    ] {
        let stored = forged.with_layers(json!([tar, layer(media_type, wasm, 8)])).unwrap();
        assert_eq!(stored.layer().media_type, media_type);
    }
    let error = forged.with_layers(json!([tar])).unwrap_err();
    assert!(matches!(error, LayoutError::NoWasm { .. }), "{error}");
    assert!(error.to_string().ends_with("it has `application/vnd.oci.image.layer.v1.tar+gzip`"), "{error}");
    assert!(forged.with_layers(json!([])).unwrap_err().to_string().ends_with("no layer at all"));
    let two = json!([layer("application/wasm", wasm, 8), layer("application/wasm", wasm, 8)]);
    assert!(matches!(forged.with_layers(two), Err(LayoutError::SeveralWasm { .. })));
}

#[test]
fn digests_that_lead_elsewhere_are_none() {
    let forged = Forged::new();
    let hex = Digest::of(b"").hex();
    for digest in [
        "sha256:../../../etc/passwd".to_owned(),
        "../../index.json".to_owned(),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256/{hex}"),
        format!("sha256:{hex}\0"),
        format!("sha256:{}", "é".repeat(32)),
        format!("sha512:{hex}{hex}"),
        String::new(),
    ] {
        let error = forged.with_layers(json!([layer("application/wasm", &digest, 8)])).unwrap_err();
        assert!(matches!(error, LayoutError::Digest { .. }), "{digest}: {error}");
        forged.index(json!([layer(MANIFEST, &digest, 8)]));
        assert!(matches!(forged.open(), Err(LayoutError::Digest { .. })), "{digest}");
    }
}

#[test]
fn blobs_that_are_not_there_or_not_what_they_are_called() {
    let forged = Forged::new();
    let absent = Digest::of(b"absent");
    let error = forged.with_layers(json!([layer("application/wasm", absent, 8)])).unwrap_err();
    assert!(matches!(error, LayoutError::Missing(_)), "{error}");
    let wasm = forged.blob(&module(&[]));
    for size in [0, 7, 9, u64::MAX] {
        let error = forged.with_layers(json!([layer("application/wasm", wasm, size)])).unwrap_err();
        assert!(matches!(error, LayoutError::Size { found: 8, .. }), "{error}");
    }
    for size in [json!(-1), json!(1e30), json!("8"), json!(null)] {
        let layers = json!([{"mediaType": "application/wasm", "digest": wasm.to_string(), "size": size}]);
        assert!(matches!(forged.with_layers(layers), Err(LayoutError::Malformed { .. })));
    }
    // A manifest whose bytes are others is not even parsed.
    let honest = json!({"schemaVersion": 2, "layers": []}).to_string();
    let digest = forged.blob(honest.as_bytes());
    fs::write(forged.directory().join("blobs/sha256").join(digest.hex()), honest.replace('2', "3")).unwrap();
    forged.index(json!([layer(MANIFEST, digest, honest.len() as u64)]));
    assert!(matches!(forged.open(), Err(LayoutError::Content { .. })));
    forged.index(json!([layer(MANIFEST, digest, 1)]));
    assert!(matches!(forged.open(), Err(LayoutError::Size { .. })));
}

#[cfg(unix)]
#[test]
fn blobs_that_are_no_regular_files_are_not_opened() {
    use std::os::unix::fs::symlink;
    let forged = Forged::new();
    let bytes = module(&[]);
    let wasm = forged.blob(&bytes);
    let blob = forged.directory().join("blobs/sha256").join(wasm.hex());
    let layers = || json!([layer("application/wasm", wasm, 8)]);
    let refused = |error: LayoutError| assert!(matches!(error, LayoutError::NotRegular(_)), "{error}");

    fs::remove_file(&blob).unwrap();
    let elsewhere = forged.directory().join("elsewhere");
    fs::write(&elsewhere, &bytes).unwrap();
    symlink(&elsewhere, &blob).unwrap();
    refused(forged.with_layers(layers()).unwrap_err());
    fs::remove_file(&blob).unwrap();
    fs::create_dir(&blob).unwrap();
    refused(forged.with_layers(layers()).unwrap_err());
    fs::remove_dir(&blob).unwrap();
    // Nobody writes into it: opening it must not wait.
    make_fifo(&blob);
    refused(forged.with_layers(layers()).unwrap_err());
    fs::remove_file(&blob).unwrap();
    symlink("/dev/zero", &blob).unwrap();
    refused(forged.with_layers(layers()).unwrap_err());

    let index = forged.directory().join("index.json");
    fs::remove_file(&index).unwrap();
    symlink("/dev/zero", &index).unwrap();
    refused(forged.open().unwrap_err());
}

#[test]
fn documents_that_are_large_deep_or_two_things_at_once() {
    let forged = Forged::new();
    let index = forged.directory().join("index.json");
    fs::File::create(&index).unwrap().set_len(1 << 30).unwrap(); // of which hardly anything is read
    assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })));

    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        fs::write(&index, format!(r#"{{"schemaVersion":2,"x":{deep},"manifests":[]}}"#)).unwrap();
        assert!(matches!(forged.open(), Err(LayoutError::Empty(_) | LayoutError::Malformed { .. })));
        fs::write(&index, &deep).unwrap();
        assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })));
        fs::write(&index, format!(r#"{{"schemaVersion":2,"manifests":[{deep}]}}"#)).unwrap();
        assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })));
    }

    for document in [
        json!({"schemaVersion": 2, "manifests": [], "layers": []}),
        json!({"schemaVersion": 2}),
        json!({"schemaVersion": 2, "mediaType": INDEX, "layers": []}),
        json!([]),
    ] {
        let entry = forged.document(MANIFEST, &document);
        forged.index(json!([entry]));
        assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })), "{document}");
    }
    forged.index(json!([]));
    assert!(matches!(forged.open(), Err(LayoutError::Empty(_))));
}

#[test]
fn indexes_of_indexes_end() {
    let forged = Forged::new();
    let wasm = forged.blob(&module(&[]));
    let image = json!({"schemaVersion": 2, "layers": [layer("application/wasm", wasm, 8)]});
    let mut entry = forged.document(MANIFEST, &image);
    for depth in 0..12 {
        forged.index(json!([entry]));
        match forged.open() {
            Ok(_) => assert!(depth <= 8, "{depth}"),
            Err(LayoutError::TooDeep) => assert!(depth > 8, "{depth}"),
            Err(error) => panic!("{depth}: {error}"),
        }
        entry = forged.document(INDEX, &json!({"schemaVersion": 2, "manifests": [entry]}));
    }
}

#[test]
fn of_several_platforms_wasm_is_meant_and_otherwise_it_is_asked() {
    let forged = Forged::new();
    let image = |bytes: &[u8], platform: Value| {
        let layer = layer("application/wasm", forged.blob(bytes), bytes.len() as u64);
        let mut entry = forged.document(MANIFEST, &json!({"schemaVersion": 2, "layers": [layer]}));
        entry["platform"] = platform;
        entry
    };
    let linux = image(&module(&[vec![0, 2, 1, b'l']]), json!({"architecture": "amd64", "os": "linux"}));
    let wasi = image(&module(&[vec![0, 2, 1, b'w']]), json!({"architecture": "wasm", "os": "wasip2"}));
    let older = image(&module(&[vec![0, 2, 1, b'o']]), json!({"architecture": "wasm", "os": "wasip1"}));
    forged.index(json!([linux, wasi]));
    assert_eq!(forged.open().unwrap().image().to_string(), wasi["digest"]);
    forged.index(json!([linux, wasi, wasi])); // the same twice is one
    assert_eq!(forged.open().unwrap().image().to_string(), wasi["digest"]);
    forged.index(json!([linux, wasi, older]));
    let error = forged.open().unwrap_err().to_string();
    for expected in ["`linux/amd64`", "`wasip2/wasm`", "`wasip1/wasm`", "@DIGEST", wasi["digest"].as_str().unwrap()] {
        assert!(error.contains(expected), "{error}");
    }
    let locator = forged.0.locator(&format!("@{}", older["digest"].as_str().unwrap()));
    assert_eq!(Input::locate(locator).unwrap().len(), 12);
}
