//! Items and their packages.

use std::borrow::Cow;

use sectile::inventory::{self, Confidence, Ecosystem, Evidence, ListKind};
use sectile::metadata::{self, Field, Item};
use sectile::scan::{ItemKind, ItemPath};

use crate::purl::{found_purl, purl};

/// An item of a tree and the packages it was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemPackages<'a> {
    /// Number of the item in file order: 0 for the root, unique in a document.
    pub number: usize,
    /// Number of the enclosing item; `None` for the root, and for items in it.
    pub parent: Option<usize>,
    /// Path of the item as a text, empty for the root.
    pub path: Cow<'a, str>,
    /// Whether the item is a module or a component; `None` if nothing was read.
    pub kind: Option<ItemKind>,
    /// The item's own name, if it has one that is not empty.
    pub name: Option<Cow<'a, str>>,
    /// The item's annotations.
    pub annotations: Vec<(Field, Cow<'a, str>)>,
    /// The packages; `None` if the item has no list of them.
    pub packages: Option<Vec<Package<'a>>>,
    /// Whether the list is known to lack packages.
    pub incomplete: bool,
}

impl<'a> ItemPackages<'a> {
    /// An item without a name, annotations and a list of packages.
    pub fn new(number: usize, path: impl Into<Cow<'a, str>>, kind: impl Into<Option<ItemKind>>) -> Self {
        Self {
            number,
            parent: None,
            path: path.into(),
            kind: kind.into(),
            name: None,
            annotations: Vec::new(),
            packages: None,
            incomplete: false,
        }
    }

    /// An item of a binary's metadata, with the packages of its `.dep-v0` section.
    pub fn from_item(item: Item<'a>) -> Self {
        let packages = item.dependencies().map(|found| found.packages().iter().map(Package::from_declared).collect());
        let name = item.name().and_then(|name| name.as_str()).filter(|name| !name.is_empty());
        let texts = item.annotations().filter_map(|(field, value)| Some((field, Cow::Borrowed(value.as_str()?))));
        Self {
            parent: item.parent().map(Item::number),
            name: name.map(Cow::Borrowed),
            annotations: texts.collect(),
            packages,
            ..Self::new(item.number(), short_path(&item.path()), item.kind())
        }
    }

    /// The value of an annotation.
    pub fn annotation(&self, field: Field) -> Option<&str> {
        self.annotations.iter().find(|(found, _)| *found == field).map(|(_, text)| &**text)
    }

    pub(crate) fn packages(&self) -> &[Package<'a>] {
        self.packages.as_deref().unwrap_or_default()
    }

    /// Whether packages were recovered from data, so that others may be missing. The compiler and
    /// the dependencies of the standard library do not count in an item that declares a list.
    pub(crate) fn has_recovered(&self) -> bool {
        let has_declared = self.packages().iter().any(|package| package.found.is_none());
        self.packages().iter().filter_map(|package| package.found).any(|found| {
            let is_of_toolchain = matches!(found.evidence, Evidence::RustcPath | Evidence::StdPath);
            found.evidence.list() == ListKind::Recovered && !(has_declared && is_of_toolchain)
        })
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
    pub found: Option<FoundPackage>,
}

/// How a package was found in the data of a binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundPackage {
    /// The ecosystem that the name belongs to.
    pub ecosystem: Ecosystem,
    /// How it was found.
    pub evidence: Evidence,
    /// How reliable the evidence is.
    pub confidence: Confidence,
    /// Absolute byte offset of the first evidence.
    pub offset: u64,
}

impl FoundPackage {
    /// A package that was found at this offset.
    pub fn new(ecosystem: Ecosystem, evidence: Evidence, confidence: Confidence, offset: u64) -> Self {
        Self { ecosystem, evidence, confidence, offset }
    }
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
        let found = FoundPackage::new(package.ecosystem, package.evidence, package.confidence, package.offset);
        Self::new(&package.name, &package.version).with_found(&package.source, found)
    }

    /// Sets the source, how the package was found in data, and the package URL that follows.
    #[must_use]
    pub fn with_found(self, source: impl Into<Cow<'a, str>>, found: FoundPackage) -> Self {
        let source = source.into();
        let purl = found_purl(&self.name, &self.version, &source, found.ecosystem).map(Cow::Owned);
        Self { source, purl, found: Some(found), ..self }
    }

    /// How the package is known.
    pub(crate) fn evidence(&self) -> Evidence {
        self.found.map_or(Evidence::DepV0, |found| found.evidence)
    }

    /// How sure it is that the item contains the package, from 0 to 1.
    pub(crate) fn certainty(&self) -> &'static str {
        match (self.evidence().list(), self.found.map(|found| found.confidence)) {
            (ListKind::Declared | ListKind::Embedded, _) => "1",
            (ListKind::Recovered, Some(Confidence::High)) => "0.9",
            (ListKind::Recovered, _) => "0.6",
        }
    }
}

/// A path with its middle omitted if it is very long. In a deep tree, full paths would be most of
/// the document.
pub(crate) fn short_path(path: &ItemPath) -> String {
    const MAX_DEPTH: usize = 16;
    match path.indexes() {
        [first, .., before, last] if path.indexes().len() > MAX_DEPTH => format!("{first}/…/{before}/{last}"),
        _ => path.to_string(),
    }
}
