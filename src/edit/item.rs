//! The changes to each item, and whether they agree with one another.

use std::collections::BTreeMap;

use super::{EditError, Glob, Strip};
use crate::limits::Limits;
use crate::metadata::Field;
use crate::scan::ItemPath;

/// The changes to all items of a source.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemEdits {
    pub(super) items: BTreeMap<ItemPath, ItemEdit>,
    /// The sections to strip, by the item where stripping begins.
    pub(super) strips: BTreeMap<ItemPath, Strip>,
    /// Whether sections that the linker's sections refer to may move.
    pub(super) forced: bool,
}

/// What is wanted of one item.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemEdit {
    /// By the name of a custom section: the data that it is to have, or `None` where it is to go.
    pub(super) sections: BTreeMap<String, Option<Vec<u8>>>,
    /// Sections that are added, whatever is there.
    pub(super) appended: Vec<(String, Vec<u8>)>,
    /// Sections whose names match go.
    pub(super) globs: Vec<Glob>,
    /// The item's own name.
    pub(super) name: Option<NameEdit>,
    pub(super) producers: Vec<ProducerEdit>,
    /// The fields that are set to values which nothing is to be said against: that was seen when they were.
    pub(super) sound: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(super) enum NameEdit {
    Set(String),
    Clear,
}

#[derive(Clone, Debug)]
pub(super) enum ProducerEdit {
    Add {
        field: String,
        name: String,
        version: String,
    },
    /// As `Add`, unless the name is there, with whatever version.
    Have {
        field: String,
        name: String,
    },
    Drop {
        field: String,
        name: String,
    },
}

/// The custom sections that other changes than those of sections are made of.
pub(super) const PRODUCERS: &str = "producers";
pub(super) const NAMES: [&str; 2] = ["name", "component-name"];

/// A custom section's name may be so long: wasmparser reads no longer ones.
const MAX_NAME: usize = 100_000;

/// The most bytes that the length before a name takes.
const MAX_LEB128: u32 = 5;

impl ProducerEdit {
    /// The field and the name that it is about.
    pub(super) fn subject(&self) -> (&str, &str) {
        let (Self::Add { field, name, .. } | Self::Have { field, name } | Self::Drop { field, name }) = self;
        (field, name)
    }

    pub(super) fn is_about(&self, field: &str, name: &str) -> bool {
        self.subject() == (field, name)
    }

    /// The texts that it may write.
    pub(super) fn texts(&self) -> [&str; 3] {
        match self {
            Self::Add { field, name, version } => [field, name, version],
            Self::Have { field, name } => [field, name, ""],
            Self::Drop { .. } => [""; 3],
        }
    }
}

impl ItemEdit {
    /// Whether it is known already that a reader finds nothing in what sections of this name are given.
    pub(super) fn is_sound(&self, name: &str) -> bool {
        self.sound.iter().any(|field| field.section() == name)
            && !self.appended.iter().any(|(appended, _)| appended == name)
    }

    /// The sections that are given data, be it in the place of what is there or beside it.
    pub(super) fn put(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let put = self.sections.iter().filter_map(|(name, data)| Some((&**name, data.as_deref()?)));
        put.chain(self.appended.iter().map(|(name, data)| (&**name, &**data)))
    }

    /// What is asked for agrees with itself, and can be read back.
    pub(super) fn check(&self, limits: Limits) -> Result<(), EditError> {
        if let Some(name) = self.twice() {
            return Err(EditError::Twice(name.to_owned()));
        }
        for (name, data) in self.put() {
            within("the name of a custom section", name.len(), limits.max_name_len)?;
            if Field::ALL.iter().any(|field| field.section() == name) {
                within(name, data.len(), limits.max_section_data)?;
            }
        }
        if let Some(NameEdit::Set(name)) = &self.name {
            within("name", name.len(), limits.max_section_data.saturating_sub(MAX_LEB128))?;
        }
        // How long their sections become is seen when these are put together.
        self.producers.iter().flat_map(ProducerEdit::texts).try_for_each(|text| no_nul(PRODUCERS, text))
    }

    /// A section is changed as a whole or in part, and not both; and it is not given data and removed.
    fn twice(&self) -> Option<&str> {
        let is_removed = |name: &str| self.globs.iter().any(|glob| glob.matches(name));
        let whole = |name: &str| self.sections.contains_key(name) || is_removed(name);
        if !self.producers.is_empty() && whole(PRODUCERS) {
            return Some(PRODUCERS);
        }
        if self.name.is_some()
            && let Some(name) = NAMES.into_iter().find(|name| whole(name))
        {
            return Some(name);
        }
        let mut put = self.sections.iter().filter(|(_, data)| data.is_some()).map(|(name, _)| &**name);
        put.find(|name| is_removed(name))
    }
}

pub(super) fn section_name(name: String) -> Result<String, EditError> {
    if name.is_empty() || name.len() > MAX_NAME { Err(EditError::SectionName(name.len())) } else { Ok(name) }
}

/// What is longer than what is read could not be read back.
pub(super) fn within(what: &str, len: usize, max: u32) -> Result<(), EditError> {
    if len as u64 <= u64::from(max) {
        return Ok(());
    }
    Err(EditError::TooLong { what: what.to_owned(), len: len as u64, max: u64::from(max) })
}

/// Who reads a text in C sees it end at a NUL.
pub(super) fn no_nul(what: &str, text: &str) -> Result<(), EditError> {
    if text.contains('\0') { Err(EditError::Nul(what.to_owned())) } else { Ok(()) }
}
