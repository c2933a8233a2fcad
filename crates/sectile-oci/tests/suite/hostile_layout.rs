//! Hostile layouts.

use std::fs;

use serde_json::{Value, json};

use sectile::digest::Digest;
use sectile_oci::{LayoutError, LayoutImage, Locator};

use super::Fixture;
use sectile_testing::binary::module;
#[cfg(unix)]
use sectile_testing::files::make_fifo;

const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX_MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// A layout with arbitrary documents.
struct ForgedLayout(Fixture);

impl ForgedLayout {
    fn new() -> Self {
        let fixture = Fixture::new(&module(&[]));
        fixture.add(None);
        Self(fixture)
    }

    fn directory(&self) -> std::path::PathBuf {
        self.0.layout()
    }

    fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::new(bytes);
        fs::write(self.directory().join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        digest
    }

    fn index(&self, entries: Value) {
        let index = json!({"schemaVersion": 2, "manifests": entries});
        fs::write(self.directory().join("index.json"), index.to_string()).unwrap();
    }

    /// Adds a document to the blobs and returns its descriptor.
    fn document(&self, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string();
        json!({"mediaType": media_type, "digest": self.blob(bytes.as_bytes()).to_string(), "size": bytes.len()})
    }

    /// Opens an image with these layers.
    fn open_with_layers(&self, layers: Value) -> Result<LayoutImage, LayoutError> {
        let config = json!({"mediaType": "c", "digest": "not looked at", "size": 1});
        let entry =
            self.document(MANIFEST_MEDIA_TYPE, &json!({"schemaVersion": 2, "config": config, "layers": layers}));
        self.index(json!([entry]));
        self.open()
    }

    fn open(&self) -> Result<LayoutImage, LayoutError> {
        LayoutImage::open(&Locator::parse(self.0.locator("").as_ref()).unwrap()?)
    }
}

fn layer(media_type: &str, digest: impl ToString, size: u64) -> Value {
    json!({"mediaType": media_type, "digest": digest.to_string(), "size": size})
}

#[test]
fn exactly_one_wasm_layer_of_a_known_type() {
    let forged = ForgedLayout::new();
    let wasm = forged.blob(&module(&[]));
    let tar = layer("application/vnd.oci.image.layer.v1.tar+gzip", "sha256:whatever", 1);
    for media_type in [
        "application/wasm",
        "application/vnd.wasm.content.layer.v1+wasm",
        "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
    ] {
        let stored = forged.open_with_layers(json!([tar, layer(media_type, wasm, 8)])).unwrap();
        assert_eq!(stored.layer().media_type(), media_type);
    }
    let error = forged.open_with_layers(json!([tar])).unwrap_err();
    assert!(matches!(error, LayoutError::NoWasmLayer { .. }), "{error}");
    assert!(error.to_string().ends_with("its layers: `application/vnd.oci.image.layer.v1.tar+gzip`"), "{error}");
    assert!(forged.open_with_layers(json!([])).unwrap_err().to_string().ends_with("none"));
    let two = json!([layer("application/wasm", wasm, 8), layer("application/wasm", wasm, 8)]);
    assert!(matches!(forged.open_with_layers(two), Err(LayoutError::MultipleWasmLayers { .. })));
}

#[test]
fn digests_with_paths_are_refused() {
    let forged = ForgedLayout::new();
    let hex = Digest::new(b"").hex();
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
        let error = forged.open_with_layers(json!([layer("application/wasm", &digest, 8)])).unwrap_err();
        assert!(matches!(error, LayoutError::InvalidDigest { .. }), "{digest}: {error}");
        forged.index(json!([layer(MANIFEST_MEDIA_TYPE, &digest, 8)]));
        assert!(matches!(forged.open(), Err(LayoutError::InvalidDigest { .. })), "{digest}");
    }
}

#[test]
fn missing_and_mismatched_blobs_are_refused() {
    let forged = ForgedLayout::new();
    let absent = Digest::new(b"absent");
    let error = forged.open_with_layers(json!([layer("application/wasm", absent, 8)])).unwrap_err();
    assert!(matches!(error, LayoutError::AbsentBlob { digest, .. } if digest == absent), "{error}");
    assert!(error.to_string().contains("is not in the layout"), "{error}");
    let mut elsewhere = layer("application/wasm", absent, 8);
    elsewhere["urls"] = json!(["https://example.com/a.wasm"]);
    let error = forged.open_with_layers(json!([elsewhere])).unwrap_err();
    assert!(error.to_string().contains("it is kept at `https://example.com/a.wasm`"), "{error}");
    let wasm = forged.blob(&module(&[]));
    for size in [0, 7, 9, u64::MAX] {
        let error = forged.open_with_layers(json!([layer("application/wasm", wasm, size)])).unwrap_err();
        assert!(matches!(error, LayoutError::SizeMismatch { found: 8, .. }), "{error}");
    }
    for size in [json!(-1), json!(1e30), json!("8"), json!(null)] {
        let layers = json!([{"mediaType": "application/wasm", "digest": wasm.to_string(), "size": size}]);
        assert!(matches!(forged.open_with_layers(layers), Err(LayoutError::Malformed { .. })));
    }
    // A manifest with another digest is not parsed.
    let honest = json!({"schemaVersion": 2, "layers": []}).to_string();
    let digest = forged.blob(honest.as_bytes());
    fs::write(forged.directory().join("blobs/sha256").join(digest.hex()), honest.replace('2', "3")).unwrap();
    forged.index(json!([layer(MANIFEST_MEDIA_TYPE, digest, honest.len() as u64)]));
    assert!(matches!(forged.open(), Err(LayoutError::DigestMismatch { .. })));
    forged.index(json!([layer(MANIFEST_MEDIA_TYPE, digest, 1)]));
    assert!(matches!(forged.open(), Err(LayoutError::SizeMismatch { .. })));
}

#[cfg(unix)]
#[test]
fn irregular_files_are_not_opened() {
    use std::os::unix::fs::symlink;
    let forged = ForgedLayout::new();
    let bytes = module(&[]);
    let wasm = forged.blob(&bytes);
    let blob = forged.directory().join("blobs/sha256").join(wasm.hex());
    let layers = || json!([layer("application/wasm", wasm, 8)]);
    let refused = |error: LayoutError| assert!(matches!(error, LayoutError::NotRegular(_)), "{error}");

    fs::remove_file(&blob).unwrap();
    let elsewhere = forged.directory().join("elsewhere");
    fs::write(&elsewhere, &bytes).unwrap();
    symlink(&elsewhere, &blob).unwrap();
    refused(forged.open_with_layers(layers()).unwrap_err());
    fs::remove_file(&blob).unwrap();
    fs::create_dir(&blob).unwrap();
    refused(forged.open_with_layers(layers()).unwrap_err());
    fs::remove_dir(&blob).unwrap();
    // Opening a FIFO without a writer must not block.
    make_fifo(&blob);
    refused(forged.open_with_layers(layers()).unwrap_err());
    fs::remove_file(&blob).unwrap();
    symlink("/dev/zero", &blob).unwrap();
    refused(forged.open_with_layers(layers()).unwrap_err());

    let index = forged.directory().join("index.json");
    fs::remove_file(&index).unwrap();
    symlink("/dev/zero", &index).unwrap();
    refused(forged.open().unwrap_err());
}

#[test]
fn large_deep_and_ambiguous_documents_are_refused() {
    let forged = ForgedLayout::new();
    let index = forged.directory().join("index.json");
    fs::File::create(&index).unwrap().set_len(1 << 30).unwrap(); // sparse, and only the beginning is read
    assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })));

    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        fs::write(&index, format!(r#"{{"schemaVersion":2,"x":{deep},"manifests":[]}}"#)).unwrap();
        assert!(matches!(forged.open(), Err(LayoutError::NoImages(_) | LayoutError::Malformed { .. })));
        fs::write(&index, &deep).unwrap();
        assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })));
        fs::write(&index, format!(r#"{{"schemaVersion":2,"manifests":[{deep}]}}"#)).unwrap();
        assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })));
    }

    for document in [
        json!({"schemaVersion": 2, "manifests": [], "layers": []}),
        json!({"schemaVersion": 2}),
        json!({"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "layers": []}),
        json!([]),
    ] {
        let entry = forged.document(MANIFEST_MEDIA_TYPE, &document);
        forged.index(json!([entry]));
        assert!(matches!(forged.open(), Err(LayoutError::Malformed { .. })), "{document}");
    }
    forged.index(json!([]));
    assert!(matches!(forged.open(), Err(LayoutError::NoImages(_))));
}

#[test]
fn nested_indexes_are_limited() {
    let forged = ForgedLayout::new();
    let wasm = forged.blob(&module(&[]));
    let image = json!({"schemaVersion": 2, "layers": [layer("application/wasm", wasm, 8)]});
    let mut entry = forged.document(MANIFEST_MEDIA_TYPE, &image);
    for depth in 0..12 {
        forged.index(json!([entry]));
        match forged.open() {
            Ok(_) => assert!(depth <= 8, "{depth}"),
            Err(LayoutError::TooDeep) => assert!(depth > 8, "{depth}"),
            Err(error) => panic!("{depth}: {error}"),
        }
        entry = forged.document(INDEX_MEDIA_TYPE, &json!({"schemaVersion": 2, "manifests": [entry]}));
    }
}

#[test]
fn the_wasm_platform_is_chosen_if_it_is_unique() {
    let forged = ForgedLayout::new();
    let image = |bytes: &[u8], platform: Value| {
        let layer = layer("application/wasm", forged.blob(bytes), bytes.len() as u64);
        let mut entry = forged.document(MANIFEST_MEDIA_TYPE, &json!({"schemaVersion": 2, "layers": [layer]}));
        entry["platform"] = platform;
        entry
    };
    let linux = image(&module(&[vec![0, 2, 1, b'l']]), json!({"architecture": "amd64", "os": "linux"}));
    let wasi = image(&module(&[vec![0, 2, 1, b'w']]), json!({"architecture": "wasm", "os": "wasip2"}));
    let older = image(&module(&[vec![0, 2, 1, b'o']]), json!({"architecture": "wasm", "os": "wasip1"}));
    forged.index(json!([linux, wasi]));
    assert_eq!(forged.open().unwrap().digest().to_string(), wasi["digest"]);
    forged.index(json!([linux, wasi, wasi])); // duplicates count once
    assert_eq!(forged.open().unwrap().digest().to_string(), wasi["digest"]);
    forged.index(json!([linux, wasi, older]));
    let error = forged.open().unwrap_err().to_string();
    for expected in ["`linux/amd64`", "`wasip2/wasm`", "`wasip1/wasm`", "@DIGEST", wasi["digest"].as_str().unwrap()] {
        assert!(error.contains(expected), "{error}");
    }
    let locator = forged.0.locator(&format!("@{}", older["digest"].as_str().unwrap()));
    assert_eq!(sectile_oci::open(locator).unwrap().len(), 12);
}
