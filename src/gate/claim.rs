//! What is said of an upload before its bytes are there, and what it is judged as.

use std::ffi::{OsStr, OsString};

use crate::digest::Digest;
use crate::policy::{Day, Policy, Subject, Verdict};
use crate::report::Report;

/// Where an upload is to lie, the digest that it is said to have, and the day.
#[derive(Clone, Debug, Default)]
pub(super) struct Claim {
    pub(super) locations: Vec<OsString>,
    /// As long as the bytes are not all there, it is taken to be true.
    pub(super) digest: Option<String>,
    pub(super) today: Option<Day>,
}

impl Claim {
    pub(super) fn judge<'a>(&self, policy: &Policy, report: &Report<'a>) -> Verdict<'a> {
        let locations: Vec<&OsStr> = self.locations.iter().map(|location| &**location).collect();
        let mut subject = Subject::new().at(&locations);
        if let Some(digest) = &self.digest {
            subject = subject.verified(digest);
        }
        policy.judge_as(report, &Subject { today: self.today, ..subject })
    }

    /// The bytes are all there: a digest that they have not is none.
    pub(super) fn hold_against(&mut self, digest: impl FnOnce() -> Digest) {
        if let Some(claimed) = self.digest.take() {
            self.digest = Some(claimed).filter(|claimed| claimed.eq_ignore_ascii_case(&digest().to_string()));
        }
    }
}
