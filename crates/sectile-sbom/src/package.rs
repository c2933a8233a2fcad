//! The data of an SBOM: items and their packages.

use std::borrow::Cow;

use sectile::inventory;
use sectile::metadata::{self, Field, Item};
use sectile::scan::{ItemKind, ItemPath};

use crate::purl::{found_purl, purl};

/// An item of a tree and the packages it was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemPackages<'a> {
    /// Number of the item in file order: 0 for the root, unique in a document.
    pub number: usize,
    /// Path of the item as a text, empty for the root.
    pub path: Cow<'a, str>,
    /// Whether the item is a module or a component.
    pub kind: ItemKind,
    /// The item's own name, if it has one that is not empty.
    pub name: Option<Cow<'a, str>>,
    /// The item's version.
    pub version: Option<Cow<'a, str>>,
    /// The packages; `None` if the item has no list of them.
    pub packages: Option<Vec<Package<'a>>>,
}

impl<'a> ItemPackages<'a> {
    /// An item without a name, a version and a list of packages.
    pub fn new(number: usize, path: impl Into<Cow<'a, str>>, kind: ItemKind) -> Self {
        Self { number, path: path.into(), kind, name: None, version: None, packages: None }
    }

    /// An item of a binary's metadata, with the packages of its `.dep-v0` section.
    pub fn from_item(item: Item<'a>) -> Self {
        let packages = item.dependencies().map(|found| found.packages().iter().map(Package::from_declared).collect());
        let name = item.name().and_then(|name| name.as_str()).filter(|name| !name.is_empty());
        let version = item.annotation(Field::Version).and_then(|version| version.as_str());
        Self {
            name: name.map(Cow::Borrowed),
            version: version.map(Cow::Borrowed),
            packages,
            ..Self::new(item.number(), short_path(&item.path()), item.kind())
        }
    }

    pub(crate) fn packages(&self) -> &[Package<'a>] {
        self.packages.as_deref().unwrap_or_default()
    }
}

/// A package that an item was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package<'a> {
    /// Name of the package.
    pub name: Cow<'a, str>,
    /// Version of the package; may be empty.
    pub version: Cow<'a, str>,
    /// Source of the package, such as `crates.io`; empty if unknown.
    pub source: Cow<'a, str>,
    /// Package URL, if it has one.
    pub purl: Option<Cow<'a, str>>,
    /// Whether it is only a build dependency, not part of the item.
    pub build: bool,
    /// Whether it is the root package, which produces the item.
    pub root: bool,
    /// Indexes of its dependencies in the same list.
    pub dependencies: Cow<'a, [usize]>,
    /// How it was found, unless a list declares it.
    pub found: Option<&'a inventory::Package>,
}

impl<'a> Package<'a> {
    /// A package that is a part of the item and has no dependencies.
    pub fn new(name: impl Into<Cow<'a, str>>, version: impl Into<Cow<'a, str>>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            source: Cow::Borrowed(""),
            purl: None,
            build: false,
            root: false,
            dependencies: Cow::Borrowed(&[]),
            found: None,
        }
    }

    /// A package of a `.dep-v0` section.
    pub fn from_declared(package: &'a metadata::Package) -> Self {
        Self {
            source: Cow::Borrowed(&package.source),
            purl: purl(package).map(Cow::Owned),
            build: package.build,
            root: package.root,
            dependencies: Cow::Borrowed(&package.dependencies),
            ..Self::new(&package.name, &package.version)
        }
    }

    /// A package that the data of a binary names.
    pub fn from_found(package: &'a inventory::Package) -> Self {
        Self {
            source: Cow::Borrowed(&package.source),
            purl: found_purl(package).map(Cow::Owned),
            found: Some(package),
            ..Self::new(&package.name, &package.version)
        }
    }
}

/// A path with its middle omitted if it is very long. In a deep tree, full paths would be most of
/// the document.
fn short_path(path: &ItemPath) -> String {
    const MAX_DEPTH: usize = 16;
    match path.indexes() {
        [first, .., before, last] if path.indexes().len() > MAX_DEPTH => format!("{first}/…/{before}/{last}"),
        _ => path.to_string(),
    }
}
