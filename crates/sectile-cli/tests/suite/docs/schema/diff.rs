//! The lines of `diff --json`.

use serde_json::{Value, json};

use super::document;
use super::keys::{
    Key, array, boolean, common, count, described, key, names, nullable, number, object, schema_key, string,
};
use sectile_policy::diff::{Aspect, RowState};

/// Any line.
pub fn line() -> Value {
    let lines = [("pair", pair()), ("counts", counts())];
    let one_of: Vec<Value> = lines.iter().map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    let definitions: serde_json::Map<String, Value> =
        lines.into_iter().map(|(name, line)| (name.to_owned(), line)).collect();
    let description = "A line of `sectile diff --json OLD NEW`: a pair of binaries; or the last line, if sets of binaries or \
                       reports are compared.";
    document("sectile diff", description, json!({ "oneOf": one_of, "$defs": definitions }))
}

fn pair() -> Value {
    let side = object([
        key("file", common("fileName"), "The file."),
        key("size", nullable(number()), "Its length in bytes, if it is known."),
        key("complete", boolean(), "Whether all of it was read."),
    ]);
    let [new_findings, gone_findings] = changed_findings();
    let pair = object([
        schema_key(),
        key("change", names(RowState::ALL.map(RowState::name)), "How the binaries differ."),
        key("old", nullable(side.clone()), "The old binary, or null if there is none."),
        key("new", nullable(side), "The new binary, or null if there is none."),
        key(
            "content",
            nullable(names(["unchanged", "changed"])),
            "Whether everything but custom sections is equal, or null if it was not compared.",
        )
        .optional(),
        key("not_compared", array(aspect()), "Aspects that only one of the two has.").optional(),
        key("differences", array(difference()), "The differences, by item and aspect.").optional(),
        key("left_out", count(), "Number of differences that are left out.").optional(),
        new_findings.optional(),
        gone_findings.optional(),
    ]);
    described(pair, "A pair of binaries, or a binary that only one side has.")
}

/// The findings that only one of two rows has.
pub fn changed_findings() -> [Key; 2] {
    let finding = object([
        key("code", string(), "The code."),
        key("severity", string(), "The severity."),
        key("path", common("itemPath"), "The item."),
        key("section", nullable(string()), "The name of the section, or null if the finding is not about a section."),
        key("message", string(), "The message."),
        key("advisory", string(), "The identifier of the advisory, if the finding is about one.").optional(),
    ]);
    [
        key("new_findings", array(finding.clone()), "Findings that only the new row has; for reports and sets."),
        key("gone_findings", array(finding), "Findings that only the old row has; for reports and sets."),
    ]
}

fn aspect() -> Value {
    names(Aspect::ALL.map(Aspect::name))
}

pub fn difference() -> Value {
    let sections = object([
        key("sections", number(), "Number of sections."),
        key("bytes", number(), "Their bytes, headers included."),
        key("data_digest", common("digest"), "The SHA-256 of their data, if it was computed.").optional(),
    ]);
    let value = || nullable(json!({ "anyOf": [common("text"), sections.clone()] }));
    object([
        key("path", common("itemPath"), "The item."),
        key("aspect", aspect(), "The aspect that differs."),
        key("group", string(), "A part of the name: field of a producer, ecosystem of a package, module of an import, section of a finding, package of an advisory.").optional(),
        key("name", string(), "The name; empty if an item has only one of the aspect."),
        key("old", value(), "The old value, or null if there is none."),
        key("new", value(), "The new value, or null if there is none."),
    ])
}

/// The keys of the counts of rows and findings by their state.
pub fn report_counts() -> Value {
    object([
        key("new", number(), "Rows that only the new report has."),
        key("gone", number(), "Rows that only the old report has."),
        key("changed", number(), "Rows with differences."),
        key("unchanged", number(), "Rows without a difference."),
        key("new_findings", number(), "Findings that only the new report has."),
        key("gone_findings", number(), "Findings that only the old report has."),
    ])
}

fn counts() -> Value {
    let line = object([
        schema_key(),
        key("compared", report_counts(), "The counts."),
        key("complete", boolean(), "Whether no audit was stopped before its end."),
    ]);
    described(line, "The last line.")
}
