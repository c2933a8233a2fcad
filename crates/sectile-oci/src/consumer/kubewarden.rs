//! Rules of Kubewarden, and those of oci-client that others share.

use super::cncf::{all_layers, exactly_one};
use super::facts::Facts;
use super::rules::Outcome;
use crate::shape::media_type::{DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, WASM_V1};
use sectile::internal::quoted;

pub(super) fn known_manifest(facts: &Facts) -> Outcome {
    const KNOWN: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX];
    match facts.manifest.media_type.as_deref() {
        Some(media_type) => Outcome::require(KNOWN.contains(&media_type), || quoted(media_type)),
        None => Outcome::Kept,
    }
}

pub(super) fn policy_layers(facts: &Facts) -> Outcome {
    all_layers(facts, WASM_V1)
}

pub(super) fn one_policy(facts: &Facts) -> Outcome {
    exactly_one(facts.manifest.layers.len())
}
