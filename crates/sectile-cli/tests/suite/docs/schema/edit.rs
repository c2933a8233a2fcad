//! The report of an edit.

use serde_json::Value;

use super::diff::difference;
use super::document;
use super::keys::{array, boolean, common, count, key, names, number, object, schema_key, string, tuple};
use sectile::edit::ChangeKind;

pub fn edit() -> Value {
    let kinds = [ChangeKind::Added, ChangeKind::Replaced, ChangeKind::Removed];
    let change = object([
        key("path", common("itemPath"), "The item."),
        key("section", string(), "The name of the section."),
        key("change", names(kinds.map(ChangeKind::name)), "The kind of the change."),
        key("range", common("range"), "The section in the old file; empty if it is new."),
        key("bytes", tuple([number(), number()]), "The bytes of the section before and after, header included."),
    ]);
    let keys = [
        schema_key(),
        key("file", common("fileName"), "The file."),
        key("size", number(), "Its length in bytes."),
        key("new_size", number(), "The length of the result."),
        key("kept", number(), "Bytes of the result that are from the file."),
        key("inserted", number(), "Bytes of the result that are new."),
        key("dropped", array(common("range")), "Ranges of the file that are not in the result."),
        key("changes", array(change), "The changes of sections."),
        key("findings", array(common("finding")), "Findings on the edit."),
        key("written", boolean(), "Whether the result was written."),
        key("differences", array(difference()), "The differences of the result, by item and aspect.").optional(),
        key("left_out", count(), "Number of differences that are left out.").optional(),
        key("image", string(), "The image that was written with its digest; only with `--to`.").optional(),
    ];
    let description = "The line that an editing command prints: `sectile set --json FILE`, and `unset`, `put`, `remove`, \
                       `strip` and `migrate`.";
    document("An edit of Sectile", description, object(keys))
}
