//! SBOMs of the dependencies recorded in a binary, as `CycloneDX` 1.6 documents in JSON.
//!
//! The document contains the packages of all `.dep-v0` sections in the tree. It contains no
//! licenses, because the sections have none. It has no serial number, and a timestamp only if one
//! is given. The same input gives the same bytes.
//!
//! | key of the document | content |
//! | --- | --- |
//! | `metadata.component` | the root item: its name (or the given name) and its `version` annotation |
//! | `metadata.component.components` | the nested items that have a list of packages |
//! | `components` | every package of every list |
//! | `dependencies` | for the root item the nested items; for an item its root package; for a package its dependencies |
//! | `vulnerabilities` | the given [vulnerabilities](Vulnerability), if there are any |
//! | `compositions` | for the root item, `unknown` without a list; `incomplete` if a list or the input cannot be read, or packages were recovered from data |
//!
//! The `bom-ref` of an item is `item:` and the number of the item in file order, 0 for the root.
//! The `bom-ref` of a package appends `#` and the index of the package in the item's list. Packages
//! of different items are never merged, even if they have the same name and version. One item may
//! be replaced without the other.
//!
//! A package has these keys:
//!
//! | key of a package | content |
//! | --- | --- |
//! | `scope` | `excluded` for a build dependency, otherwise `required` |
//! | `purl` | its [`purl()`] |
//! | property `sectile:item` | the path of its item, empty for the root, with its middle omitted if it is more than 16 deep |
//! | property `sectile:source` | the source recorded in the section |
//! | properties `sectile:evidence`, `sectile:confidence`, `sectile:offset` | how and where it was found in data |
//!
//! An item has the properties `sectile:item`, in full, and `sectile:kind`.
//!
//! ```
//! use sectile_sbom::Sbom;
//!
//! let metadata = sectile::read_slice(b"\0asm\x01\0\0\0")?;
//! let sbom = Sbom::from_metadata(&metadata).with_name("app.wasm");
//! assert_eq!(sbom.packages().count(), 0);
//! let mut document = Vec::new();
//! sbom.write_json(&mut document).expect("memory can be written");
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
//! Source: the `CycloneDX` 1.6 JSON schema, cargo-auditable's `PARSING.md`, and the package URL
//! specification.

mod document;
mod error;
mod package;
mod purl;
mod vulnerability;

use std::collections::HashSet;

use sectile::internal::value_error;
use sectile::inventory::{Evidence, Inventory, ListKind};
use sectile::metadata::{Field, Metadata, ValueError};
use sectile::{Finding, FindingCode};

pub use self::error::SbomError;
pub use self::package::{ItemPackages, Package};
pub use self::purl::purl;
pub use self::vulnerability::Vulnerability;

/// The registered media type of the document.
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

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
    created: Option<&'a str>,
    vulnerabilities: Vec<Vulnerability<'a>>,
}

impl<'a> Sbom<'a> {
    /// Creates the SBOM of the packages of a root item and of its nested items. Nested items
    /// without a list are omitted from the document.
    ///
    /// # Errors
    ///
    /// Two items have the same number, or a package depends on one that is not in its list.
    pub fn new(root: ItemPackages<'a>, nested: impl IntoIterator<Item = ItemPackages<'a>>) -> Result<Self, SbomError> {
        let sbom = Self::unchecked(root, nested.into_iter().filter(|item| item.packages.is_some()).collect());
        let mut numbers = HashSet::new();
        for item in [&sbom.root].into_iter().chain(&sbom.nested) {
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
        let nested = metadata.items().skip(1).filter(|item| item.dependencies().is_some());
        let affects_lists = |finding: &&Finding| {
            let is_gap = matches!(
                finding.code(),
                FindingCode::MalformedDependencies | FindingCode::TooLarge | FindingCode::DuplicateSection
            );
            is_gap && finding.section() == Some(SECTION)
        };
        Self {
            findings: metadata.findings().iter().filter(affects_lists).collect(),
            // The decoder has checked the indexes, and the items are numbered.
            ..Self::unchecked(ItemPackages::from_item(metadata.root()), nested.map(ItemPackages::from_item).collect())
        }
    }

    fn unchecked(root: ItemPackages<'a>, nested: Vec<ItemPackages<'a>>) -> Self {
        Self {
            root,
            nested,
            findings: Vec::new(),
            complete_input: true,
            name: None,
            created: None,
            vulnerabilities: Vec::new(),
        }
    }

    /// Adds the packages that the data of the same input names. A list with recovered packages is
    /// marked as incomplete in the document.
    #[must_use]
    pub fn with_inventory(mut self, metadata: &'a Metadata<'_>, inventory: &'a Inventory) -> Self {
        let items: Vec<_> = metadata.items().collect();
        for package in inventory.packages() {
            let Some(item) = items.get(package.item) else { continue };
            let list = if package.item == 0 {
                &mut self.root
            } else {
                let at = self.nested.binary_search_by_key(&package.item, |item| item.number);
                let at = at.unwrap_or_else(|at| {
                    self.nested.insert(at, ItemPackages::from_item(*item));
                    at
                });
                &mut self.nested[at]
            };
            list.packages.get_or_insert_default().push(Package::from_found(package));
        }
        self
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

    /// Sets the timestamp of the document. It has none by default: the library does not read the
    /// clock.
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
        self.lists().flat_map(|item| item.packages().iter().map(move |package| (item, package)))
    }

    /// Whether any item has a list of packages.
    pub fn has_lists(&self) -> bool {
        self.lists().next().is_some() || !self.findings.is_empty()
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
        self.lists().any(|item| {
            let has_declared = item.packages().iter().any(|package| package.found.is_none());
            item.packages().iter().filter_map(|package| package.found).any(|found| {
                let is_of_toolchain = matches!(found.evidence, Evidence::RustcPath | Evidence::StdPath);
                found.evidence.list() == ListKind::Recovered && !(has_declared && is_of_toolchain)
            })
        })
    }

    /// The items that have a list, the root first.
    fn lists(&self) -> impl Iterator<Item = &ItemPackages<'a>> {
        [&self.root].into_iter().chain(&self.nested).filter(|item| item.packages.is_some())
    }
}
