//! `explain`.

use super::run;
use sectile::FindingCode;

#[test]
fn codes_are_explained_as_text() {
    let shown = run(["explain", "missing-field", "not-spdx"]);
    assert_eq!((shown.status, &*shown.stderr), (0, ""));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words(shown.text());
    for code in [FindingCode::MissingField, FindingCode::NotSpdx] {
        for part in [code.name(), code.help(), code.why(), code.fix()] {
            assert!(text.contains(part), "{part}");
        }
    }
    assert!(text.starts_with("missing-field (error) Meaning"), "{text}");
    assert!(shown.text().lines().all(|line| line.len() <= 80), "{}", shown.text());
}

#[test]
fn codes_are_explained_as_json() {
    let shown = run(["explain", "--json", "not-url"]);
    let json = shown.json();
    let code = FindingCode::NotUrl;
    let expected = serde_json::json!({"schema": json["schema"], "code": "not-url", "severity": "error",
        "help": code.help(), "why": code.why(), "fix": code.fix()});
    assert_eq!(json, expected);
    assert_eq!(super::keys_in_order(shown.text()), ["schema", "code", "severity", "help", "why", "fix"]);
    let all = run(["explain", "--list", "--json"]);
    assert_eq!(all.text().lines().count(), FindingCode::ALL.len());
}

#[test]
fn codes_are_listed() {
    let shown = run(["explain", "--list"]);
    assert_eq!(shown.text().lines().count(), FindingCode::ALL.len());
    for (line, code) in shown.text().lines().zip(FindingCode::ALL) {
        let (name, rest) = line.split_once(' ').unwrap();
        assert_eq!((name, rest.trim_start().split(' ').next().unwrap()), (code.name(), code.severity().name()));
        assert!(line.ends_with(code.help()), "{line}");
    }
}

#[test]
fn unknown_codes_are_refused_with_one_suggestion() {
    let shown = run(["explain", "missing-feild"]);
    assert_eq!((shown.status, shown.text()), (2, ""));
    assert!(
        shown.stderr.contains("did you mean `missing-field`? `sectile explain --list` lists all"),
        "{}",
        shown.stderr
    );
    assert!(!shown.stderr.contains("not-spdx"), "{}", shown.stderr);
    assert_eq!(run(["explain", "\u{1b}[2J"]).stderr.find('\u{1b}'), None);
    assert_eq!(run(["explain"]).status, 2);
    assert_eq!(run(["explain", "--list", "not-url"]).status, 2);
}
