//! Rules about URLs.

use super::urls::{PlainUrl, UrlPattern};
use super::violations::RuleViolations;
use super::{Items, RuleError};
use sectile::FindingCode;
use sectile::internal::quoted;
use sectile::metadata::{Expects, Field, Metadata, Value};

/// Allows or denies URLs by pattern, in [`source`](Field::Source) or in other fields that hold a
/// URL.
///
/// A pattern is a URL in which `*` matches any characters: `https://github.com/acme/*`. URLs are
/// compared part by part, and one part never matches another. In a host `*` is the whole host, or
/// any subdomain (`*.example.org`). In a scheme or a port it is the whole part. Schemes and hosts
/// ignore case. The default port of a scheme equals no port.
///
/// - A URL is permitted if it is allowed and not denied. Without allowed patterns every URL is
///   allowed.
/// - Allowed patterns compare exactly: the case of a path matters, and a user or a port must be
///   part of the pattern.
/// - Denied patterns compare loosely: they ignore case, encoding and user, and match any port
///   unless they name one.
/// - `git@host:path` is `ssh://git@host/path`, as in Git.
/// - A URL whose destination is ambiguous is refused. Its text may not be a URL, not be UTF-8, be
///   unreadable, or have more than 8 KiB. Its host may be missing, not be ASCII, or be an IPv4
///   address that is not four numbers. Its path may have a part that servers read differently, such
///   as `..` or an encoded slash.
/// - An item without the section is not judged; use [`Required`](super::Required).
/// - If an item has the section several times, the first and the last are judged, because readers
///   disagree on which one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    items: Items,
    fields: Vec<Field>,
    allowed: Option<Vec<UrlPattern>>,
    denied: Vec<UrlPattern>,
}

impl Sources {
    /// Judges `source` in these items. Every URL is permitted until a pattern is added.
    pub fn new(items: Items) -> Self {
        Self { items, fields: vec![Field::Source], allowed: None, denied: Vec::new() }
    }

    /// The fields that the rule can judge: those that hold a URL.
    pub fn url_fields() -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(|field| matches!(field.expects(), Expects::Url | Expects::Repository))
    }

    /// Judges these fields instead of `source`.
    ///
    /// # Errors
    ///
    /// A field does not hold a URL.
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = Field>) -> Result<Self, RuleError> {
        self.fields = fields.into_iter().collect();
        match self.fields.iter().find(|field| Self::url_fields().all(|url_field| url_field != **field)) {
            None => Ok(self),
            Some(other) => {
                let fields: Vec<_> = Self::url_fields().map(Field::section).collect();
                Err(RuleError::new(format!(
                    "{} does not hold a URL; valid fields: {}",
                    quoted(other.section()),
                    fields.join(", ")
                )))
            }
        }
    }

    /// Allows URLs that match a pattern. From then on, URLs that match no allowed pattern are
    /// refused.
    ///
    /// # Errors
    ///
    /// The text is not a pattern for URLs.
    pub fn allow(mut self, pattern: &str) -> Result<Self, RuleError> {
        self.allowed.get_or_insert_default().push(UrlPattern::allowing(pattern)?);
        Ok(self)
    }

    /// Denies URLs that match a pattern, even if they are allowed.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn deny(mut self, pattern: &str) -> Result<Self, RuleError> {
        self.denied.push(UrlPattern::denying(pattern)?);
        Ok(self)
    }

    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, violations: &mut RuleViolations<'_>) {
        for &field in &self.fields {
            let judge = |value: Option<&Value<'_>>| self.judge_value(field, value);
            violations.judge_values(&self.items, field, FindingCode::RefusedSource, metadata, complete, judge);
        }
    }

    fn judge_value(&self, field: Field, value: Option<&Value<'_>>) -> Result<(), String> {
        let unknown = |what: &str| Err(format!("`{field}` {what}, so its target is not known"));
        let Some(value) = value else { return unknown("could not be read") };
        let Some(text) = value.as_str() else { return unknown("is not UTF-8") };
        let refused = |reason: &str| Err(format!("`{field}` {} is refused: {reason}", quoted(text)));
        let url = match PlainUrl::parse(text) {
            Ok(url) => url,
            Err(reason) => return refused(&format!("its target is ambiguous, because {reason}")),
        };
        if let Some(denied) = self.denied.iter().find(|pattern| pattern.matches(&url)) {
            return refused(&format!("{} is denied", quoted(denied.text())));
        }
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|pattern| pattern.matches(&url)) => refused("it is not allowed"),
            _ => Ok(()),
        }
    }
}
