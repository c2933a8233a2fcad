//! Which items of a tree a rule is about.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::RuleError;
use crate::escape::quoted;
use crate::metadata::{Item, Metadata};
use crate::scan::{ItemKind, Path};

/// Which items of a tree a rule is about: groups of them, and some by their paths.
///
/// ```
/// use sectile::policy::Items;
///
/// let items: Items = "components".parse::<Items>()?.and("3/0".parse()?);
/// # assert_eq!(items, "3/0".parse::<Items>()?.and("components".parse()?));
/// assert!("nonsense".parse::<Items>().is_err());
/// # Ok::<(), sectile::policy::RuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    groups: BTreeSet<Group>,
    paths: BTreeSet<Path>,
    /// How deep those lie that are named by their paths.
    depths: BTreeSet<usize>,
}

/// A group of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// The outermost item.
    Root,
    /// Every item but the outermost.
    Nested,
    /// Every core module.
    Modules,
    /// Every component.
    Components,
    /// Every item.
    All,
}

impl Group {
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

    fn has(self, kind: ItemKind, is_root: bool) -> bool {
        match self {
            Self::Root => is_root,
            Self::Nested => !is_root,
            Self::Modules => kind == ItemKind::Module,
            Self::Components => kind == ItemKind::Component,
            Self::All => true,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Items {
    /// The outermost item.
    pub fn root() -> Self {
        Group::Root.into()
    }

    /// Every item.
    pub fn all() -> Self {
        Group::All.into()
    }

    /// These, and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.groups.extend(others.groups);
        self.paths.extend(others.paths);
        self.depths.extend(others.depths);
        self
    }

    /// Those of a tree that are meant, with their numbers.
    pub(super) fn of<'m, 'a>(&'m self, metadata: &'m Metadata<'a>) -> impl Iterator<Item = (u32, &'m Item<'a>)> {
        let is_meant = |item: &Item<'a>| self.has(item.kind(), item.depth() as usize, || metadata.path(item));
        (0..).zip(metadata.items()).filter(move |(_, item)| is_meant(item))
    }

    /// The paths at which a tree has no item, of those that are named.
    pub(super) fn absent(&self, metadata: &Metadata<'_>) -> BTreeSet<&Path> {
        let mut absent: BTreeSet<&Path> = self.paths.iter().collect();
        for item in metadata.items().iter().filter(|_| !self.paths.is_empty()) {
            if let Some(path) = self.named(item.depth() as usize, || metadata.path(item)) {
                absent.remove(&path);
            }
        }
        absent
    }

    /// Whether an item is meant: of this kind, so deep below the root, at this path.
    pub(super) fn has(&self, kind: ItemKind, depth: usize, path: impl FnOnce() -> Path) -> bool {
        self.groups.iter().any(|group| group.has(kind, depth == 0)) || self.named(depth, path).is_some()
    }

    /// The path of an item, so deep below the root, if it is named by it.
    fn named(&self, depth: usize, path: impl FnOnce() -> Path) -> Option<Path> {
        self.depths.contains(&depth).then(path).filter(|path| self.paths.contains(path))
    }
}

impl From<Group> for Items {
    fn from(group: Group) -> Self {
        Self { groups: BTreeSet::from([group]), ..Self::default() }
    }
}

impl From<Path> for Items {
    fn from(path: Path) -> Self {
        let depths = BTreeSet::from([path.indexes().len()]);
        Self { groups: BTreeSet::new(), paths: BTreeSet::from([path]), depths }
    }
}

/// The name of a group, or the path of one item.
impl FromStr for Items {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        if let Some(group) = Group::ALL.into_iter().find(|group| group.name() == text) {
            return Ok(group.into());
        }
        match text.parse::<Path>() {
            Ok(path) if !path.is_root() => Ok(path.into()),
            _ => {
                let groups = Group::ALL.map(Group::name).join(", ");
                Err(RuleError::new(format!(
                    "{} names no item: {groups}, or the path of one, such as 3/0, do",
                    quoted(text)
                )))
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
        let has = |items: &str, kind, path: &str| {
            let path: Path = path.parse().unwrap();
            items.parse::<Items>().unwrap().has(kind, path.indexes().len(), || path)
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
            assert_eq!(has(items, kind, path), expected, "{items} {path}");
        }
        for text in ["", "Root", "3/", "module"] {
            assert!(text.parse::<Items>().is_err(), "{text}");
        }
    }
}
