//! What made a binary: refused, or required.

#[cfg(feature = "policy")]
use super::Versions;
use super::named::{Meant, Named, tell_named};
use super::violations::{Broken, Spot};
use super::{Items, RuleError};
use crate::edit::Glob;
use crate::escape::quoted;
use crate::finding::Code;
use crate::metadata::{Item, KNOWN_PRODUCERS_FIELDS, Metadata};
use crate::scan::Path;

/// Tools and languages that are refused, or of which one is required: entries of the `producers` section, by field, name and
/// version.
///
/// - An entry is meant if its field is one of those that are given (any, where none is), its name is (any, where none is) and
///   not excepted, and its version is in one of the ranges, where there are some.
/// - Whose version cannot be compared with a range is refused as one that is in it, and does not do where one is required.
/// - Each item is judged by itself: of those that are meant, each must have what is required.
/// - Where a `producers` section could not be read to its end, the rule cannot be judged (`not-judged`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producers {
    items: Items,
    fields: Vec<Box<str>>,
    named: Named,
    required: bool,
}

const SECTION: &str = "producers";

impl Producers {
    /// Refuses what made these items: all of it, unless more is said.
    pub fn refused(items: Items) -> Self {
        Self { items, fields: Vec::new(), named: Named::default(), required: false }
    }

    /// Requires one of what is meant, of each of these items. Where an item is named by its path, it must be there.
    pub fn required(items: Items) -> Self {
        Self { required: true, ..Self::refused(items) }
    }

    /// Means entries of this field: `language`, `processed-by` or `sdk`.
    ///
    /// # Errors
    ///
    /// The convention knows no such field.
    pub fn in_field(mut self, field: &str) -> Result<Self, RuleError> {
        if !KNOWN_PRODUCERS_FIELDS.contains(&field) {
            let fields = KNOWN_PRODUCERS_FIELDS.join(", ");
            return Err(RuleError::new(format!("{} is no field of producers: {fields} are", quoted(field))));
        }
        self.fields.push(field.into());
        Ok(self)
    }

    tell_named!();

    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, broken: &mut Broken<'_>) {
        for (number, item) in self.items.of(metadata) {
            let whole = complete || item.is_whole();
            let offset = item.producers().ranges().next().map_or(item.start(), |range| range.start);
            let spot = Spot { item: number, offset, section: Some(SECTION) };
            let path = || metadata.path(item);
            if self.required {
                if !whole || self.meant(item).any(|(meant, ..)| meant == Meant::Yes) {
                    continue;
                }
                if is_read(item) {
                    broken.add(Code::MissingField, spot, path, || self.lack(item));
                    continue;
                }
            } else {
                for (meant, name, version) in self.meant(item) {
                    broken.add_each(Code::RefusedProducer, spot, path, || meant.why("the producer", name, version));
                }
            }
            if whole && !is_read(item) {
                broken.not_judged_at(spot, path, "not all producers could be read");
            }
        }
        for absent in self.items.absent(metadata).into_iter().filter(|_| self.required && complete) {
            let why = || format!("there is no item {absent}, which is required to have a producer");
            broken.add(Code::MissingField, Spot::ROOT, Path::root, why);
        }
    }

    /// The entries that are meant.
    fn meant<'i>(&'i self, item: &'i Item<'_>) -> impl Iterator<Item = (Meant, &'i str, &'i str)> {
        let has = |name: &str| self.fields.is_empty() || self.fields.iter().any(|field| **field == *name);
        let fields = item.producers().fields().filter(move |field| has(field.name()));
        let entries = fields.flat_map(|field| field.values());
        let judged = entries.map(|(name, version)| (self.named.means(name, version), name, version));
        judged.filter(|(meant, ..)| *meant != Meant::No)
    }

    fn lack(&self, item: &Item<'_>) -> String {
        match self.meant(item).next() {
            Some((_, name, version)) => format!(
                "a producer is required here, and of {} the version {} cannot be compared",
                quoted(name),
                quoted(version)
            ),
            None => format!("a producer is required here, and there is none such{}", self.wanted()),
        }
    }

    /// What one has to be, where that is said.
    fn wanted(&self) -> String {
        let any_of = |before: &str, texts: Vec<String>| match &*texts {
            [] => String::new(),
            texts => format!("{before}{}", texts.join(" or ")),
        };
        let names = any_of(": ", self.named.names.iter().map(|name| quoted(name.as_str())).collect());
        let fields = any_of(", in ", self.fields.iter().map(|field| quoted(field)).collect());
        let versions = if self.named.versions.is_some() { ", of a version that is asked for" } else { "" };
        format!("{names}{fields}{versions}")
    }
}

/// Whether all that an item says of its producers could be read.
fn is_read(item: &Item<'_>) -> bool {
    item.producers().ranges().count() as u64 == item.sections_named(SECTION) && item.producers().is_whole()
}
