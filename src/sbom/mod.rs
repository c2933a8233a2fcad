//! The dependencies found in a tree, as a `CycloneDX` 1.6 document in JSON.
//!
//! What is in the document is what the `.dep-v0` sections say, wherever in the tree they stand, and nothing else: no
//! licences (the sections have none), no serial number, and no time unless one is given. The same input gives the same
//! bytes.
//!
//! | in the document | is |
//! | --- | --- |
//! | `metadata.component` | the root item: its own name (or the one given), and its `version` annotation |
//! | `metadata.component.components` | the nested items that have a list |
//! | `components` | every package of every list |
//! | `dependencies` | of the root item the nested ones; of an item its root package; of a package those that it depends on |
//! | `compositions` | `unknown` of the root item if there is no list at all; `incomplete` if one, or the input, cannot be read |
//!
//! A `bom-ref` is `item:` and the item's number in the order of the file, the root's being 0; for a package with `#` and
//! its place in the item's list behind it. Packages of different items are never taken for one another, even if they have
//! the same name and version: one item may be replaced without the other.
//!
//! A package has `scope` `excluded` if it only helped to build, else `required`; a [`purl()`]; and two properties,
//! `sectile:item` (the path of its item, empty for the root; its middle is left out where it is more than 16 deep) and
//! `sectile:source` (where it came from, as the section has it). An item has `sectile:item`, in full, and `sectile:kind`.
//!
//! ```
//! use sectile::{Limits, sbom::Sbom};
//!
//! let outcome = sectile::read_slice(b"\0asm\x01\0\0\0", Limits::default())?;
//! let sbom = Sbom::of(&outcome).named("app.wasm");
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

use crate::error::Outcome;
use crate::finding::{Code, Finding};
use crate::metadata::{Field, Flaw, Item, Metadata, Package};

pub use self::purl::purl;

/// The media type of the document, as it is registered.
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// The section that is read.
const SECTION: &str = ".dep-v0";

/// What was found in a tree, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Sbom<'a> {
    metadata: &'a Metadata<'a>,
    is_whole: bool,
    name: Option<&'a str>,
    created: Option<&'a str>,
}

impl<'a> Sbom<'a> {
    /// The dependencies in the metadata of an input that was read to its end, as [`Outcome::complete`] gives it. Of one
    /// that may not have been, [`of`](Self::of).
    pub fn new(metadata: &'a Metadata<'_>) -> Self {
        Self { metadata, is_whole: true, name: None, created: None }
    }

    /// The dependencies in what a reading gave. If that broke off, the document says that it is incomplete.
    pub fn of(outcome: &'a Outcome<Metadata<'_>>) -> Self {
        Self { is_whole: outcome.is_complete(), ..Self::new(&outcome.value) }
    }

    /// What to call an input that does not say its own name: a file's name, without its directory. Without one it is
    /// called `module` or `component`.
    #[must_use]
    pub fn named(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// When the document was made. It has no time unless this is called: the library reads no clock.
    ///
    /// # Errors
    ///
    /// The text is no RFC 3339 date-time, with `T` and `Z` in upper case.
    pub fn created(self, time: &'a str) -> Result<Self, Flaw> {
        let flaw = Field::Created.check(time).into_iter().next();
        // What a section may say, and a schema's `date-time` may not.
        let is_strict = !time.contains([' ', 't', 'z']);
        match flaw {
            Some(flaw) => Err(flaw),
            None if is_strict => Ok(Self { created: Some(time), ..self }),
            None => Err(Flaw {
                code: Code::NotRfc3339,
                message: format!("`{time}` must have `T` before the time, and `Z` in upper case"),
            }),
        }
    }

    /// The packages, each with the item that it was found in, in the order of the document.
    pub fn packages(&self) -> impl Iterator<Item = (&'a Item<'a>, &'a Package)> {
        self.lists().flat_map(|list| list.packages.iter().map(move |package| (list.item, package)))
    }

    /// Whether there is a list of dependencies at all.
    pub fn has_lists(&self) -> bool {
        self.lists().next().is_some() || self.findings().next().is_some()
    }

    /// Whether everything that there is was read: the input to its end, and every list in it. If not, the document says so.
    pub fn is_complete(&self) -> bool {
        self.is_whole && self.findings().next().is_none()
    }

    /// Why lists are not there, or not whole.
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        self.metadata.findings().iter().filter(|finding| {
            let loses = matches!(finding.code, Code::MalformedDependencies | Code::TooLarge | Code::DuplicateSection);
            loses && finding.section.as_deref() == Some(SECTION)
        })
    }

    fn lists(&self) -> impl Iterator<Item = List<'a>> + use<'a> {
        let items = self.metadata.items().iter().enumerate();
        items.filter_map(|(place, item)| Some(List { place, item, packages: &item.dependencies()?.packages }))
    }
}

/// An item that has a list of packages.
#[derive(Clone, Copy)]
struct List<'a> {
    /// Of the item, in the order of the file.
    place: usize,
    item: &'a Item<'a>,
    packages: &'a [Package],
}
