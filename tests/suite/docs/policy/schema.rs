//! `docs/policy.schema.json`: a JSON Schema of the file, made of the table of keys.

use sectile::Code;
use sectile::metadata::{Field, KNOWN_PRODUCERS_FIELDS};
use sectile::policy::{Group, Key, RequiredValue, SectionKind, Sources, Table, Takes};
use serde_json::{Map, Value, json};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.schema.json");

#[test]
fn the_schema_is_what_the_table_of_keys_says() {
    let expected = schema();
    if std::env::var_os("BLESS").is_some() {
        let text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
        std::fs::write(SCHEMA, text).unwrap();
    }
    let found: Value = serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap();
    assert!(found == expected, "docs/policy.schema.json: run `BLESS=1 cargo test docs`");
}

fn schema() -> Value {
    let mut properties = keys(Table::Top);
    let mut rules = Map::new();
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Top) {
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
        "description": "What is tolerated in a WebAssembly module or component: docs/policy.md.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": rules,
    })
}

fn object(table: Table) -> Value {
    let one_of =
        |group: &&[&str]| json!({ "anyOf": group.iter().map(|key| json!({ "required": [key] })).collect::<Vec<_>>() });
    let mut object = json!({ "type": "object", "properties": keys(table), "additionalProperties": false });
    if !table.asks().is_empty() {
        object["allOf"] = table.asks().iter().map(one_of).collect();
    }
    object
}

fn keys(table: Table) -> Map<String, Value> {
    let of_key = |key: Key| {
        let mut value = value(key.takes);
        value["description"] = key.help.into();
        if !key.default.is_empty() {
            value["default"] = default(&key);
        }
        (key.name.to_owned(), value)
    };
    Key::all().filter(|key| key.table == table).map(of_key).collect()
}

fn default(key: &Key) -> Value {
    match key.takes {
        Takes::Number { .. } => key.default.replace('_', "").parse::<u64>().unwrap().into(),
        Takes::Flag => key.default.parse::<bool>().unwrap().into(),
        _ => key.default.into(),
    }
}

fn value(takes: Takes) -> Value {
    let names = |names: Vec<&str>| list(&json!({ "enum": names }));
    match takes {
        Takes::Severity => json!({ "enum": ["note", "warning", "error"] }),
        Takes::Weight => json!({ "enum": ["note", "warning", "error", "ignore"] }),
        Takes::Number { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Takes::Items => {
            let path = json!({ "type": "string", "pattern": "^[0-9]+(/[0-9]+)*$" });
            list(&json!({ "anyOf": [{ "enum": Group::ALL.map(Group::name) }, path] }))
        }
        Takes::Fields => names(RequiredValue::all().map(RequiredValue::name).collect()),
        Takes::Kinds => names(SectionKind::all().map(SectionKind::name).collect()),
        Takes::UrlFields => names(Sources::url_fields().map(Field::section).collect()),
        Takes::ProducersFields => names(KNOWN_PRODUCERS_FIELDS.to_vec()),
        Takes::Codes => names(Code::ALL.map(Code::name).to_vec()),
        Takes::UrlPatterns => list(&json!({ "type": "string", "pattern": r"^(\*$|[^:/]+://.)" })),
        Takes::Digests => {
            let pattern = "^(sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128})$";
            list(&json!({ "type": "string", "pattern": pattern }))
        }
        Takes::Licenses | Takes::Patterns | Takes::Versions => list(&json!({ "type": "string", "minLength": 1 })),
        Takes::Day => json!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Text => json!({ "type": "string" }),
        other => panic!("the schema does not know {other:?}"),
    }
}

/// A list, which may be given as its only element.
fn list(element: &Value) -> Value {
    json!({ "anyOf": [element, { "type": "array", "items": element, "minItems": 1, "uniqueItems": true }] })
}
