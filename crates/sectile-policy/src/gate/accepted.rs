//! Accepted uploads.

use std::ffi::OsStr;
use std::sync::Arc;

use super::claim::Claim;
use crate::report::Report;
use crate::{Policy, Reading, Verdict};
use sectile::Outcome;
use sectile::digest::Digest;
use sectile::metadata::Metadata;

/// An upload that was accepted.
#[derive(Debug)]
pub struct Accepted {
    pub(super) reading: Outcome<Reading<'static>>,
    pub(super) policy: Arc<Policy>,
    pub(super) claim: Claim,
    pub(super) digest: Option<Digest>,
    pub(super) size: u64,
}

impl Accepted {
    /// SHA-256 of all bytes of the upload.
    ///
    /// # Panics
    ///
    /// If the gate was [`without_hashing`](super::Gate::without_hashing), and its caller did not pass
    /// the digest either.
    pub fn digest(&self) -> Digest {
        self.digest.expect("the digest was computed by the gate or by its caller")
    }

    /// Length of the upload in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The metadata of the upload, with its findings.
    ///
    /// # Panics
    ///
    /// Never: an accepted upload was read.
    pub fn metadata(&self) -> &Metadata<'static> {
        &self.reading().metadata
    }

    /// Everything that the policy needed.
    ///
    /// # Panics
    ///
    /// Never: an accepted upload was read.
    pub fn reading(&self) -> &Reading<'static> {
        match self.reading.value() {
            Some(reading) => reading,
            None => unreachable!("an accepted upload was read"),
        }
    }

    /// The report of the upload under a name. [`verdict`](Self::verdict) judges it.
    pub fn report<'a>(&'a self, name: &'a OsStr) -> Report<'a> {
        Report::for_policy(name, Some(self.size), &self.reading)
    }

    /// Judges a [report](Self::report) with the exceptions that hold for the upload.
    pub fn verdict<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        self.claim.judge(&self.policy, report)
    }

    /// The policy that judged the upload.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}
