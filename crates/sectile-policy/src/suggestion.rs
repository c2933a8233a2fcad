//! Hints for names that do not exist: the most similar name, and the valid ones.

use super::RuleError;
use sectile::FindingCode;
use sectile::internal::quoted;

/// Maximum length of a list in a message.
const MAX_LISTED: usize = 16;
/// Maximum length of a compared text. The time of a comparison grows with both lengths.
const MAX_COMPARED: usize = 64;
/// Minimum similarity of a suggested name, from 0 to 1.
const SIMILAR: f64 = 0.6;

/// The end of a message about an unknown name: a suggestion, and the valid names, or the document
/// or command that lists them.
pub fn hint(text: &str, plural: &str, names: &[&str], place: &str) -> String {
    let (before, valid) = match closest(text, names) {
        Some(name) => (format!("; did you mean `{name}`? "), "Valid"),
        None => ("; ".to_owned(), "valid"),
    };
    if names.len() > MAX_LISTED {
        format!("{before}{place} lists all {plural}")
    } else {
        format!("{before}{valid} {plural}: {}", names.join(", "))
    }
}

fn closest<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    if text.len() > MAX_COMPARED {
        return None;
    }
    let text = text.to_ascii_lowercase(); // the names are ASCII
    let similarity = |name: &&str| strsim::normalized_damerau_levenshtein(&text, name);
    let best = names.iter().copied().max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(&best) >= SIMILAR).then_some(best)
}

/// Parses the code of a finding.
///
/// # Errors
///
/// The code is unknown. The error suggests a similar one.
pub fn finding_code(text: &str) -> Result<FindingCode, RuleError> {
    FindingCode::ALL.into_iter().find(|code| code.name() == text).ok_or_else(|| {
        let hint = hint(text, "codes", &FindingCode::ALL.map(FindingCode::name), "`sectile explain --list`");
        RuleError::new(format!("{} is not the code of a finding{hint}", quoted(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_similar_name_is_suggested() {
        for (text, expected) in [
            ("missing-feild", Some("missing-field")),
            ("Missing-Field", Some("missing-field")),
            ("not-spdy", Some("not-spdx")),
            ("refused-lisense", Some("refused-license")),
            ("zzz", None),
            ("", None),
            (&"missing-field".repeat(9), None),
        ] {
            let error = finding_code(text).unwrap_err().to_string();
            let suggestion = expected.map(|name| format!("; did you mean `{name}`?"));
            assert_eq!(suggestion.is_some(), error.contains("did you mean"), "{error}");
            assert!(suggestion.is_none_or(|suggestion| error.contains(&suggestion)), "{error}");
            assert!(error.ends_with("`sectile explain --list` lists all codes") && error.len() < 300, "{error}");
        }
        assert_eq!(hint("alow", "keys", &["allow", "deny"], ""), "; did you mean `allow`? Valid keys: allow, deny");
        assert_eq!(hint("x", "keys", &["allow", "deny"], ""), "; valid keys: allow, deny");
    }
}
