//! Where something comes from: URLs that are allowed or denied.

use super::urls::{PlainUrl, UrlPattern};
use super::violations::Broken;
use super::{Items, RuleError};
use crate::escape::quoted;
use crate::finding::Code;
use crate::metadata::{Expects, Field, Metadata, Value};

/// URLs that are allowed or denied, by pattern: those of [`source`](Field::Source), or of other fields that hold a URL.
///
/// A pattern is a URL in which `*` is any characters: `https://github.com/acme/*`. It is compared part by part, and a part
/// never passes for another: in a host `*` stands for all of it, or for what is before its first dot (`*.example.org`), in a
/// scheme and a port for all of it. Schemes and hosts have no case; a port that is the scheme's own is none.
///
/// - A URL is permitted if it is allowed (all are, where nothing is said to be) and not denied.
/// - What is allowed is so as it is written: the case of a path counts, and a user or a port that the pattern does not name
///   is not allowed. What is denied is so in every case, however it is encoded, under any user, and, where the pattern
///   names no port, at any.
/// - `git@host:path` is what Git takes it for, `ssh://git@host/path`.
/// - Refused, as nobody can tell where it leads: what is no URL, is not UTF-8, could not be read or has more than 8 KiB,
///   names no host, one that is not ASCII or an address that is not four numbers, or has a path that servers may read as another (`..`, an encoded slash).
/// - An item without the section is none of this rule's concern, but [`Required`](super::Required)'s. Where an item has it
///   more than once, the first and the last are judged: readers differ on which counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    items: Items,
    fields: Vec<Field>,
    allowed: Option<Vec<UrlPattern>>,
    denied: Vec<UrlPattern>,
}

impl Sources {
    /// Judges what these items say in `source`; everything that is a URL is permitted so far.
    pub fn new(items: Items) -> Self {
        Self { items, fields: vec![Field::Source], allowed: None, denied: Vec::new() }
    }

    /// The fields that may be judged: those that hold a URL.
    pub fn url_fields() -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(|field| matches!(field.expects(), Expects::Url | Expects::Repository))
    }

    /// Judges these fields instead.
    ///
    /// # Errors
    ///
    /// One of them holds no URL.
    pub fn in_fields(mut self, fields: impl IntoIterator<Item = Field>) -> Result<Self, RuleError> {
        self.fields = fields.into_iter().collect();
        match self.fields.iter().find(|field| Self::url_fields().all(|of_urls| of_urls != **field)) {
            None => Ok(self),
            Some(other) => {
                let fields: Vec<_> = Self::url_fields().map(Field::section).collect();
                Err(RuleError::new(format!("{} holds no URL: {} do", quoted(other.section()), fields.join(", "))))
            }
        }
    }

    /// Allows what matches a pattern. What matches none is refused.
    ///
    /// # Errors
    ///
    /// It is no pattern for URLs.
    pub fn allow(mut self, pattern: &str) -> Result<Self, RuleError> {
        self.allowed.get_or_insert_default().push(UrlPattern::allowing(pattern)?);
        Ok(self)
    }

    /// Denies what matches a pattern, whatever is allowed.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn deny(mut self, pattern: &str) -> Result<Self, RuleError> {
        self.denied.push(UrlPattern::denying(pattern)?);
        Ok(self)
    }

    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, broken: &mut Broken<'_>) {
        for &field in &self.fields {
            let judge = |value: Option<&Value<'_>>| self.judge_value(field, value);
            broken.by_values(&self.items, field, Code::RefusedSource, metadata, complete, judge);
        }
    }

    fn judge_value(&self, field: Field, value: Option<&Value<'_>>) -> Result<(), String> {
        let unknown = |what: &str| Err(format!("`{field}` {what}, so that nobody can tell where it leads"));
        let Some(value) = value else { return unknown("could not be read") };
        let Some(text) = value.as_str() else { return unknown("is not UTF-8") };
        let refused = |why: &str| Err(format!("`{field}` {} is refused: {why}", quoted(text)));
        let url = match PlainUrl::of(text) {
            Ok(url) => url,
            Err(why) => return refused(&format!("nobody can tell where it leads, as {why}")),
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
