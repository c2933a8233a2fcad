//! `policy check` and `policy show`, from the table of a policy's keys.

use serde_json::{Value, json};

use super::document;
use super::keys::{Key, array, boolean, common, key, number, object, schema_key, string};
use super::report::rule;
use sectile::FindingCode;
use sectile_policy::{PolicyKey, PolicyTable, PolicyValueType};

fn policy() -> Key {
    key("policy", string(), "The file of the policy.")
}

pub fn check() -> Value {
    let warning = object([rule("Where the policy has no effect."), key("message", string(), "The warning.")]);
    let keys = [
        schema_key(),
        policy(),
        key("rules", number(), "Number of rules."),
        key("exceptions", number(), "Number of exceptions."),
        key("warnings", array(warning), "Parts of the policy without an effect."),
    ];
    let description = "One line for each valid policy: `sectile policy check --json POLICY…`.";
    document("sectile policy check", description, object(keys))
}

pub fn show() -> Value {
    let mut keys = vec![schema_key(), policy()];
    for table in PolicyTable::ALL {
        match table {
            PolicyTable::Top => keys.extend(settings(table)),
            PolicyTable::Severity => keys.push(key(table.name(), severities(), "The severity of each code.")),
            table if table.is_list() => {
                let mut entry = object([rule("The place of the table.")].into_iter().chain(settings(table)));
                if !table.required_keys().is_empty() {
                    entry["allOf"] = table.required_keys().iter().map(|group| any_of(group)).collect();
                }
                keys.push(key(table.name(), array(entry), "The tables of this name, in their order."));
            }
            table => keys.push(key(table.name(), object(settings(table)), "The table of this name.")),
        }
    }
    let description = "The effective settings: `sectile policy show --json POLICY`.";
    document("sectile policy show", description, object(keys))
}

/// The keys of a table. Keys with a default are always present.
fn settings(table: PolicyTable) -> impl Iterator<Item = Key> {
    PolicyKey::all().filter(move |key| key.table == table).map(move |setting| {
        let described = key(setting.name, value(setting.value_type), setting.help);
        // The key is omitted for a rule with severity `ignore`.
        let may_be_ignored = table.is_list() && setting.name == "severity";
        let is_required = !setting.default.is_empty() && !may_be_ignored;
        if is_required { described } else { described.optional() }
    })
}

/// An object with at least one of these keys.
fn any_of(keys: &[&str]) -> Value {
    json!({ "anyOf": keys.iter().map(|key| json!({ "required": [key] })).collect::<Vec<_>>() })
}

fn severities() -> Value {
    object(FindingCode::ALL.map(|code| key(code.name(), common("policySeverity"), code.help())))
}

fn value(value_type: PolicyValueType) -> Value {
    match value_type {
        PolicyValueType::Number { .. } => number(),
        PolicyValueType::Boolean => boolean(),
        PolicyValueType::Severity => common("severity"),
        PolicyValueType::SeverityOrIgnore => common("policySeverity"),
        value_type if value_type.is_list() => array(string()),
        _ => string(),
    }
}
