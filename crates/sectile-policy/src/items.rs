//! The items that a rule applies to.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::RuleError;
use super::suggestion::hint;
use sectile::internal::quoted;
use sectile::metadata::{Item, Metadata};
use sectile::scan::{ItemKind, ItemPath};

/// The items of a tree that a rule applies to: groups of items, and single items by their paths.
///
/// ```
/// use sectile_policy::Items;
///
/// let items: Items = "components".parse::<Items>()?.and("3/0".parse()?);
/// # assert_eq!(items, "3/0".parse::<Items>()?.and("components".parse()?));
/// assert!("nonsense".parse::<Items>().is_err());
/// # Ok::<(), sectile_policy::RuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    groups: BTreeSet<ItemGroup>,
    paths: BTreeSet<ItemPath>,
    /// Lengths of the paths: an item at another depth needs no comparison.
    depths: BTreeSet<usize>,
}

/// A group of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ItemGroup {
    /// The root item.
    Root,
    /// Every item but the root.
    Nested,
    /// Every core module.
    Modules,
    /// Every component.
    Components,
    /// Every item.
    All,
}

impl ItemGroup {
    /// All groups.
    pub const ALL: [Self; 5] = [Self::Root, Self::Nested, Self::Modules, Self::Components, Self::All];

    /// `root`, `nested`, `modules`, `components` or `all`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Nested => "nested",
            Self::Modules => "modules",
            Self::Components => "components",
            Self::All => "all",
        }
    }

    fn contains(self, kind: ItemKind, is_root: bool) -> bool {
        match self {
            Self::Root => is_root,
            Self::Nested => !is_root,
            Self::Modules => kind == ItemKind::Module,
            Self::Components => kind == ItemKind::Component,
            Self::All => true,
        }
    }
}

impl fmt::Display for ItemGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Items {
    /// The root item.
    pub fn root() -> Self {
        ItemGroup::Root.into()
    }

    /// Every item.
    pub fn all() -> Self {
        ItemGroup::All.into()
    }

    /// The union of both.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.groups.extend(others.groups);
        self.paths.extend(others.paths);
        self.depths.extend(others.depths);
        self
    }

    /// The selected items of a tree, with their numbers.
    pub(super) fn select<'m>(&'m self, metadata: &'m Metadata<'_>) -> impl Iterator<Item = (u32, Item<'m>)> {
        let is_selected = |item: Item<'m>| self.contains(item.kind(), item.depth() as usize, || item.path());
        (0..).zip(metadata.items()).filter(move |(_, item)| is_selected(*item))
    }

    /// The paths of this set at which a tree has no item.
    pub(super) fn absent(&self, metadata: &Metadata<'_>) -> BTreeSet<&ItemPath> {
        let mut absent: BTreeSet<&ItemPath> = self.paths.iter().collect();
        for item in metadata.items().filter(|_| !self.paths.is_empty()) {
            if let Some(path) = self.named_path(item.depth() as usize, || item.path()) {
                absent.remove(&path);
            }
        }
        absent
    }

    /// Whether the set contains an item of this kind, at this depth below the root and at this
    /// path.
    pub(super) fn contains(&self, kind: ItemKind, depth: usize, path: impl FnOnce() -> ItemPath) -> bool {
        self.groups.iter().any(|group| group.contains(kind, depth == 0)) || self.named_path(depth, path).is_some()
    }

    /// The path of an item at this depth, if the set names it.
    fn named_path(&self, depth: usize, path: impl FnOnce() -> ItemPath) -> Option<ItemPath> {
        self.depths.contains(&depth).then(path).filter(|path| self.paths.contains(path))
    }
}

impl From<ItemGroup> for Items {
    fn from(group: ItemGroup) -> Self {
        Self { groups: BTreeSet::from([group]), ..Self::default() }
    }
}

impl From<ItemPath> for Items {
    fn from(path: ItemPath) -> Self {
        let depths = BTreeSet::from([path.indexes().len()]);
        Self { groups: BTreeSet::new(), paths: BTreeSet::from([path]), depths }
    }
}

/// Parses the name of a group, or the path of an item.
impl FromStr for Items {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        if let Some(group) = ItemGroup::ALL.into_iter().find(|group| group.name() == text) {
            return Ok(group.into());
        }
        match text.parse::<ItemPath>() {
            Ok(path) if !path.is_root() => Ok(path.into()),
            _ => {
                let hint = hint(text, "groups", &ItemGroup::ALL.map(ItemGroup::name), "docs/policy.md");
                let message =
                    format!("{} is not a group of items or the path of an item, such as 3/0{hint}", quoted(text));
                Err(RuleError::new(message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ItemKind::{Component, Module};
    use super::*;

    #[test]
    fn items_are_groups_and_paths() {
        let contains = |items: &str, kind, path: &str| {
            let path: ItemPath = path.parse().unwrap();
            items.parse::<Items>().unwrap().contains(kind, path.indexes().len(), || path)
        };
        for (items, kind, path, expected) in [
            ("root", Component, "", true),
            ("root", Component, "0", false),
            ("nested", Module, "", false),
            ("nested", Module, "3/0", true),
            ("modules", Module, "", true),
            ("modules", Component, "0", false),
            ("components", Component, "0", true),
            ("all", Module, "1", true),
            ("3/0", Module, "3/0", true),
            ("3/0", Module, "3", false),
            ("3/0", Module, "0/3", false),
        ] {
            assert_eq!(contains(items, kind, path), expected, "{items} {path}");
        }
        for text in ["", "Root", "3/", "module"] {
            assert!(text.parse::<Items>().is_err(), "{text}");
        }
    }
}
