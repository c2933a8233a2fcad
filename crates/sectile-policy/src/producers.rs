//! Rules about the tools and languages that made a binary.

use super::Versions;
use super::names::{NameFilter, NameMatch, name_filter_methods};
use super::suggestion::hint;
use super::violations::{Position, RuleViolations};
use super::{Items, RuleError};
use sectile::FindingCode;
use sectile::Glob;
use sectile::internal::quoted;
use sectile::metadata::{Item, KNOWN_PRODUCERS_FIELDS, Metadata};
use sectile::scan::ItemPath;

/// Refuses entries of the `producers` section, or requires one.
///
/// - An entry matches by field, name and version; a criterion that is not given matches any.
/// - An entry whose version cannot be compared with a range is refused, and does not satisfy a
///   requirement.
/// - Each item is judged by itself.
/// - If a `producers` section could not be read to its end, the rule cannot be judged
///   (`not-judged`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producers {
    items: Items,
    fields: Vec<Box<str>>,
    filter: NameFilter,
    required: bool,
}

const SECTION: &str = "producers";

impl Producers {
    /// Refuses all producers of these items. Other methods narrow the rule.
    pub fn refused(items: Items) -> Self {
        Self { items, fields: Vec::new(), filter: NameFilter::default(), required: false }
    }

    /// Requires a matching producer in each of these items. An item that is named by its path must
    /// exist.
    pub fn required(items: Items) -> Self {
        Self { required: true, ..Self::refused(items) }
    }

    /// Adds a field: `language`, `processed-by` or `sdk`. Only entries of the added fields match.
    ///
    /// # Errors
    ///
    /// The tool conventions define no such field.
    pub fn with_field(mut self, field: &str) -> Result<Self, RuleError> {
        if !KNOWN_PRODUCERS_FIELDS.contains(&field) {
            let hint = hint(field, "fields", &KNOWN_PRODUCERS_FIELDS, "docs/policy.md");
            return Err(RuleError::new(format!("{} is not a field of producers{hint}", quoted(field))));
        }
        self.fields.push(field.into());
        Ok(self)
    }

    name_filter_methods!();

    pub(super) fn is_required(&self) -> bool {
        self.required
    }

    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, violations: &mut RuleViolations<'_>) {
        for (number, item) in self.items.select(metadata) {
            let complete = complete || item.is_complete();
            let offset = item.producers().ranges().next().map_or(item.start(), |range| range.start);
            let position = Position { item: number, offset, section: Some(SECTION) };
            let path = || item.path();
            if self.required {
                if !complete || self.matching(item).any(|(matched, ..)| matched == NameMatch::Yes) {
                    continue;
                }
                if item.has_all_producers() {
                    violations.add(FindingCode::MissingField, position, path, || self.missing_message(item));
                    continue;
                }
            } else {
                for (matched, name, version) in self.matching(item) {
                    violations.add_each(FindingCode::RefusedProducer, position, path, || {
                        matched.message("the producer", name, version)
                    });
                }
            }
            if complete && !item.has_all_producers() {
                violations.not_judged_at(position, path, "not all producers could be read");
            }
        }
        for absent in self.items.absent(metadata).into_iter().filter(|_| self.required && complete) {
            let message = || format!("item {absent} does not exist, but is required to have a producer");
            violations.add(FindingCode::MissingField, Position::ROOT, ItemPath::root, message);
        }
    }

    /// The matching entries: match, name and version.
    fn matching<'i>(&'i self, item: Item<'i>) -> impl Iterator<Item = (NameMatch, &'i str, &'i str)> {
        let is_selected = |name: &str| self.fields.is_empty() || self.fields.iter().any(|field| **field == *name);
        let fields = item.producers().fields().filter(move |field| is_selected(field.name()));
        let entries = fields.flat_map(|field| field.values());
        let judged = entries.map(|(name, version)| (self.filter.matches(name, version), name, version));
        judged.filter(|(matched, ..)| *matched != NameMatch::No)
    }

    fn missing_message(&self, item: Item<'_>) -> String {
        match self.matching(item).next() {
            Some((_, name, version)) => format!(
                "a producer is required, but the version {} of {} cannot be compared",
                quoted(version),
                quoted(name)
            ),
            None => format!("a required producer is missing{}", self.criteria()),
        }
    }

    /// The criteria of the rule, for a message.
    fn criteria(&self) -> String {
        let any_of = |before: &str, texts: Vec<String>| match &*texts {
            [] => String::new(),
            texts => format!("{before}{}", texts.join(" or ")),
        };
        let names = any_of(": ", self.filter.names.iter().map(|name| quoted(name.as_str())).collect());
        let fields = any_of(", in ", self.fields.iter().map(|field| quoted(field)).collect());
        let versions = if self.filter.versions.is_some() { ", with a matching version" } else { "" };
        format!("{names}{fields}{versions}")
    }
}
