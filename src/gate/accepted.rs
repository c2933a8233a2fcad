//! What was let through.

use std::ffi::OsStr;
use std::sync::Arc;

use super::claim::Claim;
use crate::digest::Digest;
use crate::error::{Error, Outcome};
use crate::metadata::Metadata;
use crate::oci::{AnnotationError, AnnotationOptions, Annotations, annotations};
use crate::policy::{Policy, Reading, Verdict};
use crate::report::Report;

/// An upload that was let through whole.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted {
    pub(super) reading: Result<Outcome<Reading<'static>>, Error>,
    pub(super) policy: Arc<Policy>,
    pub(super) claim: Claim,
    /// The SHA-256 of all of its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

impl Accepted {
    /// What it says of itself, and what of that is notable.
    ///
    /// # Panics
    ///
    /// Never: what is accepted was read.
    pub fn metadata(&self) -> &Metadata<'static> {
        &self.reading().metadata
    }

    /// All that the policy asked to be read.
    ///
    /// # Panics
    ///
    /// Never: what is accepted was read.
    pub fn reading(&self) -> &Reading<'static> {
        match &self.reading {
            Ok(outcome) => &outcome.value,
            Err(_) => unreachable!("what is accepted was read"),
        }
    }

    /// The row that says what was read; what it is called there is for the caller to say. [`verdict`](Self::verdict) is
    /// what the policy makes of it.
    pub fn report<'a>(&'a self, name: &'a OsStr) -> Report<'a> {
        Report::of_reading(name, Some(self.size), &self.reading)
    }

    /// What the policy makes of its [report](Self::report), with the exceptions that hold for it.
    pub fn verdict<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        self.claim.judge(&self.policy, report)
    }

    /// What it was judged by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it says of itself, as annotations of an OCI manifest.
    ///
    /// # Errors
    ///
    /// As for [`oci::annotations`](crate::oci::annotations).
    pub fn annotations(&self, options: &AnnotationOptions) -> Result<Annotations, AnnotationError> {
        annotations(self.metadata().root(), options)
    }
}
