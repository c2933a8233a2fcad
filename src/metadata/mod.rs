//! Metadata: custom sections decoded into values, each with the byte range it was read from.
//!
//! [`SliceReader`] and [`StreamReader`] are [visitors](crate::scan::Visitor) that run on every
//! driver; [`read_slice`](crate::read_slice) and the other `read_*` functions run them. Reading is
//! lenient: a value that cannot be decoded, or that violates its convention, becomes a
//! [`Finding`](crate::Finding), and the rest is still read. Values are kept as written. A value
//! belongs only to the item whose section holds it.

#[cfg(feature = "json")]
pub(crate) mod builder;
pub(crate) mod check;
pub(crate) mod convention;
mod cursor;
mod debug_link;
mod dependencies;
mod field;
mod item;
#[cfg(any(feature = "json", feature = "dependencies"))]
pub(crate) mod json;
pub(crate) mod license;
pub(crate) mod name;
mod producers;
mod reader;
mod section_sizes;
mod value;

pub use self::check::ValueError;
pub(crate) use self::check::controls;
pub use self::convention::SectionPurpose;
pub(crate) use self::convention::{is_pinned_first, purpose};
pub use self::dependencies::Dependencies;
#[cfg(feature = "dependencies")]
pub use self::dependencies::Package;
pub use self::field::{Expects, Field};
pub use self::item::{Item, Items};
pub use self::producers::{KNOWN_FIELDS as KNOWN_PRODUCERS_FIELDS, Producers, ProducersField};
pub use self::reader::{SliceReader, StreamReader};
pub use self::section_sizes::SectionSize;
pub use self::value::Value;

use self::item::ItemData;
#[cfg(feature = "json")]
pub(crate) use self::json::check_registry_metadata;
pub(crate) use self::producers::inspect as inspect_producers;
use crate::finding::{FindingCode, Findings};
use crate::scan::ItemPath;

/// Metadata of an input: its item tree, the values of each item, and the findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// In input order: each item precedes its children. The root is always present.
    items: Vec<ItemData<'a>>,
    findings: Findings,
}

impl Metadata<'_> {
    /// Returns the outermost item.
    pub fn root(&self) -> Item<'_> {
        Item::new(&self.items, 0)
    }

    /// Returns all items in input order: the root first, each item before its children.
    pub fn items(&self) -> Items<'_> {
        Items::new(&self.items)
    }

    /// Returns the item at a path, or `None` if the path does not exist.
    pub fn item(&self, path: &ItemPath) -> Option<Item<'_>> {
        Item::find(&self.items, path)
    }

    /// Returns the anomalies in the order they were found.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Adds a finding about the root item.
    pub(crate) fn find_at(&mut self, code: FindingCode, offset: u64, section: Option<&str>, message: String) {
        self.findings.add(code, 0, offset, section, || (ItemPath::root(), message.into()));
    }

    /// Adds a finding about the whole input.
    pub(crate) fn find_in_root(&mut self, code: FindingCode, message: &'static str) {
        self.findings.add(code, 0, 0, None, || (ItemPath::root(), message.into()));
    }

    /// Converts to metadata that borrows nothing, copying borrowed values.
    pub fn into_owned(self) -> Metadata<'static> {
        Metadata { items: self.items.into_iter().map(ItemData::into_owned).collect(), findings: self.findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only if owned metadata can be used where borrowed metadata is expected.
    #[test]
    fn metadata_is_covariant() {
        fn shorter<'a>(metadata: Metadata<'static>, _: &'a str) -> Metadata<'a> {
            metadata
        }
        _ = shorter;
    }
}
