//! SBOMs of the dependencies recorded in a binary, as `CycloneDX` 1.6 documents in JSON.
//!
//! The document contains the packages of all `.dep-v0` sections in the tree. It contains no licenses, because the
//! sections have none, no serial number, and a timestamp only if one is given. The same input gives the same bytes.
//!
//! | key of the document | content |
//! | --- | --- |
//! | `metadata.component` | the root item: its name (or the given name) and its `version` annotation |
//! | `metadata.component.components` | the nested items that have a list of packages |
//! | `components` | every package of every list |
//! | `dependencies` | for the root item the nested items; for an item its root package; for a package its dependencies |
//! | `compositions` | for the root item, `unknown` if there is no list; `incomplete` if a list or the input cannot be read |
//!
//! The `bom-ref` of an item is `item:` and the number of the item in file order, 0 for the root. The `bom-ref` of a
//! package appends `#` and the index of the package in the item's list. Packages of different items are never merged,
//! even if they have the same name and version: one item may be replaced without the other.
//!
//! A package has `scope` `excluded` if it is a build dependency, otherwise `required`; a [`purl()`]; and two
//! properties: `sectile:item` (the path of its item, empty for the root, with its middle omitted if it is more than 16
//! deep) and `sectile:source` (the source recorded in the section). An item has `sectile:item`, in full, and
//! `sectile:kind`.
//!
//! ```
//! use sectile_sbom::Sbom;
//!
//! let metadata = sectile::read_slice(b"\0asm\x01\0\0\0")?;
//! let sbom = Sbom::new(&metadata).with_name("app.wasm");
//! assert_eq!(sbom.packages().count(), 0);
//! let mut document = Vec::new();
//! sbom.write_json(&mut document).expect("memory can be written");
//! assert!(document.starts_with(br#"{"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX""#));
//! # Ok::<(), sectile::Error>(())
//! ```
//!
//! Source: the `CycloneDX` 1.6 JSON schema, cargo-auditable's `PARSING.md`, and the package URL specification.

mod document;
mod purl;

use sectile::internal::value_error;
use sectile::metadata::{Field, Item, Metadata, Package, ValueError};
use sectile::{Finding, FindingCode};

pub use self::purl::purl;

/// The registered media type of the document.
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// The section that is read.
const SECTION: &str = ".dep-v0";

/// An SBOM of the packages in a tree.
#[derive(Clone, Copy, Debug)]
pub struct Sbom<'a> {
    metadata: &'a Metadata<'a>,
    complete_input: bool,
    name: Option<&'a str>,
    created: Option<&'a str>,
}

impl<'a> Sbom<'a> {
    /// The dependencies in the metadata of an input that was read to its end. For a partial one, add
    /// [`incomplete`](Self::incomplete).
    pub fn new(metadata: &'a Metadata<'_>) -> Self {
        Self { metadata, complete_input: true, name: None, created: None }
    }

    /// The input was not read to its end: the document says that it is incomplete.
    #[must_use]
    pub fn incomplete(self) -> Self {
        Self { complete_input: false, ..self }
    }

    /// Sets the name of an input whose root item has no name, such as the file name. The default is `module` or
    /// `component`.
    #[must_use]
    pub fn with_name(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the timestamp of the document. By default it has none: the library reads no clock.
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

    /// The packages with their items, in the order of the document.
    pub fn packages(&self) -> impl Iterator<Item = (Item<'a>, &'a Package)> {
        self.lists().flat_map(|list| list.packages.iter().map(move |package| (list.item, package)))
    }

    /// Whether there is a list of packages.
    pub fn has_lists(&self) -> bool {
        self.lists().next().is_some() || self.findings().next().is_some()
    }

    /// Whether the input and every list in it were read to their ends. If not, the document says so.
    pub fn is_complete(&self) -> bool {
        self.complete_input && self.findings().next().is_none()
    }

    /// Findings about lists that are missing or partial.
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        self.metadata.findings().iter().filter(|finding| {
            let affects_lists = matches!(
                finding.code(),
                FindingCode::MalformedDependencies | FindingCode::TooLarge | FindingCode::DuplicateSection
            );
            affects_lists && finding.section() == Some(SECTION)
        })
    }

    fn lists(&self) -> impl Iterator<Item = PackageList<'a>> + use<'a> {
        let items = self.metadata.items();
        items.filter_map(|item| {
            Some(PackageList { number: item.number(), item, packages: item.dependencies()?.packages() })
        })
    }
}

/// An item that has a list of packages.
#[derive(Clone, Copy)]
struct PackageList<'a> {
    /// Number of the item in file order.
    number: usize,
    item: Item<'a>,
    packages: &'a [Package],
}
