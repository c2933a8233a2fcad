//! Rules about licenses.

use std::collections::BTreeMap;

use spdx::LicenseReq;
use spdx::expression::{ExprNode, Expression, Operator};

use super::terms::{LicenseSet, LicenseTerm};
use super::violations::RuleViolations;
use super::{Items, RuleError};
use sectile::FindingCode;
use sectile::internal::{differs_in_case, license_expression, quoted, states_no_license};
use sectile::metadata::{Field, Metadata, Value, ValueError};

/// Allows or denies licenses. SPDX expressions are evaluated: `MIT OR GPL-3.0-only` needs one
/// permitted license, `MIT AND GPL-3.0-only` needs both.
///
/// - A license is permitted if it is allowed and not denied. Without allowed licenses every license
///   is allowed.
/// - `GPL-2.0-or-later` and `MPL-1.1+` in a binary are permitted if any later version is. In a
///   policy they mean that version and every later one.
/// - `Apache-2.0 WITH LLVM-exception` must be allowed with that exception. It is denied if the
///   license is denied with the exception or without any.
/// - Identifiers are compared without case, as SPDX demands.
/// - A value that is not an SPDX expression, even in a common misspelling, or that could not be
///   read, is refused. An item without a license is not judged; use [`Required`](super::Required).
/// - `NONE` and `NOASSERTION` state that no license is known. They are refused unless the rule
///   [permits them](Self::permit_unknown), or allows the value by its name.
/// - If an item has the section several times, the first and the last are judged, because readers
///   disagree on which one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licenses {
    items: Items,
    allowed: Option<LicenseSet>,
    denied: LicenseSet,
    /// Whether `NONE` and `NOASSERTION` are permitted.
    permits_unknown: bool,
    /// `NONE` and `NOASSERTION` if named in an entry: allowed or denied. In upper case.
    named_unknown: BTreeMap<String, bool>,
}

impl Licenses {
    /// Judges the licenses of these items. Every license is permitted until one is allowed or
    /// denied.
    pub fn new(items: Items) -> Self {
        Self {
            items,
            allowed: None,
            denied: LicenseSet::default(),
            permits_unknown: false,
            named_unknown: BTreeMap::new(),
        }
    }

    /// Allows a license, or several written `MIT OR Apache-2.0`. From then on, licenses that are
    /// not allowed are refused.
    ///
    /// # Errors
    ///
    /// The text is not an SPDX expression, or contains `AND`.
    pub fn allow(mut self, expression: &str) -> Result<Self, RuleError> {
        let allowed = self.allowed.get_or_insert_default();
        if states_no_license(expression) {
            // A denial wins, in either order.
            self.named_unknown.entry(upper(expression)).or_insert(true);
        } else {
            allowed.extend(terms(expression)?);
        }
        Ok(self)
    }

    /// Denies a license, or several written `GPL-3.0-only OR AGPL-3.0-only`, even if they are
    /// allowed.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub fn deny(mut self, expression: &str) -> Result<Self, RuleError> {
        if states_no_license(expression) {
            self.named_unknown.insert(upper(expression), false);
        } else {
            self.denied.extend(terms(expression)?);
        }
        Ok(self)
    }

    /// Permits `NONE` and `NOASSERTION`, unless they are denied by name. By default they are
    /// refused.
    #[must_use]
    pub fn permit_unknown(self) -> Self {
        Self { permits_unknown: true, ..self }
    }

    /// Skips items that were not read to their ends: a later license might count.
    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, violations: &mut RuleViolations<'_>) {
        let judge = |value: Option<&Value<'_>>| self.judge_value(value);
        violations.judge_values(&self.items, Field::Licenses, FindingCode::RefusedLicense, metadata, complete, judge);
    }

    fn judge_value(&self, value: Option<&Value<'_>>) -> Result<(), String> {
        let unknown = |what: &str| Err(format!("{what}, so it cannot be evaluated"));
        let Some(value) = value else { return unknown("the license could not be read") };
        let Some(text) = value.as_str() else { return unknown("the license is not UTF-8") };
        if states_no_license(text) {
            let permits = self.named_unknown.get(&upper(text)).copied().unwrap_or(self.permits_unknown);
            return if permits { Ok(()) } else { Err(format!("{} states that no license is known", quoted(text))) };
        }
        let Some(expression) = license_expression(text) else {
            return unknown(&format!("{} is not an SPDX expression", quoted(text)));
        };
        expression.evaluate_with_failures(|license| self.permits(&LicenseTerm::new(license))).map_err(|refused| {
            let mut reasons: Vec<_> = refused.iter().map(|refused| self.refusal_reason(&refused.req)).collect();
            reasons.dedup();
            reasons.truncate(MAX_NAMED);
            format!("the license {} is refused: {}", quoted(text), reasons.join(", "))
        })
    }

    fn permits(&self, term: &LicenseTerm) -> bool {
        term.versions().any(|version| {
            let is_allowed = self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&version));
            is_allowed && !self.denied.contains(&version) && !self.denied.contains(&version.without_addition())
        })
    }

    fn refusal_reason(&self, license: &LicenseReq) -> String {
        let term = LicenseTerm::new(license);
        let is_denied = self.denied.contains(&term) || self.denied.contains(&term.without_addition());
        format!("{} is {}", quoted(&license.to_string()), if is_denied { "denied" } else { "not allowed" })
    }
}

/// `NONE` or `NOASSERTION`.
fn upper(value: &str) -> String {
    value.trim().to_ascii_uppercase()
}

/// A message names at most this many refused licenses.
const MAX_NAMED: usize = 4;

/// The licenses of an entry of a policy.
fn terms(expression: &str) -> Result<Vec<LicenseTerm>, RuleError> {
    let refused = |error: &ValueError| error.is_refused() && !differs_in_case(expression);
    if let Some(error) = Field::Licenses.check(expression).into_iter().find(refused) {
        return Err(RuleError::new(error.message()));
    }
    let invalid = || RuleError::new(format!("{} is not an SPDX expression", quoted(expression)));
    let parsed: Expression = license_expression(expression).ok_or_else(invalid)?;
    if parsed.iter().any(|node| matches!(node, ExprNode::Op(Operator::And))) {
        let why =
            "joins licenses with `AND`: list each by itself; a binary that joins them is judged license by license";
        return Err(RuleError::new(format!("{} {why}", quoted(expression))));
    }
    Ok(parsed.requirements().map(|requirement| LicenseTerm::new(&requirement.req)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sectile_testing::binary::{custom, module};

    fn judge(allow: &[&str], deny: &[&str], license: &str) -> Result<(), String> {
        let mut rule = Licenses::new(Items::all());
        for allow in allow {
            rule = rule.allow(allow).unwrap();
        }
        for deny in deny {
            rule = rule.deny(deny).unwrap();
        }
        let bytes = module(&[custom("licenses", license)]);
        let metadata = sectile::read_slice(&bytes).unwrap();
        rule.judge_value(metadata.root().annotation(Field::Licenses))
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
            (&[], &["GPL-3.0-only"], "GPL-3.0-or-later", false), // no later version exists
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
            (&["LicenseRef-Mine"], &[], "LicenseRef-mine", true),
            (&[], &["LicenseRef-Mine"], "LicenseRef-mINE", false),
            (&[], &["MIT WITH AdditionRef-A"], "MIT WITH AdditionRef-a", false),
            // Case.
            (&["Apache-2.0"], &[], "apache-2.0", true),
            (&["apache-2.0"], &[], "Apache-2.0", true),
            (&["apache-2.0 with llvm-exception"], &[], "APACHE-2.0 WITH LLVM-EXCEPTION", true),
            (&["MIT"], &[], "mit OR gpl-3.0-only", true),
            (&[], &["gpl-3.0-only"], "GPL-3.0-Only", false),
            (&[], &["GPL-3.0-only"], "gpl-3.0-only", false),
            // Clear and unclear spellings.
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
    fn no_known_license_is_refused_by_default() {
        for (allow, deny, permitted) in [
            (&[][..], &[][..], &[][..]),
            (&[], &["GPL-3.0-only"], &[]),
            (&["MIT"], &[], &[]),
            (&["MIT", "NOASSERTION"], &[], &["NOASSERTION", "noassertion"]),
            (&["none"], &[], &["NONE", "none"]),
            (&["NONE"], &["None"], &[]),
        ] {
            for license in ["NONE", "NOASSERTION", "none", "noassertion"] {
                let judged = judge(allow, deny, license);
                assert_eq!(judged.is_ok(), permitted.contains(&license), "{allow:?} {deny:?} {license}: {judged:?}");
            }
        }
        assert_eq!(judge(&[], &[], "NOASSERTION").unwrap_err(), "`NOASSERTION` states that no license is known");
        assert!(judge(&["NONE"], &[], "MIT").is_err(), "a list of allowed licenses allows nothing else");

        let bytes = module(&[custom("licenses", "NOASSERTION")]);
        let metadata = sectile::read_slice(&bytes).unwrap();
        let value = metadata.root().annotation(Field::Licenses);
        let rule = Licenses::new(Items::all()).permit_unknown();
        assert!(rule.judge_value(value).is_ok());
        assert!(rule.deny("NOASSERTION").unwrap().judge_value(value).is_err());
    }

    #[test]
    fn message_names_refused_licenses() {
        assert_eq!(
            judge(&["MIT"], &["GPL-3.0-only"], "ISC AND GPL-3.0-only AND MIT").unwrap_err(),
            "the license `ISC AND GPL-3.0-only AND MIT` is refused: `ISC` is not allowed, `GPL-3.0-only` is denied"
        );
        let long = "GPL-2.0-or-later AND ".repeat(380) + "MIT";
        assert!(judge(&["MIT"], &[], &long).unwrap_err().len() < 300);
    }

    #[test]
    fn invalid_entries_are_refused() {
        for (entry, why) in [
            ("MITT", "`MITT` is not an SPDX expression"),
            ("MIT/ISC", "did you mean `MIT OR ISC`?"),
            ("MIT OR NOASSERTION", "is not an SPDX expression"),
            ("", "the value is empty"),
            ("MIT AND ISC", "joins licenses with `AND`"),
            ("MIT OR", "is not an SPDX expression"),
        ] {
            let error = Licenses::new(Items::all()).allow(entry).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert!(Licenses::new(Items::all()).deny(entry).is_err());
        }
    }
}
