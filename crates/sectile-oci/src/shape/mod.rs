//! The shapes of images that carry WebAssembly, as one table.
//!
//! Everything that depends on media types reads this table: the resolution of images, audits and
//! the checks of consumers.

mod layer;
pub(crate) mod media_type;

pub use self::layer::{LAYER_TYPES, LayerContents, LayerType, is_wasm_layer};

use media_type::{
    DOCKER_CONFIG, DOCKER_MANIFEST, DOCKER_TAR, DOCKER_TAR_GZIP, EMPTY_CONFIG, ENVOY_CONFIG, ENVOY_WASM, HELM_CHART,
    OCI_CONFIG, OCI_MANIFEST, RUNWASI_WASM, SOLO_CONFIG, SOLO_WASM, SPIN_APPLICATION, SPIN_ARCHIVE, SPIN_DATA, TAR,
    TAR_GZIP, TAR_ZSTD, W3C_COMPONENT, W3C_MODULE, WASM, WASM_CONFIG, WASM_V1, WASM_V1_CONFIG,
};

/// A shape of images: the media types, the place of the WebAssembly, and the sources of these facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shape {
    /// The short name, unique in the table.
    pub name: &'static str,
    /// The full name.
    pub title: &'static str,
    /// The media types of the manifest.
    pub manifests: &'static [&'static str],
    /// The media types of the config; empty if it may be any.
    pub configs: &'static [&'static str],
    /// The media types of the layers; empty if they may be any.
    pub layers: &'static [&'static str],
    /// The place of the WebAssembly.
    pub wasm: &'static str,
    /// The layer that a consumer takes.
    pub taken: &'static str,
    /// The annotations that consumers of this shape read.
    pub annotations: &'static str,
    /// The source of these facts.
    pub source: &'static str,
    sign: Sign,
}

/// The part of a manifest that identifies a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// A layer of one of these media types.
    Layer(&'static [&'static str]),
    /// A config of this media type, and a layer of the other.
    ConfigAndLayer(&'static str, &'static str),
    /// An annotation of the manifest.
    Annotation(&'static str, &'static str),
    /// Any manifest.
    Any,
}

/// The annotation of the manifest that marks the compat shape.
pub(crate) const COMPAT_ANNOTATION: (&str, &str) = ("module.wasm.image/variant", "compat");

/// All shapes, one a row. The first row whose sign is in a manifest is the manifest's shape.
pub const SHAPES: [Shape; 8] = [
    Shape {
        name: "spin",
        title: "Spin application",
        manifests: &[OCI_MANIFEST],
        configs: &[OCI_CONFIG],
        layers: &[SPIN_APPLICATION, WASM_V1, WASM, SPIN_DATA, SPIN_ARCHIVE],
        wasm: "one layer for each component",
        taken: "the layers whose digests are in the application layer",
        annotations: "`created`, `authors`, `title`, `description` and `version`, written but not read",
        source: "`spinframework/spin:crates/oci/src/client.rs`, `loader.rs`",
        sign: Sign::Layer(&[SPIN_APPLICATION]),
    },
    Shape {
        name: "cncf",
        title: "CNCF Wasm OCI artifact v0",
        manifests: &[OCI_MANIFEST],
        configs: &[WASM_CONFIG],
        layers: &[WASM],
        wasm: "the layer",
        taken: "the only layer",
        annotations: "any of the manifest",
        source: "CNCF TAG Runtime, *Wasm OCI Artifact layout*",
        sign: Sign::ConfigAndLayer(WASM_CONFIG, WASM),
    },
    Shape {
        name: "kubewarden",
        title: "Kubewarden policy, wasm-to-oci",
        manifests: &[OCI_MANIFEST],
        configs: &[WASM_V1_CONFIG],
        layers: &[WASM_V1],
        wasm: "the layer",
        taken: "the first layer to arrive",
        annotations: "`io.kubewarden.policy.*`, which are in the binary too",
        source: "`kubewarden/policy-fetcher:src/registry/mod.rs`",
        sign: Sign::Layer(&[WASM_V1]),
    },
    Shape {
        name: "envoy",
        title: "Envoy and Istio, OCI variant",
        manifests: &[OCI_MANIFEST],
        configs: &[],
        layers: &[ENVOY_CONFIG, ENVOY_WASM, SOLO_CONFIG, SOLO_WASM],
        wasm: "the layer",
        taken: "the first of two layers with the type of WebAssembly",
        annotations: "`title` of the layers",
        source: "`solo-io/wasm:spec/spec.md`",
        sign: Sign::Layer(&[ENVOY_WASM, SOLO_WASM]),
    },
    Shape {
        name: "runwasi",
        title: "runwasi",
        manifests: &[OCI_MANIFEST],
        configs: &[OCI_CONFIG, WASM_CONFIG],
        layers: &[RUNWASI_WASM, WASM, W3C_MODULE, W3C_COMPONENT],
        wasm: "the layer",
        taken: "the only layer with a type that the shim supports",
        annotations: "none",
        source: "`containerd/runwasi:crates/containerd-shim-wasm/src/containerd/client.rs`",
        sign: Sign::Layer(&[RUNWASI_WASM, WASM, W3C_MODULE, W3C_COMPONENT]),
    },
    Shape {
        name: "compat",
        title: "Envoy and Istio, compat variant",
        manifests: &[OCI_MANIFEST, DOCKER_MANIFEST],
        configs: &[OCI_CONFIG, DOCKER_CONFIG],
        layers: &[TAR_GZIP, DOCKER_TAR_GZIP],
        wasm: "the file `plugin.wasm` in the layer",
        taken: "the last layer",
        annotations: "`module.wasm.image/variant` is `compat`, written but not read",
        source: "`solo-io/wasm:spec/spec-compat.md`",
        sign: Sign::Annotation(COMPAT_ANNOTATION.0, COMPAT_ANNOTATION.1),
    },
    Shape {
        name: "image",
        title: "ordinary image",
        manifests: &[OCI_MANIFEST, DOCKER_MANIFEST],
        configs: &[OCI_CONFIG, DOCKER_CONFIG],
        layers: &[TAR, TAR_GZIP, TAR_ZSTD, DOCKER_TAR, DOCKER_TAR_GZIP],
        wasm: "files in the layers",
        taken: "all layers, one on top of the other; the config names the file to run",
        annotations: "none",
        source: "OCI image specification 1.1, `layer.md`",
        sign: Sign::Layer(&[TAR, TAR_GZIP, TAR_ZSTD, DOCKER_TAR, DOCKER_TAR_GZIP]),
    },
    Shape {
        name: "files",
        title: "artifact with files: ORAS, Helm",
        manifests: &[OCI_MANIFEST],
        configs: &[EMPTY_CONFIG],
        layers: &[HELM_CHART],
        wasm: "layers whose file name ends in `.wasm`",
        taken: "all layers",
        annotations: "`title` of the layers, the file names; `artifactType` of the manifest",
        source: "OCI image specification 1.1, *Guidelines for Artifact Usage*",
        sign: Sign::Any,
    },
];

impl Shape {
    /// Returns the shape of a manifest with a config and layers of these media types, and these
    /// annotations.
    pub fn detect(config: &str, layers: &[&str], annotations: &crate::Annotations) -> &'static Self {
        let is_present = |shape: &&Self| match shape.sign {
            Sign::Layer(types) => layers.iter().any(|layer| types.contains(layer)),
            Sign::ConfigAndLayer(of_config, of_layer) => config == of_config && layers.contains(&of_layer),
            Sign::Annotation(key, value) => annotations.get(key).is_some_and(|found| found == value),
            Sign::Any => true,
        };
        let [.., any] = &SHAPES;
        SHAPES.iter().find(is_present).unwrap_or(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Annotations;

    #[test]
    fn every_media_type_of_layers_is_in_the_table() {
        for shape in SHAPES {
            for media_type in shape.layers {
                assert!(LayerType::find(media_type).is_some(), "{}: {media_type}", shape.name);
            }
        }
    }

    #[test]
    fn names_of_shapes_and_layer_types_are_unique() {
        let mut names: Vec<_> = SHAPES.iter().map(|shape| shape.name).collect();
        names.extend(LAYER_TYPES.iter().map(|row| row.media_type));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn shapes_are_detected_by_their_signs() {
        let compat = Annotations::from([(COMPAT_ANNOTATION.0.to_owned(), COMPAT_ANNOTATION.1.to_owned())]);
        let none = Annotations::new();
        for (config, layers, annotations, expected) in [
            (WASM_CONFIG, &[WASM][..], &none, "cncf"),
            (OCI_CONFIG, &[WASM], &none, "runwasi"),
            (OCI_CONFIG, &[WASM_V1, SPIN_APPLICATION], &none, "spin"),
            (WASM_V1_CONFIG, &[WASM_V1], &none, "kubewarden"),
            (EMPTY_CONFIG, &[ENVOY_CONFIG, ENVOY_WASM], &none, "envoy"),
            (OCI_CONFIG, &[TAR_GZIP], &compat, "compat"),
            (OCI_CONFIG, &[TAR_GZIP], &none, "image"),
            (EMPTY_CONFIG, &["application/x-other"], &none, "files"),
            (EMPTY_CONFIG, &[], &none, "files"),
        ] {
            assert_eq!(Shape::detect(config, layers, annotations).name, expected, "{config} {layers:?}");
        }
    }
}
