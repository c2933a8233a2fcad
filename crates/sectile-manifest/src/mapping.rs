//! Mappings from the keys of a manifest to metadata.

use std::borrow::Cow;

use super::entry::ManifestEntry;
use super::error::ManifestError;
use super::location::Notices;
use sectile::metadata::Field;

/// A mapping from a key of a manifest to metadata.
#[derive(Clone, Debug)]
pub struct KeyMapping {
    pub(super) key: Cow<'static, str>,
    pub(super) target: KeyTarget,
    pub(super) read: ReadValue,
    pub(super) joins: bool,
}

/// Reads the value of a key as parts, to be joined by commas. Adds a notice if a non-empty value
/// yields no parts.
pub(super) type ReadValue = fn(&ManifestEntry<'_>, &mut Notices) -> Result<Vec<String>, ManifestError>;

/// The metadata that a key sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyTarget {
    /// The value of a field.
    Field(Field),
    /// The name of the item.
    Name,
    /// No metadata; a notice gives the reason.
    Ignored,
}

impl KeyMapping {
    pub(super) const fn new(key: &'static str, target: KeyTarget, read: ReadValue) -> Self {
        Self { key: Cow::Borrowed(key), target, read, joins: false }
    }

    pub(super) const fn field(key: &'static str, field: Field, read: ReadValue) -> Self {
        Self::new(key, KeyTarget::Field(field), read)
    }

    /// Makes the value join those of earlier mappings to the same field.
    pub(super) const fn joining(mut self) -> Self {
        self.joins = true;
        self
    }

    /// The key with the tables that contain it, separated by dots.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The metadata that the key sets.
    pub fn target(&self) -> KeyTarget {
        self.target
    }

    /// Whether the value joins those of earlier mappings to the same field. Otherwise the first
    /// mapping wins.
    pub fn joins(&self) -> bool {
        self.joins
    }
}
