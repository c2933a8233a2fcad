//! Items: the metadata of one module or component.

use std::fmt;
use std::ops::Range;

use smallvec::SmallVec;

use super::section_sizes::{SectionSize, SectionSizes};
use super::{Dependencies, Field, Producers, Value};
use crate::scan::{ItemKind, ItemPath};

/// Metadata of one module or component: a copyable view into [`Metadata`](super::Metadata).
#[derive(Clone, Copy)]
pub struct Item<'m> {
    items: &'m [ItemData<'m>],
    position: usize,
}

/// The data that a reader collects from an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ItemData<'a> {
    pub(super) kind: ItemKind,
    pub(super) parent: Option<u32>,
    pub(super) index: u32,
    pub(super) depth: u32,
    pub(super) children: u32,
    pub(super) start: u64,
    pub(super) end: Option<u64>,
    pub(super) complete: bool,
    pub(super) name: Option<Value<'a>>,
    pub(super) annotations: Vec<(Field, Value<'a>)>,
    /// Boxed, since few items have any.
    pub(super) first_values: Option<Box<FirstValues<'a>>>,
    pub(super) producers: Producers<'a>,
    /// Boxed, since it is large and most items have none.
    pub(super) dependencies: Option<Box<Dependencies<'a>>>,
    pub(super) registry_metadata: Option<Value<'a>>,
    pub(super) debug_links: Vec<(&'static str, Value<'a>)>,
    pub(super) sizes: SectionSizes,
}

/// First values of the fields that occur more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FirstValues<'a> {
    pub(super) name: Option<Value<'a>>,
    pub(super) annotations: Vec<(Field, Value<'a>)>,
}

impl ItemData<'_> {
    /// Creates an item without values and without an end.
    #[inline]
    pub(super) fn new(kind: ItemKind, parent: Option<u32>, index: u32, depth: u32, start: u64) -> Self {
        Self {
            kind,
            parent,
            index,
            depth,
            children: 0,
            start,
            end: None,
            complete: false,
            name: None,
            annotations: Vec::new(),
            first_values: None,
            producers: Producers::default(),
            dependencies: None,
            registry_metadata: None,
            debug_links: Vec::new(),
            sizes: SectionSizes::default(),
        }
    }
}

impl<'m> Item<'m> {
    pub(super) fn new(items: &'m [ItemData<'m>], position: usize) -> Self {
        Self { items, position }
    }

    pub(super) fn find(items: &'m [ItemData<'m>], path: &ItemPath) -> Option<Self> {
        let mut position = 0;
        for &index in path.indexes() {
            let is_child = |item: &ItemData<'_>| item.parent == Some(position as u32) && item.index == index;
            position += 1 + items[position + 1..].iter().position(is_child)?;
        }
        Some(Self { items, position })
    }

    fn data(self) -> &'m ItemData<'m> {
        &self.items[self.position]
    }

    /// Returns the child indexes from the root to the item. Takes time linear in the depth.
    pub fn path(self) -> ItemPath {
        path(self.items, self.position)
    }

    /// Module or component.
    pub fn kind(self) -> ItemKind {
        self.data().kind
    }

    /// Position in [`Metadata::items`](super::Metadata::items); the root is 0.
    pub fn number(self) -> usize {
        self.position
    }

    /// The enclosing item; `None` for the root.
    pub fn parent(self) -> Option<Item<'m>> {
        self.data().parent.map(|parent| Self { items: self.items, position: parent as usize })
    }

    /// Index among the children of the enclosing item; 0 for the root.
    pub fn index(self) -> u32 {
        self.data().index
    }

    /// Number of enclosing items.
    pub fn depth(self) -> u32 {
        self.data().depth
    }

    /// Number of direct children.
    pub fn children(self) -> u32 {
        self.data().children
    }

    /// Absolute byte offset of the preamble.
    pub fn start(self) -> u64 {
        self.data().start
    }

    /// Absolute byte offset of the end; `None` for a root whose end was not reached.
    pub fn end(self) -> Option<u64> {
        self.data().end
    }

    /// Absolute byte range from the preamble to the end; `None` for a root whose end was not
    /// reached.
    pub fn range(self) -> Option<Range<u64>> {
        self.end().map(|end| self.start()..end)
    }

    /// Whether the item was read to its end.
    pub fn is_complete(self) -> bool {
        self.data().complete
    }

    /// The item's name: subsection 0 of the `name` or `component-name` section. If there are
    /// several, the last one.
    pub fn name(self) -> Option<&'m Value<'m>> {
        self.data().name.as_ref()
    }

    /// The first of several names, which some readers use instead of the last.
    pub fn first_name(self) -> Option<&'m Value<'m>> {
        self.earlier_name().or(self.name())
    }

    /// Whether the item has more than one name.
    pub fn has_several_names(self) -> bool {
        self.earlier_name().is_some()
    }

    fn earlier_name(self) -> Option<&'m Value<'m>> {
        self.data().first_values.as_deref()?.name.as_ref()
    }

    /// The value of a field as text; `None` if it is missing or not UTF-8. If there are several
    /// sections, the last one.
    pub fn text(self, field: Field) -> Option<&'m str> {
        self.annotation(field)?.as_str()
    }

    /// The value of a field, with its range. If there are several sections, the last one.
    pub fn annotation(self, field: Field) -> Option<&'m Value<'m>> {
        find(&self.data().annotations, field)
    }

    /// The value of the first section of a field, which some readers use instead of the last.
    pub fn first_annotation(self, field: Field) -> Option<&'m Value<'m>> {
        if self.section_count(field) < 2 {
            return self.annotation(field);
        }
        find(&self.data().first_values.as_deref()?.annotations, field)
    }

    /// Number of sections of a field. More than one is a finding.
    pub fn section_count(self, field: Field) -> u64 {
        self.sections_named(field.section())
    }

    /// Number of custom sections with this name, decoded or not; 0 for names that no convention
    /// defines.
    pub fn sections_named(self, name: &str) -> u64 {
        self.data().sizes.sections_of(name)
    }

    /// The fields that are present, in the order of [`Field::ALL`].
    pub fn annotations(self) -> impl Iterator<Item = (Field, &'m Value<'m>)> {
        self.data().annotations.iter().map(|(field, value)| (*field, value))
    }

    /// Languages, tools and SDKs of the `producers` sections.
    pub fn producers(self) -> &'m Producers<'m> {
        &self.data().producers
    }

    /// Whether all `producers` sections could be read to their ends.
    pub fn has_all_producers(self) -> bool {
        let producers = self.producers();
        producers.ranges().count() as u64 == self.sections_named("producers") && producers.is_complete()
    }

    /// Packages of the `.dep-v0` section. If there are several, the last one.
    pub fn dependencies(self) -> Option<&'m Dependencies<'m>> {
        self.data().dependencies.as_deref()
    }

    /// JSON of the deprecated `registry-metadata` section, as written. If there are several, the
    /// last one.
    pub fn registry_metadata(self) -> Option<&'m Value<'m>> {
        self.data().registry_metadata.as_ref()
    }

    /// Links to separate debug information (`build_id`, `sourceMappingURL`, `external_debug_info`):
    /// section name and value, in input order.
    pub fn debug_links(self) -> impl Iterator<Item = (&'static str, &'m Value<'m>)> {
        self.data().debug_links.iter().map(|(section, value)| (*section, value))
    }

    /// Number and total size of the item's own sections by kind, ordered by first occurrence.
    pub fn section_sizes(self) -> impl Iterator<Item = SectionSize> {
        self.data().sizes.iter(self.kind())
    }
}

/// Compares the data of the items: kind, position in the tree, offsets and values.
impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.data() == other.data()
    }
}

impl Eq for Item<'_> {}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.data().fmt(f)
    }
}

/// Iterator over the items of a tree, in input order.
#[derive(Clone, Debug)]
pub struct Items<'m> {
    items: &'m [ItemData<'m>],
    positions: Range<usize>,
}

impl<'m> Items<'m> {
    pub(super) fn new(items: &'m [ItemData<'m>]) -> Self {
        Self { items, positions: 0..items.len() }
    }
}

impl<'m> Iterator for Items<'m> {
    type Item = Item<'m>;

    fn next(&mut self) -> Option<Item<'m>> {
        self.positions.next().map(|position| Item::new(self.items, position))
    }

    fn nth(&mut self, n: usize) -> Option<Item<'m>> {
        self.positions.nth(n).map(|position| Item::new(self.items, position))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.positions.size_hint()
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.positions.next_back().map(|position| Item::new(self.items, position))
    }
}

impl ExactSizeIterator for Items<'_> {}

impl std::iter::FusedIterator for Items<'_> {}

impl ItemData<'_> {
    pub(super) fn into_owned(self) -> ItemData<'static> {
        ItemData {
            kind: self.kind,
            parent: self.parent,
            index: self.index,
            depth: self.depth,
            children: self.children,
            start: self.start,
            end: self.end,
            complete: self.complete,
            name: self.name.map(Value::into_owned),
            annotations: owned(self.annotations),
            first_values: self.first_values.map(|first_values| {
                Box::new(FirstValues {
                    name: first_values.name.map(Value::into_owned),
                    annotations: owned(first_values.annotations),
                })
            }),
            producers: self.producers.into_owned(),
            dependencies: self.dependencies.map(|dependencies| dependencies.into_owned().into()),
            registry_metadata: self.registry_metadata.map(Value::into_owned),
            debug_links: owned(self.debug_links),
            sizes: self.sizes,
        }
    }
}

/// Returns the path of the item at this position.
pub(super) fn path(items: &[ItemData<'_>], position: usize) -> ItemPath {
    let mut indexes = SmallVec::<[u32; 8]>::new();
    let mut item = &items[position];
    while let Some(parent) = item.parent.and_then(|parent| items.get(parent as usize)) {
        indexes.push(item.index);
        item = parent;
    }
    indexes.into_iter().rev().collect()
}

fn find<'m>(values: &'m [(Field, Value<'m>)], field: Field) -> Option<&'m Value<'m>> {
    values.iter().find(|(found, _)| *found == field).map(|(_, value)| value)
}

fn owned<K>(values: Vec<(K, Value<'_>)>) -> Vec<(K, Value<'static>)> {
    values.into_iter().map(|(key, value)| (key, value.into_owned())).collect()
}
