//! Refused uploads.

use std::ffi::OsStr;
use std::fmt;
use std::sync::Arc;

use super::claim::Claim;
use crate::report::Report;
use crate::{Policy, PolicyLocation, Reading, Verdict};
use sectile::{Error, Escaped, Finding, Outcome};

/// The kind of reason for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The upload is not WebAssembly, is malformed, or is truncated.
    Malformed,
    /// Reading it would exceed one of the [`Limits`](sectile::Limits).
    Limit,
    /// It has or declares more bytes than permitted.
    TooLarge,
    /// Its length is not the declared one.
    Length,
    /// The policy refuses a finding.
    Policy,
}

/// The reason why an upload is refused, and the part that was read. One pointer, cheap to clone.
///
/// `Display` writes one line that is safe on a terminal; [`report`](Self::report) has the details.
#[derive(Clone)]
pub struct Refusal(Arc<RefusalDetails>);

#[derive(Debug)]
struct RefusalDetails {
    kind: RefusalKind,
    refused: Option<(Finding, Option<PolicyLocation>)>,
    reading: Outcome<Reading<'static>>,
    size: u64,
    policy: Arc<Policy>,
    claim: Claim,
}

impl Refusal {
    #[cold]
    pub(super) fn new(
        kind: RefusalKind,
        refused: Option<(Finding, Option<PolicyLocation>)>,
        reading: Outcome<Reading<'static>>,
        size: u64,
        (policy, claim): (Arc<Policy>, Claim),
    ) -> Self {
        Self(Arc::new(RefusalDetails { kind, refused, reading, size, policy, claim }))
    }

    /// The kind of reason.
    pub fn kind(&self) -> RefusalKind {
        self.0.kind
    }

    /// The finding that the policy refuses; the first one if there are several.
    pub fn finding(&self) -> Option<&Finding> {
        self.0.refused.as_ref().map(|(finding, _)| finding)
    }

    /// The location in the policy of the rule that the finding breaks. `None` if the finding breaks
    /// no rule, or one that was made in code.
    pub fn location(&self) -> Option<&PolicyLocation> {
        self.0.refused.as_ref().and_then(|(_, location)| location.as_ref())
    }

    /// The error that ended the upload; `None` if the policy refuses it.
    pub fn error(&self) -> Option<&Error> {
        if self.0.kind == RefusalKind::Policy { None } else { self.read_error() }
    }

    /// Number of bytes that were inspected before the refusal.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// The part that was read; `None` if nothing was.
    pub fn reading(&self) -> Option<&Reading<'static>> {
        self.0.reading.value()
    }

    /// The report of the part that was read, under a name. [`verdict`](Self::verdict) judges it,
    /// and `Report::write_verdict_json` writes both as one line of JSON, as `sectile check --json`
    /// does.
    pub fn report<'a>(&'a self, name: &'a OsStr) -> Report<'a> {
        Report::for_policy(name, None, &self.0.reading)
    }

    /// Judges a [report](Self::report) with the exceptions that hold for the upload.
    pub fn verdict<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        self.0.claim.judge(&self.0.policy, report)
    }

    /// The policy that judged the upload.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    fn read_error(&self) -> Option<&Error> {
        self.0.reading.error()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.refused, self.read_error()) {
            (Some((finding, Some(location))), _) => {
                write!(f, "{finding}, {}", Escaped::new(&location.to_string()))
            }
            (Some((finding, None)), _) => finding.fmt(f),
            (None, Some(error)) => error.fmt(f),
            (None, None) => f.write_str("the upload is refused"),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refusal {}
