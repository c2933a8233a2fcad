//! Images of all shapes, in all stores: the names of their rows, and the binaries that the names stand for.

use std::collections::BTreeMap;

use base64::Engine as _;
use sectile::digest::Digest;
use sectile_audit::{RowReadError, RowReader};

use crate::store::{Store, gzip, tar};
use crate::{Answer, audit_store, codes};
use sectile_testing::binary::numbered_module;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const WASM: &str = "application/wasm";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const TAR_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_TAR_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

/// Where the content of a blob is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Stored,
    Absent,
    /// In the descriptor.
    Data,
    /// Stored under its SHA-512.
    Sha512,
}

struct Layer {
    media_type: &'static str,
    bytes: Vec<u8>,
    place: Place,
}

fn layer(media_type: &'static str, bytes: Vec<u8>) -> Layer {
    Layer { media_type, bytes, place: Place::Stored }
}

/// Files of a layer.
fn files(names: &[(&str, usize)]) -> Vec<u8> {
    let bytes = |name: &str, nth| if name.ends_with(".wasm") && nth > 0 { numbered_module(nth) } else { Vec::new() };
    tar(&names.iter().map(|(name, nth)| ((*name).to_owned(), bytes(name, *nth))).collect::<Vec<_>>())
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A row of the table: the layers of an image, and what an audit says.
struct Shape {
    name: &'static str,
    manifest: &'static str,
    layers: Vec<Layer>,
    /// The number of indexes around the manifest.
    indexes: usize,
    /// The names of binaries after that of the image. `@0` is the digest of the first layer.
    rows: &'static [&'static str],
    codes: &'static [&'static str],
    /// Whether the image alone stands for a binary.
    is_shown: bool,
}

fn shape(name: &'static str, layers: Vec<Layer>, rows: &'static [&'static str]) -> Shape {
    Shape { name, manifest: MANIFEST, layers, indexes: 0, rows, codes: &[], is_shown: rows.len() == 1 }
}

#[rustfmt::skip] // one row a shape
fn shapes() -> Vec<Shape> {
    let module = || numbered_module(1);
    let plugin = || files(&[("plugin.wasm", 1)]);
    let at = |place| Layer { place, ..layer(WASM, module()) };
    vec![
        shape("artifact", vec![layer(WASM, module())], &[""]),
        shape("older type", vec![layer("application/vnd.wasm.content.layer.v1+wasm", module())], &[""]),
        shape("compat", vec![layer(TAR_GZIP, gzip(&plugin()))], &["!plugin.wasm"]),
        Shape { manifest: DOCKER_MANIFEST, ..shape("docker", vec![layer(DOCKER_TAR_GZIP, gzip(&plugin()))], &["!plugin.wasm"]) },
        shape("zstd", vec![layer(TAR_ZSTD, zstd(&plugin()))], &["!plugin.wasm"]),
        shape("several layers", vec![layer(TAR, files(&[("a.wasm", 1)])), layer(TAR, files(&[("b.wasm", 2)]))],
            &["@0!a.wasm", "@1!b.wasm"]),
        shape("several binaries", vec![layer(WASM, module()), layer(WASM, numbered_module(2))], &["@0", "@1"]),
        shape("binary and data", vec![layer(WASM, module()), layer("text/plain", b"text".to_vec())], &[""]),
        shape("file", vec![layer("application/octet-stream", module())], &[""]),
        shape("whiteout", vec![layer(TAR, files(&[("plugin.wasm", 1)])), layer(TAR, files(&[(".wh.plugin.wasm", 0), ("d/.wh..wh..opq", 0)]))],
            &["@0!plugin.wasm"]),
        Shape { codes: &["absent-blob"], is_shown: false, ..shape("absent", vec![at(Place::Absent)], &[]) },
        Shape { codes: &["absent-blob"], ..shape("foreign",
            vec![Layer { place: Place::Absent, ..layer(FOREIGN, gzip(b"base")) }, layer(TAR_GZIP, gzip(&plugin()))], &["@1!plugin.wasm"]) },
        shape("data", vec![at(Place::Data)], &[""]),
        shape("tar in data", vec![Layer { place: Place::Data, ..layer(TAR, plugin()) }], &["!plugin.wasm"]),
        Shape { codes: &["unverified-digest"], ..shape("sha512", vec![at(Place::Sha512)], &[""]) },
        Shape { indexes: 1, ..shape("index", vec![layer(WASM, module())], &[""]) },
        Shape { indexes: 3, ..shape("nested index", vec![layer(TAR_GZIP, gzip(&plugin()))], &["!plugin.wasm"]) },
    ]
}

/// A blob by its digest.
struct StoredBlobs(BTreeMap<String, Vec<u8>>);

fn sha512(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha512::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(layer: &Layer) -> String {
    match layer.place {
        Place::Sha512 => format!("sha512:{}", sha512(&layer.bytes)),
        _ => Digest::new(&layer.bytes).to_string(),
    }
}

impl StoredBlobs {
    fn put(&mut self, media_type: &str, bytes: &[u8]) -> String {
        let digest = Digest::new(bytes).to_string();
        let descriptor = format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}"#, bytes.len());
        self.0.insert(digest, bytes.to_vec());
        descriptor
    }

    fn put_layer(&mut self, layer: &Layer) -> String {
        let Layer { media_type, bytes, place } = layer;
        let digest = digest(layer);
        let more = match place {
            Place::Stored | Place::Sha512 => {
                self.0.insert(digest.clone(), bytes.clone());
                String::new()
            }
            Place::Absent => r#","urls":["https://example.com/layer"]"#.to_owned(),
            Place::Data => format!(r#","data":"{}""#, base64::engine::general_purpose::STANDARD.encode(bytes)),
        };
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}{more}}}"#, bytes.len())
    }

    /// Stores an image, and returns its descriptor.
    fn put_image(&mut self, shape: &Shape) -> String {
        let config = self.put("application/vnd.oci.image.config.v1+json", b"{}");
        let layers: Vec<_> = shape.layers.iter().map(|layer| self.put_layer(layer)).collect();
        let media_type = shape.manifest;
        let layers = layers.join(",");
        let json = format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{config},"layers":[{layers}]}}"#);
        let mut descriptor = self.put(media_type, json.as_bytes());
        for _ in 0..shape.indexes {
            let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{descriptor}]}}"#);
            descriptor = self.put(INDEX, index.as_bytes());
        }
        descriptor
    }
}

/// The files of an image layout with an image `app`.
fn layout(shape: &Shape) -> Vec<(String, Vec<u8>)> {
    let mut blobs = StoredBlobs(BTreeMap::new());
    let descriptor = blobs.put_image(shape);
    let name = r#","annotations":{"org.opencontainers.image.ref.name":"app"}}"#;
    let named = descriptor.strip_suffix('}').unwrap().to_owned() + name;
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{named}]}}"#);
    let mut files = vec![
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".to_owned(), index.into_bytes()),
    ];
    files.extend(blobs.0.into_iter().map(|(digest, bytes)| (format!("blobs/{}", digest.replace(':', "/")), bytes)));
    files
}

/// The files of the storage of a registry with an image `team/app:1`.
fn storage(shape: &Shape) -> Vec<(String, Vec<u8>)> {
    let mut blobs = StoredBlobs(BTreeMap::new());
    let descriptor: serde_json::Value = serde_json::from_str(&blobs.put_image(shape)).unwrap();
    let digest = descriptor["digest"].as_str().unwrap();
    let root = "docker/registry/v2";
    let manifests = format!("{root}/repositories/team/app/_manifests");
    let mut files = vec![
        (format!("{manifests}/tags/1/current/link"), digest.as_bytes().to_vec()),
        (format!("{manifests}/revisions/{}/link", digest.replace(':', "/")), digest.as_bytes().to_vec()),
    ];
    files.extend(blobs.0.into_iter().map(|(digest, bytes)| {
        let (algorithm, hex) = digest.split_once(':').unwrap();
        (format!("{root}/blobs/{algorithm}/{}/{hex}/data", &hex[..2]), bytes)
    }));
    files
}

/// The files of `docker save` before Docker 25, with an image `app:1`. Only images of tars can be saved.
fn saved(shape: &Shape) -> Option<Vec<(String, Vec<u8>)>> {
    let is_plain = |layer: &Layer| layer.media_type == TAR && layer.place == Place::Stored;
    if shape.indexes > 0 || !shape.layers.iter().all(is_plain) {
        return None;
    }
    let path = |layer: &Layer| format!("{}/layer.tar", Digest::new(&layer.bytes).hex());
    let paths: Vec<_> = shape.layers.iter().map(|layer| format!("\"{}\"", path(layer))).collect();
    let config = format!("{}.json", "0".repeat(64));
    let manifest = format!(r#"[{{"Config":"{config}","RepoTags":["app:1"],"Layers":[{}]}}]"#, paths.join(","));
    let mut files: Vec<_> = shape.layers.iter().map(|layer| (path(layer), layer.bytes.clone())).collect();
    files.extend([(config, b"{}".to_vec()), ("manifest.json".to_owned(), manifest.into_bytes())]);
    Some(files)
}

/// The files of `docker save` since Docker 25: an image layout with another manifest.
fn saved_layout(shape: &Shape) -> Option<Vec<(String, Vec<u8>)>> {
    let paths: Vec<_> =
        shape.layers.iter().map(|layer| format!("\"blobs/{}\"", digest(layer).replace(':', "/"))).collect();
    let manifest = format!(r#"[{{"Config":"blobs/sha256/0","RepoTags":["app:1"],"Layers":[{}]}}]"#, paths.join(","));
    let mut files = layout(shape);
    files.push(("manifest.json".to_owned(), manifest.into_bytes()));
    let is_stored = shape.layers.iter().all(|layer| layer.place == Place::Stored);
    (shape.indexes == 0 && is_stored).then_some(files)
}

/// Audits a store, and compares its rows with those of the table. Then reads each binary by all names of its row.
#[track_caller]
fn check(store: &Store, shape: &Shape, image: &str, layer: impl Fn(usize) -> String) {
    let answer = audit_store(store);
    // The Base64 in a descriptor is also found in its document.
    let rows: Vec<_> = answer.rows().into_iter().filter(|row| row.get("encoding").is_none()).collect();
    let (binaries, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["row"] == "binary");
    let mut names: Vec<_> = binaries.iter().map(|row| row["file"].as_str().unwrap()).collect();
    names.sort_unstable();
    let full = |suffix: &&str| {
        let with_layers = (0..shape.layers.len())
            .rev()
            .fold((*suffix).to_owned(), |name, nth| name.replace(&format!("@{nth}"), &format!("@{}", layer(nth))));
        format!("{image}{with_layers}")
    };
    let mut expected: Vec<_> = shape.rows.iter().map(full).collect();
    expected.sort_unstable();
    assert_eq!(names, expected, "{}: {}", shape.name, answer.text);
    let found: Vec<_> = others.iter().flat_map(|row| codes(row)).collect();
    assert_eq!(found, shape.codes, "{}: {}", shape.name, answer.text);
    check_exit(&answer, shape);
    for row in &binaries {
        for name in row["locations"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            let copy = RowReader::new().copy(name.as_ref(), &mut Vec::new());
            let copy = copy.unwrap_or_else(|error| panic!("{}: {name}: {error}", shape.name));
            assert_eq!(copy.size, row["size"], "{}: {name}", shape.name);
        }
    }
    let shown = RowReader::new().copy(image.as_ref(), &mut Vec::new());
    assert_eq!(shown.is_ok(), shape.is_shown, "{}: {image}: {shown:?}", shape.name);
    if let (Err(error), []) = (shown, shape.rows) {
        assert!(matches!(error, RowReadError::Finding { .. }), "{}: {error}", shape.name);
    }
}

/// Nothing is refused and nothing is unread.
fn check_exit(answer: &Answer, shape: &Shape) {
    let summary = &answer.outcome.summary;
    assert_eq!((summary.refused, summary.unread()), (0, 0), "{}: {}", shape.name, answer.text);
}

fn write(store: &Store, directory: &str, files: &[(String, Vec<u8>)]) {
    for (path, bytes) in files {
        store.put(format!("{directory}/{path}"), bytes);
    }
}

#[test]
fn shapes_in_layouts() {
    for shape in shapes() {
        let store = Store::new();
        write(&store, "l", &layout(&shape));
        check(&store, &shape, &format!("oci:{}:app", store.path("l").display()), |nth| digest(&shape.layers[nth]));
    }
}

#[test]
fn shapes_in_tars_of_layouts() {
    for shape in shapes() {
        let store = Store::new().with("l.tar", tar(&layout(&shape)));
        check(&store, &shape, &format!("oci:{}:app", store.path("l.tar").display()), |nth| digest(&shape.layers[nth]));
    }
}

#[test]
fn shapes_in_registries() {
    for shape in shapes() {
        let store = Store::new();
        write(&store, "r", &storage(&shape));
        let image = format!("oci:{}:team/app:1", store.path("r").display());
        check(&store, &shape, &image, |nth| digest(&shape.layers[nth]));
    }
}

#[test]
fn shapes_in_archives_of_docker() {
    let mut count = 0;
    for shape in shapes() {
        let Some(files) = saved(&shape) else { continue };
        count += 1;
        let layer = |nth: usize| format!("{}/layer.tar", Digest::new(&shape.layers[nth].bytes).hex());
        let store = Store::new();
        write(&store, "d", &files);
        check(&store, &shape, &format!("oci:{}:app:1", store.path("d").display()), layer);
        let store = Store::new().with("d.tar", tar(&files));
        check(&store, &shape, &format!("oci:{}:app:1", store.path("d.tar").display()), layer);
    }
    assert_eq!(count, 2);
    for shape in shapes() {
        let Some(files) = saved_layout(&shape) else { continue };
        let store = Store::new();
        write(&store, "d", &files);
        let layer = |nth: usize| digest(&shape.layers[nth]);
        // The tags come before the names of the layout. A saved image has no media types of layers.
        if shape.layers.len() == 1 && shape.rows.len() == 1 {
            check(&store, &shape, &format!("oci:{}:app:1", store.path("d").display()), layer);
            let store = Store::new().with("d.tar", tar(&files));
            check(&store, &shape, &format!("oci:{}:app:1", store.path("d.tar").display()), layer);
        }
    }
}

/// The content of a descriptor that differs from its digest is an error, and so are too many of them.
#[test]
fn data_that_differs_from_its_descriptor_is_an_error() {
    let encoded = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let bytes = numbered_module(1);
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    for (data, count, code) in [
        (encoded(&other), 1, "digest-mismatch"),
        ("?".to_owned(), 1, "malformed-layout"),
        (encoded(&bytes), 17, "malformed-layout"),
    ] {
        let mut blobs = StoredBlobs(BTreeMap::new());
        let layer = blobs.put_layer(&Layer { place: Place::Data, ..layer(WASM, bytes.clone()) });
        let layer = vec![layer.replace(&encoded(&bytes), &data); count].join(",");
        let manifest = format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","layers":[{layer}]}}"#);
        let descriptor = blobs.put(MANIFEST, manifest.as_bytes());
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{descriptor}]}}"#);
        let store = Store::new()
            .with("l/oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)
            .with("l/index.json", index)
            .with(format!("l/blobs/{}", Digest::new(manifest.as_bytes()).to_string().replace(':', "/")), manifest);
        let answer = audit_store(&store);
        let rows = answer.rows();
        let found = rows.iter().flat_map(codes).any(|found| found == code);
        assert!(found && answer.outcome.summary.refused > 0, "{}", answer.text);
    }
}
