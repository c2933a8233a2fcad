//! `explain`, `policy check` and `policy show`.

use serde_json::{Value, json};

use super::document;
use super::keys::{Key, array, boolean, common, day, key, number, object, schema_key, string};
use super::report::rule;
use sectile::{FindingCode, Severity};
use sectile_policy::{PolicyKey, PolicyTable, PolicyValueType};

pub fn explain() -> Value {
    let keys = [
        schema_key(),
        key("code", common("findingCode"), "The code."),
        key("severity", common("severity"), "The severity, unless a policy says otherwise."),
        key("help", string(), "The meaning of the finding."),
        key("why", string(), "Why it matters."),
        key("fix", string(), "How to fix it."),
    ];
    document("sectile explain", "One line for each code: `sectile explain --json CODE…`.", object(keys))
}

fn policy_name() -> Key {
    key("policy", string(), "The policy file as it was given.")
}

pub fn check() -> Value {
    let warning = object([
        key("rule", rule(), "The place of the rule or the exception."),
        key("message", string(), "Why it has no effect."),
    ]);
    let keys = [
        schema_key(),
        policy_name(),
        key("rules", number(), "Number of rules."),
        key("exceptions", number(), "Number of exceptions."),
        key("warnings", array(warning), "Parts of the policy without an effect."),
    ];
    document("sectile policy check", "One line for each policy: `sectile policy check --json POLICY…`.", object(keys))
}

pub fn show() -> Value {
    let severities = FindingCode::ALL.map(|code| {
        let names: Vec<&str> = Severity::ALL.map(Severity::name).into_iter().chain(["ignore"]).collect();
        key(code.name(), json!({ "enum": names }), code.help())
    });
    let limits = PolicyKey::all().filter(|one| one.table == PolicyTable::Limits);
    let limits = limits.map(|one| key(one.name, number(), one.help));
    let mut keys = vec![
        schema_key(),
        policy_name(),
        key("refuse", common("severity"), "Findings of this severity, and of worse, refuse a file."),
        key("limits", object(limits), "The limits of a read."),
        key("severity", object(severities), "The severity of every code."),
    ];
    for table in PolicyTable::ALL.into_iter().filter(|table| table.is_list()) {
        keys.push(key(table.name(), array(entry(table)), "The entries of this kind."));
    }
    document("sectile policy show", "A policy with its defaults: `sectile policy show --json POLICY`.", object(keys))
}

/// A rule or an exception. Keys that are not set and have no default are left out.
fn entry(table: PolicyTable) -> Value {
    let mut keys = vec![key("rule", rule(), "The place in the policy.")];
    for one in PolicyKey::all().filter(|one| one.table == table) {
        keys.push(key(one.name, value(one.value_type), one.help).optional());
    }
    object(keys)
}

fn value(value_type: PolicyValueType) -> Value {
    match value_type {
        PolicyValueType::Severity => common("severity"),
        PolicyValueType::Number { .. } => number(),
        PolicyValueType::Boolean => boolean(),
        PolicyValueType::Day => day(),
        PolicyValueType::Text => string(),
        _ => array(string()),
    }
}
