//! What was not let through.

use std::ffi::OsStr;
use std::fmt;
use std::sync::Arc;

use super::claim::Claim;
use crate::error::{Error, Outcome};
use crate::escape::Escaped;
use crate::finding::Finding;
use crate::policy::{Policy, Reading, Verdict};
use crate::report::Report;

/// What kind of reason an upload is refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Why {
    /// It is no WebAssembly, is malformed, or ends too early.
    Malformed,
    /// Reading it would exceed one of the [`Limits`](crate::Limits).
    Limit,
    /// It has, or declares, more bytes than are permitted.
    TooLarge,
    /// It has more bytes than it declared, or fewer.
    Length,
    /// The policy refuses a finding.
    Policy,
}

/// Why an upload is not let through, and what was read of it. Small (one pointer), and cheap to clone.
///
/// `Display` says it in a line that is safe on a terminal; [`report`](Self::report) says all of it.
#[derive(Clone)]
pub struct Refused(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    why: Why,
    finding: Option<Finding>,
    reading: Result<Outcome<Reading<'static>>, Error>,
    size: u64,
    policy: Arc<Policy>,
    claim: Claim,
}

impl Refused {
    #[cold]
    pub(super) fn new(
        why: Why,
        finding: Option<Finding>,
        reading: Result<Outcome<Reading<'static>>, Error>,
        size: u64,
        (policy, claim): (Arc<Policy>, Claim),
    ) -> Self {
        Self(Arc::new(Inner { why, finding, reading, size, policy, claim }))
    }

    /// What kind of reason it is.
    pub fn why(&self) -> Why {
        self.0.why
    }

    /// The finding that the policy refuses; the first, if several came together.
    pub fn finding(&self) -> Option<&Finding> {
        self.0.finding.as_ref()
    }

    /// What broke the upload off; `None` where the policy refuses it.
    pub fn error(&self) -> Option<&Error> {
        if self.0.why == Why::Policy { None } else { self.broken() }
    }

    /// How many bytes were looked at before it was refused.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// What was read of it; `None` where nothing could be.
    pub fn reading(&self) -> Option<&Reading<'static>> {
        self.0.reading.as_ref().ok().map(|outcome| &outcome.value)
    }

    /// The row that says what was read, and why no more was; what it is called there is for the caller to say. Its
    /// [verdict](Self::verdict) is what the policy makes of it, and `Report::write_verdict_json` a line of JSON of both: what
    /// `sectile check --json` prints.
    pub fn report<'a>(&'a self, name: &'a OsStr) -> Report<'a> {
        Report::of_reading(name, None, &self.0.reading)
    }

    /// What the policy makes of its [report](Self::report), with the exceptions that hold for it.
    pub fn verdict<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        self.0.claim.judge(&self.0.policy, report)
    }

    /// What it was judged by.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    fn broken(&self) -> Option<&Error> {
        match &self.0.reading {
            Ok(outcome) => outcome.broken.as_ref(),
            Err(error) => Some(error),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.finding, self.broken()) {
            (Some(finding), _) => {
                let Finding { code, offset, path, message, .. } = finding;
                write!(f, "{code} (at offset {offset:#x}")?;
                if !path.is_root() {
                    write!(f, ", in item {path}")?;
                }
                write!(f, "): {}", Escaped::new(message))
            }
            (None, Some(error)) => error.fmt(f),
            (None, None) => f.write_str("the upload is refused"),
        }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}
