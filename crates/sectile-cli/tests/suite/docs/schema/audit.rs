//! The lines of `audit --format jsonl`.

use serde_json::{Value, json};

use super::advisories::{advisories, databases};
use super::diff::{changed_findings, report_counts};
use super::document;
use super::item::{bounded_packages, root};
use super::keys::{
    Key, array, boolean, common, count, day, described, key, map, names, nullable, number, object, schema_key, string,
    tuple,
};
use super::report::{head, rule, with_reason_unless};
use sectile_audit::{Completeness, InsideSearch, RowKind};
use sectile_policy::diff::RowState;

/// Any line.
pub fn line() -> Value {
    let lines = [("header", header()), ("row", row()), ("archiveEnd", archive_end()), ("summary", summary())];
    let one_of: Vec<Value> = lines.iter().map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    let definitions: serde_json::Map<String, Value> =
        lines.into_iter().map(|(name, line)| (name.to_owned(), line)).collect();
    let description = "A line of `sectile audit --format jsonl PATH…`: the first line, a row, the end of an archive's rows, or \
                       the last line.";
    document("sectile audit", description, json!({ "oneOf": one_of, "$defs": definitions }))
}

fn header() -> Value {
    let audit = object([
        key("version", string(), "The version of Sectile."),
        key("paths", array(common("fileName")), "The paths and URLs that were audited."),
        key("policy", nullable(common("fileName")), "The file of the policy."),
        key("fingerprint", string(), "A text that differs if verdicts or limits on archives may differ."),
        key("day", nullable(day()), "The day that exceptions are compared with, if it matters."),
        key("hashed", boolean(), "Whether digests were computed."),
        key(
            "inside",
            names(InsideSearch::ALL.map(InsideSearch::name)),
            "The files that were searched for binaries in other encodings.",
        ),
        key("searched", json!({ "const": true }), "The data was searched for packages.").optional(),
        databases(),
    ]);
    described(object([schema_key(), key("audit", audit, "The audit.")]), "The first line.")
}

fn row() -> Value {
    let [schema, file, size] = <[Key; 3]>::try_from(head()).unwrap_or_else(|_| panic!("three keys"));
    let largest = object([
        key("kind", common("sectionKind"), "The kind of the section."),
        key("name", nullable(string()), "The name of a custom section."),
        key("bytes", number(), "Its bytes, header included."),
    ]);
    let totals = map(tuple([number(), number()]));
    let outcomes = Completeness::ALL.map(Completeness::name);
    let before = [
        schema,
        key("row", names(RowKind::ALL.map(RowKind::name)), "The kind of the row."),
        file,
        size,
        key("locations", locations(), "All names of the file, the first of them first."),
        key("omits_locations", json!({ "const": true }), "There are more names.").optional(),
        key(
            "encoding",
            array(string()),
            "The encodings in which another file contains the binary, the outermost first.",
        )
        .optional(),
        key("state", nullable(string()), "A text that differs after each change of the file."),
        key("digest", nullable(string()), "The digest, computed or stated by the store."),
        key("verified", boolean(), "Whether the digest was computed."),
        key("item", nullable(root()), "The root item, or null if nothing was read."),
        key("items_left_out", count(), "Number of items that are too deep for `item`.").optional(),
        key("section_list", array(section()), "All sections in their order, for rules that are judged again.")
            .optional(),
        key("sections_left_out", count(), "Number of sections, if they exceed the limits of `section_list`.")
            .optional(),
        key(
            "section_totals",
            totals,
            "Number of sections and their bytes over all items, by kind; of known custom sections, by name.",
        ),
        key("largest", nullable(largest), "The largest section."),
        key("not_opened", map(count()), "Number of files by the format that is not opened.").optional(),
        key("findings", array(common("judgedFinding")), "The findings under the policy."),
        advisories(),
    ];
    let after = [
        key("accepted", boolean(), "Whether all was read, and no finding is refused."),
        key("outcome", names(outcomes), "Whether all was read."),
        key("reason", common("reason"), "The reason why not all was read.").optional(),
        key("bytes_read", number(), "Bytes that were read; 0 for what an archive inflates to."),
        key("baseline", baseline(), "The comparison with the row of the same name; only with `--baseline`.").optional(),
    ];
    let row = object(before.into_iter().chain(bounded_packages()).chain(after));
    described(with_reason_unless(&["complete", "skipped"], row), "A binary, or an archive or a file with findings.")
}

/// A section, and a custom section.
fn section() -> Value {
    let range = "the number of the item in the order of the file, the id, and the start and the end of the section";
    let item = || described(number(), range);
    let custom = "of a custom section, also the start of its data, and its name";
    let custom = described(tuple([item(), number(), number(), number(), number(), string()]), custom);
    json!({ "anyOf": [tuple([item(), number(), number(), number()]), custom] })
}

fn baseline() -> Value {
    let states = [RowState::New, RowState::Changed, RowState::Unchanged];
    let [new, gone] = changed_findings();
    object([key("row", names(states.map(RowState::name)), "How the row differs."), new, gone])
}

fn locations() -> Value {
    let mut locations = array(common("fileName"));
    locations["minItems"] = 1.into();
    locations
}

fn archive_end() -> Value {
    let line = object([
        schema_key(),
        key("archive", common("fileName"), "The archive."),
        key("locations", locations(), "All names of the archive, the first of them first."),
        key("state", string(), "A text that differs after each change of the archive."),
        key("rows", number(), "Number of rows of the archive before this line."),
        key("not_wasm", number(), "Number of entries that are not WebAssembly."),
        key("bytes_read", number(), "Bytes that were read to inspect the archive."),
    ]);
    described(line, "The end of an archive's rows, for `--since`.")
}

fn counts() -> Vec<Key> {
    let outcomes = Completeness::ALL.map(|outcome| key(outcome.name(), number(), "Rows with this outcome."));
    vec![
        key("rows", number(), "Rows."),
        key("accepted", number(), "Rows that are accepted."),
        key("refused", number(), "Rows with a finding that the policy refuses."),
        key("unjudged", number(), "Rows that are neither accepted nor refused."),
        key("unread", number(), "Rows that were not read to their end."),
        key("outcomes", object(outcomes), "Rows by outcome."),
    ]
}

fn summary() -> Value {
    let by_row = RowKind::ALL.map(|kind| key(kind.plural(), object(counts()), "Rows of this kind."));
    let not_opened = object([
        key("files", number(), "Number of files of formats that are not opened."),
        key("formats", map(count()), "The same by format."),
    ]);
    let unused = object([
        key("reason", string(), "The reason of the exception."),
        rule("The location of the exception in the policy."),
    ]);
    let mut keys = counts();
    keys.extend([
        key("excepted", number(), "Number of findings that exceptions excuse."),
        key("unused_exceptions", array(unused), "Exceptions that excuse nothing."),
        key("by_row", object(by_row), "The same by kind of row."),
        key("not_opened", not_opened, "Files of formats that are not opened."),
        key("bytes", number(), "Bytes of all binaries."),
        key("bytes_read", number(), "Bytes that were read of binaries."),
        key("archives", number(), "Number of archives."),
        key("archive_bytes_read", number(), "Bytes that were read to inspect archives."),
        key("store_bytes", number(), "Bytes of all files."),
        key("not_wasm", number(), "Number of files that are not WebAssembly."),
        key("not_wasm_bytes_read", number(), "Bytes that were read of these."),
        key("baseline", report_counts(), "The comparison with an earlier report; only with `--baseline`.").optional(),
        key("stopped", boolean(), "Whether the audit was stopped before its end."),
        key("after", nullable(common("fileName")), "The file of the last row before the stop."),
    ]);
    described(object([schema_key(), key("summary", object(keys), "The sums over all rows.")]), "The last line.")
}
