//! The judgment of a report.

use std::borrow::Cow;
use std::sync::Arc;

use super::exceptions::NormalizedContext;
use super::{Day, Exception, JudgeContext, Policy, Rule};
use crate::report::Report;
use sectile::internal::BuildFindings;
use sectile::scan::ItemPath;
use sectile::{Finding, FindingCode, Findings, Severity};

/// The judgment of a report by a policy. Depends only on the policy, the report and the [`JudgeContext`]; no clock is
/// read.
#[derive(Clone, Debug)]
#[must_use = "a verdict has no effect by itself"]
pub struct Verdict<'a> {
    findings: Vec<JudgedFinding<'a>>,
    complete: bool,
}

/// A finding as a policy judges it.
#[derive(Clone, Debug)]
pub struct JudgedFinding<'a> {
    pub(crate) finding: Cow<'a, Finding>,
    pub(crate) rule: Option<Arc<Rule>>,
    pub(crate) severity: Severity,
    pub(crate) exception: Option<Arc<Exception>>,
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

    /// Severity under the policy.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The exception that excuses the finding, which is then not refused.
    pub fn exception(&self) -> Option<&Exception> {
        self.exception.as_deref()
    }

    /// Whether the policy refuses the finding.
    pub fn is_refused(&self) -> bool {
        self.refused
    }
}

impl<'a> Verdict<'a> {
    /// Every finding that matters under the policy: those of the report in its order, then the violations of each rule
    /// in the order of the rules, then expired exceptions.
    pub fn findings(&self) -> &[JudgedFinding<'a>] {
        &self.findings
    }

    /// Returns [`findings`](Self::findings).
    pub fn into_findings(self) -> Vec<JudgedFinding<'a>> {
        self.findings
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

    /// Whether the policy refuses a finding. For truncated input the answer covers the part that was read; a refusal
    /// stays true whatever follows, because an incomplete item is never judged for missing metadata.
    pub fn is_refused(&self) -> bool {
        self.first_refused().is_some()
    }

    /// The first finding that the policy refuses.
    pub fn first_refused(&self) -> Option<&Finding> {
        self.findings.iter().find(|judged| judged.refused).map(|judged| &*judged.finding)
    }
}

impl Policy {
    /// Judges a report without context, so that no exception holds. If the policy needs more than metadata, read the
    /// input [for this policy](super::PolicyReader).
    pub fn judge<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        self.judge_with_context(report, &JudgeContext::default())
    }

    /// Judges a report with the context that exceptions depend on.
    pub fn judge_with_context<'a>(&self, report: &Report<'a>, context: &JudgeContext<'_>) -> Verdict<'a> {
        let from_report = report.findings().map(|finding| (Cow::Borrowed(finding), None));
        let from_rules = self.rules.iter().scan(0, |section_rules, rule| {
            let found = rule.judge(report, section_rules, self.limits.max_findings_per_code);
            Some(found.into_iter().map(|finding| (Cow::Owned(finding), Some(Arc::clone(rule)))))
        });
        let judged = from_report.chain(from_rules.flatten()).filter_map(|(finding, rule)| {
            let rule_severity = rule.as_ref().and_then(|rule| rule.severity);
            let severity = rule_severity.or_else(|| self.severity(finding.code()))?;
            Some(JudgedFinding { finding, rule, severity, exception: None, refused: severity >= self.refuse })
        });
        let mut findings: Vec<JudgedFinding<'a>> = judged.collect();
        if !(self.exceptions.is_empty() || findings.is_empty()) {
            let digest_is_wrong = report.findings().any(|finding| finding.code() == FindingCode::DigestMismatch);
            self.apply_exceptions(&mut findings, &NormalizedContext::new(context, digest_is_wrong), context.today);
        }
        Verdict { findings, complete: report.is_complete() }
    }

    /// Excuses the findings that exceptions match, and adds a finding for each expired exception that would have
    /// mattered.
    fn apply_exceptions(
        &self,
        findings: &mut Vec<JudgedFinding<'_>>,
        context: &NormalizedContext<'_>,
        today: Option<Day>,
    ) {
        let matching = self.exceptions.iter().filter(|exception| exception.matches(context));
        let (held, expired): (Vec<_>, Vec<_>) = matching.partition(|exception| exception.holds_on(today));
        for judged in &mut *findings {
            let excuses = |exception: &&&Arc<Exception>| exception.excuses(judged.finding.code());
            judged.exception = held.iter().find(excuses).map(|exception| Arc::clone(exception));
            judged.refused &= judged.exception.is_none();
        }
        let Some(severity) = self.severity(FindingCode::ExpiredException) else { return };
        let mut expirations = Findings::with_limit(self.limits.max_findings_per_code);
        for exception in expired {
            let is_left =
                |judged: &JudgedFinding<'_>| judged.exception.is_none() && exception.excuses(judged.finding.code());
            if findings.iter().any(is_left) {
                let describe = || (ItemPath::root(), exception.expired_message(today).into());
                expirations.add_apart(FindingCode::ExpiredException, 0, 0, None, describe);
            }
        }
        let refused = severity >= self.refuse;
        let judge =
            |finding| JudgedFinding { finding: Cow::Owned(finding), rule: None, severity, exception: None, refused };
        findings.extend(expirations.into_vec().into_iter().map(judge));
    }
}

/// A judged finding of an earlier report.
pub fn judged(
    finding: Finding,
    severity: Severity,
    refused: bool,
    exception: Option<Arc<Exception>>,
) -> JudgedFinding<'static> {
    JudgedFinding { finding: Cow::Owned(finding), rule: None, severity, exception, refused }
}
