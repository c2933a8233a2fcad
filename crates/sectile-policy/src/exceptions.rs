//! Exceptions: findings that are excused, with a reason and a last day.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::context::{JudgeContext, normalized_location};
use super::{Day, JudgedFinding, PolicyLocation, RuleError};
use sectile::FindingCode;
use sectile::Glob;
use sectile::internal::quoted;
use sectile_advisories::{AdvisoryMatch, VexPackage};

/// An exception of a policy. It excuses findings of some codes, or of all, in files at some paths
/// or with some digests. An excused finding stays in the verdict, together with the exception, and
/// refuses nothing.
///
/// - If an exception has both paths and digests, both must match. *Every* location of the file must
///   match one of the paths.
/// - A digest is the name of the file in its store, or a verified one. After
///   [`require_verified`](Self::require_verified) only a verified digest matches. A digest that the
///   report contradicts ([`FindingCode::DigestMismatch`]) never matches.
/// - With identifiers of advisories, an exception excuses only findings about these advisories. It
///   then needs neither paths nor digests.
/// - Without codes, an exception excuses all findings except [`ONLY_BY_NAME`](Self::ONLY_BY_NAME),
///   which make a judgment unreliable and must be named. Truncation is not a finding, and is never
///   excused.
/// - After its last day an exception excuses nothing, and a finding says so (`expired-exception`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    paths: Vec<Glob>,
    digests: BTreeSet<DigestName>,
    must_be_verified: bool,
    codes: BTreeSet<FindingCode>,
    /// Identifiers of advisories.
    advisories: Vec<Box<str>>,
    /// The packages that the advisories are about; any if empty.
    packages: Vec<VexPackage>,
    expiry: Option<Day>,
    reason: Box<str>,
    location: Option<PolicyLocation>,
}

impl Exception {
    /// Codes that an exception excuses only if it names them. They report a rule that could not be
    /// judged, a file that changed during the read, and a digest that does not match.
    pub const ONLY_BY_NAME: [FindingCode; 3] =
        [FindingCode::NotJudged, FindingCode::Changed, FindingCode::DigestMismatch];

    /// An exception with a reason, which matches no file yet.
    ///
    /// # Errors
    ///
    /// The reason is blank.
    pub fn new(reason: &str) -> Result<Self, RuleError> {
        if reason.trim().is_empty() {
            return Err(RuleError::new("an exception needs a reason"));
        }
        Ok(Self {
            paths: Vec::new(),
            digests: BTreeSet::new(),
            must_be_verified: false,
            codes: BTreeSet::new(),
            advisories: Vec::new(),
            packages: Vec::new(),
            expiry: None,
            reason: reason.into(),
            location: None,
        })
    }

    /// Adds paths: every location of the file must match one of them.
    #[must_use]
    pub fn with_paths(mut self, paths: impl IntoIterator<Item = Glob>) -> Self {
        self.paths.extend(paths);
        self
    }

    /// Adds a digest, written `sha256:` and 64 hexadecimal digits, or `sha512:` and 128.
    ///
    /// # Errors
    ///
    /// The text is not such a digest.
    pub fn with_digest(mut self, digest: &str) -> Result<Self, RuleError> {
        self.digests.insert(digest.parse()?);
        Ok(self)
    }

    /// Requires the digest of the file to be verified.
    #[must_use]
    pub fn require_verified(self) -> Self {
        Self { must_be_verified: true, ..self }
    }

    /// Adds codes of findings to excuse.
    #[must_use]
    pub fn with_codes(mut self, codes: impl IntoIterator<Item = FindingCode>) -> Self {
        self.codes.extend(codes);
        self
    }

    /// Adds identifiers of advisories, or aliases such as a CVE number. The exception then excuses
    /// only findings about these advisories. It needs no path and no digest.
    #[must_use]
    pub fn with_advisories(mut self, ids: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        self.advisories.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Sets the last day on which the exception holds.
    #[must_use]
    pub fn with_expiry(self, last_day: Day) -> Self {
        Self { expiry: Some(last_day), ..self }
    }

    /// Limits the exception to findings about advisories that concern these packages.
    pub(crate) fn with_packages(self, packages: Vec<VexPackage>) -> Self {
        Self { packages, ..self }
    }

    pub(crate) fn with_location(self, location: Option<PolicyLocation>) -> Self {
        Self { location, ..self }
    }

    /// Whether the exception accepts this unverified digest, the name of a file in a store. The
    /// caller then computes the digest of the file, because a directory that only looks like a
    /// store may use any names.
    pub fn accepts_name(&self, digest: &str) -> bool {
        !self.must_be_verified
            && !self.digests.is_empty()
            && digest.parse().is_ok_and(|digest| self.digests.contains(&digest))
    }

    /// Why the exception exists.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last day on which the exception holds; `None` if it does not expire.
    pub fn expiry(&self) -> Option<Day> {
        self.expiry
    }

    /// The location of the exception in the file of its policy; `None` for an exception made in
    /// code.
    pub fn location(&self) -> Option<&PolicyLocation> {
        self.location.as_ref()
    }

    /// Whether the exception matches a file, even if it has expired.
    pub(super) fn matches(&self, context: &NormalizedContext<'_>) -> bool {
        let matches = |location: &Cow<'_, str>| self.paths.iter().any(|glob| glob.matches(location));
        let paths_match = || context.locations.as_ref().is_some_and(|locations| locations.iter().all(matches));
        let digest = if self.must_be_verified {
            context.digest.as_ref().filter(|_| context.verified)
        } else {
            context.digest.as_ref()
        };
        let digest_matches = || digest.is_some_and(|digest| self.digests.contains(digest));
        let is_for_something = !(self.paths.is_empty() && self.digests.is_empty() && self.advisories.is_empty());
        is_for_something && (self.digests.is_empty() || digest_matches()) && (self.paths.is_empty() || paths_match())
    }

    /// Whether the exception is about findings of this code.
    pub(super) fn covers(&self, code: FindingCode) -> bool {
        let is_advisory = || matches!(code, FindingCode::Advisory | FindingCode::RefusedAdvisory);
        let is_named =
            if self.codes.is_empty() { !Self::ONLY_BY_NAME.contains(&code) } else { self.codes.contains(&code) };
        is_named && (self.advisories.is_empty() || is_advisory())
    }

    /// Whether the exception is about this finding.
    pub(super) fn excuses(&self, judged: &JudgedFinding<'_>) -> bool {
        let is_about = |found: &AdvisoryMatch| {
            let is_package = self.packages.is_empty() || self.packages.iter().any(|package| package.is_of(found));
            is_package && self.advisories.iter().any(|id| found.advisory().is_named(id))
        };
        self.covers(judged.finding.code()) && (self.advisories.is_empty() || judged.advisory().is_some_and(is_about))
    }

    pub(super) fn is_valid_on(&self, today: Option<Day>) -> bool {
        self.expiry.is_none_or(|last| today.is_some_and(|today| today <= last))
    }

    /// Message about an exception that does not hold on this day.
    pub(super) fn expired_message(&self, today: Option<Day>) -> String {
        let reason = quoted(&self.reason);
        match (self.expiry, today) {
            (Some(last), None) => {
                format!("the exception {reason} holds until {last}, but the current day is not known")
            }
            (Some(last), Some(_)) => format!("the exception {reason} has expired: it held until {last}"),
            (None, _) => format!("the exception {reason} does not hold"),
        }
    }
}

/// A context in the form that exceptions are compared with.
pub(super) struct NormalizedContext<'s> {
    /// All locations; `None` if there are none, or one that no pattern can match.
    locations: Option<Vec<Cow<'s, str>>>,
    digest: Option<DigestName>,
    verified: bool,
}

impl<'s> NormalizedContext<'s> {
    /// Ignores a digest that was found to be wrong, unless it is the verified one.
    pub(super) fn new(context: &JudgeContext<'s>, digest_is_wrong: bool) -> Self {
        let locations: Option<Vec<_>> =
            context.locations.iter().map(|location| normalized_location(location)).collect();
        let digest = context.digest.filter(|_| context.verified || !digest_is_wrong);
        Self {
            locations: locations.filter(|locations| !locations.is_empty()),
            digest: digest.and_then(|digest| digest.parse().ok()),
            verified: context.verified,
        }
    }
}

/// A digest as stores name blobs, in lower case.
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
            let why = "is not a digest: expected `sha256:` and 64 hexadecimal digits, or `sha512:` and 128";
            return Err(RuleError::new(format!("{} {why}", quoted(text))));
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_digest_matches_no_exception() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let exception = Exception::new("known").unwrap().with_digest(&digest).unwrap();
        let (named, verified) =
            (JudgeContext::new().with_digest(&digest), JudgeContext::new().with_verified_digest(&digest));
        let matches = |context, digest_is_wrong| exception.matches(&NormalizedContext::new(context, digest_is_wrong));
        assert!(matches(&named, false) && !matches(&named, true));
        assert!(matches(&verified, true));
    }
}
