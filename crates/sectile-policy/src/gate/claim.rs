//! Claims about an upload that exceptions depend on.

use std::ffi::{OsStr, OsString};

use crate::report::Report;
use crate::{Day, JudgeContext, Policy, Verdict};
use sectile::digest::Digest;

/// The locations of an upload, its claimed digest, and the day.
#[derive(Clone, Debug, Default)]
pub(super) struct Claim {
    pub(super) locations: Vec<OsString>,
    /// Trusted until all bytes have arrived.
    pub(super) digest: Option<String>,
    pub(super) today: Option<Day>,
}

impl Claim {
    pub(super) fn judge<'a>(&self, policy: &Policy, report: &Report<'a>) -> Verdict<'a> {
        let locations: Vec<&OsStr> = self.locations.iter().map(|location| &**location).collect();
        let mut context = JudgeContext::new().with_locations(&locations).with_day(self.today);
        if let Some(digest) = &self.digest {
            context = context.with_verified_digest(digest);
        }
        policy.judge_with_context(report, &context)
    }

    /// Drops the claimed digest unless the computed one is equal. Call it when all bytes have
    /// arrived.
    pub(super) fn verify(&mut self, computed: impl FnOnce() -> Option<Digest>) {
        let Some(claimed) = self.digest.take() else { return };
        let is_correct = computed().is_some_and(|computed| claimed.eq_ignore_ascii_case(&computed.to_string()));
        self.digest = is_correct.then_some(claimed);
    }
}
