//! Judges a report by a policy.

use std::borrow::Cow;
use std::sync::Arc;

use super::advisories::{self, LocatedAdvisory};
use super::exceptions::NormalizedContext;
use super::violations::RuleViolations;
use super::{AdvisoryRule, Day, Demand, Exception, JudgeContext, JudgedFinding, Packages, Policy, Rule, Verdict};
use crate::report::Report;
use sectile::scan::ItemPath;
use sectile::{Finding, FindingCode, Findings};
use sectile_advisories::AdvisoryMatch;

/// A finding, the rule that it breaks, and the advisory that it is about.
type PolicyFinding<'a> = (Cow<'a, Finding>, Option<Arc<Rule>>, Option<Arc<AdvisoryMatch>>);

impl Policy {
    /// Judges a report without context. No exception applies, because exceptions need context. If
    /// the policy needs more than metadata, read the input with a
    /// [`PolicyReader`](super::PolicyReader).
    pub fn judge<'a>(&self, report: &Report<'a>) -> Verdict<'a> {
        self.judge_with_context(report, &JudgeContext::default())
    }

    /// Judges a report with the context that exceptions depend on.
    pub fn judge_with_context<'a>(&self, report: &Report<'a>, context: &JudgeContext<'_>) -> Verdict<'a> {
        let mut findings = Vec::new();
        let mut add = |found: PolicyFinding<'a>| findings.extend(self.judge_finding(found));
        report.findings().for_each(|finding| add((Cow::Borrowed(finding), None, None)));
        self.judge_advisories(report).into_iter().for_each(&mut add);
        let mut section_rules = 0;
        for rule in &self.rules {
            let found = rule.judge(report, self, &mut section_rules);
            for finding in found {
                add((Cow::Owned(finding), Some(Arc::clone(rule)), None));
            }
        }
        excuse_other_targets(&mut findings);
        if !(self.exceptions.is_empty() || findings.is_empty()) {
            let digest_is_wrong = report.findings().any(|finding| finding.code() == FindingCode::DigestMismatch);
            self.apply_exceptions(&mut findings, &NormalizedContext::new(context, digest_is_wrong), context.today);
        }
        Verdict { findings, complete: report.is_complete(), advisories: self.advisories.clone() }
    }

    /// The severity of a finding; `None` if the policy ignores it.
    fn judge_finding<'a>(&self, (finding, rule, advisory): PolicyFinding<'a>) -> Option<JudgedFinding<'a>> {
        let rule_severity = rule.as_ref().and_then(|rule| rule.severity);
        let severity = rule_severity.or_else(|| self.severity(finding.code()))?;
        let location = rule.as_ref().and_then(|rule| rule.location.clone());
        let refused = severity >= self.refuse;
        Some(JudgedFinding { finding, rule, location, severity, exception: None, advisory, refused })
    }

    /// The advisories about the packages of a binary, each with the rule that refuses it, and the
    /// findings that packages cannot be judged.
    fn judge_advisories<'a>(&self, report: &Report<'_>) -> Vec<PolicyFinding<'a>> {
        if cfg!(not(feature = "advisories")) {
            return Vec::new();
        }
        let mut violations = RuleViolations::new(None, self.limits.max_findings_per_code);
        let found;
        let Some(metadata) = report.metadata else { return Vec::new() };
        let complete = report.is_complete();
        let found = match (&self.advisories, report.saved_advisories) {
            (Some(advisories), _) => {
                found = advisories::find(advisories, metadata, report.inventory, complete, &mut violations);
                self.check_inventory(report, &mut violations);
                &found
            }
            (None, Some(saved)) => {
                advisories::check_saved(saved, metadata, complete, &mut violations);
                saved
            }
            (None, None) => return Vec::new(),
        };
        let has_rules = self.rules().any(|rule| matches!(rule.demand(), Demand::Advisories(_)));
        let judge = |one: &LocatedAdvisory| {
            let refuses = |rule: &&Arc<Rule>| match &rule.demand {
                Demand::Advisories(demand) => demand.refuses(&one.found),
                _ => false,
            };
            let rule = self.rules.iter().find(refuses).map(Arc::clone);
            let is_refused = rule.is_some() || !has_rules && AdvisoryRule::new().refuses(&one.found);
            let code = if is_refused { FindingCode::RefusedAdvisory } else { FindingCode::Advisory };
            let finding = one.finding(code, rule.as_ref().and_then(|rule| rule.reason()));
            (Cow::Owned(finding), rule, Some(Arc::clone(&one.found)))
        };
        let unjudged = violations.findings().into_vec();
        found.iter().map(judge).chain(unjudged.into_iter().map(|finding| (Cow::Owned(finding), None, None))).collect()
    }

    /// Adds a finding if the policy judges packages that the data names, and these were not read. The
    /// inventory of an input that is still being read comes last.
    fn check_inventory(&self, report: &Report<'_>, violations: &mut RuleViolations<'_>) {
        if self.packages == Packages::All && report.inventory.is_none() && report.is_complete() {
            violations.not_judged("the data was not searched for packages");
        }
    }

    /// Excuses the findings that exceptions match. Adds a finding for each expired exception that
    /// would have excused one of the remaining findings.
    fn apply_exceptions(
        &self,
        findings: &mut Vec<JudgedFinding<'_>>,
        context: &NormalizedContext<'_>,
        today: Option<Day>,
    ) {
        let matching = self.exceptions.iter().filter(|exception| exception.matches(context));
        let (held, expired): (Vec<_>, Vec<_>) = matching.partition(|exception| exception.is_valid_on(today));
        for judged in &mut *findings {
            let excuses = |exception: &&&Arc<Exception>| exception.excuses(judged);
            if let Some(exception) = held.iter().find(excuses) {
                judged.exception = Some(Arc::clone(exception));
                judged.refused = false;
            }
        }
        let Some(severity) = self.severity(FindingCode::ExpiredException) else { return };
        let is_left =
            |judged: &JudgedFinding<'_>, exception: &Exception| judged.exception.is_none() && exception.excuses(judged);
        let expired: Vec<_> =
            expired.into_iter().filter(|exception| findings.iter().any(|judged| is_left(judged, exception))).collect();
        let mut expirations = Findings::with_limit(self.limits.max_findings_per_code);
        for exception in &expired {
            let describe = || (ItemPath::root(), exception.expired_message(today).into());
            expirations.add_unfolded(FindingCode::ExpiredException, 0, 0, None, describe);
        }
        let refused = severity >= self.refuse;
        // The last finding represents all exceptions beyond the limit.
        findings.extend(expirations.into_vec().into_iter().zip(expired).map(|(finding, exception)| JudgedFinding {
            finding: Cow::Owned(finding),
            rule: None,
            location: exception.location().cloned(),
            severity,
            exception: None,
            advisory: None,
            refused,
        }));
    }
}

/// Excuses advisories about defects that are limited to other targets than WebAssembly.
fn excuse_other_targets(findings: &mut [JudgedFinding<'_>]) {
    for judged in findings {
        let scope = judged.advisory().map(|found| found.affected.scope());
        let Some(scope) = scope.filter(|scope| scope.excludes_wasm) else { continue };
        let reason = format!("WebAssembly is not affected: the defect is limited to {}", scope.targets.join(", "));
        judged.exception = Exception::new(&reason).ok().map(Arc::new);
        judged.refused = false;
    }
}

impl Rule {
    /// Returns the violations of the rule. Section rules are judged during the read, and the report
    /// lists their violations in the order of the section rules. `section_rules` is the index of
    /// the next section rule in this list.
    fn judge(&self, report: &Report<'_>, policy: &Policy, section_rules: &mut usize) -> Vec<Finding> {
        let Some(metadata) = report.metadata else { return Vec::new() };
        let mut violations = RuleViolations::new(self.reason.as_deref(), policy.limits.max_findings_per_code);
        match &self.demand {
            Demand::Required(required) => required.judge(metadata, report.is_complete(), &mut violations),
            Demand::Licenses(licenses) => licenses.judge(metadata, report.is_complete(), &mut violations),
            Demand::Sources(sources) => sources.judge(metadata, report.is_complete(), &mut violations),
            Demand::Producers(producers) => producers.judge(metadata, report.is_complete(), &mut violations),
            Demand::Dependencies(dependencies) => {
                dependencies.judge(metadata, report.is_complete(), &mut violations);
                match report.inventory {
                    Some(found) => dependencies.judge_found(found, metadata, report.is_complete(), &mut violations),
                    None => policy.check_inventory(report, &mut violations),
                }
            }
            Demand::Sections(_) => {
                let index = *section_rules;
                *section_rules += 1;
                match report.section_matches.and_then(|matches| matches.for_rule(index, self)) {
                    Some(found) => return found.iter().cloned().collect(),
                    None => violations.not_judged("the sections were not read"),
                }
            }
            Demand::Imports(imports) => match report.interface {
                Some(interface) => imports.judge(interface, &mut violations),
                None => violations.not_judged("the imports were not read"),
            },
            // The advisories are judged by all their rules together.
            Demand::Advisories(_)
                if cfg!(feature = "advisories")
                    && (policy.advisories.is_some() || report.saved_advisories.is_some()) => {}
            Demand::Advisories(_) => violations.not_judged("no database of advisories was given"),
        }
        violations.findings().into_vec()
    }
}
