//! The meaning: custom sections become values, each with the range that it came from.
//!
//! [`Reader`] is a [`Visitor`](crate::scan::Visitor) and runs on every driver; [`read_slice`](crate::read_slice) and its
//! like run it. Reading is lenient: a value that cannot be decoded, or is not what its convention asks for, is a
//! [`Finding`](crate::Finding), and the rest is still read. Values are kept as they were written. They are keyed by the
//! item that holds them, and never taken from one for another.

mod check;
mod convention;
mod cursor;
mod dependencies;
mod field;
#[cfg(any(feature = "json", feature = "dependencies"))]
mod json;
pub(crate) mod name;
mod producers;
mod reader;
mod shares;
mod value;

use std::ops::Range;

use smallvec::SmallVec;

pub use self::check::Flaw;
pub(crate) use self::check::{MAX_PARSED, controls, is_scp_like};
pub use self::convention::Purpose;
pub(crate) use self::convention::{is_pinned_first, purpose};
pub use self::dependencies::Dependencies;
#[cfg(feature = "dependencies")]
pub use self::dependencies::Package;
pub use self::field::{Expects, Field};
pub use self::producers::{KNOWN_FIELDS as KNOWN_PRODUCERS_FIELDS, Producers, ProducersField};
pub use self::reader::Reader;
pub use self::shares::Share;
pub use self::value::{Borrowed, Copied, Keep, Value};

pub(crate) use self::check::license_expression;
#[cfg(feature = "manifest")]
pub(crate) use self::check::meant_license;
#[cfg(feature = "json")]
pub(crate) use self::json::check_registry_metadata;
pub(crate) use self::producers::inspect as inspect_producers;
use self::shares::Shares;
use crate::finding::{Code, Findings};
use crate::scan::{ItemKind, Path};

/// What an input says of itself: the tree of its items, with the values of each, and the findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// In the order of the input: an item stands before those that it holds. There is always the root.
    items: Vec<Item<'a>>,
    findings: Findings,
}

impl<'a> Metadata<'a> {
    /// The outermost item.
    pub fn root(&self) -> &Item<'a> {
        &self.items[0]
    }

    /// All items, the root first, each before those that it holds.
    pub fn items(&self) -> &[Item<'a>] {
        &self.items
    }

    /// The item at a path, if there is one.
    pub fn item(&self, path: &Path) -> Option<&Item<'a>> {
        let mut place = 0;
        for &index in path.indexes() {
            let is_child = |item: &Item<'_>| item.parent == Some(place as u32) && item.index == index;
            place += 1 + self.items[place + 1..].iter().position(is_child)?;
        }
        self.items.get(place)
    }

    /// The path of an item of this tree.
    pub fn path(&self, item: &Item<'a>) -> Path {
        path(&self.items, item)
    }

    /// What is wrong or notable.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Adds a finding about the root item.
    #[cfg(feature = "oci")]
    pub(crate) fn find_at(&mut self, code: Code, offset: u64, section: Option<&str>, message: String) {
        self.findings.add(code, 0, offset, section, || (Path::root(), message.into()));
    }

    /// Adds a finding about the whole input.
    pub(crate) fn find_in_root(&mut self, code: Code, message: &'static str) {
        self.findings.add(code, 0, 0, None, || (Path::root(), message.into()));
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Metadata<'static> {
        Metadata { items: self.items.into_iter().map(Item::into_owned).collect(), findings: self.findings }
    }
}

fn path<'a>(items: &[Item<'a>], item: &Item<'a>) -> Path {
    let mut indexes = SmallVec::<[u32; 8]>::new();
    let mut item = item;
    while let Some(parent) = item.parent.and_then(|parent| items.get(parent as usize)) {
        indexes.push(item.index);
        item = parent;
    }
    indexes.into_iter().rev().collect()
}

/// What one module or component says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    kind: ItemKind,
    parent: Option<u32>,
    index: u32,
    depth: u32,
    children: u32,
    start: u64,
    end: Option<u64>,
    whole: bool,
    name: Option<Value<'a>>,
    annotations: Vec<(Field, Value<'a>)>,
    /// Boxed, as hardly an item has any.
    firsts: Option<Box<Firsts<'a>>>,
    producers: Producers<'a>,
    /// Boxed, as it is large and most items have none.
    dependencies: Option<Box<Dependencies<'a>>>,
    registry_metadata: Option<Value<'a>>,
    debug_links: Vec<(&'static str, Value<'a>)>,
    shares: Shares,
}

/// Of what stands more than once and should not, what stands first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Firsts<'a> {
    name: Option<Value<'a>>,
    annotations: Vec<(Field, Value<'a>)>,
}

impl<'a> Item<'a> {
    /// What it is.
    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// The place of the item that holds it in [`Metadata::items`]; `None` for the root.
    pub fn parent(&self) -> Option<usize> {
        self.parent.map(|parent| parent as usize)
    }

    /// Which child of that item it is.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// How many items enclose it.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// How many items it holds itself.
    pub fn children(&self) -> u32 {
        self.children
    }

    /// Absolute offset of its preamble.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Absolute offset of its end; `None` for a root whose end was not reached.
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// From its preamble to its end, as absolute byte offsets; `None` for a root whose end was not reached.
    pub fn range(&self) -> Option<Range<u64>> {
        self.end.map(|end| self.start..end)
    }

    /// Whether it was read to its end: nothing more can come of it.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Its name: subsection 0 of the `name` or `component-name` section. Of several the last.
    pub fn name(&self) -> Option<&Value<'a>> {
        self.name.as_ref()
    }

    /// The value of an annotation. Where the section stands more than once, the last.
    pub fn annotation(&self, field: Field) -> Option<&Value<'a>> {
        self.annotations.iter().find(|(found, _)| *found == field).map(|(_, value)| value)
    }

    /// As [`annotation`](Self::annotation), but where the section stands more than once, the first: what some other
    /// readers take.
    pub fn first_annotation(&self, field: Field) -> Option<&Value<'a>> {
        if self.sections_of(field) < 2 {
            return self.annotation(field);
        }
        let firsts = &self.firsts.as_deref()?.annotations;
        firsts.iter().find(|(found, _)| *found == field).map(|(_, value)| value)
    }

    /// How many sections an annotation has; one is meant.
    pub fn sections_of(&self, field: Field) -> u64 {
        self.shares.sections_of(field.section())
    }

    /// How many sections of this name it has, whatever became of them; 0 for names that no convention knows.
    pub(crate) fn sections_named(&self, name: &str) -> u64 {
        self.shares.sections_of(name)
    }

    /// As [`name`](Self::name), but of several the first.
    pub fn first_name(&self) -> Option<&Value<'a>> {
        self.earlier_name().or(self.name())
    }

    /// Whether there are several names; one is meant.
    pub fn has_several_names(&self) -> bool {
        self.earlier_name().is_some()
    }

    /// The first of several names.
    fn earlier_name(&self) -> Option<&Value<'a>> {
        self.firsts.as_deref()?.name.as_ref()
    }

    /// The annotations that are there, in the order of the table.
    pub fn annotations(&self) -> impl Iterator<Item = (Field, &Value<'a>)> {
        self.annotations.iter().map(|(field, value)| (*field, value))
    }

    /// What made it.
    pub fn producers(&self) -> &Producers<'a> {
        &self.producers
    }

    /// The packages that it was built from. Of several sections the last.
    pub fn dependencies(&self) -> Option<&Dependencies<'a>> {
        self.dependencies.as_deref()
    }

    /// The JSON of the retired `registry-metadata` section, as it stands there. Of several the last.
    pub fn registry_metadata(&self) -> Option<&Value<'a>> {
        self.registry_metadata.as_ref()
    }

    /// The sections that point to debugging data kept elsewhere (`build_id`, `sourceMappingURL`,
    /// `external_debug_info`), in the order of the input.
    pub fn debug_links(&self) -> impl Iterator<Item = (&'static str, &Value<'a>)> {
        self.debug_links.iter().map(|(section, value)| (*section, value))
    }

    /// How many sections of each kind it holds itself, and of how many bytes, in the order of their first.
    pub fn shares(&self) -> impl Iterator<Item = Share> {
        self.shares.iter(self.kind)
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Item<'static> {
        Item {
            kind: self.kind,
            parent: self.parent,
            index: self.index,
            depth: self.depth,
            children: self.children,
            start: self.start,
            end: self.end,
            whole: self.whole,
            name: self.name.map(Value::into_owned),
            annotations: owned(self.annotations),
            firsts: self.firsts.map(|firsts| {
                Box::new(Firsts { name: firsts.name.map(Value::into_owned), annotations: owned(firsts.annotations) })
            }),
            producers: self.producers.into_owned(),
            dependencies: self.dependencies.map(|dependencies| dependencies.into_owned().into()),
            registry_metadata: self.registry_metadata.map(Value::into_owned),
            debug_links: owned(self.debug_links),
            shares: self.shares,
        }
    }
}

fn owned<K>(values: Vec<(K, Value<'_>)>) -> Vec<(K, Value<'static>)> {
    values.into_iter().map(|(key, value)| (key, value.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only if what is owned can stand where what borrows is asked for.
    #[test]
    fn metadata_is_covariant() {
        fn shorter<'a>(metadata: Metadata<'static>, _: &'a str) -> Metadata<'a> {
            metadata
        }
        _ = shorter;
    }
}
