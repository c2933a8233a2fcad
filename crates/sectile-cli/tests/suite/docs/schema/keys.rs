//! Objects with a fixed set of keys, and common values.

use serde_json::{Map, Value, json};

use super::COMMON;
use sectile::internal::json::SCHEMA;
use sectile::{FindingCode, Severity};
use sectile_policy::section_kinds;

/// A key of an object.
pub struct Key {
    name: &'static str,
    schema: Value,
    is_required: bool,
}

/// A required key.
pub fn key(name: &'static str, schema: Value, description: &str) -> Key {
    Key { name, schema: described(schema, description), is_required: true }
}

impl Key {
    /// A key that is omitted in some cases.
    pub fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }
}

/// An object with these keys, and no others.
pub fn object(keys: impl IntoIterator<Item = Key>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for key in keys {
        if key.is_required {
            required.push(key.name);
        }
        properties.insert(key.name.to_owned(), key.schema);
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// An object with these values and arbitrary keys.
pub fn map(values: Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

pub fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

pub fn array(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// An array with these values at its positions.
pub fn tuple<const LEN: usize>(items: [Value; LEN]) -> Value {
    json!({ "type": "array", "prefixItems": items.to_vec(), "items": false, "minItems": LEN })
}

pub fn nullable(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

pub fn names<T: Into<Value>>(names: impl IntoIterator<Item = T>) -> Value {
    json!({ "enum": names.into_iter().map(Into::into).collect::<Vec<Value>>() })
}

pub fn number() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

pub fn count() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

pub fn boolean() -> Value {
    json!({ "type": "boolean" })
}

pub fn string() -> Value {
    json!({ "type": "string" })
}

pub fn day() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
}

/// A definition that documents share.
pub fn common(name: &str) -> Value {
    json!({ "$ref": format!("{COMMON}#/$defs/{name}") })
}

/// The version of the JSON format.
pub fn schema_key() -> Key {
    key("schema", json!({ "const": SCHEMA }), "The version of this format.")
}

pub fn text_definition() -> Value {
    let bytes = object([key("base64", json!({ "type": "string", "contentEncoding": "base64" }), "The bytes.")]);
    described(json!({ "anyOf": [string(), bytes] }), "A text, or bytes in Base64 if they are not UTF-8.")
}

pub fn file_name_definition() -> Value {
    described(common("text"), "A path as it was given, or a URL.")
}

pub fn digest_definition() -> Value {
    json!({ "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" })
}

pub fn item_path_definition() -> Value {
    let description = "The indexes of children on the way from the root, which has an empty path.";
    json!({ "type": "string", "pattern": "^([0-9]+(/[0-9]+)*)?$", "description": description })
}

pub fn range_definition() -> Value {
    described(tuple([number(), number()]), "Absolute byte offsets: the start, and the end, which is not included.")
}

pub fn severity_definition() -> Value {
    names(Severity::ALL.map(Severity::name))
}

/// A severity, or `ignore` for findings that are omitted.
pub fn policy_severity_definition() -> Value {
    names(Severity::ALL.map(Severity::name).into_iter().chain(["ignore"]))
}

pub fn finding_code_definition() -> Value {
    described(names(FindingCode::ALL.map(FindingCode::name)), "The codes in docs/reference.md.")
}

pub fn section_kind_definition() -> Value {
    names(section_kinds().map(|kind| kind.name()))
}
