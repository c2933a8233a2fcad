//! Parts of a valid policy that have no effect.

use super::{Day, Policy, PolicyLocation};
use sectile::FindingCode;
use sectile::internal::quoted;

/// A part of a policy that has no effect, or no longer has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyWarning {
    location: Option<PolicyLocation>,
    message: String,
}

impl PolicyWarning {
    /// The location of the rule or the exception; `None` if it was made in code.
    pub fn location(&self) -> Option<&PolicyLocation> {
        self.location.as_ref()
    }

    /// The problem, in one line. It may quote the policy: escape it for a terminal.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Policy {
    /// The rules and exceptions without an effect, in the order of the file.
    ///
    /// - An exception has no effect if it has expired on this day, or excuses only ignored
    ///   findings.
    /// - A rule has no effect if it repeats an earlier rule, or if its violations are ignored.
    pub fn warnings(&self, today: Option<Day>) -> Vec<PolicyWarning> {
        let rules: Vec<_> = self.rules().collect();
        let of_rules = rules.iter().enumerate().filter_map(|(nth, rule)| {
            let code = rule.demand().code();
            let repeated = rules[..nth].iter().find(|other| {
                (other.demand(), other.severity(), other.reason()) == (rule.demand(), rule.severity(), rule.reason())
            });
            let message = if let Some(other) = repeated {
                let place = other.location().map(|location| format!(" in line {}", location.line())).unwrap_or_default();
                format!("the rule repeats the one{place}; remove one of them")
            } else if rule.severity().is_none() && self.severity(code).is_none() {
                format!("violations of the rule are ignored, because `severity.{code}` is `ignore`; add a `severity` or remove the rule")
            } else {
                return None;
            };
            Some(PolicyWarning { location: rule.location().cloned(), message })
        });
        let of_exceptions = self.exceptions().filter_map(|exception| {
            let is_counted = |code: &FindingCode| exception.covers(*code) && self.severity(*code).is_some();
            // Rules with a severity of their own are judged even if their code is ignored.
            let of_rule =
                |code: FindingCode| rules.iter().any(|rule| rule.severity().is_some() && rule.demand().code() == code);
            let message = if today.is_some() && !exception.is_valid_on(today) {
                format!("{}; remove it or set a later day", exception.expired_message(today))
            } else if !FindingCode::ALL.iter().any(|code| is_counted(code) || exception.covers(*code) && of_rule(*code))
            {
                format!(
                    "the exception {} excuses only findings that the policy ignores; remove it",
                    quoted(exception.reason())
                )
            } else {
                return None;
            };
            Some(PolicyWarning { location: exception.location().cloned(), message })
        });
        let mut warnings: Vec<PolicyWarning> = of_rules.chain(of_exceptions).collect();
        warnings.sort_by(|one, other| one.location.cmp(&other.location));
        warnings
    }
}
