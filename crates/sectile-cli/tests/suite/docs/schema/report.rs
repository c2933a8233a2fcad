//! The reports on one file: `show`, `sections`, `check` and `digest`.

use serde_json::{Value, json};

use super::advisories::{advisories, databases};
use super::keys::{Key, array, boolean, common, count, day, key, nullable, number, object, schema_key, string};
use super::{document, item};
use sectile::scan::SectionKind;

/// The first keys of each report.
pub fn head() -> Vec<Key> {
    vec![
        schema_key(),
        key("file", common("fileName"), "The file."),
        key("size", nullable(number()), "Its length in bytes, or null if it could not be opened."),
    ]
}

/// The keys of the outcome.
fn outcome() -> Vec<Key> {
    vec![
        key("outcome", json!({ "enum": ["complete", "partial"] }), "Whether all of the file was read."),
        key("reason", common("reason"), "The reason why the outcome is partial.").optional(),
    ]
}

fn bytes_read() -> Key {
    key("bytes_read", number(), "Bytes that were read of the file.")
}

/// An object in which `reason` is required unless the outcome is one of these.
pub fn with_reason_unless(outcomes: &[&str], mut object: Value) -> Value {
    object["if"] = json!({ "properties": { "outcome": { "enum": outcomes } } });
    object["then"] = json!({ "not": { "required": ["reason"] } });
    object["else"] = json!({ "required": ["reason"] });
    object
}

fn report(title: &str, description: &str, keys: Vec<Key>) -> Value {
    let keys = head().into_iter().chain(keys);
    document(title, description, with_reason_unless(&["complete"], object(keys)))
}

pub fn show() -> Value {
    let item = nullable(item::root());
    let mut keys = vec![
        key("item", item, "The root item, or null if nothing could be read."),
        key("findings", array(common("finding")), "The findings on the file, in its order."),
    ];
    keys.extend(item::packages());
    keys.extend(outcome());
    keys.push(bytes_read());
    report("sectile show", "One line for each file: `sectile show --json FILE…`.", keys)
}

pub fn sections() -> Value {
    let mut section = object([
        key("path", common("itemPath"), "The item that contains the section."),
        key("id", json!({ "type": "integer", "minimum": 0, "maximum": 255 }), "The ID."),
        key("kind", common("sectionKind"), "The meaning of the ID."),
        key("name", string(), "The name of a custom section.").optional(),
        key("range", common("range"), "From the ID to the end."),
        key("payload", common("range"), "From the end of the size field to the end of the section."),
        key("data", common("range"), "The payload of a custom section after its name.").optional(),
    ]);
    section["if"] = json!({ "properties": { "kind": { "const": SectionKind::Custom.name() } } });
    section["then"] = json!({ "required": ["name", "data"] });
    section["else"] = json!({ "properties": { "name": false, "data": false } });
    let mut keys = vec![key("sections", array(section), "All sections, in the order of the file.")];
    keys.extend(outcome());
    report("sectile sections", "One line for each file: `sectile sections --json FILE…`.", keys)
}

pub fn check() -> Value {
    let mut keys =
        vec![key("findings", array(common("judgedFinding")), "The findings under the policy."), advisories()];
    keys.extend(item::bounded_packages());
    keys.extend([
        databases(),
        key("excepted", number(), "Number of findings that exceptions excuse."),
        key("accepted", boolean(), "Whether all was read, and no finding is refused."),
    ]);
    keys.extend(outcome());
    keys.push(bytes_read());
    report("sectile check", "One line for each file: `sectile check --json FILE…`.", keys)
}

pub fn digest() -> Value {
    let digest = || nullable(common("digest"));
    let mut keys = vec![
        key("digest", digest(), "The SHA-256 of the file, or null if it could not be opened."),
        key("content", digest(), "The SHA-256 of everything but custom sections, or null if not all was read."),
    ];
    keys.extend(outcome());
    keys.push(bytes_read());
    report("sectile digest", "One line for each file: `sectile digest --json FILE…`.", keys)
}

pub fn reason_definition() -> Value {
    object([
        key("message", string(), "The reason why not all was read."),
        key("offset", nullable(number()), "The absolute byte offset where that is, if it is known."),
    ])
}

fn finding() -> Vec<Key> {
    vec![
        key("code", common("findingCode"), "The code."),
        key("severity", common("severity"), "The severity, under the policy if there is one."),
        key("path", common("itemPath"), "The item."),
        key("offset", number(), "The absolute byte offset."),
        key("section", nullable(string()), "The name of the section, or null if the finding is not about a section."),
        key("message", string(), "The message."),
        key("count", count(), "Number of findings that it counts, if more than one.").optional(),
    ]
}

/// The location of a rule or an exception, such as `policy.toml:12`.
pub fn rule(description: &str) -> Key {
    key("rule", nullable(string()), description)
}

pub fn finding_definition() -> Value {
    object(finding())
}

pub fn judged_finding_definition() -> Value {
    let exception = object([
        key("reason", string(), "The reason of the exception."),
        key("expires", nullable(day()), "Its last day, or null if it does not expire."),
        rule("The location of the exception in the policy."),
    ]);
    let mut keys = finding();
    keys.extend([
        key("refused", boolean(), "Whether the file is refused for it."),
        rule("The location of the rule in the policy that was violated."),
        key("excepted", exception, "The exception of the policy that excuses it.").optional(),
    ]);
    object(keys)
}
