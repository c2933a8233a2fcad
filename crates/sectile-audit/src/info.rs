//! The facts about an audit itself that its output states.

use std::ffi::OsString;

use crate::InsideSearch;
use sectile_advisories::Database;
use sectile_policy::{Packages, Policy};

/// The facts about an audit itself that its output states.
///
/// Nothing in it comes from a clock or from the host unless the caller provides it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditInfo {
    /// The roots that were audited.
    pub paths: Vec<OsString>,
    /// The name of the policy, if the caller gave one.
    pub policy_name: Option<OsString>,
    /// A fingerprint of the policy, of its expired exceptions, and of the limits on archives.
    pub fingerprint: String,
    /// The packages that were read.
    pub packages: Packages,
    /// Whether all digests were computed.
    pub hashed: bool,
    /// Whether files that are neither binaries nor archives were searched for binaries.
    pub inside: InsideSearch,
    /// The day of the audit, as `2026-01-31`, if the caller gave one.
    pub day: Option<String>,
    /// The time of SBOMs, as an RFC 3339 date-time, if the caller gave one.
    pub created: Option<String>,
    /// The databases of advisories that packages were judged by.
    pub databases: Vec<Database>,
}

impl AuditInfo {
    /// Whether the policy is the default one.
    pub(super) fn has_default_policy(&self) -> bool {
        self.fingerprint.starts_with(&Policy::default().fingerprint())
    }
}

/// The point where an audit was stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stop {
    /// The file of the last row that was written, or `None` if no row was written.
    ///
    /// Files before it have no row if they were being read when the audit was stopped.
    pub after: Option<OsString>,
}

/// The databases of advisories that a policy judges packages by.
pub(super) fn databases(policy: &Policy) -> Vec<Database> {
    policy.advisories().map(|advisories| advisories.databases().to_vec()).unwrap_or_default()
}
