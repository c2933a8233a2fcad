//! Exceptions: findings that do not refuse a file, for a reason, and for a time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::subject::{Subject, place};
use super::{Day, RuleError};
use crate::edit::Glob;
use crate::escape::quoted;
use crate::finding::Code;

/// What a policy makes an exception for: findings of some codes, or of all, in files that lie at some places or have one of some
/// digests. What is excepted is still a part of the verdict, with the exception beside it, and refuses nothing.
///
/// - Where both places and digests are given, both must hold. *Every* place where the file lies must match one of the
///   patterns: what is excused in one place is not excused in another.
/// - A digest is what the store calls the file, or what it was verified to have; after
///   [`verified`](Self::verified) only the latter. A digest that the report says the file has not
///   ([`Code::DigestMismatch`]) excuses nothing.
/// - Where no codes are given, all findings are excused but those by which a judgement cannot be trusted
///   ([`ONLY_BY_NAME`](Self::ONLY_BY_NAME)): these must be named. That a file could not be read to its end is no finding, and
///   is never excused.
/// - After the day on which it expires it excuses nothing, and a finding says so (`expired-exception`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    places: Vec<Glob>,
    digests: BTreeSet<DigestName>,
    must_be_verified: bool,
    codes: BTreeSet<Code>,
    expires: Option<Day>,
    reason: Box<str>,
}

impl Exception {
    /// What no exception excuses that does not name it: a rule that could not be judged, a file that changed while it was read,
    /// bytes that have not the digest that they are called by.
    pub const ONLY_BY_NAME: [Code; 3] = [Code::NotJudged, Code::Changed, Code::DigestMismatch];

    /// An exception for nothing yet, for a reason that people can read.
    ///
    /// # Errors
    ///
    /// There is no reason.
    pub fn because(reason: &str) -> Result<Self, RuleError> {
        if reason.trim().is_empty() {
            return Err(RuleError::new("an exception needs a reason"));
        }
        Ok(Self {
            places: Vec::new(),
            digests: BTreeSet::new(),
            must_be_verified: false,
            codes: BTreeSet::new(),
            expires: None,
            reason: reason.into(),
        })
    }

    /// For files that lie at places that match one of these.
    #[must_use]
    pub fn at(mut self, places: impl IntoIterator<Item = Glob>) -> Self {
        self.places.extend(places);
        self
    }

    /// For files of this digest, written `sha256:` and 64 hexadecimal digits, or `sha512:` and 128.
    ///
    /// # Errors
    ///
    /// It is no such digest.
    pub fn of_digest(mut self, digest: &str) -> Result<Self, RuleError> {
        self.digests.insert(digest.parse()?);
        Ok(self)
    }

    /// Only where the digest was verified.
    #[must_use]
    pub fn verified(self) -> Self {
        Self { must_be_verified: true, ..self }
    }

    /// For findings of these codes.
    #[must_use]
    pub fn for_codes(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.codes.extend(codes);
        self
    }

    /// Until the end of this day.
    #[must_use]
    pub fn until(self, last: Day) -> Self {
        Self { expires: Some(last), ..self }
    }

    /// Why it is made.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last day on which it holds; `None` where it holds for ever.
    pub fn expires(&self) -> Option<Day> {
        self.expires
    }

    /// Whether it is made for something, be it for a time that is over.
    pub(super) fn is_for(&self, known: &Known<'_>) -> bool {
        let matches = |place: &Cow<'_, str>| self.places.iter().any(|glob| glob.matches(place));
        let at_places = || known.places.as_ref().is_some_and(|places| places.iter().all(matches));
        let digest = if self.must_be_verified {
            known.digest.as_ref().filter(|_| known.verified)
        } else {
            known.digest.as_ref()
        };
        let has_digest = || digest.is_some_and(|digest| self.digests.contains(digest));
        let is_for_something = !(self.places.is_empty() && self.digests.is_empty());
        is_for_something && (self.digests.is_empty() || has_digest()) && (self.places.is_empty() || at_places())
    }

    pub(super) fn excuses(&self, code: Code) -> bool {
        if self.codes.is_empty() { !Self::ONLY_BY_NAME.contains(&code) } else { self.codes.contains(&code) }
    }

    pub(super) fn holds_on(&self, today: Option<Day>) -> bool {
        self.expires.is_none_or(|last| today.is_some_and(|today| today <= last))
    }

    /// That it does not hold.
    pub(super) fn why_not(&self, today: Option<Day>) -> String {
        let reason = quoted(&self.reason);
        match (self.expires, today) {
            (Some(last), None) => {
                format!("the exception {reason} holds until {last}, and nobody says which day it is")
            }
            (Some(last), Some(_)) => format!("the exception {reason} has expired: it held until {last}"),
            (None, _) => format!("the exception {reason} does not hold"),
        }
    }
}

/// What is known of a subject that exceptions can be made for: read once, and compared with each.
pub(super) struct Known<'s> {
    /// All places; `None` where there is none, or one that no pattern can match.
    places: Option<Vec<Cow<'s, str>>>,
    digest: Option<DigestName>,
    verified: bool,
}

impl<'s> Known<'s> {
    /// Of a digest that is found to be wrong, nothing is known but where it was verified.
    pub(super) fn of(subject: &Subject<'s>, digest_is_wrong: bool) -> Self {
        let places: Option<Vec<_>> = subject.locations.iter().map(|location| place(location)).collect();
        let digest = subject.digest.filter(|_| subject.verified || !digest_is_wrong);
        Self {
            places: places.filter(|places| !places.is_empty()),
            digest: digest.and_then(|digest| digest.parse().ok()),
            verified: subject.verified,
        }
    }
}

/// A digest as stores call blobs, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DigestName(Box<str>);

impl FromStr for DigestName {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let is_digest = text.split_once(':').is_some_and(|(algorithm, digits)| {
            matches!((algorithm, digits.len()), ("sha256", 64) | ("sha512", 128))
                && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        if !is_digest {
            let why = "is no digest: `sha256:` and 64 hexadecimal digits are, or `sha512:` and 128";
            return Err(RuleError::new(format!("{} {why}", quoted(text))));
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_that_is_found_to_be_wrong_is_none() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let exception = Exception::because("known").unwrap().of_digest(&digest).unwrap();
        let (named, verified) = (Subject::new().named(&digest), Subject::new().verified(&digest));
        assert!(exception.is_for(&Known::of(&named, false)) && !exception.is_for(&Known::of(&named, true)));
        assert!(exception.is_for(&Known::of(&verified, true)));
    }
}
