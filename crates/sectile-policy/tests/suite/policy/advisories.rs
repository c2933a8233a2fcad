//! Rules about advisories.

use std::ffi::OsStr;

use sectile::{FindingCode, Severity};
use sectile_advisories::{Advisories, AdvisoryClass, Rating, VexDocument};
use sectile_policy::report::Report;
use sectile_policy::{AdvisoryRule, JudgeContext, Policy, Rule};

use super::{judge, parsed};
use sectile_testing::binary::{active, component, custom, data_section, module, nested, packages};
use sectile_testing::files::project;

fn advisories() -> Advisories {
    let mut advisories = Advisories::default();
    advisories.read(project().join("crates/sectile-advisories/tests/advisory-db")).unwrap();
    advisories
}

fn policy(text: &str) -> Policy {
    parsed(text).with_advisories(advisories())
}

/// A `producers` section.
fn producers(fields: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    custom("producers", sectile_testing::binary::producers(fields))
}

/// A binary with a critical vulnerability, an unsound and an unmaintained package.
fn affected() -> Vec<u8> {
    module(&[packages(&[("atty", "0.2.14"), ("smallvec", "1.6.0"), ("serde", "1.0.0")])])
}

/// The identifiers of the advisories, with a mark if they are refused.
fn marked(bytes: &[u8], policy: &Policy) -> Vec<String> {
    let reading = sectile_policy::read_slice(bytes, policy);
    let verdict = policy.judge(&Report::for_policy(OsStr::new("a"), None, &reading));
    let marked = verdict.findings().iter().filter_map(|judged| {
        let code = if judged.is_refused() { FindingCode::RefusedAdvisory } else { FindingCode::Advisory };
        let id = &judged.advisory()?.advisory().id;
        let is_downgraded = judged.exception().is_some() || judged.severity() == Severity::Note;
        assert!(is_downgraded || judged.finding().code() == code, "{judged:?}");
        Some(format!("{}{id}", if judged.is_refused() { "!" } else { "" }))
    });
    marked.collect()
}

#[test]
fn all_drivers_find_the_same_advisories() {
    let inner = affected();
    let outer = component(&[nested(&inner), packages(&[("tokio", "1.18.0")])]);
    for bytes in [&inner, &outer] {
        let (lines, accepted) = judge(bytes, &policy(""));
        assert!(!accepted && lines.iter().any(|line| line.contains("RUSTSEC-2021-0003")), "{lines:?}");
    }
    let (lines, _) = judge(&outer, &policy(""));
    assert!(lines[0].starts_with("!error refused-advisory at 0:"), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains(" at :") && line.contains("`tokio` 1.18.0")), "{lines:?}");
}

#[test]
fn vulnerabilities_are_refused_without_a_rule() {
    let expected = ["!RUSTSEC-2021-0003", "RUSTSEC-2021-0145", "RUSTSEC-2024-0375"];
    assert_eq!(marked(&affected(), &policy("")), expected);
    assert_eq!(marked(&module(&[packages(&[("smallvec", "1.6.1")])]), &policy("")), [""; 0]);
    assert_eq!(marked(&module(&[custom("vendor", "v")]), &policy("")), [""; 0]);
}

#[test]
fn rules_select_by_class_severity_name_and_version() {
    for (rule, refused) in [
        ("", &["!RUSTSEC-2021-0003"][..]),
        ("at-least = 'critical'", &["!RUSTSEC-2021-0003"]),
        ("names = 'small*'", &["!RUSTSEC-2021-0003"]),
        ("names = 'atty'", &[]),
        ("except = 'smallvec'", &[]),
        ("versions = '<1.6.1'", &["!RUSTSEC-2021-0003"]),
        ("versions = '<1.6'", &[]),
        ("classes = 'malware'", &[]),
        ("classes = 'unmaintained'", &["!RUSTSEC-2024-0375"]),
        ("classes = ['unmaintained', 'vulnerability']", &["!RUSTSEC-2021-0003", "!RUSTSEC-2024-0375"]),
        // An unknown severity counts.
        ("classes = 'unmaintained'\nat-least = 'critical'", &["!RUSTSEC-2024-0375"]),
        // WebAssembly is not affected.
        ("classes = 'unsound'", &[]),
    ] {
        let found = marked(&affected(), &policy(&format!("[[advisories]]\n{rule}")));
        assert_eq!(found.len(), 3);
        let found: Vec<_> = found.into_iter().filter(|id| id.starts_with('!')).collect();
        assert_eq!(found, refused, "{rule}");
    }
    let rule = AdvisoryRule::new().with_class(AdvisoryClass::Unmaintained).with_least(Rating::Low);
    let in_code = Policy::default().with_rule(Rule::new(rule)).with_advisories(advisories());
    assert_eq!(marked(&affected(), &in_code), ["RUSTSEC-2021-0003", "RUSTSEC-2021-0145", "!RUSTSEC-2024-0375"]);
}

#[test]
fn defects_of_other_targets_are_excused() {
    let policy = policy("[[advisories]]\nclasses = 'unsound'\n");
    let bytes = module(&[packages(&[("atty", "0.2.14")])]);
    let reading = sectile_policy::read_slice(&bytes, &policy);
    let report = Report::for_policy(OsStr::new("a"), None, &reading);
    let verdict = policy.judge(&report);
    let judged = &verdict.findings()[0];
    assert!(judged.finding().message().ends_with("; only on windows"), "{}", judged.finding().message());
    let exception = judged.exception().unwrap();
    assert_eq!(exception.reason(), "WebAssembly is not affected: the defect is limited to windows");
    assert!(verdict.is_accepted() && exception.location().is_none());
    assert_eq!(verdict.excepted(), 1);
}

/// The version of a compiler is that of the standard library that it links.
#[test]
fn the_standard_library_of_the_compiler_is_matched() {
    let compiled = |name, version| module(&[producers(&[("processed-by", &[(name, version)])])]);
    for (version, found) in [
        ("1.1.0 (35ceea399 2015-06-19)", &["!CVE-2015-20001"][..]),
        ("1.2.0", &[]),
        ("1.2.0-nightly (0cc99f9cc 2015-06-20)", &["!CVE-2015-20001"]),
        ("", &[]),
        ("stable", &[]),
    ] {
        assert_eq!(marked(&compiled("rustc", version), &policy("")), found, "{version}");
    }
    let (lines, accepted) = judge(&compiled("rustc", "stable"), &policy(""));
    assert!(!accepted && lines[0].contains("version `stable` of `std` cannot be compared"), "{lines:?}");
    assert_eq!(marked(&compiled("clang", "1.1.0"), &policy("")), [""; 0]);
    // The data names the compiler, unless the compiler does.
    let named = data_section(&[active(0, "/rustc-1.1.0/library/core/src/fmt/mod.rs\0")]);
    let all = policy("packages = 'all'\n");
    let (lines, _) = judge(&module(std::slice::from_ref(&named)), &all);
    assert!(lines[0].contains("`std` 1.1.0 (recovered) has CVE-2015-20001"), "{lines:?}");
    let both = module(&[named, producers(&[("processed-by", &[("rustc", "1.2.0")])])]);
    assert_eq!(marked(&both, &all), [""; 0]);
}

#[test]
fn the_standard_library_of_go_is_matched() {
    let directory = tempfile::tempdir().unwrap();
    let record = r#"{"id":"GO-1","modified":"2026-05-01T10:00:00Z","affected":[{"package":{"ecosystem":"Go","name":"stdlib"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.20.6"},{"introduced":"1.21.0-0"},{"fixed":"1.21.0-rc.2"}]}]}]}"#;
    std::fs::write(directory.path().join("a.json"), record).unwrap();
    let mut advisories = Advisories::default();
    advisories.read(directory.path()).unwrap();
    let policy = Policy::default().with_advisories(advisories);
    for (version, found) in [
        ("go1.20.5", &["!GO-1"][..]),
        ("go1.20.6", &[]),
        ("go1.21rc1", &["!GO-1"]),
        ("go1.21rc2", &[]),
        ("go1.21.0", &[]),
    ] {
        let bytes = module(&[producers(&[("processed-by", &[("Go cmd/compile", version)])])]);
        assert_eq!(marked(&bytes, &policy), found, "{version}");
    }
}

#[test]
fn severities_of_both_codes_can_be_set() {
    let text = "refuse = 'warning'\n[severity]\nadvisory = 'note'\nrefused-advisory = 'warning'\n";
    assert_eq!(marked(&affected(), &policy(text))[0], "!RUSTSEC-2021-0003");
    let text = "[severity]\nadvisory = 'ignore'\n";
    assert_eq!(marked(&affected(), &policy(text)), ["!RUSTSEC-2021-0003"]);
}

#[test]
fn truncated_input_is_not_judged_beyond_its_complete_items() {
    let inner = affected();
    let whole = component(&[nested(&inner), packages(&[("tokio", "1.18.0")])]);
    let cut = &whole[..whole.len() - 1];
    // The root could still have another list.
    assert_eq!(marked(cut, &policy(""))[0], "!RUSTSEC-2021-0003");
    assert!(!marked(cut, &policy("")).iter().any(|id| id.contains("2023")));
}

#[test]
fn a_rule_without_a_database_cannot_be_judged() {
    let (lines, accepted) = judge(&affected(), &parsed("[[advisories]]\n"));
    assert!(!accepted && lines[0].contains("not-judged") && lines[0].contains("no database"), "{lines:?}");
}

/// An audit reuses rows only if the fingerprint is the same.
#[test]
fn the_fingerprint_depends_on_the_database() {
    assert_eq!(policy("").fingerprint(), policy("").fingerprint());
    assert_ne!(policy("").fingerprint(), parsed("").fingerprint());
    let other = tempfile::tempdir().unwrap();
    let record = r#"{"id":"A-1","modified":"2026-05-01T10:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["1"]}]}"#;
    std::fs::write(other.path().join("a.json"), record).unwrap();
    let mut advisories = Advisories::default();
    advisories.read(other.path()).unwrap();
    assert_ne!(parsed("").with_advisories(advisories).fingerprint(), policy("").fingerprint());
}

#[test]
fn an_exception_excuses_its_advisories_only() {
    let text = "[[exceptions]]\nadvisories = 'GHSA-43w2-9j62-hq99'\nreason = 'a'\n";
    assert_eq!(marked(&affected(), &policy(text))[0], "RUSTSEC-2021-0003");
    let both = module(&[packages(&[("smallvec", "1.6.0"), ("smallvec", "0.6.13"), ("lz4_flex", "0.11.5")])]);
    let refused = marked(&both, &policy(text)).iter().filter(|id| id.starts_with('!')).count();
    assert_eq!(refused, 1); // that of `lz4_flex`
    assert!(parsed(text).warnings(None).is_empty());
}

#[test]
fn statements_of_vex_documents_are_exceptions() {
    let document = r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[
        {"vulnerability":{"name":"RUSTSEC-2021-0003"},"status":"fixed","products":[{"@id":"pkg:cargo/smallvec@1.6.0"}]}]}"#;
    let document = VexDocument::parse("vex.json", document).unwrap();
    let policy = policy("").with_vex(&document).unwrap();
    let bytes = affected();
    let reading = sectile_policy::read_slice(&bytes, &policy);
    let report = Report::for_policy(OsStr::new("a"), None, &reading);
    let verdict = policy.judge_with_context(&report, &JudgeContext::new());
    assert!(verdict.is_accepted());
    let exception = verdict.findings()[0].exception().unwrap();
    assert_eq!(exception.reason(), "OpenVEX: fixed");
    assert_eq!(exception.location().unwrap().to_string(), "vex.json:2");
    assert_eq!(verdict.excepted(), 2);
}

#[test]
fn invalid_keys_are_errors_with_suggestions() {
    for (text, message) in [
        ("classes = 'vulnerabilty'", "is not a class of advisories; did you mean `vulnerability`?"),
        ("at-least = 'sever'", "is not a severity of an advisory"),
        ("at-least = 7", "expected a string"),
        ("class = 'unsound'", "unknown key"),
    ] {
        let error = Policy::parse("policy.toml", &format!("[[advisories]]\n{text}\n")).unwrap_err().to_string();
        assert!(error.starts_with("policy.toml:2:") && error.contains(message), "{error}");
    }
    let error = Policy::parse("policy.toml", "[[exceptions]]\nreason = 'a'\n").unwrap_err().to_string();
    assert!(error.contains("add `paths`, `digests` or `advisories`"), "{error}");
}
