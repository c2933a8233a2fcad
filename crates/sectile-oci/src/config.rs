//! The configs of images.
//!
//! Sources: the *Wasm OCI Artifact layout* of the CNCF's TAG Runtime, and `WasmConfig` in oci-wasm,
//! which requires `created` although the former does not; `spec/spec.md` of solo-io/wasm; `config.md`
//! of the OCI image specification.

use serde::Serialize;

use crate::shape::media_type;
use sectile::digest::Digest;
use sectile::interface::{Extern, Interface};
use sectile::internal::json::value_to_vec;
use sectile::scan::ItemKind;

/// The config of an image. The digests of the layers are added when it is written.
#[derive(Clone, Debug)]
pub(super) enum ImageConfig {
    Wasm(WasmConfig),
    Proxy(ProxyConfig),
    Container(ContainerConfig),
}

impl ImageConfig {
    /// Returns the media type.
    pub(super) fn media_type(&self) -> &'static str {
        match self {
            Self::Wasm(_) => media_type::WASM_CONFIG,
            Self::Proxy(_) => media_type::ENVOY_CONFIG,
            Self::Container(_) => media_type::OCI_CONFIG,
        }
    }

    /// Returns the JSON for an image whose layer with the binary has these digests: its own, and
    /// that of its unpacked contents.
    pub(super) fn to_json(&self, layer: Digest, unpacked: Digest) -> Vec<u8> {
        match self {
            Self::Wasm(config) => config.to_json(&[layer]),
            Self::Proxy(config) => value_to_vec(config),
            Self::Container(config) => config.to_json(unpacked),
        }
    }
}

/// The config of a Wasm OCI artifact.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WasmConfig {
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    architecture: &'static str,
    os: String,
    layer_digests: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<ComponentConfig>,
}

/// The imports and exports of a component.
#[derive(Clone, Debug, Serialize)]
struct ComponentConfig {
    exports: Vec<String>,
    imports: Vec<String>,
    /// The world that the component targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

/// The value of `created` when no time is given.
const EPOCH: &str = "1970-01-01T00:00:00Z";

impl WasmConfig {
    /// Creates the config of a binary with this interface.
    pub(super) fn new(
        interface: &Interface,
        created: Option<&str>,
        author: Option<&str>,
        os: Option<&str>,
        target: Option<&str>,
    ) -> Self {
        let (default_os, component) = match interface.kind() {
            ItemKind::Module => ("wasip1", None), // must be a GOOS, and plain Wasm has none
            ItemKind::Component => ("wasip2", Some(ComponentConfig::new(interface, target))),
        };
        Self {
            created: created.unwrap_or(EPOCH).to_owned(),
            author: author.map(ToOwned::to_owned),
            architecture: "wasm",
            os: os.unwrap_or(default_os).to_owned(),
            layer_digests: Vec::new(),
            component,
        }
    }

    /// Returns the JSON with the digests of the manifest's layers, in their order.
    pub(super) fn to_json(&self, layers: &[Digest]) -> Vec<u8> {
        let config = Self { layer_digests: layers.iter().map(ToString::to_string).collect(), ..self.clone() };
        value_to_vec(&config)
    }
}

impl ComponentConfig {
    fn new(interface: &Interface, target: Option<&str>) -> Self {
        let names = |externs: &[Extern]| externs.iter().map(|external| external.name().to_owned()).collect();
        let exports = match interface.wit_package() {
            Some(package) => package.exports().to_vec(),
            None => names(interface.exports()),
        };
        Self { exports, imports: names(interface.imports()), target: target.map(ToOwned::to_owned) }
    }
}

/// The config of a filter of Envoy. Root contexts are left out, because a binary does not name them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProxyConfig {
    #[serde(rename = "type")]
    runtime: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    abi_versions: Vec<String>,
}

impl ProxyConfig {
    /// Creates the config of a module. Its exports name the versions of the Proxy-Wasm ABI.
    pub(super) fn new(interface: &Interface) -> Self {
        let versions = interface.exports().iter().filter_map(|export| {
            let version = export.name().strip_prefix("proxy_abi_version_")?;
            Some(version.replace('_', "."))
        });
        Self { runtime: "envoy_proxy", abi_versions: versions.collect() }
    }
}

/// The config of an ordinary image.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ContainerConfig {
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    architecture: &'static str,
    os: String,
    rootfs: RootFs,
}

#[derive(Clone, Debug, Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: Vec<String>,
}

impl ContainerConfig {
    pub(super) fn new(created: Option<&str>, author: Option<&str>, os: Option<&str>) -> Self {
        Self {
            created: created.unwrap_or(EPOCH).to_owned(),
            author: author.map(ToOwned::to_owned),
            architecture: "wasm",
            os: os.unwrap_or("wasip1").to_owned(),
            rootfs: RootFs { kind: "layers", diff_ids: Vec::new() },
        }
    }

    /// Returns the JSON with the digest of the unpacked layer.
    fn to_json(&self, unpacked: Digest) -> Vec<u8> {
        let rootfs = RootFs { diff_ids: vec![unpacked.to_string()], ..self.rootfs.clone() };
        value_to_vec(&Self { rootfs, ..self.clone() })
    }
}
