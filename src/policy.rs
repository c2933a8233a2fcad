//! What is tolerated, and the one function that judges a reading by it.

use crate::finding::{Finding, Severity};
use crate::report::Report;

/// What is tolerated in a binary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Findings of this severity, and of worse, are refused.
    pub refuse: Severity,
}

impl Default for Policy {
    /// Refuses errors.
    fn default() -> Self {
        Self { refuse: Severity::Error }
    }
}

/// What a policy makes of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verdict<'a> {
    /// Every finding with its severity under the policy, in the order of the report.
    pub judged: Vec<Judged<'a>>,
    /// Whether the input was read to its end. What breaks off is never accepted.
    pub complete: bool,
}

/// A finding under a policy.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Judged<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// How bad it is under the policy.
    pub severity: Severity,
    /// Whether the policy refuses it.
    pub refused: bool,
}

impl Verdict<'_> {
    /// Whether the policy has nothing against the input, all of which was read.
    pub fn is_accepted(&self) -> bool {
        self.complete && !self.judged.iter().any(|judged| judged.refused)
    }
}

impl Policy {
    /// Judges a report.
    pub fn judge<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        let judged = report.findings().map(|finding| {
            let severity = finding.code.severity();
            Judged { finding, severity, refused: severity >= self.refuse }
        });
        Verdict { judged: judged.collect(), complete: report.is_complete() }
    }
}
