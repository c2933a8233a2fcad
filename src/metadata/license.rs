//! SPDX license expressions. Source: the SPDX specification's annex "SPDX license expressions"
//! (2.3, 3.0).
//!
//! The parser of the `spdx` crate compares identifiers with their case, knows identifiers that are
//! not on the list, and takes any Unicode space. The rules here are those of the annex.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use spdx::error::Reason;
use spdx::expression::ExpressionReq;
use spdx::identifiers::{EXCEPTIONS, LICENSES};
use spdx::{AdditionItem, Expression, LicenseItem, ParseMode};

use super::check::{MAX_PARSED, ValueError};
use crate::escape::quoted;
use crate::finding::FindingCode;

/// Values that state that the license is unknown or missing. They are not licenses and cannot be
/// part of an expression.
const NO_LICENSE: [&str; 2] = ["NONE", "NOASSERTION"];

/// Whether a value states that no license is known: `NONE` or `NOASSERTION`, in any case.
pub fn states_no_license(value: &str) -> bool {
    no_license(value.trim()).is_some()
}

fn no_license(word: &str) -> Option<&'static str> {
    NO_LICENSE.into_iter().find(|special| word.eq_ignore_ascii_case(special))
}

/// Parses a license, or the expression that a common misspelling means. Identifiers get the case of
/// the SPDX list.
pub fn license_expression(value: &str) -> Option<Expression> {
    if value.len() > MAX_PARSED || states_no_license(value) {
        return None;
    }
    parse(&in_listed_case(value)).ok().or_else(|| parse(&guess(value)?).ok())
}

/// Returns the canonical form of a license if it differs from the value and is unambiguous.
pub fn corrected_license(value: &str) -> Option<String> {
    if value.len() > MAX_PARSED {
        return None;
    }
    let meant = match no_license(value.trim_ascii()) {
        Some(special) => Cow::Borrowed(special),
        None => match in_listed_case(value) {
            listed if parse(&listed).is_ok() => listed,
            _ => Cow::Owned(guess(value)?),
        },
    };
    (meant != value.trim_matches(' ') && meant != value).then(|| meant.into_owned())
}

/// Whether a value is an expression whose identifiers differ from the SPDX list only in their case.
pub fn differs_in_case(value: &str) -> bool {
    corrected_license(value).is_some_and(|meant| meant.eq_ignore_ascii_case(value))
}

/// Returns the errors of a license value.
pub(super) fn check(value: &str) -> Vec<ValueError> {
    if is_simple(value) { Vec::new() } else { check_parsed(value) }
}

/// Whether a value is a valid expression without parentheses whose identifiers are listed, current
/// and in the case of the list. Most values are such expressions, and the parser takes several times
/// as long.
fn is_simple(value: &str) -> bool {
    let mut words = value.split(' ');
    loop {
        if !words.next().is_some_and(is_current_license) {
            return false;
        }
        let mut operator = words.next();
        if operator == Some("WITH") {
            if !words.next().is_some_and(is_current_exception) {
                return false;
            }
            operator = words.next();
        }
        match operator {
            None => return true,
            Some("AND" | "OR") => {}
            Some(_) => return false,
        }
    }
}

fn is_current_license(word: &str) -> bool {
    let current = spdx::license_id(word).is_some_and(|id| id.name == word && !id.is_deprecated());
    current && no_license(word).is_none() && !is_unlisted(word)
}

fn is_current_exception(word: &str) -> bool {
    spdx::exception_id(word).is_some_and(|id| id.name == word && !id.is_deprecated())
}

fn check_parsed(value: &str) -> Vec<ValueError> {
    if NO_LICENSE.contains(&value.trim_matches(' ')) {
        return Vec::new();
    }
    let listed = in_listed_case(value);
    let meant = corrected_license(value);
    let expression = match parse(&listed) {
        _ if no_license(value.trim_ascii()).is_some() => None,
        Ok(expression) => Some(expression),
        Err(_) if meant.is_some() => None,
        Err(error) => {
            let message = format!("{} is not an SPDX expression: {error}", quoted(value));
            return vec![ValueError::new(FindingCode::NotSpdx, message)];
        }
    };
    let mut errors = Vec::new();
    if let Some(meant) = meant {
        let fault = if meant.eq_ignore_ascii_case(value) { "written as SPDX lists it" } else { "an SPDX expression" };
        let message = format!("{} is not {fault}; did you mean {}?", quoted(value), quoted(&meant));
        errors.push(ValueError::new(FindingCode::ImpreciseLicense, message));
    }
    errors.extend(expression.and_then(|expression| deprecated(&listed, &expression)));
    errors
}

/// Parse mode that accepts deprecated identifiers; they are reported as findings.
const DEPRECATED: ParseMode =
    ParseMode { allow_deprecated: true, allow_postfix_plus_on_gpl: true, ..ParseMode::STRICT };

/// Parses an expression whose identifiers have the case of the list. The error is a message.
fn parse(listed: &str) -> Result<Expression, String> {
    if let Some(space) = listed.chars().find(|character| character.is_whitespace() && *character != ' ') {
        return Err(format!("terms are separated by spaces, not by U+{:04X}", u32::from(space)));
    }
    for word in words(listed) {
        if no_license(word.text).is_some() {
            return Err(format!("{} is not a license, and cannot be a part of an expression", quoted(word.text)));
        }
        if is_unlisted(word.text) {
            let advice = format!("did you mean `{0}-only` or `{0}-or-later`?", word.text);
            return Err(format!("`{}` is not on the SPDX list; {advice}", word.text));
        }
        if word.is_operator() && !word.is_between_spaces {
            return Err(format!("{} needs a space on either side", quoted(word.text)));
        }
    }
    let expression = Expression::parse_mode(listed, DEPRECATED).map_err(|error| {
        let term = listed.get(error.span.clone()).map_or_else(String::new, |term| format!(", at {}", quoted(term)));
        let advice = match error.reason {
            Reason::UnknownTerm => "; write a license that SPDX does not list as `LicenseRef-…`",
            _ => "",
        };
        format!("{}{term}{advice}", error.reason)
    })?;
    let error = expression.requirements().find_map(requirement_error);
    error.map_or(Ok(expression), Err)
}

fn requirement_error(requirement: &ExpressionReq) -> Option<String> {
    let empty = |document: &Option<String>, reference: &str| {
        reference.is_empty() || document.as_ref().is_some_and(String::is_empty)
    };
    match &requirement.req.license {
        LicenseItem::Other(other) if empty(&other.doc_ref, &other.lic_ref) => {
            return Some("`LicenseRef-` and `DocumentRef-` need a name".to_owned());
        }
        _ => {}
    }
    match &requirement.req.addition {
        Some(AdditionItem::Other(other)) if empty(&other.doc_ref, &other.add_ref) => {
            Some("`AdditionRef-` and `DocumentRef-` need a name".to_owned())
        }
        _ => None,
    }
}

/// Names that the `spdx` crate adds to the list: the bases of `GFDL-1.1-invariants-only` and its
/// like.
fn is_unlisted(name: &str) -> bool {
    name.starts_with("GFDL-") && name.ends_with("-invariants")
}

/// A word of an expression.
struct Word<'a> {
    text: &'a str,
    start: usize,
    is_between_spaces: bool,
}

impl Word<'_> {
    fn is_operator(&self) -> bool {
        ["AND", "and", "OR", "or", "WITH", "with"].contains(&self.text)
    }
}

/// Splits a value into words at spaces, parentheses, `+` and `/`.
fn words(value: &str) -> impl Iterator<Item = Word<'_>> {
    let is_separator = |character: char| character.is_whitespace() || "()+/".contains(character);
    value.split(is_separator).filter(|text| !text.is_empty()).map(move |text| {
        let start = text.as_ptr() as usize - value.as_ptr() as usize;
        let is_between_spaces = value[..start].ends_with(' ') && value[start + text.len()..].starts_with(' ');
        Word { text, start, is_between_spaces }
    })
}

/// Returns the value with each identifier in the case of the SPDX list. Lengths do not change, so
/// spans remain valid.
fn in_listed_case(value: &str) -> Cow<'_, str> {
    let mut listed = Cow::Borrowed(value);
    for word in words(value).filter(|word| !word.is_operator()) {
        if let Some(name) = listed_name(word.text).filter(|name| *name != word.text) {
            listed.to_mut().replace_range(word.start..word.start + name.len(), name);
        }
    }
    listed
}

fn listed_name(word: &str) -> Option<&'static str> {
    static NAMES: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
        let names =
            LICENSES.iter().map(|license| license.name).chain(EXCEPTIONS.iter().map(|exception| exception.name));
        names.map(|name| (name.to_ascii_lowercase(), name)).collect()
    });
    let listed = spdx::license_id(word).map(|id| id.name).or_else(|| spdx::exception_id(word).map(|id| id.name));
    listed.or_else(|| NAMES.get(&word.to_ascii_lowercase()).copied())
}

/// Returns the expression that a common misspelling means.
fn guess(value: &str) -> Option<String> {
    // The `spdx` crate reads `GNU GPL v2` as version 3.
    if !value.is_ascii() || value.to_ascii_lowercase().contains("gnu gpl v2") {
        return None;
    }
    let listed = in_listed_case(value);
    if words(&listed).any(|word| is_unlisted(word.text)) {
        return None; // the `spdx` crate would choose one of the listed names
    }
    let meant = Expression::canonicalize(&listed).ok().flatten()?;
    parse(&meant).is_ok().then_some(meant)
}

/// Returns an error that lists the deprecated identifiers of an expression.
fn deprecated(listed: &str, expression: &Expression) -> Option<ValueError> {
    let mut advice: Vec<String> = expression
        .requirements()
        .flat_map(|requirement| [deprecated_license(listed, requirement), deprecated_exception(requirement)])
        .flatten()
        .collect();
    advice.dedup();
    let message = (!advice.is_empty()).then(|| advice.join("; "))?;
    Some(ValueError::new(FindingCode::DeprecatedLicense, message))
}

fn deprecated_license(listed: &str, requirement: &ExpressionReq) -> Option<String> {
    let id = requirement.req.license.id()?;
    let written = listed.get(requirement.span.start as usize..requirement.span.end as usize)?;
    let current = |or_later| spdx::gnu_license_id(id.name, or_later).map(|current| current.name);
    match (current(false), current(true)) {
        (Some(only), Some(later)) if id.is_deprecated() => {
            Some(format!("`{written}` is deprecated, write `{only}` or `{later}`"))
        }
        _ if id.is_deprecated() => Some(format!("`{written}` is deprecated")),
        // `GPL-3.0+` is parsed as `GPL-3.0-or-later`.
        _ if id.is_gnu() && id.name != written => {
            let written = written.trim_end_matches('+');
            Some(format!("`{written}+` is deprecated, write `{}`", id.name))
        }
        _ => None,
    }
}

fn deprecated_exception(requirement: &ExpressionReq) -> Option<String> {
    match &requirement.req.addition {
        Some(AdditionItem::Spdx(exception)) if exception.is_deprecated() => {
            Some(format!("`{}` is deprecated", exception.name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FindingCode::{DeprecatedLicense, ImpreciseLicense, NotSpdx};

    fn codes(value: &str) -> Vec<FindingCode> {
        check(value).iter().map(ValueError::code).collect()
    }

    #[test]
    fn valid_expressions() {
        for value in [
            "MIT",
            "MIT OR Apache-2.0 WITH LLVM-exception",
            "mit and isc".to_uppercase().as_str(),
            "MIT and (ISC or 0BSD)",
            "(MIT AND LicenseRef-mine) OR GPL-3.0-or-later",
            "DocumentRef-spdx-tool-1.2:LicenseRef-MIT-Style-2",
            "LGPL-2.1-only WITH AdditionRef-mine",
            "LGPL-2.1-only WITH DocumentRef-a:AdditionRef-mine",
            "GFDL-1.1-invariants-only",
            "CDDL-1.0+",
            "NONE",
            "NOASSERTION",
        ] {
            assert_eq!(codes(value), [], "{value}");
            assert_eq!(corrected_license(value), None, "{value}");
        }
    }

    #[test]
    fn case_of_identifiers_does_not_matter() {
        for (value, canonical) in [
            ("apache-2.0", "Apache-2.0"),
            ("bsd-3-clause", "BSD-3-Clause"),
            ("mit", "MIT"),
            ("MIT OR apache-2.0", "MIT OR Apache-2.0"),
            ("(mit and ISC) or 0bsd", "(MIT and ISC) or 0BSD"),
            ("apache-2.0 WITH llvm-Exception", "Apache-2.0 WITH LLVM-exception"),
            ("cddl-1.0+", "CDDL-1.0+"),
            ("gpl-3.0-OR-LATER", "GPL-3.0-or-later"),
            ("noassertion", "NOASSERTION"),
            ("None", "NONE"),
        ] {
            let errors = check(value);
            assert_eq!(errors[0].code(), ImpreciseLicense, "{value}");
            let end = format!("`{value}` is not written as SPDX lists it; did you mean `{canonical}`?");
            assert_eq!((errors[0].message(), errors.len()), (&*end, 1));
            assert_eq!(corrected_license(value).as_deref(), Some(canonical));
            assert!(differs_in_case(value));
        }
        for license in
            LICENSES.iter().filter(|license| !is_unlisted(license.name) && no_license(license.name).is_none())
        {
            for other in [license.name.to_lowercase(), license.name.to_uppercase()] {
                assert_eq!(license_expression(&other), license_expression(license.name), "{other}");
                assert!(license_expression(&other).is_some(), "{other}");
            }
        }
        assert_eq!(codes("gpl-3.0"), [ImpreciseLicense, DeprecatedLicense]);
        assert_eq!(corrected_license("gpl-3.0").as_deref(), Some("GPL-3.0"));
    }

    #[test]
    fn misspellings_with_one_meaning() {
        for (value, meant) in [
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("mit/apache-2.0", "MIT OR Apache-2.0"),
            ("Apache 2.0", "Apache-2.0"),
            ("(MIT)OR(ISC)", "(MIT) OR (ISC)"),
            ("MIT\tOR ISC", "MIT OR ISC"),
            ("MIT\n", "MIT"),
        ] {
            assert_eq!(codes(value), [ImpreciseLicense], "{value}");
            assert_eq!(corrected_license(value).as_deref().map(str::trim), Some(meant));
            assert!(license_expression(value).is_some() && !differs_in_case(value), "{value}");
        }
    }

    #[test]
    fn simple_expressions_are_those_that_the_parser_accepts() {
        let licenses = LICENSES.iter().map(|license| license.name);
        let exceptions = EXCEPTIONS.iter().map(|exception| exception.name);
        let terms = licenses.clone().chain(exceptions).chain(["", "NONE", "LicenseRef-a", "AdditionRef-a", "(MIT)"]);
        let mut simple = 0;
        for term in terms {
            for value in [
                term.to_owned(),
                format!("{term}+"),
                format!("MIT OR {term}"),
                format!("{term} AND ISC OR MIT"),
                format!("MIT WITH {term}"),
                format!("{term} WITH LLVM-exception"),
                format!("Apache-2.0 WITH {term} OR MIT"),
                format!("MIT {term}"),
                format!("{term} and MIT"),
                format!("{term} OR"),
                format!("{term}  OR MIT"),
                format!(" {term}"),
                format!("{term} WITH LLVM-exception WITH LLVM-exception"),
            ] {
                if is_simple(&value) {
                    simple += 1;
                    assert_eq!(check_parsed(&value), [], "{value}");
                }
            }
        }
        assert!(simple > 4 * licenses.len(), "{simple}");
        assert!(is_simple("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
    }

    #[test]
    fn invalid_expressions() {
        for value in [
            "proprietary",
            "MIT OR",
            "((MIT)",
            "MIT, Apache-2.0",
            "MIT And ISC",
            "LicenseRef-",
            "licenseref-a",
            "LicenseRef-a_b",
            "DocumentRef-:LicenseRef-a",
            "DocumentRef-a:LicenseRef-",
            "DocumentRef-a",
            "DocumentRef-a:DocumentRef-b:LicenseRef-c",
            "MIT OR LicenseRef-",
            "AdditionRef-a",
            "MIT WITH AdditionRef-",
            "MIT WITH DocumentRef-:AdditionRef-a",
            "MIT WITH DocumentRef-a:AdditionRef-",
            "MIT WITH LicenseRef-a",
            "MIT\u{a0}OR\u{a0}ISC",
            "MIT\u{2003}OR ISC",
            "\u{a0}MIT",
            "MIT\u{3000}",
            "MIT\u{2028}OR ISC",
            "MIT\u{200b}",
            "GFDL-1.1-invariants",
            "GFDL-1.3-no-invariants",
            "gfdl-1.2-Invariants",
            "GFDL-1.2-invariants+",
            "MIT OR GFDL-1.2-no-invariants",
            "MIT AND NOASSERTION",
            "NOASSERTION OR MIT",
            "MIT and none",
            "(NOASSERTION)",
            "NONE OR NONE",
            "NOASSERTION+",
            "NONE WITH LLVM-exception",
            "MIT WITH NONE",
            "MIT/NOASSERTION",
            "NONE\u{a0}",
            "GNU GPL v2",
        ] {
            assert_eq!(codes(value), [NotSpdx], "{value}");
            assert!(license_expression(value).is_none() && corrected_license(value).is_none(), "{value}");
        }
    }

    #[test]
    fn unlisted_names_are_not_valid_and_known() {
        let unlisted: Vec<_> = LICENSES.iter().map(|license| license.name).filter(|name| is_unlisted(name)).collect();
        assert_eq!(unlisted.len(), 6, "{unlisted:?}");
        let message = check("GFDL-1.1-invariants")[0].message().to_owned();
        assert!(
            message.ends_with("did you mean `GFDL-1.1-invariants-only` or `GFDL-1.1-invariants-or-later`?"),
            "{message}"
        );
    }

    #[test]
    fn values_without_a_license() {
        for value in ["NONE", "NOASSERTION", "none", " NOASSERTION "] {
            assert!(states_no_license(value) && license_expression(value).is_none(), "{value}");
        }
        assert!(!states_no_license("MIT") && !states_no_license("") && !states_no_license("NONE OR MIT"));
    }

    #[test]
    fn deprecated_licenses_name_the_current_ones() {
        for (value, message) in [
            ("GPL-3.0", "`GPL-3.0` is deprecated, write `GPL-3.0-only` or `GPL-3.0-or-later`"),
            ("GPL-2.0+", "`GPL-2.0+` is deprecated, write `GPL-2.0-or-later`"),
            ("MIT OR eCos-2.0", "`eCos-2.0` is deprecated"),
            ("MIT OR LGPL-2.1-only WITH Nokia-Qt-exception-1.1", "`Nokia-Qt-exception-1.1` is deprecated"),
            (
                "GPL-3.0-only AND (MIT OR LGPL-2.1)",
                "`LGPL-2.1` is deprecated, write `LGPL-2.1-only` or `LGPL-2.1-or-later`",
            ),
        ] {
            let errors = check(value);
            assert_eq!((errors.len(), errors[0].code(), errors[0].message()), (1, DeprecatedLicense, message));
        }
    }

    #[test]
    fn values_beyond_the_limit_are_not_parsed() {
        let longest = format!("MIT{}", " ".repeat(MAX_PARSED - 3));
        assert!(license_expression(&longest).is_some());
        assert!(license_expression(&format!("{longest} ")).is_none());
        let longest = longest.to_lowercase();
        assert_eq!(corrected_license(&longest).as_deref().map(str::trim), Some("MIT"));
        assert_eq!(corrected_license(&format!("{longest} ")), None);
    }
}
