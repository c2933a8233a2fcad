//! The rules, one a row.

use super::facts::Facts;
use super::{Consumer, cncf, kubewarden, platform, proxy, runwasi, spin};
use crate::layout::index::ParsedDescriptor;

/// A rule that an image must keep to be loaded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// The name, unique in the table.
    pub name: &'static str,
    /// The consumers that have this rule.
    pub consumers: &'static [Consumer],
    /// The rule.
    pub text: &'static str,
    /// The place that the rule is transcribed from.
    pub source: &'static str,
    pub(super) check: RuleCheck,
}

/// The function that checks a rule.
#[derive(Clone, Copy, Debug)]
pub(super) enum RuleCheck {
    /// Selects an image from an index, of which the second argument says whether it is nested. The
    /// error describes the index.
    Index(fn(&[ParsedDescriptor], bool) -> Result<usize, String>),
    Image(fn(&Facts) -> Outcome),
}

/// The outcome of checking a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Kept,
    /// The image has this instead.
    Broken(String),
    /// Sectile cannot tell, because of this.
    Unchecked(String),
}

impl Outcome {
    /// Kept if a condition holds; otherwise broken by what the closure describes.
    pub(super) fn require(is_kept: bool, found: impl FnOnce() -> String) -> Self {
        if is_kept { Self::Kept } else { Self::Broken(found()) }
    }
}

use Consumer::{Cncf, Envoy, Istio, Kubewarden, Runwasi, Spin};

const OCI_CLIENT: &str = "`oras-project/rust-oci-client:src/client.rs`";
const OCI_WASM: &str = "`bytecodealliance/rust-oci-wasm:src/client.rs`";
const CNCF_LAYOUT: &str = "CNCF TAG Runtime, *Wasm OCI Artifact layout*";
const PROXY_FETCHER: &str =
    "`istio/istio:pkg/wasm/imagefetcher.go`; `envoyproxy/gateway:internal/wasm/imagefetcher.go`";
const PROXY_CACHE: &str = "`istio/istio:pkg/wasm/cache.go`; `envoyproxy/gateway:internal/wasm/cache.go`";
const SPIN_CLIENT: &str = "`spinframework/spin:crates/oci/src/client.rs`";
const SPIN_LOADER: &str = "`spinframework/spin:crates/oci/src/loader.rs`";
const POLICY_FETCHER: &str = "`kubewarden/policy-fetcher:src/registry/mod.rs`";
const SHIM_CLIENT: &str = "`containerd/runwasi:crates/containerd-shim-wasm/src/containerd/client.rs`";
const SHIM_CONTEXT: &str = "`containerd/runwasi:crates/containerd-shim-wasm/src/sandbox/context.rs`";

/// All rules, in the order in which they are checked.
pub const RULES: [Rule; 28] = [
    Rule {
        name: "host-platform",
        consumers: &[Cncf, Spin, Kubewarden],
        text: "An index lists an image for the host, which is assumed to be linux/amd64, and not another index.",
        source: OCI_CLIENT,
        check: RuleCheck::Index(platform::host),
    },
    Rule {
        name: "default-platform",
        consumers: &[Envoy, Istio],
        text: "An index lists an image for linux/amd64, or one without a platform.",
        source: "`google/go-containerregistry:pkg/v1/remote/index.go`",
        check: RuleCheck::Index(platform::host_or_unnamed),
    },
    Rule {
        name: "some-platform",
        consumers: &[Runwasi],
        text: "An index lists an image for the architecture `wasm` or for the host, or one image only.",
        source: "OCI image specification 1.1, `image-index.md`",
        check: RuleCheck::Index(platform::wasm_or_host),
    },
    Rule {
        name: "oci-manifest",
        consumers: &[Cncf],
        text: "The media type in the manifest is `application/vnd.oci.image.manifest.v1+json`.",
        source: OCI_WASM,
        check: RuleCheck::Image(cncf::oci_manifest),
    },
    Rule {
        name: "known-manifest",
        consumers: &[Spin, Kubewarden],
        text: "The media type in the manifest, if there is one, is that of OCI or of Docker.",
        source: OCI_CLIENT,
        check: RuleCheck::Image(kubewarden::known_manifest),
    },
    Rule {
        name: "wasm-config",
        consumers: &[Cncf],
        text: "The config is `application/vnd.wasm.config.v0+json`.",
        source: OCI_WASM,
        check: RuleCheck::Image(cncf::wasm_config),
    },
    Rule {
        name: "config-fields",
        consumers: &[Cncf],
        text: "The config is JSON with `created`, `architecture`, `os` and `layerDigests`.",
        source: "`bytecodealliance/rust-oci-wasm:src/config.rs`",
        check: RuleCheck::Image(cncf::config_fields),
    },
    Rule {
        name: "wasm-architecture",
        consumers: &[Cncf],
        text: "The architecture in the config is `wasm`.",
        source: CNCF_LAYOUT,
        check: RuleCheck::Image(cncf::wasm_architecture),
    },
    Rule {
        name: "layer-digests",
        consumers: &[Cncf],
        text: "`layerDigests` in the config has the digests of the layers, in their order.",
        source: CNCF_LAYOUT,
        check: RuleCheck::Image(cncf::layer_digests),
    },
    Rule {
        name: "component-config",
        consumers: &[Cncf],
        text: "A config with the operating system `wasip2` has `component`.",
        source: CNCF_LAYOUT,
        check: RuleCheck::Image(cncf::component_config),
    },
    Rule {
        name: "one-wasm-layer",
        consumers: &[Cncf],
        text: "The image has exactly one layer.",
        source: OCI_WASM,
        check: RuleCheck::Image(cncf::one_wasm_layer),
    },
    Rule {
        name: "wasm-layers",
        consumers: &[Cncf],
        text: "All layers are `application/wasm`.",
        source: OCI_WASM,
        check: RuleCheck::Image(cncf::wasm_layers),
    },
    Rule {
        name: "some-layer",
        consumers: &[Envoy, Istio],
        text: "The image has a layer.",
        source: PROXY_FETCHER,
        check: RuleCheck::Image(proxy::some_layer),
    },
    Rule {
        name: "docker-layer",
        consumers: &[Envoy, Istio],
        text: "The last layer of a Docker image is `application/vnd.docker.image.rootfs.diff.tar.gzip`.",
        source: PROXY_FETCHER,
        check: RuleCheck::Image(proxy::docker_layer),
    },
    Rule {
        name: "two-layers",
        consumers: &[Envoy, Istio],
        text: "An OCI image whose last layer is not `application/vnd.oci.image.layer.v1.tar+gzip` has exactly two layers.",
        source: PROXY_FETCHER,
        check: RuleCheck::Image(proxy::two_layers),
    },
    Rule {
        name: "module-layer",
        consumers: &[Envoy, Istio],
        text: "An OCI image whose last layer is not `application/vnd.oci.image.layer.v1.tar+gzip` has a layer \
               `application/vnd.module.wasm.content.layer.v1+wasm`.",
        source: PROXY_FETCHER,
        check: RuleCheck::Image(proxy::module_layer),
    },
    Rule {
        name: "plugin-file",
        consumers: &[Envoy, Istio],
        text: "A last layer that is an archive has a file named `plugin.wasm`, which ends in its first 256 MiB.",
        source: PROXY_FETCHER,
        check: RuleCheck::Image(proxy::plugin_file),
    },
    Rule {
        name: "binary-size",
        consumers: &[Istio],
        text: "A binary of the OCI variant has at most 256 MiB. The rest would be cut off.",
        source: "`istio/istio:pkg/wasm/imagefetcher.go`, `pilot/pkg/features/pilot.go`",
        check: RuleCheck::Image(proxy::binary_size),
    },
    Rule {
        name: "wasm-header",
        consumers: &[Envoy, Istio],
        text: "The binary has at least 8 bytes and begins as WebAssembly does.",
        source: PROXY_CACHE,
        check: RuleCheck::Image(proxy::wasm_header),
    },
    Rule {
        name: "lock-json",
        consumers: &[Spin],
        text: "The application layer, or else the config, is JSON.",
        source: SPIN_LOADER,
        check: RuleCheck::Image(spin::lock_json),
    },
    Rule {
        name: "component-layers",
        consumers: &[Spin],
        text: "Each component of an application, and each of its dependencies, is a layer of the type \
               `application/vnd.wasm.content.layer.v1+wasm` or `application/wasm`.",
        source: SPIN_CLIENT,
        check: RuleCheck::Image(spin::component_layers),
    },
    Rule {
        name: "file-layers",
        consumers: &[Spin],
        text: "Each file of a component is in the application layer, or a layer with data.",
        source: SPIN_LOADER,
        check: RuleCheck::Image(spin::file_layers),
    },
    Rule {
        name: "package-layer",
        consumers: &[Spin],
        text: "An image without an application has exactly one layer, of the type \
               `application/vnd.wasm.content.layer.v1+wasm` or `application/wasm`.",
        source: SPIN_LOADER,
        check: RuleCheck::Image(spin::package_layer),
    },
    Rule {
        name: "policy-layers",
        consumers: &[Kubewarden],
        text: "All layers are `application/vnd.wasm.content.layer.v1+wasm`.",
        source: POLICY_FETCHER,
        check: RuleCheck::Image(kubewarden::policy_layers),
    },
    Rule {
        name: "one-policy",
        consumers: &[Kubewarden],
        text: "The image has exactly one layer. Of several, the first to arrive is taken.",
        source: POLICY_FETCHER,
        check: RuleCheck::Image(kubewarden::one_policy),
    },
    Rule {
        name: "shim-layers",
        consumers: &[Runwasi],
        text: "WebAssembly layers are used if the image is not in an index, the config has the architecture `wasm` \
               and an `os`, and the type is `application/wasm` or \
               `application/vnd.bytecodealliance.wasm.component.layer.v0+wasm`.",
        source: SHIM_CLIENT,
        check: RuleCheck::Image(runwasi::shim_layers),
    },
    Rule {
        name: "one-module",
        consumers: &[Runwasi],
        text: "Exactly one WebAssembly layer is used.",
        source: SHIM_CONTEXT,
        check: RuleCheck::Image(runwasi::one_module),
    },
    Rule {
        name: "entrypoint-file",
        consumers: &[Runwasi],
        text: "Without WebAssembly layers, the config names a file of the image in `Entrypoint` or `Cmd`, and the \
               file is WebAssembly.",
        source: SHIM_CONTEXT,
        check: RuleCheck::Image(runwasi::entrypoint_file),
    },
];
