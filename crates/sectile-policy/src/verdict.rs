//! The result of judging a report.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Exception, PolicyLocation, Rule};
use sectile::{Finding, Severity};
use sectile_advisories::{Advisories, AdvisoryMatch, Database};

/// The judgment of a report by a policy. It depends only on the policy, the report and the
/// [`JudgeContext`](super::JudgeContext). It does not read a clock.
#[derive(Clone, Debug)]
#[must_use = "a verdict has no effect by itself"]
pub struct Verdict<'a> {
    pub(super) findings: Vec<JudgedFinding<'a>>,
    pub(super) complete: bool,
    pub(super) advisories: Option<Arc<Advisories>>,
}

/// A finding as a policy judges it.
#[derive(Clone, Debug)]
pub struct JudgedFinding<'a> {
    pub(crate) finding: Cow<'a, Finding>,
    pub(crate) rule: Option<Arc<Rule>>,
    pub(crate) location: Option<PolicyLocation>,
    pub(crate) severity: Severity,
    pub(crate) exception: Option<Arc<Exception>>,
    pub(crate) advisory: Option<Arc<AdvisoryMatch>>,
    pub(crate) refused: bool,
}

impl JudgedFinding<'_> {
    /// The finding: one of the report, a broken rule, or an expired exception.
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// The broken rule, if the finding is one.
    pub fn rule(&self) -> Option<&Rule> {
        self.rule.as_deref()
    }

    /// The location in the policy of the rule that the finding breaks, or of the exception that has
    /// expired. `None` for every other finding, and for rules and exceptions made in code.
    pub fn location(&self) -> Option<&PolicyLocation> {
        self.location.as_ref()
    }

    /// Severity under the policy.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The exception that excuses the finding, which is then not refused.
    pub fn exception(&self) -> Option<&Exception> {
        self.exception.as_deref()
    }

    /// The advisory that the finding is about, if it is about one.
    pub fn advisory(&self) -> Option<&AdvisoryMatch> {
        self.advisory.as_deref().filter(|_| cfg!(feature = "advisories"))
    }

    /// Whether the policy refuses the finding.
    pub fn is_refused(&self) -> bool {
        self.refused
    }
}

impl JudgedFinding<'_> {
    /// Copies what is borrowed.
    #[must_use]
    pub fn into_owned(self) -> JudgedFinding<'static> {
        JudgedFinding { finding: Cow::Owned(self.finding.into_owned()), ..self }
    }
}

impl<'a> Verdict<'a> {
    /// Every finding that the policy does not ignore. The findings of the report come first, in its
    /// order. The advisories follow, the most important first, then the violations in the order of the
    /// rules, then the expired exceptions.
    pub fn findings(&self) -> &[JudgedFinding<'a>] {
        &self.findings
    }

    /// Returns [`findings`](Self::findings).
    pub fn into_findings(self) -> Vec<JudgedFinding<'a>> {
        self.findings
    }

    /// The databases of advisories that packages were judged by; `None` if the policy has none.
    pub fn databases(&self) -> Option<&[Database]> {
        self.advisories.as_deref().map(Advisories::databases)
    }

    /// Whether the input was read to its end. A partial input is never accepted.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Verdict<'_> {
    /// Whether the input was read to its end, and the policy refuses no finding.
    pub fn is_accepted(&self) -> bool {
        self.complete && !self.is_refused()
    }

    /// Number of findings that an exception excuses.
    pub fn excepted(&self) -> u64 {
        let excepted = self.findings.iter().filter(|judged| judged.exception.is_some());
        excepted.fold(0, |sum, judged| sum.saturating_add(judged.finding.count()))
    }

    /// Whether the policy refuses a finding. For truncated input the answer covers the part that
    /// was read. Further bytes never revoke a refusal, because an incomplete item is never judged
    /// for missing metadata.
    pub fn is_refused(&self) -> bool {
        self.first_refused().is_some()
    }

    /// The first finding that the policy refuses.
    pub fn first_refused(&self) -> Option<&Finding> {
        self.findings.iter().find(|judged| judged.refused).map(|judged| &*judged.finding)
    }
}

/// A judged finding of an earlier report.
pub fn reused(
    finding: Finding,
    severity: Severity,
    refused: bool,
    location: Option<PolicyLocation>,
    exception: Option<Arc<Exception>>,
) -> JudgedFinding<'static> {
    JudgedFinding { finding: Cow::Owned(finding), rule: None, location, severity, exception, advisory: None, refused }
}

/// The same finding, about this advisory.
pub fn with_advisory(judged: JudgedFinding<'_>, advisory: Arc<AdvisoryMatch>) -> JudgedFinding<'_> {
    JudgedFinding { advisory: Some(advisory), ..judged }
}

/// An exception of an earlier report: it excuses nothing.
pub fn reused_exception(exception: Exception, location: Option<PolicyLocation>) -> Arc<Exception> {
    Arc::new(exception.with_location(location))
}
