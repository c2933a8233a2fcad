//! Every rule, accepted and refused.

use sectile::metadata::Field;
use sectile::policy::{self, Items, Required, Rule, Sections};
use sectile::report::Report;
use sectile::{Code, Policy, Severity};

use super::{judge, judged, parsed};
use crate::support::binary::{component, custom, module, name, nested, prefixed, section};
use crate::support::files::real_files;

/// A module that imports these.
fn importing(imports: &[(&str, &str)]) -> Vec<u8> {
    let mut payload = vec![imports.len() as u8];
    for (from, name) in imports {
        payload.extend([&*prefixed(from), &prefixed(name), &[0, 0]].concat());
    }
    module(&[section(2, &payload)])
}

#[test]
fn without_a_policy_errors_refuse() {
    let bytes = module(&[custom("licenses", "mit"), custom("homepage", "nowhere")]);
    let (lines, accepted) = judge(&bytes, &Policy::default());
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("warning imprecise-license") && lines[1].starts_with("!error not-url"), "{lines:?}");
    assert!(!accepted);
    for (_, bytes) in real_files() {
        let policy = Policy::default();
        let reading = policy::read_slice(&bytes, &policy);
        let report = Report::of_reading("a".as_ref(), None, &reading);
        let plain = sectile::read_slice(&bytes, policy.limits);
        let plain = Report::new("a".as_ref(), None, &plain);
        assert!(report.findings().eq(plain.findings()));
        assert_eq!(report.cost, plain.cost, "a policy that asks for nothing reads nothing more");
    }
}

#[test]
fn severities_are_the_policys() {
    let bytes = module(&[custom("licenses", "mit"), custom("licenses", "MIT"), custom("homepage", "nowhere")]);
    let lines = judged(&bytes, "refuse = 'note'\nseverity = { not-url = 'ignore', imprecise-license = 'note' }");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("!note imprecise-license") && lines[1].starts_with("!warning duplicate-section"));
    assert!(judge(&bytes, &parsed("severity.not-url = 'warning'")).1);
    // The rule's own severity wins over that of its code.
    let rule = "required.fields = 'vendor'\nseverity.missing-field = 'note'\n";
    assert!(judged(&module(&[]), rule)[0].starts_with("note missing-field"));
    assert!(judged(&module(&[]), &format!("{rule}required.severity = 'error'"))[0].starts_with("!error missing-field"));
}

#[test]
fn a_nested_item_cannot_speak_for_the_root() {
    let says = module(&[custom("licenses", "MIT"), custom("version", "1")]);
    let required = "required.fields = ['licenses', 'version']";
    assert!(judge(&says, &parsed(required)).1);
    let posing = component(&[nested(&says)]);
    let expected = [
        "!error missing-field at :0 licenses x1: `licenses` is required here, and is missing",
        "!error missing-field at :0 version x1: `version` is required here, and is missing",
    ];
    assert_eq!(judged(&posing, required), expected);
    // Nor the root for a nested one.
    let quiet = component(&[nested(&module(&[])), custom("licenses", "MIT"), custom("version", "1")]);
    assert!(judge(&quiet, &parsed(required)).1);
    let lines = judged(&quiet, "required = { fields = 'version', items = 'modules' }");
    assert_eq!(lines, ["!error missing-field at 0:10 version x1: `version` is required here, and is missing"]);
    assert!(judge(&quiet, &parsed("required = { fields = 'version', items = 'components' }")).1);
    assert!(!judge(&quiet, &parsed("required = { fields = 'version', items = ['root', 'all'] }")).1);
    assert!(!judge(&quiet, &parsed("required = { fields = 'version', items = ['root', '0'] }")).1);
    let lines = judged(&quiet, "required = { fields = 'version', items = '1/0' }");
    assert_eq!(lines, ["!error missing-field at :0 - x1: there is no item 1/0, which is required to have version"]);
}

#[test]
fn what_is_required_says_something() {
    for (value, lack) in
        [(&b""[..], "is empty"), (b" \n", "is blank"), (b"\xe2\x80\x8b", "is blank"), (b"\xff", "is not UTF-8")]
    {
        let lines = judged(&module(&[custom("vendor", value)]), "required.fields = 'vendor'");
        assert!(lines.last().unwrap().contains(lack), "{lines:?}");
    }
    let large = module(&[custom("vendor", "x".repeat(100))]);
    let lines = judged(&large, "required.fields = 'vendor'\nlimits.data = 99");
    assert!(lines.last().unwrap().contains("could not be read"), "{lines:?}");
    assert!(judge(&large, &parsed("required.fields = 'vendor'\nlimits.data = 100")).1);
    let named = module(&[custom("name", name("adder"))]);
    assert!(judge(&named, &parsed("required.fields = 'name'")).1);
    assert!(!judge(&module(&[]), &parsed("required = { fields = 'name', reason = 'say who' }")).1);
}

#[test]
fn licences_are_judged_item_by_item() {
    let inner = module(&[custom("licenses", "GPL-3.0-only")]);
    let bytes = component(&[nested(&inner), custom("licenses", "MIT OR GPL-3.0-only")]);
    let lines = judged(&bytes, "licenses.allow = 'MIT'");
    let expected = "!error refused-license at 0:29 licenses x1: \
        the licence `GPL-3.0-only` is refused: `GPL-3.0-only` is not allowed";
    assert_eq!(lines, [expected]);
    assert!(judge(&bytes, &parsed("licenses = { allow = 'MIT', items = 'root' }")).1);
    assert!(judge(&module(&[]), &parsed("licenses.allow = 'MIT'")).1);
    assert!(!judge(&bytes, &parsed("licenses.deny = 'GPL-3.0-only'")).1);
}

#[test]
fn a_licence_cannot_hide() {
    for sections in [
        vec![custom("licenses", "MIT"), custom("licenses", "GPL-3.0-only")],
        vec![custom("licenses", "GPL-3.0-only"), custom("licenses", "MIT")],
        vec![custom("licenses", "GPL-3.0-only"), custom("licenses", "MIT"), custom("licenses", "MIT")],
        vec![custom("licenses", b"GPL\xff")],
        vec![custom("licenses", "")],
        vec![custom("licenses", "MIT OR ".repeat(2_000) + "MIT")],
        vec![custom("licenses", "MIT OR ".repeat(200_000) + "MIT")], // more than is decoded
        vec![custom("licenses", "MIT OR ".repeat(200_000) + "MIT"), custom("licenses", "MIT")],
    ] {
        let text =
            "licenses.allow = 'MIT'\n[severity]\nnot-utf8 = 'ignore'\nempty-value = 'ignore'\ntoo-large = 'ignore'";
        let (lines, accepted) = judge(&module(&sections), &parsed(text));
        assert!(!accepted && lines.iter().any(|line| line.starts_with("!error refused-license")), "{lines:?}");
    }
}

#[test]
fn sections_are_refused_by_name_kind_and_size() {
    let code = section(10, &[0; 30]);
    let inner = module(&[section(1, &[0]), code, custom(".debug_info", [0; 50]), custom("build_id", b"\x01a")]);
    let bytes = component(&[nested(&inner), custom(".debug_line", ""), section(0x7f, b"")]);
    for (rule, expected) in [
        ("names = '.debug_*'", &["0 .debug_info", " .debug_line"][..]),
        ("names = '.debug_*'\nitems = 'root'", &[" .debug_line"]),
        ("names = '.debug_*'\nitems = '0'", &["0 .debug_info"]),
        ("names = '.debug_*'\nlarger-than = 14", &["0 .debug_info"]),
        ("names = '*'\nexcept = ['.debug_i*', '.debug_line']", &["0 build_id"]),
        ("kinds = 'code'\nlarger-than = 31", &["0 -"]),
        ("kinds = 'code'\nlarger-than = 32", &[]),
        ("kinds = 'unknown'", &[" -"]),
        ("kinds = ['custom', 'unknown']\nitems = 'components'", &[" .debug_line", " -"]),
        ("larger-than = 60", &[" -", "0 .debug_info"]), // the one that holds the module is met first
    ] {
        let policy = parsed(&format!("severity.unknown-section = 'ignore'\n[sections]\n{rule}"));
        let (lines, accepted) = judge(&bytes, &policy);
        let found: Vec<String> = lines
            .iter()
            .map(|line| {
                let (_, place) = line.split_once("refused-section at ").unwrap();
                let (path, rest) = place.split_once(':').unwrap();
                format!("{path} {}", rest.split(' ').nth(1).unwrap())
            })
            .collect();
        assert_eq!(
            (found, accepted),
            (expected.iter().map(ToString::to_string).collect(), expected.is_empty()),
            "{rule}"
        );
    }
    let lines = judged(&bytes, "sections = { names = 'build_id', severity = 'note', reason = 'no' }");
    assert!(lines[1].ends_with("build_id x1: the custom section `build_id` is refused (no)"), "{lines:?}");
}

#[test]
fn imports_are_refused_by_name() {
    let bytes = importing(&[("env", "abort"), ("wasi_snapshot_preview1", "sock_send"), ("env", "log")]);
    let lines = judged(&bytes, "imports = { names = ['env.*', '*sock*'], except = 'env.log' }");
    let expected = [("env", "abort"), ("wasi_snapshot_preview1", "sock_send")].map(|(module, name)| {
        let entry = [prefixed(module), prefixed(name)].concat();
        let at = bytes.windows(entry.len()).position(|bytes| bytes == entry).unwrap();
        format!("!error refused-import at :{at} - x1: the import `{module}.{name}` (function) is refused")
    });
    assert_eq!(lines, expected);
    assert!(judge(&bytes, &parsed("imports.names = 'wasi:*'")).1);
    // What a nested item imports is given to it by the item around it.
    assert!(judge(&component(&[nested(&bytes)]), &parsed("imports.names = '*'")).1);
    for (name, bytes) in real_files() {
        let policy = parsed("imports = { names = '*', severity = 'note' }");
        let (lines, _) = judge(&bytes, &policy);
        let imports = sectile::interface::read_slice(&bytes, policy.limits).unwrap().value.imports().len();
        let refused = lines.iter().filter(|line| line.contains("refused-import")).count();
        assert_eq!(refused.min(64), imports.min(64), "{name}");
    }
}

/// An interface under a plain name is what it says it implements.
#[test]
fn an_import_cannot_go_by_another_name() {
    let empty_instance = section(7, &[1, 0x42, 0]);
    let implements = [&[1, 2][..], &prefixed("net"), &[1, 0], &prefixed("wasi:sockets/tcp@0.2.0"), &[5, 0]].concat();
    let bytes = component(&[empty_instance, section(10, &implements)]);
    let reading = sectile::interface::read_slice(&bytes, Policy::default().limits).unwrap();
    assert_eq!(reading.value.imports()[0].implements(), Some("wasi:sockets/tcp@0.2.0"), "{:?}", reading.value);
    assert!(!judge(&bytes, &parsed("imports.names = 'wasi:sockets/*'")).1);
    assert!(!judge(&bytes, &parsed("imports.names = 'net'")).1);
    assert!(judge(&bytes, &parsed("imports.names = 'env.*'")).1);
}

#[test]
fn imports_that_cannot_be_read_are_not_passed_over() {
    let text = "imports.names = 'env.*'\n[severity]\nmalformed-interface = 'ignore'\ntoo-large = 'ignore'\n";
    let lines = judged(&module(&[section(2, &[9])]), text);
    let message = "a rule of the policy cannot be judged: not all imports could be read";
    assert_eq!(lines, [format!("!error not-judged at :0 - x1: {message}")]);
    let lines = judged(&importing(&[("a", "b")]), &format!("{text}[limits]\ninterface = 3"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    // Nor are they where the report is of another reading.
    let bytes = importing(&[("env", "f")]);
    let other = parsed("sections.names = 'x'");
    for text in ["imports.names = 'x'", "sections.names = 'y'", "[[sections]]\nnames = 'x'\n[[sections]]\nnames = 'x'"]
    {
        let judging = parsed(text);
        let plain = sectile::read_slice(&bytes, judging.limits);
        let for_other = policy::read_slice(&bytes, &other);
        for report in [Report::new("a".as_ref(), None, &plain), Report::of_reading("a".as_ref(), None, &for_other)] {
            let verdict = judging.judge(&report);
            assert!(verdict.judged.iter().any(|judged| judged.finding.code == Code::NotJudged), "{text}");
            assert!(!verdict.is_accepted());
        }
    }
}

#[test]
fn the_order_is_that_of_the_findings_and_of_the_rules() {
    let mut noted = Rule::new(Sections::new(Items::all()).named(["a".parse().unwrap()]));
    noted.severity = Some(Severity::Note);
    let policy = Policy::default()
        .with(Rule::new(Sections::new(Items::all()).named(["b".parse().unwrap()])))
        .with(Rule::new(Required::new(Items::root(), [Field::Vendor.into()])))
        .with(noted);
    let bytes = module(&[custom("a", ""), custom("b", ""), custom("licenses", "mit")]);
    let (lines, _) = judge(&bytes, &policy);
    let codes: Vec<&str> = lines.iter().map(|line| line.split(" at ").next().unwrap()).collect();
    let expected =
        ["warning imprecise-license", "!error refused-section", "!error missing-field", "note refused-section"];
    assert_eq!(codes, expected);
}

/// Whatever comes behind, a refusal stays: what an upload is refused for at any point it is refused for at its end.
#[test]
fn what_breaks_off_is_never_accepted_and_nothing_is_said_too_early() {
    let inner =
        component(&[nested(&importing(&[("env", "f")])), custom("licenses", "GPL-3.0-only"), custom("version", "1")]);
    let bytes = component(&[nested(&inner), custom(".debug_x", ""), custom("licenses", "MIT"), custom("vendor", "me")]);
    let policy = parsed(
        "[required]\nitems = ['all', '7']\nfields = ['licenses', 'version', 'vendor']\n\
        [licenses]\nallow = 'MIT'\n[sections]\nnames = '.debug_*'\n[imports]\nnames = '*'",
    );
    let of_rules =
        |lines: Vec<String>| -> Vec<String> { lines.into_iter().filter(|line| line.starts_with('!')).collect() };
    let (lines, _) = judge(&bytes, &policy);
    let whole = of_rules(lines);
    assert_eq!(whole.len(), 8, "{whole:#?}");
    let mut last = 0;
    for end in 8..bytes.len() {
        if sectile::read_slice(&bytes[..end], policy.limits).unwrap().is_complete() {
            continue; // behind a section of the root: a binary of its own
        }
        let (lines, accepted) = judge(&bytes[..end], &policy);
        let refused = of_rules(lines);
        assert!(!accepted && refused.len() >= last, "{end}");
        assert!(refused.iter().all(|line| whole.contains(line)), "{end}: {refused:?}");
        last = refused.len();
    }
    assert_eq!(last, 6); // of the root nothing is known yet
}
