//! Rules of the CNCF's Wasm OCI artifact.

use serde_json::Value;

use super::facts::{DocumentFact, Facts};
use super::rules::Outcome;
use crate::shape::media_type::{OCI_MANIFEST, WASM, WASM_CONFIG};
use sectile::internal::quoted;
use sectile::metadata::Field;

pub(super) fn oci_manifest(facts: &Facts) -> Outcome {
    let media_type = facts.manifest.media_type.as_deref();
    Outcome::require(media_type == Some(OCI_MANIFEST), || media_type.map_or_else(|| "no media type".to_owned(), quoted))
}

pub(super) fn wasm_config(facts: &Facts) -> Outcome {
    let found = facts.manifest.config_type();
    Outcome::require(found == WASM_CONFIG, || if found.is_empty() { "no config".to_owned() } else { quoted(found) })
}

pub(super) fn one_wasm_layer(facts: &Facts) -> Outcome {
    exactly_one(facts.manifest.layers.len())
}

pub(super) fn wasm_layers(facts: &Facts) -> Outcome {
    all_layers(facts, WASM)
}

pub(super) fn config_fields(facts: &Facts) -> Outcome {
    with_config(facts, |bytes| {
        let config = match serde_json::from_slice::<Value>(bytes) {
            Ok(config) => config,
            Err(error) => return Outcome::Broken(error.to_string()),
        };
        let is_date = |value: &Value| value.as_str().is_some_and(|date| Field::Created.check(date).is_empty());
        let is_list = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let invalid = ["created", "architecture", "os", "layerDigests"].into_iter().find(|key| {
            let is_valid = config.get(*key).is_some_and(|value| match *key {
                "created" => is_date(value),
                "layerDigests" => is_list(value),
                _ => value.is_string(),
            });
            !is_valid
        });
        match invalid {
            Some(key) => Outcome::Broken(format!("{} for `{key}`", describe(config.get(key)))),
            None => Outcome::Kept,
        }
    })
}

pub(super) fn wasm_architecture(facts: &Facts) -> Outcome {
    with_field(facts, "architecture", |found| Outcome::require(found == Some(&Value::from("wasm")), || describe(found)))
}

pub(super) fn layer_digests(facts: &Facts) -> Outcome {
    with_field(facts, "layerDigests", |found| {
        let expected: Vec<&str> = facts.manifest.layers.iter().map(|layer| &*layer.digest).collect();
        Outcome::require(found == Some(&Value::from(expected)), || describe(found))
    })
}

pub(super) fn component_config(facts: &Facts) -> Outcome {
    with_field(facts, "os", |os| {
        let is_component = os == Some(&Value::from("wasip2"));
        with_field(facts, "component", |component| {
            Outcome::require(!is_component || component.is_some_and(Value::is_object), || describe(component))
        })
    })
}

/// Checks a field of the config. A config of which another rule reports an error has no fields.
fn with_field(facts: &Facts, field: &str, check: impl FnOnce(Option<&Value>) -> Outcome) -> Outcome {
    with_config(facts, |bytes| match serde_json::from_slice::<Value>(bytes) {
        Ok(config) => check(config.get(field)),
        Err(_) => Outcome::Kept, // `config_fields` reports it
    })
}

/// Checks the bytes of the config, unless it is of another type, which `wasm_config` reports.
fn with_config(facts: &Facts, check: impl FnOnce(&[u8]) -> Outcome) -> Outcome {
    if facts.manifest.config_type() != WASM_CONFIG {
        return Outcome::Kept;
    }
    match &facts.config {
        DocumentFact::Bytes(bytes) => check(bytes),
        DocumentFact::None => Outcome::Broken("no config".to_owned()),
        DocumentFact::Absent => Outcome::Broken("a config that does not exist".to_owned()),
        DocumentFact::Unknown(reason) => Outcome::Unchecked(reason.clone()),
    }
}

fn describe(value: Option<&Value>) -> String {
    value.map_or_else(|| "no value".to_owned(), |value| quoted(&value.to_string()))
}

/// Requires exactly one layer.
pub(super) fn exactly_one(layers: usize) -> Outcome {
    Outcome::require(layers == 1, || number_of_layers(layers))
}

pub(super) fn number_of_layers(layers: usize) -> String {
    match layers {
        0 => "no layers".to_owned(),
        1 => "1 layer".to_owned(),
        layers => format!("{layers} layers"),
    }
}

/// Requires layers, and that all of them have this media type.
pub(super) fn all_layers(facts: &Facts, media_type: &str) -> Outcome {
    let layers = &facts.manifest.layers;
    match layers.iter().find(|layer| layer.media_type != media_type) {
        Some(layer) => Outcome::Broken(quoted(&layer.media_type)),
        None => Outcome::require(!layers.is_empty(), || number_of_layers(0)),
    }
}
