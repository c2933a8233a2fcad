//! Rules of Envoy Gateway and Istio, whose fetchers are the same.
//!
//! A Docker image must be of the compat variant. An OCI image is read as the compat variant, and if
//! that fails as the OCI variant.

use super::cncf::number_of_layers;
use super::facts::Facts;
use super::manifest::Manifest;
use super::rules::Outcome;
use super::tar_search::{FileFact, MAX_UNPACKED};
use crate::layout::index::ParsedDescriptor;
use crate::shape::media_type::{DOCKER_MANIFEST, DOCKER_TAR_GZIP, ENVOY_WASM, TAR_GZIP};
use sectile::internal::quoted;

/// The file of the compat variant, in any directory.
pub(super) const PLUGIN_FILE: &[u8] = b"plugin.wasm";

/// Returns the last layer if it is that of a compat variant.
pub(super) fn compat_layer(manifest: &Manifest) -> Option<&ParsedDescriptor> {
    let expected = if is_docker(manifest) { DOCKER_TAR_GZIP } else { TAR_GZIP };
    manifest.layers.last().filter(|layer| layer.media_type == expected)
}

fn is_docker(manifest: &Manifest) -> bool {
    manifest.media_type.as_deref() == Some(DOCKER_MANIFEST)
}

/// Whether only the OCI variant is left.
fn is_artifact(manifest: &Manifest) -> bool {
    !is_docker(manifest) && compat_layer(manifest).is_none()
}

/// Whether an OCI image is of the OCI variant.
fn is_valid_artifact(manifest: &Manifest) -> bool {
    !is_docker(manifest) && manifest.layers.len() == 2 && manifest.layers_of(&[ENVOY_WASM]).next().is_some()
}

pub(super) fn some_layer(facts: &Facts) -> Outcome {
    Outcome::require(!facts.manifest.layers.is_empty(), || number_of_layers(0))
}

pub(super) fn docker_layer(facts: &Facts) -> Outcome {
    match facts.manifest.layers.last() {
        Some(last) if is_docker(&facts.manifest) => {
            Outcome::require(last.media_type == DOCKER_TAR_GZIP, || quoted(&last.media_type))
        }
        _ => Outcome::Kept,
    }
}

pub(super) fn two_layers(facts: &Facts) -> Outcome {
    let layers = facts.manifest.layers.len();
    let is_kept = layers == 2 || layers == 0 || !is_artifact(&facts.manifest); // `some_layer` reports 0
    Outcome::require(is_kept, || number_of_layers(layers))
}

pub(super) fn module_layer(facts: &Facts) -> Outcome {
    let manifest = &facts.manifest;
    let has_module = manifest.layers_of(&[ENVOY_WASM]).next().is_some();
    let is_kept = has_module || manifest.layers.is_empty() || !is_artifact(manifest);
    Outcome::require(is_kept, || {
        let types: Vec<String> = manifest.layers.iter().take(4).map(|layer| quoted(&layer.media_type)).collect();
        types.join(", ")
    })
}

pub(super) fn plugin_file(facts: &Facts) -> Outcome {
    if compat_layer(&facts.manifest).is_none() || is_valid_artifact(&facts.manifest) {
        return Outcome::Kept;
    }
    match &facts.plugin {
        FileFact::Head(_) | FileFact::Symlink => Outcome::Kept,
        FileFact::Missing => Outcome::Broken("no such file".to_owned()),
        FileFact::AbsentLayer => Outcome::Broken("a layer that does not exist".to_owned()),
        FileFact::Malformed(reason) => Outcome::Broken(format!("a layer that cannot be unpacked ({reason})")),
        FileFact::Unknown(reason) => Outcome::Unchecked(reason.clone()),
    }
}

pub(super) fn binary_size(facts: &Facts) -> Outcome {
    let has_plugin = matches!(facts.plugin, FileFact::Head(_) | FileFact::Symlink);
    let layer = facts.manifest.layers_of(&[ENVOY_WASM]).next();
    match layer.filter(|_| is_valid_artifact(&facts.manifest) && !has_plugin) {
        Some(layer) => Outcome::require(layer.size <= MAX_UNPACKED, || format!("{} bytes", layer.size)),
        None => Outcome::Kept,
    }
}

pub(super) fn wasm_header(facts: &Facts) -> Outcome {
    let is_compat = matches!(facts.plugin, FileFact::Head(_) | FileFact::Symlink);
    let binary = match () {
        () if compat_layer(&facts.manifest).is_some() && is_compat => &facts.plugin,
        () if is_valid_artifact(&facts.manifest) => &facts.artifact,
        () => return Outcome::Kept, // other rules report the missing binary
    };
    match binary {
        FileFact::Head(head) => match &head[..] {
            [0, b'a', b's', b'm', _, _, _, _] => Outcome::Kept,
            short if short.len() < 8 => Outcome::Broken(format!("{} bytes", short.len())),
            _ => Outcome::Broken("other bytes".to_owned()),
        },
        FileFact::Symlink => Outcome::Broken("a symbolic link".to_owned()),
        FileFact::AbsentLayer => Outcome::Broken("a layer that does not exist".to_owned()),
        FileFact::Missing | FileFact::Malformed(_) => Outcome::Kept,
        FileFact::Unknown(reason) => Outcome::Unchecked(reason.clone()),
    }
}
