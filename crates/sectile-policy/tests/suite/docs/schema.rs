//! `docs/policy.schema.json`: a JSON Schema of the file, generated from the table of keys.

use sectile::FindingCode;
use sectile::metadata::{Field, KNOWN_PRODUCERS_FIELDS};
use sectile::scan::SectionKind;
use sectile_advisories::{AdvisoryClass, Rating};
use sectile_policy::{
    ItemGroup, Packages, PolicyKey, PolicyTable, PolicyValueType, RequiredValue, Sources, section_kinds,
};
use serde_json::{Map, Value, json};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.schema.json");

#[test]
fn schema_is_generated() {
    let expected = schema();
    if std::env::var_os("BLESS").is_some() {
        let text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
        std::fs::write(SCHEMA, text).unwrap();
    }
    let found: Value = serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap();
    assert!(found == expected, "docs/policy.schema.json: run `BLESS=1 cargo test --workspace --all-features docs`");
}

fn schema() -> Value {
    let mut properties = keys(PolicyTable::Top);
    let mut rules = Map::new();
    for table in PolicyTable::ALL.into_iter().filter(|table| *table != PolicyTable::Top) {
        let name = table.name();
        let of_table = if table.is_list() {
            rules.insert(name.to_owned(), object(table));
            let one = json!({ "$ref": format!("#/$defs/{name}") });
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        } else {
            object(table)
        };
        properties.insert(name.to_owned(), of_table);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of Sectile",
        "description": "Rules for WebAssembly modules and components: docs/policy.md.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": rules,
    })
}

fn object(table: PolicyTable) -> Value {
    let one_of =
        |group: &&[&str]| json!({ "anyOf": group.iter().map(|key| json!({ "required": [key] })).collect::<Vec<_>>() });
    let mut object = json!({ "type": "object", "properties": keys(table), "additionalProperties": false });
    if !table.required_keys().is_empty() {
        object["allOf"] = table.required_keys().iter().map(one_of).collect();
    }
    object
}

fn keys(table: PolicyTable) -> Map<String, Value> {
    let of_key = |key: PolicyKey| {
        let mut value = value(key.value_type);
        value["description"] = key.help.into();
        if !key.default.is_empty() {
            value["default"] = default(&key);
        }
        (key.name.to_owned(), value)
    };
    PolicyKey::all().filter(|key| key.table == table).map(of_key).collect()
}

fn default(key: &PolicyKey) -> Value {
    match key.value_type {
        PolicyValueType::Number { .. } => key.default.replace('_', "").parse::<u64>().unwrap().into(),
        PolicyValueType::Boolean => key.default.parse::<bool>().unwrap().into(),
        _ => key.default.into(),
    }
}

fn value(value_type: PolicyValueType) -> Value {
    let names = |names: Vec<&str>| list(&json!({ "enum": names }));
    match value_type {
        PolicyValueType::Severity => json!({ "enum": ["note", "warning", "error"] }),
        PolicyValueType::SeverityOrIgnore => json!({ "enum": ["note", "warning", "error", "ignore"] }),
        PolicyValueType::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        PolicyValueType::Items => {
            let path = json!({ "type": "string", "pattern": "^[0-9]+(/[0-9]+)*$" });
            list(&json!({ "anyOf": [{ "enum": ItemGroup::ALL.map(ItemGroup::name) }, path] }))
        }
        PolicyValueType::Fields => names(RequiredValue::all().map(RequiredValue::name).collect()),
        PolicyValueType::Kinds => names(section_kinds().map(SectionKind::name).collect()),
        PolicyValueType::UrlFields => names(Sources::url_fields().map(Field::section).collect()),
        PolicyValueType::ProducersFields => names(KNOWN_PRODUCERS_FIELDS.to_vec()),
        PolicyValueType::Codes => names(FindingCode::ALL.map(FindingCode::name).to_vec()),
        PolicyValueType::UrlPatterns => list(&json!({ "type": "string", "pattern": r"^(\*$|[^:/]+://.)" })),
        PolicyValueType::Digests => {
            let pattern = "^(sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128})$";
            list(&json!({ "type": "string", "pattern": pattern }))
        }
        PolicyValueType::Licenses | PolicyValueType::Patterns | PolicyValueType::Versions => {
            list(&json!({ "type": "string", "minLength": 1 }))
        }
        PolicyValueType::AdvisoryClasses => names(AdvisoryClass::ALL.map(AdvisoryClass::name).to_vec()),
        PolicyValueType::AdvisoryIds => list(&json!({ "type": "string", "minLength": 1 })),
        PolicyValueType::Rating => json!({ "enum": Rating::ALL.map(Rating::name) }),
        PolicyValueType::Packages => json!({ "enum": Packages::ALL.map(Packages::name) }),
        PolicyValueType::Day => {
            json!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
        }
        PolicyValueType::Boolean => json!({ "type": "boolean" }),
        PolicyValueType::Text => json!({ "type": "string" }),
        other => panic!("the schema does not know {other:?}"),
    }
}

/// A list, or its only element.
fn list(element: &Value) -> Value {
    json!({ "anyOf": [element, { "type": "array", "items": element, "minItems": 1, "uniqueItems": true }] })
}
