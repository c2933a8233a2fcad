//! Items: what one module or component says of itself.

use std::fmt;
use std::ops::Range;

use smallvec::SmallVec;

use super::section_sizes::{SectionSize, SectionSizes};
use super::{Dependencies, Field, Producers, Value};
use crate::scan::{ItemKind, ItemPath};

/// Metadata of one module or component: a view into [`Metadata`](super::Metadata), cheap to copy.
#[derive(Clone, Copy)]
pub struct Item<'m> {
    items: &'m [ItemData<'m>],
    place: usize,
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
    pub(super) whole: bool,
    pub(super) name: Option<Value<'a>>,
    pub(super) annotations: Vec<(Field, Value<'a>)>,
    /// Boxed, since few items have any.
    pub(super) firsts: Option<Box<Firsts<'a>>>,
    pub(super) producers: Producers<'a>,
    /// Boxed, since it is large and most items have none.
    pub(super) dependencies: Option<Box<Dependencies<'a>>>,
    pub(super) registry_metadata: Option<Value<'a>>,
    pub(super) debug_links: Vec<(&'static str, Value<'a>)>,
    pub(super) shares: SectionSizes,
}

/// The first of each value that occurs more than once and should not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Firsts<'a> {
    pub(super) name: Option<Value<'a>>,
    pub(super) annotations: Vec<(Field, Value<'a>)>,
}

impl ItemData<'_> {
    /// An item without values and without an end.
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
            whole: false,
            name: None,
            annotations: Vec::new(),
            firsts: None,
            producers: Producers::default(),
            dependencies: None,
            registry_metadata: None,
            debug_links: Vec::new(),
            shares: SectionSizes::default(),
        }
    }
}

impl<'m> Item<'m> {
    pub(super) fn new(items: &'m [ItemData<'m>], place: usize) -> Self {
        Self { items, place }
    }

    pub(super) fn find(items: &'m [ItemData<'m>], path: &ItemPath) -> Option<Self> {
        let mut place = 0;
        for &index in path.indexes() {
            let is_child = |item: &ItemData<'_>| item.parent == Some(place as u32) && item.index == index;
            place += 1 + items[place + 1..].iter().position(is_child)?;
        }
        Some(Self { items, place })
    }

    fn data(self) -> &'m ItemData<'m> {
        &self.items[self.place]
    }

    /// Child indexes from the root to the item. Takes time linear in the depth.
    pub fn path(self) -> ItemPath {
        path(self.items, self.place)
    }

    /// Module or component.
    pub fn kind(self) -> ItemKind {
        self.data().kind
    }

    /// Position in [`Metadata::items`](super::Metadata::items); the root is 0.
    pub fn number(self) -> usize {
        self.place
    }

    /// The enclosing item; `None` for the root.
    pub fn parent(self) -> Option<Item<'m>> {
        self.data().parent.map(|parent| Self { items: self.items, place: parent as usize })
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

    /// Absolute byte range from the preamble to the end; `None` for a root whose end was not reached.
    pub fn range(self) -> Option<Range<u64>> {
        self.end().map(|end| self.start()..end)
    }

    /// Whether the item was read to its end.
    pub fn is_complete(self) -> bool {
        self.data().whole
    }

    /// The item's name: subsection 0 of the `name` or `component-name` section. The last of several.
    pub fn name(self) -> Option<&'m Value<'m>> {
        self.data().name.as_ref()
    }

    /// The first name of several, which some readers take instead of the last.
    pub fn first_name(self) -> Option<&'m Value<'m>> {
        self.earlier_name().or(self.name())
    }

    /// Whether there is more than one name.
    pub fn has_several_names(self) -> bool {
        self.earlier_name().is_some()
    }

    fn earlier_name(self) -> Option<&'m Value<'m>> {
        self.data().firsts.as_deref()?.name.as_ref()
    }

    /// The value of a field as text; `None` if there is no value or it is not UTF-8. The last of several sections.
    pub fn text(self, field: Field) -> Option<&'m str> {
        self.annotation(field)?.as_str()
    }

    /// The value of a field, with its range. The last of several sections.
    pub fn annotation(self, field: Field) -> Option<&'m Value<'m>> {
        find(&self.data().annotations, field)
    }

    /// The value of the first section of a field, which some readers take instead of the last.
    pub fn first_annotation(self, field: Field) -> Option<&'m Value<'m>> {
        if self.section_count(field) < 2 {
            return self.annotation(field);
        }
        find(&self.data().firsts.as_deref()?.annotations, field)
    }

    /// Number of sections of a field. More than one is a finding.
    pub fn section_count(self, field: Field) -> u64 {
        self.sections_named(field.section())
    }

    /// Number of custom sections of this name, decoded or not; 0 for names that no convention defines.
    pub fn sections_named(self, name: &str) -> u64 {
        self.data().shares.sections_of(name)
    }

    /// The fields that are present, in the order of the table.
    pub fn annotations(self) -> impl Iterator<Item = (Field, &'m Value<'m>)> {
        self.data().annotations.iter().map(|(field, value)| (*field, value))
    }

    /// Languages, tools and SDKs of the `producers` sections.
    pub fn producers(self) -> &'m Producers<'m> {
        &self.data().producers
    }

    /// Packages of the `.dep-v0` section. The last of several.
    pub fn dependencies(self) -> Option<&'m Dependencies<'m>> {
        self.data().dependencies.as_deref()
    }

    /// JSON of the retired `registry-metadata` section, as written. The last of several.
    pub fn registry_metadata(self) -> Option<&'m Value<'m>> {
        self.data().registry_metadata.as_ref()
    }

    /// Links to separate debug information (`build_id`, `sourceMappingURL`, `external_debug_info`): section name and
    /// value, in the order of the input.
    pub fn debug_links(self) -> impl Iterator<Item = (&'static str, &'m Value<'m>)> {
        self.data().debug_links.iter().map(|(section, value)| (*section, value))
    }

    /// Number and total size of the item's own sections of each kind, in the order of the first of each.
    pub fn section_sizes(self) -> impl Iterator<Item = SectionSize> {
        self.data().shares.iter(self.kind())
    }
}

/// Compares what the items say, wherever they are in their trees.
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

/// Iterator over the items of a tree, in the order of the input.
#[derive(Clone, Debug)]
pub struct Items<'m> {
    items: &'m [ItemData<'m>],
    places: Range<usize>,
}

impl<'m> Items<'m> {
    pub(super) fn new(items: &'m [ItemData<'m>]) -> Self {
        Self { items, places: 0..items.len() }
    }
}

impl<'m> Iterator for Items<'m> {
    type Item = Item<'m>;

    fn next(&mut self) -> Option<Item<'m>> {
        self.places.next().map(|place| Item::new(self.items, place))
    }

    fn nth(&mut self, n: usize) -> Option<Item<'m>> {
        self.places.nth(n).map(|place| Item::new(self.items, place))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.places.next_back().map(|place| Item::new(self.items, place))
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

/// The path of the item at this place.
pub(super) fn path(items: &[ItemData<'_>], place: usize) -> ItemPath {
    let mut indexes = SmallVec::<[u32; 8]>::new();
    let mut item = &items[place];
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
