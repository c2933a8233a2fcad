//! Rules of runwasi.

use serde_json::Value;

use super::cncf::exactly_one;
use super::facts::{DocumentFact, Facts};
use super::rules::Outcome;
use super::tar_search::FileFact;
use crate::layout::index::ParsedDescriptor;
use crate::shape::is_wasm_layer;
use crate::shape::media_type::{RUNWASI_WASM, WASM};
use sectile::internal::quoted;

/// The media types that a shim supports, unless it has others of its own.
const SUPPORTED: [&str; 2] = [RUNWASI_WASM, WASM];

pub(super) fn shim_layers(facts: &Facts) -> Outcome {
    let wasm: Vec<&ParsedDescriptor> =
        facts.manifest.layers.iter().filter(|layer| is_wasm_layer(&layer.media_type)).collect();
    if wasm.is_empty() {
        return Outcome::Kept;
    }
    if facts.is_in_index {
        return Outcome::Broken("an image in an index".to_owned());
    }
    let config = match &facts.config {
        DocumentFact::Bytes(bytes) => serde_json::from_slice::<Value>(bytes).unwrap_or_default(),
        DocumentFact::None => Value::Null,
        DocumentFact::Absent => return Outcome::Broken("a config that does not exist".to_owned()),
        DocumentFact::Unknown(reason) => return Outcome::Unchecked(reason.clone()),
    };
    match (config.get("architecture").and_then(Value::as_str), config.get("os").and_then(Value::as_str)) {
        (Some("wasm"), Some(_)) => {}
        (Some("wasm"), None) => return Outcome::Broken("a config without `os`".to_owned()),
        (Some(other), _) => return Outcome::Broken(format!("the architecture {}", quoted(other))),
        (None, _) => return Outcome::Broken("a config without an architecture".to_owned()),
    }
    let is_supported = wasm.iter().any(|layer| SUPPORTED.contains(&&*layer.media_type));
    Outcome::require(is_supported, || quoted(&wasm[0].media_type))
}

pub(super) fn one_module(facts: &Facts) -> Outcome {
    match used_layers(facts) {
        0 => Outcome::Kept,
        layers => exactly_one(layers),
    }
}

pub(super) fn entrypoint_file(facts: &Facts) -> Outcome {
    let has_wasm_layer = facts.manifest.layers.iter().any(|layer| is_wasm_layer(&layer.media_type));
    if used_layers(facts) > 0 || has_wasm_layer {
        return Outcome::Kept; // `shim_layers` reports layers that are not used
    }
    match &facts.config {
        DocumentFact::Bytes(_) => {}
        DocumentFact::None => return Outcome::Broken("no config".to_owned()),
        DocumentFact::Absent => return Outcome::Broken("a config that does not exist".to_owned()),
        DocumentFact::Unknown(reason) => return Outcome::Unchecked(reason.clone()),
    }
    if entrypoint_paths(facts).is_none() {
        return Outcome::Broken("a config that names no file".to_owned());
    }
    match &facts.entrypoint {
        FileFact::Head(head) if head.starts_with(b"\0asm") => Outcome::Kept,
        FileFact::Head(_) => Outcome::Unchecked("a file that may be the text format".to_owned()),
        FileFact::Symlink => Outcome::Unchecked("a symbolic link".to_owned()),
        FileFact::Missing => Outcome::Broken("a file that is in none of the layers".to_owned()),
        FileFact::AbsentLayer => Outcome::Broken("a layer that does not exist".to_owned()),
        FileFact::Malformed(reason) => Outcome::Broken(format!("a layer that cannot be unpacked ({reason})")),
        FileFact::Unknown(reason) => Outcome::Unchecked(reason.clone()),
    }
}

/// Number of WebAssembly layers that the shim uses.
fn used_layers(facts: &Facts) -> usize {
    let is_usable = !facts.is_in_index && architecture(facts).as_deref() == Some("wasm");
    if is_usable { facts.manifest.layers_of(&SUPPORTED).count() } else { 0 }
}

fn architecture(facts: &Facts) -> Option<String> {
    Some(config(facts)?.get("architecture")?.as_str()?.to_owned())
}

fn config(facts: &Facts) -> Option<Value> {
    let DocumentFact::Bytes(bytes) = &facts.config else { return None };
    serde_json::from_slice(bytes).ok()
}

/// Returns the paths at which the file that the config names may be, without a slash at the start.
/// `None` if it names no file, or if the image has WebAssembly layers.
pub(super) fn entrypoint_paths(facts: &Facts) -> Option<Vec<String>> {
    if facts.manifest.layers.iter().any(|layer| is_wasm_layer(&layer.media_type)) {
        return None;
    }
    let config = config(facts)?;
    let config = config.get("config")?;
    let texts = |key: &str| {
        let values = config.get(key).and_then(Value::as_array).into_iter().flatten();
        values.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let command = texts("Entrypoint").into_iter().chain(texts("Cmd")).next()?;
    // The part after `#` is a function.
    let file = command.split('#').next().filter(|file| !file.is_empty())?;
    let directory = config.get("WorkingDir").and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or("/");
    if file.starts_with('/') {
        return Some(vec![joined("", file)]);
    }
    let mut paths = vec![joined(directory, file)];
    if !file.contains('/') {
        let path = texts("Env").into_iter().find_map(|variable| variable.strip_prefix("PATH=").map(str::to_owned));
        paths.extend(path.iter().flat_map(|path| path.split(':')).map(|directory| joined(directory, file)));
    }
    Some(paths)
}

/// Joins a directory and a file, without `.`, empty parts and a slash at the start.
fn joined(directory: &str, file: &str) -> String {
    let parts = directory.split('/').chain(file.split('/')).filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}
