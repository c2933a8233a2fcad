//! Licences that are allowed or denied.

use spdx::LicenseReq;
use spdx::expression::{ExprNode, Expression, Operator};

use super::terms::{Term, Terms};
use super::violations::Broken;
use super::{Items, RuleError};
use crate::escape::quoted;
use crate::finding::Code;
use crate::metadata::{Field, Flaw, Metadata, Value, license_expression};

/// Licences that are allowed or denied. The expressions in a binary are evaluated: of `MIT OR GPL-3.0-only` one that is
/// permitted is enough, of `MIT AND GPL-3.0-only` both must be.
///
/// - A licence is permitted if it is allowed (all are, where nothing is said to be) and not denied.
/// - `GPL-2.0-or-later` and `MPL-1.1+` in a binary leave the choice: a later version that is permitted is enough. In a
///   policy they mean that version and every later one.
/// - `Apache-2.0 WITH LLVM-exception` is allowed only if it is allowed with that exception, and denied if the licence is
///   denied with it or without any.
/// - What is no SPDX expression, not even one in another spelling, or could not be read, is refused: nobody can tell what
///   it permits. An item without a licence is none of this rule's concern, but [`Required`](super::Required)'s.
/// - Where an item has the section more than once, the first and the last are judged: readers differ on which counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licenses {
    items: Items,
    allowed: Option<Terms>,
    denied: Terms,
}

impl Licenses {
    /// Judges the licences of these items; everything is permitted so far.
    pub fn new(items: Items) -> Self {
        Self { items, allowed: None, denied: Terms::default() }
    }

    /// Allows a licence, or each of several, written `MIT OR Apache-2.0`. Any that is never allowed is refused.
    ///
    /// # Errors
    ///
    /// It is no SPDX expression, or has an `AND`.
    pub fn allow(mut self, expression: &str) -> Result<Self, RuleError> {
        self.allowed.get_or_insert_default().extend(terms(expression)?);
        Ok(self)
    }

    /// Denies a licence, or each of several, written `GPL-3.0-only OR AGPL-3.0-only`, whatever is allowed.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn deny(mut self, expression: &str) -> Result<Self, RuleError> {
        self.denied.extend(terms(expression)?);
        Ok(self)
    }

    /// Of an item that was not read to its end nobody knows which licence counts.
    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, broken: &mut Broken<'_>) {
        let judge = |value: Option<&Value<'_>>| self.judge_value(value);
        broken.by_values(&self.items, Field::Licenses, Code::RefusedLicense, metadata, complete, judge);
    }

    fn judge_value(&self, value: Option<&Value<'_>>) -> Result<(), String> {
        let unknown = |what: &str| Err(format!("{what}, so that nobody can tell what it permits"));
        let Some(value) = value else { return unknown("the licence could not be read") };
        let Some(text) = value.as_str() else { return unknown("the licence is not UTF-8") };
        let Some(expression) = license_expression(text) else {
            return unknown(&format!("{} is no SPDX expression", quoted(text)));
        };
        expression.evaluate_with_failures(|license| self.permits(&Term::of(license))).map_err(|refused| {
            let mut why: Vec<_> = refused.iter().map(|refused| self.why_not(&refused.req)).collect();
            why.dedup();
            why.truncate(MOST_NAMED);
            format!("the licence {} is refused: {}", quoted(text), why.join(", "))
        })
    }

    fn permits(&self, term: &Term) -> bool {
        term.versions().any(|version| {
            let is_allowed = self.allowed.as_ref().is_none_or(|allowed| allowed.have(&version));
            is_allowed && !self.denied.have(&version) && !self.denied.have(&version.without_addition())
        })
    }

    fn why_not(&self, license: &LicenseReq) -> String {
        let term = Term::of(license);
        let is_denied = self.denied.have(&term) || self.denied.have(&term.without_addition());
        format!("{} is {}", quoted(&license.to_string()), if is_denied { "denied" } else { "not allowed" })
    }
}

/// So many of the licences that are refused are named in a message.
const MOST_NAMED: usize = 4;

/// The licences of an entry of a policy.
fn terms(expression: &str) -> Result<Vec<Term>, RuleError> {
    if let Some(flaw) = Field::Licenses.check(expression).into_iter().find(Flaw::is_refused) {
        return Err(RuleError::new(flaw.message));
    }
    let why = || RuleError::new(format!("{} is no SPDX expression", quoted(expression)));
    let parsed: Expression = license_expression(expression).ok_or_else(why)?;
    if parsed.iter().any(|node| matches!(node, ExprNode::Op(Operator::And))) {
        let why = "joins licences with `AND`: give each by itself; what a binary joins so is judged licence by licence";
        return Err(RuleError::new(format!("{} {why}", quoted(expression))));
    }
    Ok(parsed.requirements().map(|requirement| Term::of(&requirement.req)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(allow: &[&str], deny: &[&str], license: &str) -> Result<(), String> {
        let mut rule = Licenses::new(Items::all());
        for allow in allow {
            rule = rule.allow(allow).unwrap();
        }
        for deny in deny {
            rule = rule.deny(deny).unwrap();
        }
        let range = 0..license.len() as u64;
        rule.judge_value(Some(&Value::text(license.into(), range)))
    }

    #[test]
    fn expressions_are_evaluated() {
        let permissive = &["MIT", "Apache-2.0", "BSD-2-Clause OR BSD-3-Clause"][..];
        let gpl = &["GPL-2.0-or-later"][..];
        for (allow, deny, license, permitted) in [
            (permissive, &[][..], "MIT", true),
            (permissive, &[], "MIT OR GPL-3.0-only", true),
            (permissive, &[], "GPL-3.0-only OR MIT", true),
            (permissive, &[], "MIT AND GPL-3.0-only", false),
            (permissive, &[], "MIT AND (GPL-3.0-only OR Apache-2.0)", true),
            (permissive, &[], "MIT AND BSD-3-Clause", true),
            (permissive, &[], "GPL-3.0-only", false),
            (permissive, &["MIT"], "MIT", false),
            (permissive, &["MIT"], "MIT OR Apache-2.0", true),
            (&[], &["GPL-3.0-only"], "MIT", true),
            (&[], &["GPL-3.0-only"], "GPL-3.0-only", false),
            (&[], &["GPL-3.0-only"], "GPL-3.0", false),
            (&[], &[], "LicenseRef-mine", true),
            // Later versions.
            (permissive, &[], "Apache-1.1+", true),
            (permissive, &[], "Apache-1.1", false),
            (&["Apache-1.1+"], &[], "Apache-2.0", true),
            (&["GPL-3.0-only"], &[], "GPL-2.0-or-later", true),
            (&["GPL-3.0-only"], &[], "GPL-2.0+", true),
            (&["GPL-2.0-only"], &[], "GPL-3.0-or-later", false),
            (&["GPL-2.0-only"], &[], "LGPL-2.0-or-later", false),
            (gpl, &[], "GPL-3.0-only", true),
            (gpl, &[], "GPL-1.0-only", false),
            (gpl, &[], "GPL-1.0-or-later", true),
            (&[], gpl, "GPL-3.0-only", false),
            (&[], gpl, "GPL-2.0-or-later", false),
            (&[], gpl, "GPL-1.0-or-later", true),
            (&[], &["GPL-3.0-only"], "GPL-3.0-or-later", false), // there is no later one
            (&["GPL-2.0"], &[], "GPL-2.0-only", true),
            // Exceptions.
            (permissive, &[], "Apache-2.0 WITH LLVM-exception", false),
            (&["Apache-2.0 WITH LLVM-exception"], &[], "Apache-2.0 WITH LLVM-exception", true),
            (&["Apache-2.0 WITH LLVM-exception"], &[], "Apache-2.0", false),
            (&[], &["GPL-2.0-only"], "GPL-2.0-only WITH Classpath-exception-2.0", false),
            (&[], &["GPL-2.0-only WITH Classpath-exception-2.0"], "GPL-2.0-only", true),
            (&[], &["GPL-2.0-only WITH Classpath-exception-2.0"], "GPL-2.0-only WITH Classpath-exception-2.0", false),
            (&["GPL-3.0-only WITH GCC-exception-3.1"], &[], "GPL-2.0-or-later WITH GCC-exception-3.1", true),
            // References.
            (&["LicenseRef-mine"], &[], "LicenseRef-mine", true),
            (&["LicenseRef-mine"], &[], "LicenseRef-yours", false),
            (&["LicenseRef-mine"], &[], "DocumentRef-x:LicenseRef-mine", false),
            // What it means is clear, or is not.
            (permissive, &[], "MIT/Apache-2.0", true),
            (permissive, &[], "mit", true),
            (permissive, &[], "MIT, please", false),
            (&[], &[], "proprietary", false),
            (&[], &[], "", false),
        ] {
            let judged = judge(allow, deny, license);
            assert_eq!(judged.is_ok(), permitted, "{allow:?} {deny:?} {license}: {judged:?}");
        }
    }

    #[test]
    fn what_is_refused_is_named() {
        assert_eq!(
            judge(&["MIT"], &["GPL-3.0-only"], "ISC AND GPL-3.0-only AND MIT").unwrap_err(),
            "the licence `ISC AND GPL-3.0-only AND MIT` is refused: `ISC` is not allowed, `GPL-3.0-only` is denied"
        );
        let long = "GPL-2.0-or-later AND ".repeat(380) + "MIT";
        assert!(judge(&["MIT"], &[], &long).unwrap_err().len() < 300);
    }

    #[test]
    fn what_is_no_licence_is_no_entry() {
        for (entry, why) in [
            ("MITT", "`MITT` is no SPDX expression"),
            ("mit", "write `MIT`"),
            ("", "the value is empty"),
            ("MIT AND ISC", "joins licences with `AND`"),
            ("MIT OR", "is no SPDX expression"),
        ] {
            let error = Licenses::new(Items::all()).allow(entry).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert!(Licenses::new(Items::all()).deny(entry).is_err());
        }
    }
}
