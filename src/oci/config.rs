//! The config of a Wasm OCI artifact.
//!
//! Source: the *Wasm OCI Artifact layout* of the CNCF's TAG Runtime; and `WasmConfig` in oci-wasm, which requires
//! `created` where that page does not.

use serde::Serialize;

use crate::digest::Digest;
use crate::interface::{Extern, Interface};
use crate::scan::ItemKind;

/// What the config says, but for the digests of the layers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    architecture: &'static str,
    os: String,
    layer_digests: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Component>,
}

/// What a component offers and asks for.
#[derive(Clone, Debug, Serialize)]
struct Component {
    exports: Vec<String>,
    imports: Vec<String>,
    /// The world that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

/// When nobody says when.
const EPOCH: &str = "1970-01-01T00:00:00Z";

impl Config {
    /// Of a binary with this interface. What is not given is left out, but for the time, which readers require.
    pub(super) fn new(
        interface: &Interface,
        created: Option<&str>,
        author: Option<&str>,
        os: Option<&str>,
        target: Option<&str>,
    ) -> Self {
        let (default_os, component) = match interface.kind() {
            ItemKind::Module => ("wasip1", None), // it must be a GOOS, and plain Wasm has none
            ItemKind::Component => ("wasip2", Some(Component::new(interface, target))),
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

    /// The bytes, with the digests of the manifest's layers, in their order.
    pub(super) fn to_json(&self, layers: &[Digest]) -> Vec<u8> {
        let config = Self { layer_digests: layers.iter().map(ToString::to_string).collect(), ..self.clone() };
        serde_json::to_vec(&config).unwrap_or_default() // nothing in it can fail
    }
}

impl Component {
    fn new(interface: &Interface, target: Option<&str>) -> Self {
        let names = |externs: &[Extern]| externs.iter().map(|external| external.name().to_owned()).collect();
        let exports = match interface.wit_package() {
            Some(package) => package.exports().to_vec(),
            None => names(interface.exports()),
        };
        Self { exports, imports: names(interface.imports()), target: target.map(ToOwned::to_owned) }
    }
}
