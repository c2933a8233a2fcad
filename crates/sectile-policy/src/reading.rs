//! The part of an input that a policy needs.

use sectile::interface::Interface;
use sectile::inventory::Inventory;
use sectile::metadata::Metadata;

use super::SectionMatches;

/// The part of an input that a policy needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    pub(crate) metadata: Metadata<'a>,
    pub(crate) interface: Option<Interface>,
    pub(crate) inventory: Option<Inventory>,
    pub(crate) section_matches: Option<SectionMatches>,
}

impl<'a> Reading<'a> {
    /// The metadata.
    pub fn metadata(&self) -> &Metadata<'a> {
        &self.metadata
    }

    /// The metadata, to add findings about its context.
    pub fn metadata_mut(&mut self) -> &mut Metadata<'a> {
        &mut self.metadata
    }

    /// Imports and exports of the root item; `None` if no rule needs them.
    pub fn interface(&self) -> Option<&Interface> {
        self.interface.as_ref()
    }

    /// Packages that the data names and that no declared list contains; `None` if they were not
    /// read.
    pub fn inventory(&self) -> Option<&Inventory> {
        self.inventory.as_ref()
    }

    /// Sections that the section rules match; `None` if the policy has no section rule.
    pub fn section_matches(&self) -> Option<&SectionMatches> {
        self.section_matches.as_ref()
    }
}

impl<'a> From<Metadata<'a>> for Reading<'a> {
    fn from(metadata: Metadata<'a>) -> Self {
        Self { metadata, interface: None, inventory: None, section_matches: None }
    }
}
