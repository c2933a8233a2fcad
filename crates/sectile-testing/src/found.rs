//! Findings and values in a form to compare.

use sectile::FindingCode;
use sectile::metadata::{Field, Item, Metadata};

/// The codes of the findings, in their order.
pub fn codes(metadata: &Metadata<'_>) -> Vec<FindingCode> {
    metadata.findings().iter().map(|finding| finding.code()).collect()
}

/// The findings, each as `code section in path ×count`. The section is omitted if there is none,
/// the path for the root, and the count if it is 1.
pub fn found(metadata: &Metadata<'_>) -> Vec<String> {
    let describe = |finding: &sectile::Finding| {
        let mut text = finding.code().name().to_owned();
        if let Some(section) = finding.section() {
            text += &format!(" {section}");
        }
        if !finding.path().is_root() {
            text += &format!(" in {}", finding.path());
        }
        if finding.count() != 1 {
            text += &format!(" ×{}", finding.count());
        }
        text
    };
    metadata.findings().iter().map(describe).collect()
}

/// The text of an annotation.
pub fn text<'a>(item: Item<'a>, field: Field) -> Option<&'a str> {
    item.annotation(field)?.as_str()
}

/// The producers, as fields with their names and versions.
pub fn producers<'a>(item: Item<'a>) -> Vec<(&'a str, Vec<(&'a str, &'a str)>)> {
    item.producers().fields().map(|field| (field.name(), field.values().collect())).collect()
}

/// The text of the item's name.
pub fn name<'a>(item: Item<'a>) -> Option<&'a str> {
    item.name()?.as_str()
}
