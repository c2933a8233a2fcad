//! The requests that each input may be tried with.

use serde_json::{Map, Value, json};

/// A day before and after the exceptions of the policies expire.
const DAYS: [&str; 2] = ["2027-03-31", "2027-04-01"];
const POLICIES: [&str; 2] = ["tests/shared/policies/strict.toml", "tests/shared/policies/tools.toml"];
const CHUNKS: [&[usize]; 4] = [&[1], &[7, 1, 0, 64], &[2], &[512]];
/// A gate may refuse earlier if a binding splits a chunk, to skip bytes that the core does not need.
const GATE_CHUNKS: &[usize] = &[1];

/// Every request. The chunks of `push` depend on the length of the input.
pub fn requests(len: usize) -> Vec<Map<String, Value>> {
    let chunks = CHUNKS[len % CHUNKS.len()];
    let mut requests = vec![
        json!({ "operation": "read" }),
        json!({ "operation": "sections" }),
        json!({ "operation": "inventory" }),
        json!({ "operation": "push", "chunks": chunks }),
        json!({ "operation": "check" }),
        json!({ "operation": "gate", "chunks": GATE_CHUNKS }),
        json!({ "operation": "gate", "chunks": GATE_CHUNKS, "max_bytes": 100 }),
        json!({ "operation": "gate", "chunks": GATE_CHUNKS, "declared_len": 64 }),
        json!({ "operation": "gate", "chunks": GATE_CHUNKS, "declared_len": len, "policy": "tests/shared/policies/strict.toml" }),
    ];
    for policy in POLICIES {
        requests.push(json!({ "operation": "check", "policy": policy }));
        requests.push(json!({ "operation": "gate", "chunks": GATE_CHUNKS, "policy": policy }));
    }
    for day in DAYS {
        let excepted = json!({ "operation": "check", "policy": "tests/shared/policies/exceptions.toml", "day": day, "locations": ["a.wasm"] });
        let mut gate = excepted.clone();
        gate["operation"] = "gate".into();
        gate["chunks"] = json!(GATE_CHUNKS);
        requests.extend([excepted, gate]);
    }
    requests.extend(edits().map(|edit| json!({ "operation": "edit", "edit": edit })));
    requests.extend(strips().map(|strip| json!({ "operation": "strip", "strip": strip })));
    requests.into_iter().map(|request| request.as_object().unwrap().clone()).collect()
}

fn edits() -> impl Iterator<Item = Value> {
    let edits = json!([
        {},
        { "set": [["licenses", "MIT"], ["vendor", "Acme"]], "name": "new", "producers": [["sdk", "Kit", "1"]] },
        { "set": [["description", "caf\u{e9} \u{1f980}"]], "item": "0" },
        { "set": [["licenses", "Apache2"]] },
        { "set": [["licenses", "Apache2"], ["source", "nowhere"]], "allow_invalid": true },
        { "unset": ["licenses", "authors", "name", "producers"] },
        { "drop_producers": [["processed-by", "rustc"]], "producers": [["language", "Rust", ""]] },
        { "put": [["x", "AAECAw=="]], "remove": ["lic*", ".debug_*"] },
        { "put": [["name", "AAECAw=="]], "set": [["version", "1.0"]], "item": "0/0" },
    ]);
    edits.as_array().unwrap().clone().into_iter()
}

fn strips() -> impl Iterator<Item = Value> {
    let strips = json!([{}, { "all": true, "keep": ["lic*"] }, { "names": true }, { "all": true, "item": "0" }]);
    strips.as_array().unwrap().clone().into_iter()
}
