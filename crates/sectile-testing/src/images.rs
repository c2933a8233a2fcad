//! Images of every shape, in a layout or a registry: those that a consumer loads, and those that break
//! one of its rules.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::write::GzEncoder;
use sectile::digest::Digest;
use serde_json::{Value, json};

use crate::registry::Registry;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
const WASM: &str = "application/wasm";
const WASM_V1: &str = "application/vnd.wasm.content.layer.v1+wasm";
const SHIM_WASM: &str = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";
const MODULE: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
const MODULE_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const DOCKER_TAR_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const SPIN: &str = "application/vnd.fermyon.spin.application.v1+config";
const SPIN_DATA: &str = "application/vnd.wasm.content.layer.v1+data";

pub const BINARY: &[u8] = b"\0asm\x01\0\0\0";

/// An image to be written into a layout.
#[derive(Clone)]
pub struct TestImage {
    pub media_type: Option<&'static str>,
    pub config_type: &'static str,
    pub config: Vec<u8>,
    pub layers: Vec<(&'static str, Vec<u8>)>,
    annotations: Value,
    /// The platforms of the index that lists the image, and whether it is in another index.
    index: Option<(Value, bool)>,
    /// Whether the store has the layers.
    pub has_layers: bool,
    /// A wrong size of the last layer in the manifest.
    pub declared_size: Option<u64>,
}

impl TestImage {
    fn new(config_type: &'static str, config: Value, layers: &[(&'static str, &[u8])]) -> Self {
        Self {
            media_type: Some(OCI_MANIFEST),
            config_type,
            config: config.to_string().into_bytes(),
            layers: layers.iter().map(|(media_type, bytes)| (*media_type, bytes.to_vec())).collect(),
            annotations: json!({}),
            index: None,
            has_layers: true,
            declared_size: None,
        }
    }

    pub fn cncf() -> Self {
        let digests = [Digest::new(BINARY).to_string()];
        let config = json!({
            "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip1", "layerDigests": digests,
        });
        Self::new(WASM_CONFIG, config, &[(WASM, BINARY)])
    }

    pub fn envoy() -> Self {
        let config = json!({"type": "envoy_proxy"});
        let layer = config.to_string().into_bytes();
        Self::new(MODULE_CONFIG, config, &[(MODULE_CONFIG, &layer), (MODULE, BINARY)])
    }

    pub fn envoy_with_three_layers() -> Self {
        Self::envoy().edit(|image| image.layers.insert(1, ("text/markdown", b"# Read me".to_vec())))
    }

    pub fn compat() -> Self {
        let archive = gzip(&tar(&[("plugin.wasm", BINARY)]));
        let mut image = Self::new(OCI_CONFIG, json!({"architecture": "amd64", "os": "linux"}), &[(TAR_GZIP, &archive)]);
        image.annotations = json!({"module.wasm.image/variant": "compat"});
        image
    }

    pub fn docker_compat() -> Self {
        let mut image = Self::compat();
        image.media_type = Some(DOCKER_MANIFEST);
        image.config_type = "application/vnd.docker.container.image.v1+json";
        image.layers[0].0 = DOCKER_TAR_GZIP;
        image.annotations = json!({});
        image
    }

    pub fn spin() -> Self {
        let file = b"page";
        let application = json!({
            "spin_lock_version": 0, "triggers": [],
            "components": [{
                "id": "a",
                "source": {"content_type": "application/wasm", "digest": Digest::new(BINARY).to_string()},
                "files": [
                    {"path": "index.html", "digest": Digest::new(file).to_string()},
                    {"path": "small", "inline": "YQ==", "digest": Digest::new(b"a").to_string()},
                ],
            }],
        });
        let application = application.to_string().into_bytes();
        let config = json!({"architecture": "wasm", "os": "Wasip1"});
        Self::new(OCI_CONFIG, config, &[(WASM_V1, BINARY), (SPIN_DATA, file), (SPIN, &application)])
    }

    pub fn kubewarden() -> Self {
        Self::new("application/vnd.wasm.config.v1+json", json!({}), &[(WASM_V1, BINARY)])
    }

    pub fn runwasi() -> Self {
        Self::new(OCI_CONFIG, json!({"architecture": "wasm", "os": "wasip1"}), &[(SHIM_WASM, BINARY)])
    }

    /// An ordinary image that runs a WebAssembly file.
    pub fn ordinary() -> Self {
        let config = json!({
            "architecture": "wasm", "os": "wasip1",
            "config": {"Entrypoint": ["app.wasm#run"], "WorkingDir": "/srv"},
        });
        let archive = gzip(&tar(&[("srv/app.wasm", BINARY)]));
        Self::new(OCI_CONFIG, config, &[(TAR_GZIP, &archive)])
    }

    /// An artifact with a file, as ORAS pushes it.
    pub fn files() -> Self {
        Self::new("application/vnd.oci.empty.v1+json", json!({}), &[("application/octet-stream", BINARY)])
    }

    pub fn edit(mut self, edit: impl FnOnce(&mut Self)) -> Self {
        edit(&mut self);
        self
    }

    pub fn edit_config(self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut config: Value = serde_json::from_slice(&self.config).unwrap();
        edit(&mut config);
        Self { config: config.to_string().into_bytes(), ..self }
    }

    pub fn edit_application(self, edit: impl FnOnce(&mut Value)) -> Self {
        self.edit(|image| {
            let layer = image.layers.iter_mut().find(|(media_type, _)| *media_type == SPIN).unwrap();
            let mut application: Value = serde_json::from_slice(&layer.1).unwrap();
            edit(&mut application);
            layer.1 = application.to_string().into_bytes();
        })
    }

    pub fn in_index(self, platforms: Value) -> Self {
        Self { index: Some((platforms, false)), ..self }
    }

    /// Writes the image into a layout, and returns the digest of its manifest or index.
    pub fn write_layout(&self, directory: &Path) -> Digest {
        let blobs = directory.join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let stored = self.stored();
        for blob in &stored.blobs {
            fs::write(blobs.join(Digest::new(&blob.bytes).hex()), &blob.bytes).unwrap();
        }
        fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let index = json!({"schemaVersion": 2, "manifests": [stored.root]});
        fs::write(directory.join("index.json"), index.to_string()).unwrap();
        stored.root["digest"].as_str().unwrap().parse().unwrap()
    }

    /// Puts the image into a registry under a tag.
    pub fn put_into(&self, registry: &mut Registry, tag: &str) {
        let stored = self.stored();
        let root = stored.root["digest"].as_str().unwrap();
        for StoredBlob { media_type, bytes, is_document } in stored.blobs {
            let digest = Digest::new(&bytes).to_string();
            if is_document {
                if digest == root {
                    registry.manifests.insert(tag.to_owned(), (media_type.clone(), bytes.clone()));
                }
                registry.manifests.insert(digest, (media_type, bytes));
            } else {
                registry.blobs.insert(digest, bytes);
            }
        }
    }

    fn stored(&self) -> Stored {
        let mut blobs = Vec::new();
        let mut put = |media_type: &str, bytes: &[u8], is_document: bool, is_kept: bool| {
            if is_kept {
                blobs.push(StoredBlob { media_type: media_type.to_owned(), bytes: bytes.to_vec(), is_document });
            }
            json!({"mediaType": media_type, "digest": Digest::new(bytes).to_string(), "size": bytes.len()})
        };
        let mut layers: Vec<Value> =
            self.layers.iter().map(|(media_type, bytes)| put(media_type, bytes, false, self.has_layers)).collect();
        if let (Some(size), Some(last)) = (self.declared_size, layers.last_mut()) {
            last["size"] = json!(size);
        }
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": self.media_type, "layers": layers, "annotations": self.annotations,
            "config": put(self.config_type, &self.config, false, true),
        });
        if self.media_type.is_none() {
            manifest.as_object_mut().unwrap().remove("mediaType");
        }
        let mut root = put(self.media_type.unwrap_or(OCI_MANIFEST), manifest.to_string().as_bytes(), true, true);
        let index_type = "application/vnd.oci.image.index.v1+json";
        let mut in_index = |manifests: Vec<Value>| {
            let index = json!({"schemaVersion": 2, "mediaType": index_type, "manifests": manifests});
            put(index_type, index.to_string().as_bytes(), true, true)
        };
        if let Some((platforms, is_nested)) = &self.index {
            let entries = platforms.as_array().unwrap().iter().map(|platform| {
                let mut entry = root.clone();
                if !platform.is_null() {
                    entry["platform"] = platform.clone();
                }
                entry
            });
            root = in_index(entries.collect());
            if *is_nested {
                root["platform"] = json!({"os": "linux", "architecture": "amd64"});
                root = in_index(vec![root]);
            }
        }
        Stored { root, blobs }
    }
}

/// The blobs of an image, and the descriptor of its manifest or index.
struct Stored {
    root: Value,
    blobs: Vec<StoredBlob>,
}

struct StoredBlob {
    media_type: String,
    bytes: Vec<u8>,
    is_document: bool,
}

/// A description or the name of a rule, the name of a consumer, and an image.
pub type Case = (&'static str, &'static str, TestImage);

pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Images that a consumer loads, by consumer.
pub fn loaded() -> Vec<Case> {
    let amd64 = json!([{"os": "linux", "architecture": "amd64"}]);
    let plugin = |files: &[(&str, &[u8])]| {
        let archive = gzip(&tar(files));
        TestImage::compat().edit(|image| image.layers[0].1 = archive)
    };
    let long_name = format!("{}/plugin.wasm", "long".repeat(60));
    vec![
        ("an artifact", "cncf", TestImage::cncf()),
        ("an index for the host", "cncf", TestImage::cncf().in_index(amd64.clone())),
        ("the OCI variant", "istio", TestImage::envoy()),
        ("the compat variant", "istio", TestImage::compat()),
        ("the compat variant of Docker", "istio", TestImage::docker_compat()),
        ("a file in a directory", "istio", plugin(&[("a", b""), ("./x/plugin.wasm", BINARY)])),
        ("a file with a long name", "istio", plugin(&[(&long_name, BINARY)])),
        (
            "an archive as the last of two layers",
            "istio",
            TestImage::envoy().edit(|image| image.layers[0] = image.layers[1].clone()).edit(|image| {
                image.layers[1] = (TAR_GZIP, gzip(&tar(&[("other", b"")])));
            }),
        ),
        (
            "the last of several archives",
            "istio",
            TestImage::compat().edit(|image| image.layers.insert(0, (TAR_GZIP, b"no archive".to_vec()))),
        ),
        ("an entry without a platform", "istio", TestImage::envoy().in_index(json!([null]))),
        ("an index in an index", "istio", TestImage::envoy().in_index(amd64).edit(nest)),
        ("the OCI variant", "envoy", TestImage::envoy()),
        ("an application", "spin", TestImage::spin()),
        ("a package", "spin", TestImage::cncf()),
        (
            "an application in the config",
            "spin",
            TestImage::spin().edit(|image| image.config = image.layers.pop().unwrap().1),
        ),
        ("a policy", "kubewarden", TestImage::kubewarden()),
        ("a manifest without a media type", "kubewarden", TestImage::kubewarden().edit(|i| i.media_type = None)),
        ("a layer of a shim", "runwasi", TestImage::runwasi()),
        ("an artifact", "runwasi", TestImage::cncf()),
        ("an ordinary image", "runwasi", TestImage::ordinary()),
        (
            "an ordinary image in an index",
            "runwasi",
            TestImage::ordinary().in_index(json!([{"os": "wasi", "architecture": "wasm"}])),
        ),
        (
            "a file in a directory of PATH",
            "runwasi",
            TestImage::ordinary().edit_config(|config| {
                config["config"] = json!({"Cmd": ["app.wasm"], "Env": ["A=b", "PATH=/bin:/srv"]});
            }),
        ),
    ]
}

fn nest(image: &mut TestImage) {
    image.index.as_mut().unwrap().1 = true;
}

/// Images that break one rule of a consumer.
pub fn refused() -> Vec<Case> {
    let arm64 = json!([{"os": "linux", "architecture": "arm64"}]);
    let plugin = |bytes: Vec<u8>| TestImage::compat().edit(|image| image.layers[0].1 = bytes);
    let no_layers = |image: TestImage| image.edit(|image| image.layers.clear());
    let module = |bytes: &[u8]| TestImage::envoy().edit(|image| image.layers[1].1 = bytes.to_vec());
    let mut images = Vec::new();
    for consumer in ["cncf", "spin", "kubewarden"] {
        images.push(("host-platform", consumer, TestImage::cncf().in_index(arm64.clone())));
        images.push(("host-platform", consumer, TestImage::cncf().in_index(json!([null]))));
        let amd64 = json!([{"os": "linux", "architecture": "amd64"}]);
        images.push(("host-platform", consumer, TestImage::cncf().in_index(amd64).edit(nest)));
    }
    for consumer in ["envoy", "istio"] {
        images.push(("default-platform", consumer, TestImage::envoy().in_index(arm64.clone())));
        images.push(("some-layer", consumer, no_layers(TestImage::envoy())));
        images.push(("docker-layer", consumer, TestImage::docker_compat().edit(|image| image.layers[0].0 = TAR_GZIP)));
        images.push(("two-layers", consumer, TestImage::envoy_with_three_layers()));
        images.push(("module-layer", consumer, TestImage::envoy().edit(|image| image.layers[1].0 = WASM)));
        images.push(("plugin-file", consumer, plugin(gzip(&tar(&[("filter.wasm", BINARY)])))));
        images.push(("plugin-file", consumer, plugin(b"no archive".to_vec())));
        images.push(("plugin-file", consumer, TestImage::compat().edit(|image| image.has_layers = false)));
        images.push(("wasm-header", consumer, plugin(gzip(&tar(&[("plugin.wasm", b"\0asm")])))));
        images.push(("wasm-header", consumer, module(b"(module)")));
        images.push(("wasm-header", consumer, TestImage::envoy().edit(|image| image.has_layers = false)));
    }
    let large = TestImage::envoy().edit(|image| image.declared_size = Some((256 << 20) + 1));
    images.push(("binary-size", "istio", large));
    let arm = json!([{"os": "linux", "architecture": "arm64"}, {"os": "windows", "architecture": "amd64"}]);
    images.push(("some-platform", "runwasi", TestImage::ordinary().in_index(arm)));
    images.push(("oci-manifest", "cncf", TestImage::cncf().edit(|image| image.media_type = None)));
    for consumer in ["spin", "kubewarden"] {
        let image = if consumer == "spin" { TestImage::cncf() } else { TestImage::kubewarden() };
        images.push(("known-manifest", consumer, image.edit(|image| image.media_type = Some("application/json"))));
    }
    images.push(("wasm-config", "cncf", TestImage::cncf().edit(|image| image.config_type = OCI_CONFIG)));
    images.push(("config-fields", "cncf", TestImage::cncf().edit_config(|config| config["created"] = json!("today"))));
    images.push(("config-fields", "cncf", TestImage::cncf().edit(|image| image.config = b"{".to_vec())));
    images.push((
        "wasm-architecture",
        "cncf",
        TestImage::cncf().edit_config(|config| config["architecture"] = json!("amd64")),
    ));
    images.push(("layer-digests", "cncf", TestImage::cncf().edit_config(|config| config["layerDigests"] = json!([]))));
    images.push(("component-config", "cncf", TestImage::cncf().edit_config(|config| config["os"] = json!("wasip2"))));
    let twice = |image: &mut TestImage| image.layers.push(image.layers[0].clone());
    let digests = [Digest::new(BINARY).to_string(), Digest::new(BINARY).to_string()];
    let two = TestImage::cncf().edit(twice).edit_config(|config| config["layerDigests"] = json!(digests));
    images.push(("one-wasm-layer", "cncf", two));
    images.push(("wasm-layers", "cncf", TestImage::cncf().edit(|image| image.layers[0].0 = MODULE)));
    images.push(("lock-json", "spin", TestImage::spin().edit(|image| image.layers[2].1 = b"{".to_vec())));
    images.push((
        "component-layers",
        "spin",
        TestImage::spin().edit_application(|application| {
            application["components"][0]["source"]["digest"] = json!(Digest::new(b"other").to_string());
        }),
    ));
    images.push((
        "component-layers",
        "spin",
        TestImage::spin().edit_application(|application| {
            application["components"][0]["dependencies"] = json!({"a:b/c": {"source": {"content_type": "a"}}});
        }),
    ));
    images.push(("file-layers", "spin", TestImage::spin().edit(|image| drop(image.layers.remove(1)))));
    images.push(("package-layer", "spin", no_layers(TestImage::cncf())));
    images.push(("package-layer", "spin", TestImage::cncf().edit(|image| image.layers[0].0 = MODULE)));
    images.push(("policy-layers", "kubewarden", TestImage::kubewarden().edit(|image| image.layers[0].0 = WASM)));
    images.push(("one-policy", "kubewarden", TestImage::kubewarden().edit(twice)));
    images.push(("shim-layers", "runwasi", TestImage::kubewarden()));
    let wasm = json!([{"os": "wasi", "architecture": "wasm"}]);
    images.push(("shim-layers", "runwasi", TestImage::runwasi().in_index(wasm)));
    let w3c = "application/vnd.w3c.wasm.module.v1+wasm";
    images.push(("shim-layers", "runwasi", TestImage::runwasi().edit(|image| image.layers[0].0 = w3c)));
    images.push(("one-module", "runwasi", TestImage::runwasi().edit(twice)));
    images.push(("entrypoint-file", "runwasi", TestImage::compat()));
    let other = TestImage::ordinary().edit_config(|config| config["config"]["WorkingDir"] = json!("/bin"));
    images.push(("entrypoint-file", "runwasi", other));
    let whiteout = (TAR_GZIP, gzip(&tar(&[("srv/.wh.app.wasm", b"")])));
    images.push(("entrypoint-file", "runwasi", TestImage::ordinary().edit(|image| image.layers.push(whiteout))));
    images
}
