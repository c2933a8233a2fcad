//! `explain`: the codes of findings.

use serde_json::Value;

use super::document;
use super::keys::{common, key, object, schema_key, string};

pub fn explain() -> Value {
    let keys = [
        schema_key(),
        key("code", common("findingCode"), "The code."),
        key("severity", common("severity"), "Its default severity."),
        key("help", string(), "A description of the finding."),
        key("why", string(), "The reason why it matters."),
        key("fix", string(), "How to fix it."),
    ];
    document("sectile explain", "One line for each code: `sectile explain --json CODE…`.", object(keys))
}
