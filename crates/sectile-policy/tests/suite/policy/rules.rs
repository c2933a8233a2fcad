//! Every rule, accepted and refused.

use sectile::drive;
use sectile::interface::{Interface, InterfaceReader};
use sectile::metadata::Field;
use sectile::{FindingCode, Limits, Severity};
use sectile_policy::report::Report;
use sectile_policy::{Items, Policy, Required, Rule, Sections};

use super::{judge, judged, parsed};
use sectile_testing::binary::{component, custom, module, module_with_data, name, nested, prefixed, section};
use sectile_testing::files::real_files;

/// A module with these imports.
fn importing(imports: &[(&str, &str)]) -> Vec<u8> {
    let mut payload = vec![imports.len() as u8];
    for (from, name) in imports {
        payload.extend([&*prefixed(from), &prefixed(name), &[0, 0]].concat());
    }
    module(&[section(2, &payload)])
}

/// The interface of a binary, as far as it can be read.
fn interface(bytes: &[u8], limits: Limits) -> Interface {
    drive::collect_slice(bytes, InterfaceReader::with_limits(limits)).into_value().unwrap()
}

#[test]
fn default_policy_refuses_errors() {
    let bytes = module(&[custom("licenses", "mit"), custom("homepage", "nowhere")]);
    let (lines, accepted) = judge(&bytes, &Policy::default());
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("warning imprecise-license") && lines[1].starts_with("!error not-url"), "{lines:?}");
    assert!(!accepted);
    for (_, bytes) in real_files() {
        let policy = Policy::default();
        let reading = sectile_policy::read_slice(&bytes, &policy);
        let report = Report::for_policy("a".as_ref(), None, &reading);
        let plain = sectile::read_slice_with(&bytes, policy.limits);
        let plain = Report::new("a".as_ref(), None, &plain);
        assert!(report.findings().eq(plain.findings()));
        assert_eq!(report.cost(), plain.cost(), "a policy that asks for nothing reads nothing more");
    }
}

#[test]
fn policy_sets_severities() {
    let bytes = module(&[custom("licenses", "mit"), custom("licenses", "MIT"), custom("homepage", "nowhere")]);
    let lines = judged(&bytes, "refuse = 'note'\nseverity = { not-url = 'ignore', imprecise-license = 'note' }");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("!note imprecise-license") && lines[1].starts_with("!warning duplicate-section"));
    assert!(judge(&bytes, &parsed("severity.not-url = 'warning'")).1);
    // The severity of the rule precedes that of its code.
    let rule = "required.fields = 'vendor'\nseverity.missing-field = 'note'\n";
    assert!(judged(&module(&[]), rule)[0].starts_with("note missing-field"));
    assert!(judged(&module(&[]), &format!("{rule}required.severity = 'error'"))[0].starts_with("!error missing-field"));
}

#[test]
fn nested_metadata_does_not_count_for_the_root() {
    let says = module(&[custom("licenses", "MIT"), custom("version", "1")]);
    let required = "required.fields = ['licenses', 'version']";
    assert!(judge(&says, &parsed(required)).1);
    let posing = component(&[nested(&says)]);
    let expected = [
        "!error missing-field at :0 licenses x1: `licenses` is required, but is missing",
        "!error missing-field at :0 version x1: `version` is required, but is missing",
    ];
    assert_eq!(judged(&posing, required), expected);
    // Metadata of the root is not required of a nested item.
    let quiet = component(&[nested(&module(&[])), custom("licenses", "MIT"), custom("version", "1")]);
    assert!(judge(&quiet, &parsed(required)).1);
    let lines = judged(&quiet, "required = { fields = 'version', items = 'modules' }");
    assert_eq!(lines, ["!error missing-field at 0:10 version x1: `version` is required, but is missing"]);
    assert!(judge(&quiet, &parsed("required = { fields = 'version', items = 'components' }")).1);
    assert!(!judge(&quiet, &parsed("required = { fields = 'version', items = ['root', 'all'] }")).1);
    assert!(!judge(&quiet, &parsed("required = { fields = 'version', items = ['root', '0'] }")).1);
    let lines = judged(&quiet, "required = { fields = 'version', items = '1/0' }");
    assert_eq!(lines, ["!error missing-field at :0 - x1: item 1/0 does not exist, but is required to have version"]);
}

#[test]
fn required_values_must_not_be_blank() {
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
fn licenses_are_judged_by_item() {
    let inner = module(&[custom("licenses", "GPL-3.0-only")]);
    let bytes = component(&[nested(&inner), custom("licenses", "MIT OR GPL-3.0-only")]);
    let lines = judged(&bytes, "licenses.allow = 'MIT'");
    let expected = "!error refused-license at 0:29 licenses x1: \
        the license `GPL-3.0-only` is refused: `GPL-3.0-only` is not allowed";
    assert_eq!(lines, [expected]);
    assert!(judge(&bytes, &parsed("licenses = { allow = 'MIT', items = 'root' }")).1);
    assert!(judge(&module(&[]), &parsed("licenses.allow = 'MIT'")).1);
    assert!(!judge(&bytes, &parsed("licenses.deny = 'GPL-3.0-only'")).1);
}

#[test]
fn hidden_licenses_are_refused() {
    for sections in [
        vec![custom("licenses", "MIT"), custom("licenses", "GPL-3.0-only")],
        vec![custom("licenses", "GPL-3.0-only"), custom("licenses", "MIT")],
        vec![custom("licenses", "GPL-3.0-only"), custom("licenses", "MIT"), custom("licenses", "MIT")],
        vec![custom("licenses", b"GPL\xff")],
        vec![custom("licenses", "")],
        vec![custom("licenses", "MIT OR ".repeat(2_000) + "MIT")],
        vec![custom("licenses", "MIT OR ".repeat(200_000) + "MIT")], // exceeds the limit of decoding
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
        ("larger-than = 60", &[" -", "0 .debug_info"]), // the section that contains the module comes first
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
    // The enclosing item supplies the imports of nested items.
    assert!(judge(&component(&[nested(&bytes)]), &parsed("imports.names = '*'")).1);
    for (name, bytes) in real_files() {
        let policy = parsed("imports = { names = '*', severity = 'note' }");
        let (lines, _) = judge(&bytes, &policy);
        let imports = interface(&bytes, policy.limits).imports().len();
        let refused = lines.iter().filter(|line| line.contains("refused-import")).count();
        assert_eq!(refused.min(64), imports.min(64), "{name}");
    }
}

/// An import under a plain name also has the name of the interface that it implements.
#[test]
fn imports_are_matched_by_implemented_interface() {
    let empty_instance = section(7, &[1, 0x42, 0]);
    let implements = [&[1, 2][..], &prefixed("net"), &[1, 0], &prefixed("wasi:sockets/tcp@0.2.0"), &[5, 0]].concat();
    let bytes = component(&[empty_instance, section(10, &implements)]);
    let interface = interface(&bytes, Policy::default().limits);
    assert_eq!(interface.imports()[0].implements(), Some("wasi:sockets/tcp@0.2.0"), "{interface:?}");
    assert!(!judge(&bytes, &parsed("imports.names = 'wasi:sockets/*'")).1);
    assert!(!judge(&bytes, &parsed("imports.names = 'net'")).1);
    assert!(judge(&bytes, &parsed("imports.names = 'env.*'")).1);
}

#[test]
fn unreadable_imports_are_not_judged() {
    let text = "imports.names = 'env.*'\n[severity]\nmalformed-interface = 'ignore'\ntoo-large = 'ignore'\n";
    let lines = judged(&module(&[section(2, &[9])]), text);
    let message = "a rule of the policy cannot be judged: not all imports could be read";
    assert_eq!(lines, [format!("!error not-judged at :0 - x1: {message}")]);
    let lines = judged(&importing(&[("a", "b")]), &format!("{text}[limits]\ninterface = 3"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    // The same if the report comes from another reading.
    let bytes = importing(&[("env", "f")]);
    let other = parsed("sections.names = 'x'");
    for text in ["imports.names = 'x'", "sections.names = 'y'", "[[sections]]\nnames = 'x'\n[[sections]]\nnames = 'x'"]
    {
        let judging = parsed(text);
        let plain = sectile::read_slice_with(&bytes, judging.limits);
        let for_other = sectile_policy::read_slice(&bytes, &other);
        for report in [Report::new("a".as_ref(), None, &plain), Report::for_policy("a".as_ref(), None, &for_other)] {
            let verdict = judging.judge(&report);
            assert!(
                verdict.findings().iter().any(|judged| judged.finding().code() == FindingCode::NotJudged),
                "{text}"
            );
            assert!(!verdict.is_accepted());
        }
    }
}

#[test]
fn findings_precede_violations_in_rule_order() {
    let noted = Rule::new(Sections::new(Items::all()).with_names(["a".parse().unwrap()]));
    let noted = noted.with_severity(Severity::Note);
    let policy = Policy::default()
        .with_rule(Rule::new(Sections::new(Items::all()).with_names(["b".parse().unwrap()])))
        .with_rule(Rule::new(Required::new(Items::root(), [Field::Vendor.into()])))
        .with_rule(noted);
    let bytes = module(&[custom("a", ""), custom("b", ""), custom("licenses", "mit")]);
    let (lines, _) = judge(&bytes, &policy);
    let codes: Vec<&str> = lines.iter().map(|line| line.split(" at ").next().unwrap()).collect();
    let expected =
        ["warning imprecise-license", "!error refused-section", "!error missing-field", "note refused-section"];
    assert_eq!(codes, expected);
}

/// A refusal is final: every reason to refuse a part is a reason to refuse the whole.
#[test]
fn truncated_input_is_refused_only_for_final_reasons() {
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
        if sectile::read_slice_with(&bytes[..end], policy.limits).is_complete() {
            continue; // truncated at a section boundary of the root: a valid binary
        }
        let (lines, accepted) = judge(&bytes[..end], &policy);
        let refused = of_rules(lines);
        assert!(!accepted && refused.len() >= last, "{end}");
        assert!(refused.iter().all(|line| whole.contains(line)), "{end}: {refused:?}");
        last = refused.len();
    }
    assert_eq!(last, 6); // the root is incomplete
}

/// The path of a source file in Cargo's registry.
const CRATE: &str = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.6.0/src/lib.rs\0";

#[test]
fn packages_that_the_data_names_are_judged_on_request() {
    let bytes = component(&[nested(&module_with_data(CRATE))]);
    let rule = "[[dependencies]]\nnames = 'smallvec'\nversions = '<1.6.1'\n";
    assert_eq!(judged(&bytes, rule), [""; 0]);
    let all = |rule: &str| judged(&bytes, &format!("packages = 'all'\n{rule}"));
    let message = "the recovered dependency `smallvec`, version `1.6.0`, is refused";
    let found = all(rule);
    assert!(found.len() == 1 && found[0].ends_with(message), "{found:?}");
    assert!(found[0].starts_with("!error refused-dependency at 0:"), "{found:?}");
    let sources = all("[[dependencies]]\nsources = ['git', 'crates*']\n");
    assert!(sources.len() == 1 && sources[0].ends_with(&format!("{message} (from crates.io)")), "{sources:?}");
    for rule in [
        "[[dependencies]]\nnames = 'smallvec'\nversions = '>1.6.0'\n",
        "[[dependencies]]\nsources = 'git'\n",
        "[[dependencies]]\nitems = 'root'\nnames = '*'\n",
        "[[dependencies]]\nnames = '*'\nexcept = 'small*'\n",
    ] {
        assert_eq!(all(rule), [""; 0], "{rule}");
    }
    // A recovered list is incomplete, so it is not the list that a rule requires.
    assert_eq!(all("[[dependencies]]\nitems = '0'\nrequired = true\n").len(), 1);
}

#[test]
fn packages_that_were_not_read_are_not_judged() {
    let bytes = module_with_data(CRATE);
    let policy = parsed("packages = 'all'\n[[dependencies]]\nnames = 'smallvec'\n");
    let metadata = sectile::read_slice_with(&bytes, Limits::default());
    let verdict = policy.judge(&Report::new("a".as_ref(), None, &metadata));
    let codes: Vec<_> = verdict.findings().iter().map(|judged| judged.finding().code()).collect();
    assert_eq!(codes, [FindingCode::NotJudged]);
}
