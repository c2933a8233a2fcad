//! What a policy makes of a report.

use std::borrow::Cow;
use std::sync::Arc;

use super::exceptions::Known;
use super::{Day, Exception, Policy, Rule, Subject};
use crate::finding::{Code, Finding, Findings, Severity};
use crate::report::Report;
use crate::scan::Path;

/// What a policy makes of a report. It depends on the two alone, on the [`Subject`] where there is one, and on no clock.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "nothing is refused until somebody looks at the verdict"]
pub struct Verdict<'a> {
    /// Every finding that matters under the policy: those of the report, in its order; then what each rule is broken by, in
    /// the order of the rules; then which exceptions have expired.
    pub judged: Vec<Judged<'a>>,
    /// Whether the input was read to its end. What breaks off is never accepted.
    pub complete: bool,
}

/// A finding under a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judged<'a> {
    /// The finding: the report's, that a rule is broken, or that an exception has expired.
    pub finding: Cow<'a, Finding>,
    /// The rule that is broken; `None` where no rule is.
    pub rule: Option<Arc<Rule>>,
    /// How bad it is under the policy.
    pub severity: Severity,
    /// The exception that excuses it: it is not refused.
    pub excepted: Option<Arc<Exception>>,
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
    /// Judges a report by itself: what an exception is made for is not known, and so none holds. Where the policy asks for
    /// more than metadata, that must be of a reading [for this policy](super::Reader).
    pub fn judge<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        self.judge_as(report, &Subject::default())
    }

    /// Judges a report of something that exceptions may be made for.
    pub fn judge_as<'a>(&self, report: &Report<'a>, subject: &Subject<'_>) -> Verdict<'a> {
        let of_report = report.findings().map(|finding| (Cow::Borrowed(finding), None));
        let of_rules = self.rules.iter().scan(0, |section_rules, rule| {
            let found = rule.judge(report, section_rules, self.limits.findings);
            Some(found.into_iter().map(|finding| (Cow::Owned(finding), Some(Arc::clone(rule)))))
        });
        let judged = of_report.chain(of_rules.flatten()).filter_map(|(finding, rule)| {
            let of_rule = rule.as_ref().and_then(|rule| rule.severity);
            let severity = of_rule.or_else(|| self.severity(finding.code))?;
            Some(Judged { finding, rule, severity, excepted: None, refused: severity >= self.refuse })
        });
        let mut judged: Vec<Judged<'a>> = judged.collect();
        if !(self.exceptions.is_empty() || judged.is_empty()) {
            let digest_is_wrong = report.findings().any(|finding| finding.code == Code::DigestMismatch);
            self.except(&mut judged, &Known::of(subject, digest_is_wrong), subject.today);
        }
        Verdict { judged, complete: report.is_complete() }
    }

    /// Excuses what the exceptions are made for, and says which of them do not hold any more.
    fn except(&self, judged: &mut Vec<Judged<'_>>, known: &Known<'_>, today: Option<Day>) {
        let meant = self.exceptions.iter().filter(|exception| exception.is_for(known));
        let (held, expired): (Vec<_>, Vec<_>) = meant.partition(|exception| exception.holds_on(today));
        for judged in &mut *judged {
            let excuses = |exception: &&&Arc<Exception>| exception.excuses(judged.finding.code);
            judged.excepted = held.iter().find(excuses).map(|exception| Arc::clone(exception));
            judged.refused &= judged.excepted.is_none();
        }
        let Some(severity) = self.severity(Code::ExpiredException) else { return };
        let mut findings = Findings::new(self.limits.findings);
        for exception in expired {
            let is_left = |judged: &Judged<'_>| judged.excepted.is_none() && exception.excuses(judged.finding.code);
            if judged.iter().any(is_left) {
                let describe = || (Path::root(), exception.why_not(today).into());
                findings.add_apart(Code::ExpiredException, 0, 0, None, describe);
            }
        }
        let refused = severity >= self.refuse;
        let of_exception =
            |finding| Judged { finding: Cow::Owned(finding), rule: None, severity, excepted: None, refused };
        judged.extend(findings.into_list().into_iter().map(of_exception));
    }
}
