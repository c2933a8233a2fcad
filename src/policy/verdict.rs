//! What a policy makes of a report.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Policy, Rule};
use crate::finding::{Finding, Severity};
use crate::report::Report;

/// What a policy makes of a report. It depends on the two alone, and on no clock.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verdict<'a> {
    /// Every finding that matters under the policy: those of the report, in its order; then what each rule is broken by, in
    /// the order of the rules.
    pub judged: Vec<Judged<'a>>,
    /// Whether the input was read to its end. What breaks off is never accepted.
    pub complete: bool,
}

/// A finding under a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judged<'a> {
    /// The finding: the report's, or that a rule is broken.
    pub finding: Cow<'a, Finding>,
    /// The rule that is broken; `None` where the finding is the report's.
    pub rule: Option<Arc<Rule>>,
    /// How bad it is under the policy.
    pub severity: Severity,
    /// Whether the policy refuses it.
    pub refused: bool,
}

impl Verdict<'_> {
    /// Whether the policy has nothing against the input, all of which was read.
    pub fn is_accepted(&self) -> bool {
        self.complete && !self.is_refused()
    }

    /// Whether the policy refuses a finding. Of an input that breaks off this says what is known so far, and stays true
    /// whatever comes behind: nothing is said to be missing of an item that was not read to its end.
    pub fn is_refused(&self) -> bool {
        self.first_refused().is_some()
    }

    /// The first finding that the policy refuses.
    pub fn first_refused(&self) -> Option<&Finding> {
        self.judged.iter().find(|judged| judged.refused).map(|judged| &*judged.finding)
    }
}

impl Policy {
    /// Judges a report. Where the policy asks for more than metadata, that must be of a reading
    /// [for this policy](super::Reader).
    pub fn judge<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        let of_report = report.findings().map(|finding| (Cow::Borrowed(finding), None));
        let of_rules = self.rules.iter().scan(0, |section_rules, rule| {
            let found = rule.judge(report, section_rules, self.limits.findings);
            Some(found.into_iter().map(|finding| (Cow::Owned(finding), Some(Arc::clone(rule)))))
        });
        let judged = of_report.chain(of_rules.flatten()).filter_map(|(finding, rule)| {
            let of_rule = rule.as_ref().and_then(|rule| rule.severity);
            let severity = of_rule.or_else(|| self.severity(finding.code))?;
            Some(Judged { finding, rule, severity, refused: severity >= self.refuse })
        });
        Verdict { judged: judged.collect(), complete: report.is_complete() }
    }
}
