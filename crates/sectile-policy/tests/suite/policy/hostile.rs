//! Hostile policy files, and hostile binaries.

use std::fs::{self, File};
use std::time::SystemTime;

use sectile::Input;
use sectile_policy::Policy;

use super::{judge, judged, parsed, verdict};
use sectile_testing::all_drivers;
use sectile_testing::binary::{MODULE, component, custom, leb128, module, nested, prefixed, section};
use sectile_testing::growth::assert_linear;
use sectile_testing::memory;

#[test]
fn unreadable_files_are_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    let error = |what: &str| {
        let error = Policy::read(&path).unwrap_err().to_string();
        assert!(error.starts_with(path.to_str().unwrap()) && error.contains(what), "{error}");
    };
    error("cannot be read");
    File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let (_, allocated) = memory::measure(|| error("is larger than 1 MiB"));
    assert!(allocated.peak < 8 << 20, "{allocated:?}");
    fs::write(&path, b"refuse = 'note'\n# caf\xe9").unwrap();
    error(":2:6: not UTF-8");
    fs::write(&path, "a = ".to_owned() + &"[".repeat(500_000)).unwrap();
    error(":1:105: it nests too deep");
    fs::write(&path, format!("{} = 1", ["a"; 200_000].join("."))).unwrap();
    error("it nests too deep");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    error("is not a regular file");
    fs::remove_dir(&path).unwrap();
    #[cfg(unix)]
    {
        sectile_testing::files::make_fifo(&path);
        error("is not a regular file"); // without waiting for a writer
    }
}

#[test]
fn large_policies_take_linear_time() {
    let rules = |number| "[[sections]]\nnames = 'a'\n".repeat(number);
    assert_linear(30_000, rules, |rules| parsed(rules));
    assert_eq!(parsed(&rules(30_000)).rules().count(), 30_000);
    let names = |number| (0..number).map(|number| format!("'n{number}'")).collect::<Vec<_>>().join(",");
    let imports = |number| format!("imports.names = [{}]", names(number));
    assert_linear(80_000, imports, |imports| parsed(imports));
    assert_eq!(parsed(&imports(80_000)).rules().count(), 1);
    let paths: Vec<String> = (50_000..120_000).map(|number| format!("'{number}'")).collect();
    let by_path = parsed(&format!("required = {{ items = [{}], fields = 'name' }}", paths.join(",")));
    let bytes = component(&vec![nested(&MODULE); 90_000]);
    let (lines, ..) = super::verdict(&by_path, &sectile_policy::read_slice(&bytes, &by_path));
    assert!(lines.len() == 65 && lines[64].contains("x69936:"), "{:?}", lines.last());
    let text = format!("imports.names = [{},'n7']", names(80_000));
    assert!(Policy::parse("p", &text).unwrap_err().to_string().contains("`n7` occurs twice"));
}

#[test]
fn patterns_do_not_backtrack() {
    let long = "*a".repeat(499) + "b";
    let name = "a".repeat(90_000);
    assert!(judge(&module(&[custom(&name, "")]), &parsed(&format!("sections.names = '{long}'"))).1);
    let longer = "*a".repeat(600);
    let error = Policy::parse("p", &format!("sections.names = '{longer}'")).unwrap_err().to_string();
    assert!(error.contains("more than 1,000 bytes") && error.len() < 200, "{error}");
}

#[test]
fn folded_findings_are_all_counted() {
    // Equal sections fold into one finding; different ones are limited, with one finding for the
    // rest.
    let same = module(&vec![custom("x", ""); 1_000]);
    let lines = judged(&same, "sections.names = 'x'");
    assert!(lines.len() == 1 && lines[0].contains("x x1000:"), "{lines:?}");
    let each: Vec<_> = (0..1_000).map(|number| custom(&format!("x{number}"), "")).collect();
    let lines = judged(&module(&each), "sections.names = 'x*'\nlimits.findings = 8");
    assert!(lines.len() == 9 && lines[8].contains("x992:"), "{lines:?}");
    // The limit applies to each rule. Refusals are not lost among the notes of another rule.
    let text = "limits.findings = 2\n[[sections]]\nnames = 'x*'\nseverity = 'note'\n[[sections]]\nnames = 'x999'";
    let (lines, accepted) = judge(&module(&each), &parsed(text));
    assert!(!accepted && lines.len() == 4 && lines[3].starts_with("!error"), "{lines:?}");
    // Folded findings of the report keep their count under any severity.
    let many = module(&vec![custom("homepage", "nowhere"); 500]);
    let lines = judged(&many, "severity.not-url = 'note'");
    assert!(lines.iter().any(|line| line.starts_with("note not-url") && line.contains("x500")), "{lines:?}");
}

#[test]
fn millions_of_sections_imports_and_items_take_linear_time() {
    let policy = parsed(
        "[required]\nitems = ['all', '0/0', '99999']\nfields = ['licenses', 'version']\n[licenses]\nallow = 'MIT'\n\
        [sections]\nnames = '*'\n[imports]\nnames = '*'",
    );
    let one = |bytes: &Vec<u8>| {
        let (verdict, allocated) =
            memory::measure(|| super::verdict(&policy, &sectile_policy::read_slice(bytes, &policy)));
        assert!(!verdict.1 && verdict.0.len() < 300, "{}", verdict.0.len());
        allocated.peak
    };
    let sections = |pairs| [&MODULE[..], &b"\x00\x02\x01x\x00\x02\x01y".repeat(pairs)].concat();
    assert!(one(&sections(500_000)) < 1 << 20);
    assert_linear(200_000, sections, one);
    let import = [&*prefixed("e"), b"\x01f\x00\x00"].concat();
    let imports = |number: usize| module(&[section(2, &[leb128(number as u32), import.repeat(number)].concat())]);
    assert_linear(100_000, imports, one);
    let licensed = |expression: &str| nested(&module(&[custom("licenses", expression)]));
    assert_linear(60_000, |items| component(&vec![licensed("GPL-3.0-only"); items]), one);
    let expression = "GPL-2.0-or-later OR ".repeat(400) + "GPL-3.0-only";
    assert_linear(200, |items| component(&vec![licensed(&expression); items]), one);
}

#[test]
fn limits_of_the_policy_apply_to_the_reading() {
    let bytes = component(&[nested(&module(&[]))]);
    assert!(judge(&bytes, &parsed("limits.depth = 2")).1);
    for limit in ["limits.depth = 1", "limits.items = 1", "limits.sections = 0"] {
        assert!(!judge(&bytes, &parsed(limit)).1, "{limit}");
    }
    assert!(!judge(b"\x7fELF", &parsed("required.fields = 'name'")).1);
}

/// The length is the same but the time differs. So the values may mix two states.
#[test]
fn a_file_that_is_rewritten_while_it_is_read_is_refused() {
    let file = all_drivers::file(&module(&[custom("x", "1")]));
    let input = Input::from_file(file.try_clone().unwrap()).unwrap();
    let policies = [Policy::default(), parsed("[sections]\nnames = 'x'")];
    for policy in &policies {
        assert!(!refused_as_changed(policy, &input));
    }
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    for policy in &policies {
        assert!(refused_as_changed(policy, &input), "{policy:?}");
    }
}

fn refused_as_changed(policy: &Policy, input: &Input) -> bool {
    let (lines, accepted, _) = verdict(policy, &sectile_policy::read_input(input, policy));
    !accepted && lines.iter().any(|line| line.contains(" changed at "))
}
