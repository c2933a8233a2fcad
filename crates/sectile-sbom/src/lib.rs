//! SBOMs of the packages in WebAssembly binaries, as `CycloneDX` 1.6 and 1.7 and SPDX 2.3 in JSON.
//!
//! A document contains the items of a binary and the packages of all `.dep-v0` sections in the tree,
//! and those that an [`Inventory`] names. The same input gives the same bytes: a document has no serial
//! number, and a timestamp only if one is given.
//!
//! | `CycloneDX` | SPDX | content |
//! | --- | --- | --- |
//! | `metadata.component` | the package that the document describes | the root item: its name (or the given name), annotations and digest |
//! | `metadata.component.components` | packages | the nested items |
//! | `components` | packages | every package of every list |
//! | `dependencies` | `CONTAINS`, `DEPENDS_ON`, `BUILD_DEPENDENCY_OF` | for an item its direct children and its root package; for a package its dependencies |
//! | `vulnerabilities` | external references | the given [vulnerabilities](Vulnerability), if there are any |
//! | `compositions` | `CONTAINS` `NOASSERTION` unless complete | for each item, `complete` for a declared or embedded list, `unknown` without a list; `incomplete` if a list or the input cannot be read, or packages were recovered from data |
//!
//! The `bom-ref` of an item is `item:` and the number of the item in file order, 0 for the root.
//! The `bom-ref` of a package appends `#` and the index of the package in the item's list. In SPDX,
//! they are `SPDXRef-item-0` and `SPDXRef-item-0-1`. Packages of different items are never merged, even
//! if they have the same name and version. One item may be replaced without the other.
//!
//! An [`SbomCollection`] is a document of several binaries. Its subject is the store of them, and its
//! identifiers have the number of the binary as their prefix.
//!
//! ```
//! use sectile_sbom::{Sbom, SbomFormat};
//!
//! let metadata = sectile::read_slice(b"\0asm\x01\0\0\0")?;
//! let sbom = Sbom::from_metadata(&metadata).with_name("app.wasm");
//! assert_eq!(sbom.packages().count(), 0);
//! let mut document = Vec::new();
//! sbom.write(SbomFormat::CycloneDx16, &mut document).expect("memory can be written");
//! assert!(document.starts_with(br#"{"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX""#));
//! # Ok::<(), sectile::Error>(())
//! ```
//!
//! Packages from another source than `.dep-v0` are plain data:
//!
//! ```
//! use sectile::scan::ItemKind;
//! use sectile_sbom::{ItemPackages, Package, Sbom};
//!
//! let mut package = Package::new("golang.org/x/text", "v0.14.0");
//! package.purl = Some("pkg:golang/golang.org/x/text@v0.14.0".into());
//! let mut root = ItemPackages::new(0, "", ItemKind::Module);
//! root.packages = Some(vec![package]);
//! let sbom = Sbom::new(root, [])?;
//! assert_eq!(sbom.packages().count(), 1);
//! # Ok::<(), sectile_sbom::SbomError>(())
//! ```
//!
//! Source: the `CycloneDX` JSON schemas, the SPDX specification 2.3, cargo-auditable's `PARSING.md`, and
//! the package URL specification.

mod collection;
mod cyclonedx;
mod document;
mod elements;
mod error;
mod format;
mod license;
mod package;
mod part;
mod purl;
mod reference;
mod spdx;
mod vulnerability;

use std::borrow::Cow;
use std::collections::HashSet;

use sectile::digest::Digest;
use sectile::internal::value_error;
use sectile::inventory::Inventory;
use sectile::metadata::{Field, Metadata, ValueError};
use sectile::scan::ItemPath;
use sectile::{Finding, FindingCode};

use self::part::Completeness;

pub use self::collection::SbomCollection;
pub use self::error::SbomError;
pub use self::format::SbomFormat;
pub use self::package::{FoundPackage, ItemPackages, Package};
pub use self::purl::purl;
pub use self::vulnerability::{Vulnerability, VulnerabilityAnalysis};

/// The section that is read.
const SECTION: &str = ".dep-v0";

/// An SBOM of the packages in a tree.
#[derive(Clone, Debug)]
pub struct Sbom<'a> {
    root: ItemPackages<'a>,
    nested: Vec<ItemPackages<'a>>,
    findings: Vec<&'a Finding>,
    complete_input: bool,
    name: Option<&'a str>,
    file: Option<&'a str>,
    digest: Option<Digest>,
    created: Option<&'a str>,
    vulnerabilities: Vec<Vulnerability<'a>>,
}

impl<'a> Sbom<'a> {
    /// Creates the SBOM of the packages of a root item and of its nested items.
    ///
    /// # Errors
    ///
    /// Two items have the same number, an item comes before the item that encloses it, or a package
    /// depends on one that is not in its list.
    pub fn new(root: ItemPackages<'a>, nested: impl IntoIterator<Item = ItemPackages<'a>>) -> Result<Self, SbomError> {
        let sbom = Self::unchecked(root, nested.into_iter().collect());
        let mut numbers = HashSet::new();
        for item in sbom.items() {
            if let Some(parent) = item.parent.filter(|parent| !numbers.contains(parent)) {
                return Err(SbomError::MissingParent { item: item.number, parent });
            }
            if !numbers.insert(item.number) {
                return Err(SbomError::DuplicateItem(item.number));
            }
            for (index, package) in item.packages().iter().enumerate() {
                if let Some(&dependency) = package.dependencies.iter().find(|&&on| on >= item.packages().len()) {
                    return Err(SbomError::MissingPackage { item: item.number, package: index, dependency });
                }
            }
        }
        Ok(sbom)
    }

    /// Creates the SBOM of the packages in the `.dep-v0` sections of a completely read input. For a
    /// truncated input, also call [`incomplete`](Self::incomplete).
    pub fn from_metadata(metadata: &'a Metadata<'_>) -> Self {
        let nested = metadata.items().skip(1).map(ItemPackages::from_item);
        // The decoder has checked the indexes, and the items are numbered.
        let sbom = Self::unchecked(ItemPackages::from_item(metadata.root()), nested.collect());
        sbom.with_findings(metadata, metadata.findings())
    }

    fn unchecked(root: ItemPackages<'a>, nested: Vec<ItemPackages<'a>>) -> Self {
        Self {
            root,
            nested,
            findings: Vec::new(),
            complete_input: true,
            name: None,
            file: None,
            digest: None,
            created: None,
            vulnerabilities: Vec::new(),
        }
    }

    /// Marks the items that these findings are about as incomplete, if their lists lack packages.
    /// [`from_metadata`](Self::from_metadata) does so for the findings of the metadata.
    #[must_use]
    pub fn with_findings(mut self, metadata: &Metadata<'_>, findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        for finding in findings {
            let is_gap = matches!(
                finding.code(),
                FindingCode::MalformedDependencies | FindingCode::TooLarge | FindingCode::DuplicateSection
            );
            if is_gap && finding.section() == Some(SECTION) {
                self.findings.push(finding);
                self.mark_incomplete(metadata, finding);
            }
        }
        self
    }

    /// Adds the packages that the data of the same input names. A list with recovered packages is
    /// marked as incomplete in the document.
    #[must_use]
    pub fn with_inventory(self, metadata: &'a Metadata<'_>, inventory: &'a Inventory) -> Self {
        let found = inventory.packages().iter().map(|package| (package.item, Package::from_found(package)));
        let mut sbom = self.with_found(found);
        for finding in inventory.findings() {
            if matches!(finding.code(), FindingCode::MalformedInventory | FindingCode::TooLarge) {
                sbom.mark_incomplete(metadata, finding);
            }
        }
        sbom
    }

    fn mark_incomplete(&mut self, metadata: &Metadata<'_>, finding: &Finding) {
        match metadata.item(finding.path()).and_then(|item| self.item_mut(item.number())) {
            Some(item) => item.incomplete = true,
            None => self.complete_input = false,
        }
    }

    /// Adds packages that data names: each with the number of its item. Packages of other items are
    /// ignored.
    #[must_use]
    pub fn with_found(mut self, packages: impl IntoIterator<Item = (usize, Package<'a>)>) -> Self {
        for (number, package) in packages {
            if let Some(item) = self.item_mut(number) {
                item.packages.get_or_insert_default().push(package);
            }
        }
        self
    }

    fn item_mut(&mut self, number: usize) -> Option<&mut ItemPackages<'a>> {
        if number == self.root.number {
            return Some(&mut self.root);
        }
        let position = self.nested.binary_search_by_key(&number, |item| item.number).ok()?;
        Some(&mut self.nested[position])
    }

    /// Marks the document as incomplete, for an input that was not read to its end.
    #[must_use]
    pub fn incomplete(self) -> Self {
        Self { complete_input: false, ..self }
    }

    /// Sets the name of an input whose root item has no name, such as the file name. The default is
    /// `module` or `component`.
    #[must_use]
    pub fn with_name(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the location of the input, such as the name of a row of an audit.
    #[must_use]
    pub fn with_file(self, file: &'a str) -> Self {
        Self { file: Some(file), ..self }
    }

    /// Sets the digest of all bytes of the input.
    #[must_use]
    pub fn with_digest(self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self }
    }

    /// Sets the timestamp of the document. The library does not read the clock: without this one, a
    /// `CycloneDX` document has none, and an SPDX document that of the root item's `created` annotation, or
    /// otherwise 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// The text is not an RFC 3339 date-time with `T` and `Z` in upper case.
    pub fn with_created(self, time: &'a str) -> Result<Self, ValueError> {
        let error = Field::Created.check(time).into_iter().next();
        // A `created` section may contain these, but not a `date-time` of the schema.
        let is_strict = !time.contains([' ', 't', 'z']);
        match error {
            Some(error) => Err(error),
            None if is_strict => Ok(Self { created: Some(time), ..self }),
            None => Err(value_error(
                FindingCode::NotRfc3339,
                format!("`{time}` must have `T` before the time, and `Z` in upper case"),
            )),
        }
    }

    /// Adds vulnerabilities of the packages. Packages that are not in the document are ignored.
    #[must_use]
    pub fn with_vulnerabilities(mut self, vulnerabilities: impl IntoIterator<Item = Vulnerability<'a>>) -> Self {
        self.vulnerabilities.extend(vulnerabilities);
        self
    }

    /// The packages with their items, in the order of the document.
    pub fn packages(&self) -> impl Iterator<Item = (&ItemPackages<'a>, &Package<'a>)> {
        self.items().flat_map(|item| item.packages().iter().map(move |package| (item, package)))
    }

    /// Whether any item has a list of packages.
    pub fn has_lists(&self) -> bool {
        self.items().any(|item| item.packages.is_some()) || !self.findings.is_empty()
    }

    /// Whether the input and all its lists were read completely. Otherwise, the document is marked
    /// as incomplete.
    pub fn is_complete(&self) -> bool {
        self.complete_input && self.findings.is_empty()
    }

    /// Findings about lists that are missing or partial.
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().copied()
    }

    /// Whether packages were recovered from data, so that others may be missing. The compiler and
    /// the dependencies of the standard library do not count in an item that declares a list.
    pub fn has_recovered(&self) -> bool {
        self.items().any(ItemPackages::has_recovered)
    }

    /// The number of the item at a path.
    pub fn item_number(&self, path: &ItemPath) -> Option<usize> {
        let path = package::short_path(path);
        self.items().find(|item| item.path == path).map(|item| item.number)
    }

    /// The item with a number.
    fn item(&self, number: usize) -> Option<&ItemPackages<'a>> {
        self.items().find(|item| item.number == number)
    }

    /// All items, the root first.
    fn items(&self) -> impl Iterator<Item = &ItemPackages<'a>> {
        [&self.root].into_iter().chain(&self.nested)
    }

    fn completeness(&self, item: &ItemPackages<'_>) -> Completeness {
        if !self.complete_input || item.incomplete || item.has_recovered() {
            Completeness::Incomplete
        } else if item.packages.is_none() {
            Completeness::Unknown
        } else {
            Completeness::Complete
        }
    }

    /// The name of the root item.
    fn root_name(&self) -> &str {
        let kind = self.root.kind.map_or("binary", sectile::scan::ItemKind::name);
        self.root.name.as_deref().or(self.name).unwrap_or(kind)
    }
}

impl ItemPackages<'_> {
    /// The name of a nested item, or its kind and its path.
    fn shown_name(&self) -> Cow<'_, str> {
        match (&self.name, self.kind) {
            (Some(name), _) => Cow::Borrowed(name),
            (None, Some(kind)) => Cow::Owned(format!("{kind} {}", self.path)),
            (None, None) => Cow::Borrowed(&self.path),
        }
    }

    /// The value of an annotation that is a valid address. Validators of both formats refuse IPv6 addresses
    /// in brackets.
    fn link(&self, field: Field) -> Option<&str> {
        let is_accepted = |url: &&str| url.is_ascii() && !url.contains('[') && field.check(url).is_empty();
        self.annotation(field).filter(is_accepted)
    }
}
