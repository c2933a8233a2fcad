//! Metadata that must be there.

use std::fmt;
use std::str::FromStr;

use super::violations::{Broken, Spot};
use super::{Items, RuleError};
use crate::escape::{is_deceptive, quoted};
use crate::finding::Code;
use crate::metadata::{Field, Item, Metadata, Value};
use crate::scan::Path;

/// Metadata that must be there, in each of some items: neither absent nor blank, and UTF-8. What one item says never counts
/// for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    items: Items,
    values: Vec<RequiredValue>,
}

/// What an item can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RequiredValue {
    /// Its own name.
    Name,
    /// A field of the table.
    Field(Field),
}

impl From<Field> for RequiredValue {
    fn from(field: Field) -> Self {
        Self::Field(field)
    }
}

impl RequiredValue {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Name].into_iter().chain(Field::ALL.map(Self::Field))
    }

    /// `name`, or that of the field's section.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Field(field) => field.section(),
        }
    }

    fn of<'i, 'a>(self, item: &'i Item<'a>) -> Option<&'i Value<'a>> {
        match self {
            Self::Name => item.name(),
            Self::Field(field) => item.annotation(field),
        }
    }

    /// What is wrong with an item in this respect, and where.
    fn lack(self, item: &Item<'_>) -> Option<(u64, &'static str)> {
        let Some(value) = self.of(item) else {
            let is_there = matches!(self, Self::Field(field) if item.sections_of(field) > 0);
            return Some((item.start(), if is_there { "could not be read" } else { "is missing" }));
        };
        let start = value.range().start;
        match value.as_str() {
            None => Some((start, "is not UTF-8")),
            Some("") => Some((start, "is empty")),
            Some(text) if shows_nothing(text) => Some((start, "is blank")),
            Some(_) => None,
        }
    }
}

fn shows_nothing(text: &str) -> bool {
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
            RuleError::new(format!("{} is no field: the fields are {}", quoted(text), names.join(", ")))
        })
    }
}

impl Required {
    /// These values must be in each of these items. Where an item is named by its path, it must be there.
    pub fn new(items: Items, values: impl IntoIterator<Item = RequiredValue>) -> Self {
        Self { items, values: values.into_iter().collect() }
    }

    /// Of an item that was not read to its end nobody knows what it lacks.
    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, broken: &mut Broken<'_>) {
        for (number, item) in self.items.of(metadata).filter(|(_, item)| complete || item.is_whole()) {
            for value in &self.values {
                if let Some((offset, lack)) = value.lack(item) {
                    let spot = Spot { item: number, offset, section: Some(value.name()) };
                    let why = || format!("`{value}` is required here, and {lack}");
                    broken.add(Code::MissingField, spot, || metadata.path(item), why);
                }
            }
        }
        for absent in self.items.absent(metadata).into_iter().filter(|_| complete) {
            let names: Vec<_> = self.values.iter().map(|value| value.name()).collect();
            let why = || format!("there is no item {absent}, which is required to have {}", names.join(", "));
            broken.add(Code::MissingField, Spot::ROOT, Path::root, why);
        }
    }
}
