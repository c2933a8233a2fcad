//! Reports on inputs, which policies judge, and their JSON.

mod digest;
mod edit;
pub(crate) mod json;

pub use self::digest::DigestReport;
pub use self::edit::EditReport;
pub use self::json::{SectionsJson, write_codes_json};

use std::borrow::Cow;
use std::ffi::OsStr;

use sectile::interface::Interface;
use sectile::inventory::{Inventory, Package, declared_packages};
use sectile::metadata::{Item, Metadata};
use sectile::{Cost, Error, Finding, Outcome};

use crate::advisories::LocatedAdvisory;
use crate::{Reading, SectionMatches};

/// The result of reading one input: what a policy judges, and one row of a report.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    pub(crate) file: &'a OsStr,
    pub(crate) size: Option<u64>,
    pub(crate) metadata: Option<&'a Metadata<'a>>,
    pub(crate) interface: Option<&'a Interface>,
    pub(crate) inventory: Option<&'a Inventory>,
    pub(crate) section_matches: Option<&'a SectionMatches>,
    pub(crate) context_findings: &'a [Finding],
    /// The advisories of an earlier report, if its packages were judged.
    pub(crate) saved_advisories: Option<&'a [LocatedAdvisory]>,
    pub(crate) error: Option<&'a Error>,
    pub(crate) cost: Cost,
}

impl<'a> Report<'a> {
    /// A report of metadata, of an input with this name and length in bytes, if known.
    pub fn new(file: &'a OsStr, size: Option<u64>, outcome: &'a Outcome<Metadata<'_>>) -> Self {
        Self::from_parts(file, size, outcome.value().map(|metadata| metadata as _), outcome.error(), outcome.cost())
    }

    /// A report of an input that was not read.
    pub fn unread(file: &'a OsStr) -> Self {
        Self::from_parts(file, None, None, None, Cost::default())
    }

    /// A report of metadata and an interface.
    pub fn with_interface(file: &'a OsStr, size: Option<u64>, outcome: &'a Outcome<(Metadata<'_>, Interface)>) -> Self {
        let metadata = outcome.value().map(|(metadata, _)| metadata as _);
        let interface = outcome.value().map(|(_, interface)| interface);
        Self::from_parts(file, size, metadata, outcome.error(), outcome.cost()).with_parts(interface, None)
    }

    /// A report of data that was read for a policy.
    pub fn for_policy(file: &'a OsStr, size: Option<u64>, outcome: &'a Outcome<Reading<'_>>) -> Self {
        Self::from_reading(file, size, outcome.value().map(|reading| reading as _), outcome.error(), outcome.cost())
    }

    pub(crate) fn from_reading(
        file: &'a OsStr,
        size: Option<u64>,
        reading: Option<&'a Reading<'a>>,
        error: Option<&'a Error>,
        cost: Cost,
    ) -> Self {
        let metadata = reading.map(|reading| &reading.metadata as _);
        let interface = reading.and_then(|reading| reading.interface.as_ref());
        let inventory = reading.and_then(|reading| reading.inventory.as_ref());
        let section_matches = reading.and_then(|reading| reading.section_matches.as_ref());
        let report = Self::from_parts(file, size, metadata, error, cost);
        Self { inventory, ..report.with_parts(interface, section_matches) }
    }

    pub(crate) fn from_parts(
        file: &'a OsStr,
        size: Option<u64>,
        metadata: Option<&'a Metadata<'a>>,
        error: Option<&'a Error>,
        cost: Cost,
    ) -> Self {
        Self {
            file,
            size,
            metadata,
            interface: None,
            inventory: None,
            section_matches: None,
            context_findings: &[],
            saved_advisories: None,
            error,
            cost,
        }
    }

    pub(crate) fn with_parts(
        self,
        interface: Option<&'a Interface>,
        section_matches: Option<&'a SectionMatches>,
    ) -> Self {
        Self { interface, section_matches, ..self }
    }

    /// Adds findings about the context rather than the bytes: the file changed during the read, or
    /// is not a regular file.
    #[must_use]
    pub fn with_context_findings(self, findings: &'a [Finding]) -> Self {
        Self { context_findings: findings, ..self }
    }

    /// Name of the input.
    pub fn file(&self) -> &'a OsStr {
        self.file
    }

    /// Length of the input in bytes; `None` if it is not known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The metadata; `None` if nothing was read.
    pub fn metadata(&self) -> Option<&'a Metadata<'a>> {
        self.metadata
    }

    /// Imports and exports of the root item; `None` if they were not requested.
    pub fn interface(&self) -> Option<&'a Interface> {
        self.interface
    }

    /// Packages that the data names and that no declared list contains; `None` if they were not
    /// requested.
    pub fn inventory(&self) -> Option<&'a Inventory> {
        self.inventory
    }

    /// The declared packages of all items, then those that the data names.
    pub fn packages(&self) -> impl Iterator<Item = Cow<'a, Package>> + use<'a> {
        let declared = self.metadata.into_iter().flat_map(|metadata| declared_packages(metadata)).map(Cow::Owned);
        let found = self.inventory.into_iter().flat_map(Inventory::packages).map(Cow::Borrowed);
        declared.chain(found)
    }

    /// Number of [`packages`](Self::packages).
    pub fn package_count(&self) -> u64 {
        let items = self.metadata.into_iter().flat_map(Metadata::items);
        let declared: usize = items.filter_map(Item::dependencies).map(|list| list.packages().len()).sum();
        (declared + self.inventory.map_or(0, |inventory| inventory.packages().len())) as u64
    }

    /// Why the input was not read to its end; `None` if it was.
    pub fn error(&self) -> Option<&'a Error> {
        self.error
    }

    /// Cost of the read.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Findings of the metadata, of the interface, of the inventory, and of the context.
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let of_metadata = self.metadata.into_iter().flat_map(Metadata::findings);
        let of_interface = self.interface.into_iter().flat_map(Interface::findings);
        let of_inventory = self.inventory.into_iter().flat_map(Inventory::findings);
        of_metadata.chain(of_interface).chain(of_inventory).chain(self.context_findings)
    }

    /// Whether the input was read to its end.
    pub fn is_complete(&self) -> bool {
        self.error.is_none()
    }
}
