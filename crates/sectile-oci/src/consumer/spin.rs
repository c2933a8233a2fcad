//! Rules of Spin.

use serde_json::Value;

use super::cncf::number_of_layers;
use super::facts::{DocumentFact, Facts};
use super::rules::Outcome;
use crate::shape::media_type::{SPIN_APPLICATION, SPIN_ARCHIVE, WASM, WASM_V1};
use sectile::internal::quoted;

/// The media types of layers that Spin keeps as WebAssembly.
const WASM_TYPES: [&str; 2] = [WASM_V1, WASM];

pub(super) fn lock_json(facts: &Facts) -> Outcome {
    match lock_document(facts) {
        DocumentFact::Bytes(bytes) => match serde_json::from_slice::<Value>(bytes) {
            Ok(_) => Outcome::Kept,
            Err(error) => Outcome::Broken(error.to_string()),
        },
        DocumentFact::None => Outcome::Broken("no config".to_owned()),
        DocumentFact::Absent => Outcome::Broken("a document that does not exist".to_owned()),
        DocumentFact::Unknown(reason) => Outcome::Unchecked(reason.clone()),
    }
}

pub(super) fn component_layers(facts: &Facts) -> Outcome {
    let Some(application) = application(facts) else { return Outcome::Kept };
    let layers: Vec<&str> = facts.manifest.layers_of(&WASM_TYPES).map(|layer| &*layer.digest).collect();
    let dependencies = |component: &Value| {
        let dependencies = component.get("dependencies").and_then(Value::as_object);
        dependencies.map(|dependencies| dependencies.values().cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    let broken = components(&application).find_map(|component| {
        let sources = std::iter::once(component.clone()).chain(dependencies(component));
        sources.into_iter().find_map(|holder| missing(holder.get("source"), &layers))
    });
    broken.map_or(Outcome::Kept, Outcome::Broken)
}

pub(super) fn file_layers(facts: &Facts) -> Outcome {
    let Some(application) = application(facts) else { return Outcome::Kept };
    let is_data = |media_type: &str| media_type != SPIN_APPLICATION && !WASM_TYPES.contains(&media_type);
    let layers = facts.manifest.layers.iter().filter(|layer| is_data(&layer.media_type));
    let layers: Vec<&str> = layers.map(|layer| &*layer.digest).collect();
    let files = components(&application).flat_map(|component| list(component.get("files")));
    let broken = files
        .filter(|file| file.get("inline").is_none_or(Value::is_null))
        .find_map(|file| missing(Some(file), &layers));
    let has_archive = facts.manifest.layers_of(&[SPIN_ARCHIVE]).next().is_some();
    match broken {
        None => Outcome::Kept,
        Some(_) if has_archive => Outcome::Unchecked("files in an archive layer".to_owned()),
        Some(found) => Outcome::Broken(found),
    }
}

pub(super) fn package_layer(facts: &Facts) -> Outcome {
    if lock(facts).is_none_or(|lock| is_application(&lock)) {
        return Outcome::Kept; // an application, or a document that `lock_json` reports
    }
    match &facts.manifest.layers[..] {
        [layer] => Outcome::require(WASM_TYPES.contains(&&*layer.media_type), || quoted(&layer.media_type)),
        layers => Outcome::Broken(number_of_layers(layers.len())),
    }
}

/// The document that Spin reads as the lock file.
fn lock_document(facts: &Facts) -> &DocumentFact {
    match &facts.application {
        DocumentFact::None => &facts.config,
        application => application,
    }
}

fn lock(facts: &Facts) -> Option<Value> {
    let DocumentFact::Bytes(bytes) = lock_document(facts) else { return None };
    serde_json::from_slice(bytes).ok()
}

fn application(facts: &Facts) -> Option<Value> {
    lock(facts).filter(is_application)
}

fn is_application(lock: &Value) -> bool {
    lock.get("spin_lock_version").is_some()
}

fn components(application: &Value) -> impl Iterator<Item = &Value> {
    list(application.get("components"))
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// Describes the digest of a content reference that is not that of a layer.
fn missing(content: Option<&Value>, layers: &[&str]) -> Option<String> {
    let digest = content.and_then(|content| content.get("digest")).and_then(Value::as_str);
    match digest {
        Some(digest) if layers.contains(&digest) => None,
        Some(digest) => Some(quoted(digest)),
        None => Some("no digest".to_owned()),
    }
}
