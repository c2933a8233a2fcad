//! The config of a Wasm OCI artifact.
//!
//! Sources: the *Wasm OCI Artifact layout* of the CNCF's TAG Runtime, and `WasmConfig` in oci-wasm.
//! The latter requires `created`, although the former does not.

use serde::Serialize;

use sectile::digest::Digest;
use sectile::interface::{Extern, Interface};
use sectile::internal::json::value_to_vec;
use sectile::scan::ItemKind;

/// The config. The digests of the layers are added when it is written.
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
