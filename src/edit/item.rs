//! Requested changes to each item, and checks for conflicts between them.

use std::collections::BTreeMap;

use super::{EditError, Glob, Strip};
use crate::limits::Limits;
use crate::metadata::Field;
use crate::scan::ItemPath;

/// Requested changes to all items of a source.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemEdits {
    pub(super) items: BTreeMap<ItemPath, ItemEdit>,
    /// Strip options. The key is the outermost item that they apply to.
    pub(super) strips: BTreeMap<ItemPath, Strip>,
    /// Whether the edit may move sections that linking sections refer to.
    pub(super) forced: bool,
}

/// Requested changes to one item.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemEdit {
    /// New data by custom section name; `None` removes the sections.
    pub(super) sections: BTreeMap<String, Option<Vec<u8>>>,
    /// Sections that are always added.
    pub(super) appended: Vec<(String, Vec<u8>)>,
    /// Patterns of the names of sections to remove.
    pub(super) globs: Vec<Glob>,
    /// The item's own name.
    pub(super) name: Option<NameEdit>,
    pub(super) producers: Vec<ProducerEdit>,
    /// Fields whose new values passed the checks.
    pub(super) valid_fields: Vec<Field>,
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
    /// Adds the name without a version, unless the field already has the name.
    Ensure {
        field: String,
        name: String,
    },
    Drop {
        field: String,
        name: String,
    },
}

/// The section changed by [`ProducerEdit`].
pub(super) const PRODUCERS: &str = "producers";

/// The sections changed by [`NameEdit`].
pub(super) const NAMES: [&str; 2] = ["name", "component-name"];

/// Maximum length in bytes of a custom section's name, as in wasmparser.
const MAX_NAME: usize = 100_000;

/// Maximum length in bytes of the length prefix of a name.
const MAX_LEB128: u32 = 5;

impl ProducerEdit {
    /// Returns the field and the name to change.
    pub(super) fn subject(&self) -> (&str, &str) {
        let (Self::Add { field, name, .. } | Self::Ensure { field, name } | Self::Drop { field, name }) = self;
        (field, name)
    }

    pub(super) fn affects(&self, field: &str, name: &str) -> bool {
        self.subject() == (field, name)
    }

    /// Returns the texts that the edit may write.
    pub(super) fn texts(&self) -> [&str; 3] {
        match self {
            Self::Add { field, name, version } => [field, name, version],
            Self::Ensure { field, name } => [field, name, ""],
            Self::Drop { .. } => [""; 3],
        }
    }
}

impl ItemEdit {
    /// Whether all new data of sections with this name has already passed the checks.
    pub(super) fn is_checked(&self, name: &str) -> bool {
        self.valid_fields.iter().any(|field| field.section() == name)
            && !self.appended.iter().any(|(appended, _)| appended == name)
    }

    /// Returns the names and data of all written sections, replaced or added.
    pub(super) fn put(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let put = self.sections.iter().filter_map(|(name, data)| Some((&**name, data.as_deref()?)));
        put.chain(self.appended.iter().map(|(name, data)| (&**name, &**data)))
    }

    /// Checks that the changes do not conflict and that the result can be read within the limits.
    pub(super) fn check(&self, limits: Limits) -> Result<(), EditError> {
        if let Some(name) = self.conflict() {
            return Err(EditError::Twice(name.to_owned()));
        }
        for (name, data) in self.put() {
            check_len("the name of a custom section", name.len(), limits.max_name_len)?;
            if Field::ALL.iter().any(|field| field.section() == name) {
                check_len(name, data.len(), limits.max_section_data)?;
            }
        }
        if let Some(NameEdit::Set(name)) = &self.name {
            check_len("name", name.len(), limits.max_section_data.saturating_sub(MAX_LEB128))?;
        }
        // The length of the `producers` sections is checked when they are encoded.
        self.producers.iter().flat_map(ProducerEdit::texts).try_for_each(|text| check_nul(PRODUCERS, text))
    }

    /// Returns the name of a section with conflicting changes: changed as a whole and in part, or
    /// written and removed.
    fn conflict(&self) -> Option<&str> {
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

/// Rejects a text or section that exceeds the limits for reading the result.
pub(super) fn check_len(what: &str, len: usize, max: u32) -> Result<(), EditError> {
    if len as u64 <= u64::from(max) {
        return Ok(());
    }
    Err(EditError::TooLong { what: what.to_owned(), len: len as u64, max: u64::from(max) })
}

/// Rejects NUL, which truncates C strings.
pub(super) fn check_nul(what: &str, text: &str) -> Result<(), EditError> {
    if text.contains('\0') { Err(EditError::Nul(what.to_owned())) } else { Ok(()) }
}
