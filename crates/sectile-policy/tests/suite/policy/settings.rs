//! The starter policy, effective settings, and warnings.

use sectile::{FindingCode, Severity};
use sectile_policy::{Policy, PolicySettings, PolicyTable, Rule};
use serde_json::Value;

use super::parsed;

fn toml(settings: &PolicySettings) -> String {
    let mut out = Vec::new();
    settings.write_toml(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(settings: &PolicySettings) -> Value {
    let mut out = Vec::new();
    settings.write_json(&mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// The parts of a policy that do not depend on locations.
fn effect(policy: &Policy) -> impl PartialEq + std::fmt::Debug + use<> {
    let rule = |rule: &Rule| {
        let severity = rule.severity().or_else(|| policy.severity(rule.demand().code()));
        (rule.demand().clone(), severity, rule.reason().map(ToOwned::to_owned))
    };
    let rules: Vec<_> = policy.rules().map(rule).collect();
    let exceptions: Vec<_> = policy.exceptions().map(|one| (one.reason().to_owned(), one.expiry())).collect();
    let severities = FindingCode::ALL.map(|code| policy.severity(code));
    (policy.refuse, policy.limits, severities, rules, exceptions)
}

const EXAMPLES: [&str; 4] = [
    "",
    Policy::STARTER,
    "severity.refused-import = 'ignore'\nimports.names = 'a\"\\*'\nlimits.depth = 3",
    "severity.hidden = 'note'\nproducers = { names = 'a', required = true }\nsections.larger-than = 0x10\n\
     [exceptions]\ndigests = 'sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n\
     expires = 2030-01-02\nreason = \"\\u202e\"",
];

#[test]
fn settings_judge_as_the_policy_does() {
    for text in EXAMPLES {
        let settings = PolicySettings::parse("policy.toml", text).unwrap();
        let written = toml(&settings);
        assert!(!written.contains('\u{202e}'), "deceptive characters are escaped");
        let again = PolicySettings::parse("policy.toml", &written).unwrap_or_else(|error| panic!("{written}\n{error}"));
        assert!(effect(settings.policy()) == effect(again.policy()), "{written}");
        // Nothing is left to fill in.
        let without_lines = |toml: String| {
            toml.lines().map(|line| line.split(" # line").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(without_lines(toml(&again)), without_lines(written));
    }
}

#[test]
fn settings_have_defaults_and_places() {
    let settings =
        PolicySettings::parse("policy.toml", "\n[severity]\nrefused-license = 'note'\n[[licenses]]\ndeny = 'MIT'")
            .unwrap();
    let json = json(&settings);
    assert_eq!((&json["refuse"], &json["limits"]["depth"]), (&"error".into(), &1_000.into()));
    assert_eq!((&json["severity"]["refused-license"], &json["severity"]["not-url"]), (&"note".into(), &"error".into()));
    let expected = serde_json::json!([{"rule": "policy.toml:4", "items": ["all"], "deny": ["MIT"], "unknown": false, "severity": "note"}]);
    assert_eq!(json["licenses"], expected);
    for table in PolicyTable::RULES {
        assert!(json[table.name()].is_array(), "{table:?}");
    }
    assert_eq!(json["exceptions"], serde_json::json!([]));
}

#[test]
fn starter_policy_is_valid_and_useful() {
    let policy = Policy::parse("policy.toml", Policy::STARTER).unwrap();
    assert!(policy.rules().count() >= 3 && policy.warnings(None).is_empty());
    assert_eq!(policy.severity(FindingCode::NotOpened), Some(Severity::Error));
    // Its examples are valid, too.
    let example = |line: &str| line.starts_with("# [[") || (line.starts_with("# ") && line.contains(" = "));
    let lines = Policy::STARTER.lines().map(|line| if example(line) { &line[2..] } else { line });
    let all = Policy::parse("policy.toml", &lines.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!((all.rules().count(), all.exceptions().count()), (7, 1));
    assert!(all.warnings("2026-01-01".parse().ok()).is_empty());
}

#[test]
fn parts_without_an_effect_have_warnings() {
    let policy = parsed(
        "[severity]\nmissing-field = 'ignore'\n[[required]]\nfields = 'name'\n[[imports]]\nnames = 'a'\n[[imports]]\nnames = 'a'\n\
         [[exceptions]]\npaths = 'x'\nreason = 'old'\nexpires = 2020-01-01\n\
         [[exceptions]]\npaths = 'x'\nreason = 'idle'\ncodes = 'missing-field'",
    );
    let warnings = policy.warnings("2026-01-01".parse().ok());
    let lines: Vec<_> =
        warnings.iter().map(|warning| (warning.location().unwrap().line(), warning.message())).collect();
    let expected = [
        (3, "violations of the rule are ignored"),
        (7, "the rule repeats the one in line 5"),
        (9, "the exception `old` has expired"),
        (13, "the exception `idle` excuses only findings that the policy ignores"),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for ((line, message), (expected_line, beginning)) in lines.into_iter().zip(expected) {
        assert!(line == expected_line && message.starts_with(beginning), "{line} {message}");
    }
    // Rules with a severity are judged even if their code is ignored.
    let text = "severity.missing-field = 'ignore'\nrequired = { fields = 'name', severity = 'note' }\n\
        exceptions = { paths = 'x', reason = 'r', codes = 'missing-field' }";
    assert!(parsed(text).warnings(None).is_empty());
}

#[test]
fn policies_are_read_from_streams() {
    let policy = Policy::read_from("standard input", &b"refuse = 'note'"[..]).unwrap();
    assert_eq!(policy.refuse, Severity::Note);
    let error = |bytes: &[u8]| Policy::read_from("standard input", bytes).unwrap_err().to_string();
    assert!(error(b"refuse = 1").starts_with("standard input:1:10: refuse:"));
    assert_eq!(error(b"\xff"), "standard input:1:1: not UTF-8");
    assert!(error(&vec![b' '; (1 << 20) + 1]).contains("is larger than 1 MiB"));
}
