//! Rules about required metadata.

use std::fmt;
use std::str::FromStr;

use super::suggestion::hint;
use super::violations::{Position, RuleViolations};
use super::{Items, RuleError};
use sectile::FindingCode;
use sectile::internal::{is_deceptive, quoted, states_no_license};
use sectile::metadata::{Field, Item, Metadata, Value};
use sectile::scan::ItemPath;

/// Requires metadata in each of some items: present, not blank, and UTF-8. A value of one item
/// never counts for another. A license of `NONE` or `NOASSERTION` states that none is known, and
/// does not count unless the rule [permits it](Self::permit_unknown).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    items: Items,
    values: Vec<RequiredValue>,
    permits_unknown: bool,
}

/// A value that can be required of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RequiredValue {
    /// The name of the item.
    Name,
    /// An annotation field.
    Field(Field),
}

impl From<Field> for RequiredValue {
    fn from(field: Field) -> Self {
        Self::Field(field)
    }
}

impl RequiredValue {
    /// All values.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Name].into_iter().chain(Field::ALL.map(Self::Field))
    }

    /// `name`, or the name of the field's section.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Field(field) => field.section(),
        }
    }

    fn get(self, item: Item<'_>) -> Option<&Value<'_>> {
        match self {
            Self::Name => item.name(),
            Self::Field(field) => item.annotation(field),
        }
    }

    /// The offset and description of a missing or unusable value.
    fn flaw(self, item: Item<'_>, permits_unknown: bool) -> Option<(u64, &'static str)> {
        let Some(value) = self.get(item) else {
            let exists = matches!(self, Self::Field(field) if item.section_count(field) > 0);
            return Some((item.start(), if exists { "could not be read" } else { "is missing" }));
        };
        let start = value.range().start;
        match value.as_str() {
            None => Some((start, "is not UTF-8")),
            Some("") => Some((start, "is empty")),
            Some(text) if is_blank(text) => Some((start, "is blank")),
            Some(text) if self == Self::Field(Field::Licenses) && !permits_unknown && states_no_license(text) => {
                Some((start, "states that none is known"))
            }
            Some(_) => None,
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || is_deceptive(character))
}

impl fmt::Display for RequiredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RequiredValue {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::all().find(|value| value.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(Self::name).collect();
            let hint = hint(text, "fields", &names, "docs/policy.md");
            RuleError::new(format!("{} is not a field{hint}", quoted(text)))
        })
    }
}

impl Required {
    /// Requires these values in each of these items. An item that is named by its path must exist.
    pub fn new(items: Items, values: impl IntoIterator<Item = RequiredValue>) -> Self {
        Self { items, values: values.into_iter().collect(), permits_unknown: false }
    }

    /// Accepts `NONE` and `NOASSERTION` as a license.
    #[must_use]
    pub fn permit_unknown(self) -> Self {
        Self { permits_unknown: true, ..self }
    }

    /// Skips items that were not read to their ends: the value might follow.
    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, violations: &mut RuleViolations<'_>) {
        for (number, item) in self.items.select(metadata).filter(|(_, item)| complete || item.is_complete()) {
            for value in &self.values {
                if let Some((offset, flaw)) = value.flaw(item, self.permits_unknown) {
                    let position = Position { item: number, offset, section: Some(value.name()) };
                    let message = || format!("`{value}` is required, but {flaw}");
                    violations.add(FindingCode::MissingField, position, || item.path(), message);
                }
            }
        }
        for absent in self.items.absent(metadata).into_iter().filter(|_| complete) {
            let names: Vec<_> = self.values.iter().map(|value| value.name()).collect();
            let message = || format!("item {absent} does not exist, but is required to have {}", names.join(", "));
            violations.add(FindingCode::MissingField, Position::ROOT, ItemPath::root, message);
        }
    }
}
