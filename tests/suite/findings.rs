//! Findings as a person sees them: one line each, safe on a terminal.

use sectile::{Finding, FindingCode, Severity};

use sectile_testing::all_drivers;
use sectile_testing::binary::{component, custom, module, nested, producers};

#[track_caller]
fn only(bytes: &[u8]) -> Finding {
    let metadata = all_drivers::metadata(bytes);
    let [finding] = &metadata.findings().clone().into_vec()[..] else { panic!("{:?}", metadata.findings()) };
    finding.clone()
}

#[test]
fn a_finding_has_code_place_and_message() {
    let inner = module(&[custom("homepage", "nowhere"), custom("homepage", "nowhere")]);
    let bytes = component(&[nested(&module(&[])), nested(&inner)]);
    let metadata = all_drivers::metadata(&bytes);
    let findings: Vec<_> = metadata.findings().iter().collect();
    let [not_url, duplicate] = findings[..] else { panic!("{findings:?}") };
    assert_eq!((not_url.code(), not_url.severity(), not_url.count()), (FindingCode::NotUrl, Severity::Error, 2));
    assert_eq!((not_url.path().to_string(), not_url.section()), ("1".to_owned(), Some("homepage")));
    let value = bytes.windows(7).position(|bytes| bytes == b"nowhere").unwrap() as u64;
    assert_eq!(not_url.offset(), value);
    assert_eq!(duplicate.code(), FindingCode::DuplicateSection);
    assert_eq!(duplicate.severity(), FindingCode::DuplicateSection.severity());
}

#[test]
fn display_is_the_code_the_place_and_the_message() {
    let finding = only(&module(&[custom("homepage", "nowhere")]));
    let expected = format!("not-url (at offset {:#x}): {}", finding.offset(), finding.message());
    assert_eq!(finding.to_string(), expected);
    assert!(finding.message().contains("nowhere"));

    let nested = only(&component(&[nested(&module(&[custom("homepage", "nowhere")]))]));
    let expected = format!("not-url (at offset {:#x}, in item 0): {}", nested.offset(), nested.message());
    assert_eq!(nested.to_string(), expected);
}

#[test]
fn display_escapes_text_of_the_input() {
    for (character, escape) in
        [('\u{1b}', "\\x1b"), ('\n', "\\n"), ('\r', "\\r"), ('\u{202e}', "\\u{202e}"), ('\u{9b}', "\\u{9b}")]
    {
        let bytes = module(&[
            custom("homepage", format!("no{character}where")),
            custom("licenses", format!("M{character}T")),
            custom("producers", producers(&[(&format!("to{character}ol"), &[("a", "1"), ("a", "1")])])),
            custom(&format!("no{character}te"), ""),
        ]);
        let metadata = all_drivers::metadata(&bytes);
        let mut quoting = 0;
        for finding in metadata.findings() {
            let shown = finding.to_string();
            assert!(!shown.chars().any(|shown| shown.is_control() || shown == character), "{shown:?}");
            if finding.message().contains(character) {
                quoting += 1;
                assert!(shown.contains(escape), "{shown:?}");
            }
        }
        assert!(quoting >= 3, "{:?}", metadata.findings());
    }
}

#[test]
fn findings_are_a_list() {
    let bytes = module(&[custom("homepage", "nowhere"), custom("created", "never")]);
    let metadata = all_drivers::metadata(&bytes);
    let findings = metadata.findings();
    assert_eq!((findings.len(), findings.is_empty()), (2, false));
    assert!(findings.iter().eq(findings));
    assert_eq!(findings.clone().into_vec(), findings.iter().cloned().collect::<Vec<_>>());
    let none = module(&[]);
    assert!(all_drivers::metadata(&none).findings().is_empty());
}
