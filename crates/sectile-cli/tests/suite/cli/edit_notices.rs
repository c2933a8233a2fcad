//! Edits without any effect report it, and dry runs show the differences.

use std::fs;

use super::edit::edit;
use super::{file, run};
use sectile_testing::binary::{component, custom, module, name, nested, producers};

#[test]
fn set_without_options_is_an_error_with_an_example() {
    let (_directory, path) = file(&module(&[]));
    for rest in [&[][..], &["--allow-invalid"], &["--dry-run"]] {
        let ran = edit("set", &path, rest);
        assert_eq!((ran.status, ran.text()), (2, ""));
        assert!(ran.stderr.contains("`--licenses MIT`") && ran.stderr.contains("Usage: sectile set"), "{}", ran.stderr);
    }
}

#[test]
fn remove_without_a_match_is_status_1() {
    let source = module(&[custom("a", b"")]);
    let (_directory, path) = file(&source);
    let ran = edit("remove", &path, &["nosuch"]);
    let message = format!("sectile: {}: no custom section matches `nosuch`; nothing changed\n", path.display());
    assert_eq!((ran.status, &*ran.stderr), (1, &*message));
    let json = edit("remove", &path, &["nosuch", "--json", "--quiet"]);
    assert_eq!((json.status, &json.json()["written"], &*json.stderr), (1, &false.into(), &*message));
    assert_eq!(edit("remove", &path, &["a", "--at", "0"]).status, 2, "item 0 does not exist");
    assert_eq!(fs::read(&path).unwrap(), source);
    let partly = edit("remove", &path, &["nosuch", "a"]);
    let message = format!("sectile: {}: no custom section matches `nosuch`\n", path.display());
    assert_eq!((partly.status, &*partly.stderr), (0, &*message));
    assert_eq!(fs::read(&path).unwrap(), module(&[]));
}

#[test]
fn unset_reports_absent_fields_and_succeeds() {
    let (_directory, path) = file(&module(&[custom("licenses", "MIT")]));
    let ran = edit("unset", &path, &["licenses", "version", "name", "producers"]);
    let absent = |what: &str| format!("sectile: {}: `{what}` is already absent\n", path.display());
    assert_eq!((ran.status, ran.stderr), (0, absent("version") + &absent("name") + &absent("producers")));
    let again = edit("unset", &path, &["licenses"]);
    assert_eq!((again.status, &*again.stderr), (0, &*absent("licenses")));
    assert_eq!(again.text(), format!("{}: already up to date\n", path.display()));
    assert_eq!(edit("unset", &path, &["licenses", "-q"]).stderr, "");
}

#[test]
fn a_dry_run_shows_every_kind_of_value() {
    let inner = module(&[custom("name", name("inner")), custom("note", b"\x00\xff"), custom("big", vec![b'x'; 1_001])]);
    let source = component(&[
        nested(&inner),
        custom("description", "a \"quoted\\ \x1b[31m text"),
        custom("producers", producers(&[("sdk", &[("a", "1"), ("b", "")])])),
        custom("component-name", name("outer")),
        custom("twin", "1"),
    ]);
    let (_directory, path) = file(&source);
    let shown = |command: &str, rest: &[&str]| {
        let ran = edit(command, &path, &[rest, &["-n"]].concat());
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let lines: Vec<String> = ran.text().lines().map(str::to_owned).collect();
        lines[..lines.len() - 1].join("\n")
    };
    let set = ["--description", "new", "--name", "it", "--sdk", "a=2", "--sdk", "b", "--licenses", "MIT"];
    let expected = [
        "  name: outer → it",
        "  description: a \"quoted\\ \\x1b[31m text → new",
        "  + licenses MIT",
        "  sdk a: 1 → 2",
    ];
    assert_eq!(shown("set", &set), expected.join("\n"));
    let removed = "  - section big 1,008 bytes in item 0\n  - section note 9 bytes in item 0";
    assert_eq!(shown("remove", &["note", "big", "--at", "0"]), removed);
    assert_eq!(shown("put", &["twin", "--data", "2"]), "  section twin: 8 bytes, other data");
    assert_eq!(shown("put", &["twin", "--data", "2", "--append"]), "  section twin: 8 bytes → 2 sections, 16 bytes");
    assert_eq!(shown("unset", &["name", "producers"]), "  - name outer\n  - sdk a 1\n  - sdk b");
    assert_eq!(fs::read(&path).unwrap(), source);
}

#[test]
fn a_dry_run_of_many_sections_takes_linear_time() {
    let sections: Vec<Vec<u8>> = (0..20_000).map(|n| custom(&format!(".debug_{n}"), "")).collect();
    let (_directory, path) = file(&module(&sections));
    let ran = run(["strip".as_ref(), "-n".as_ref(), path.as_os_str()]);
    assert_eq!((ran.status, ran.text().lines().count()), (0, 102), "a bounded list");
    assert!(ran.text().contains("… and 19,900 more"));
}
