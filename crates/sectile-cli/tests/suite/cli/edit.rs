//! The commands that change a file.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::{Run, command, file, run, run_with_input, show_json};
use sectile_testing::binary::{COMPONENT, component, custom, module, name, nested, prefixed, producers, section};
use sectile_testing::files::project;

/// Runs a command on a file: the name, the file, the rest.
pub(super) fn edit(command: &str, path: &Path, rest: &[&str]) -> Run {
    let args = [OsStr::new(command), path.as_os_str()].into_iter().chain(rest.iter().map(OsStr::new));
    run(args)
}

/// The result of a successful command on these bytes.
#[track_caller]
fn edited(source: &[u8], command: &str, rest: &[&str]) -> Vec<u8> {
    let (_directory, path) = file(source);
    let ran = edit(command, &path, rest);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    fs::read(&path).unwrap()
}

/// The message of a command that refuses these bytes and leaves them unchanged.
#[track_caller]
fn refused(source: &[u8], command: &str, rest: &[&str]) -> String {
    let (directory, path) = file(source);
    let ran = edit(command, &path, rest);
    assert_eq!((ran.status, ran.text()), (2, ""), "{}", ran.stderr);
    assert!(!ran.stderr.is_empty());
    assert_eq!(fs::read(&path).unwrap(), source, "the file is as it was");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    ran.stderr
}

#[test]
fn set_sets_every_field_the_name_and_producers() {
    let values = [
        ("--authors", "A <a@b.c>"),
        ("--created", "2026-01-02T03:04:05Z"),
        ("--description", "-starts with a hyphen"),
        ("--documentation", "https://d.example"),
        ("--homepage", "https://h.example"),
        ("--licenses", "MIT OR Apache-2.0"),
        ("--revision", "abc"),
        ("--source", "https://s.example"),
        ("--vendor", "V"),
        ("--version", "1.2.3"),
    ];
    let mut args: Vec<&str> = values.iter().flat_map(|(option, value)| [*option, *value]).collect();
    args.extend(["--name", "mine", "--language", "Rust=1.88", "--processed-by", "x=y=z", "--sdk", "S"]);
    for source in [module(&[]), component(&[])] {
        let (_, json) = show_json(&edited(&source, "set", &args));
        let item = &json["item"];
        for (option, value) in values {
            assert_eq!(item["annotations"][&option[2..]], value);
        }
        assert_eq!(item["name"], "mine");
        assert_eq!(item["producers"]["language"][0][1], "1.88");
        assert_eq!(item["producers"]["processed-by"], serde_json::json!([["x", "y=z"]]));
        assert_eq!(item["producers"]["sdk"], serde_json::json!([["S", ""]]));
        assert_eq!(json["findings"], serde_json::json!([]));
    }
}

#[test]
fn every_field_of_the_table_is_an_option() {
    for field in sectile::metadata::Field::ALL {
        let help = run(["set", "--help"]);
        assert!(help.text().contains(&format!("--{field} ")), "{field}");
        let bytes = module(&[custom(field.section(), b"x"), custom("other", b"")]);
        assert_eq!(edited(&bytes, "unset", &[field.section()]), module(&[custom("other", b"")]));
    }
}

#[test]
fn producers_are_dropped_and_added() {
    let of = |values: &[(&str, &str)]| module(&[custom("producers", producers(&[("sdk", values)]))]);
    let source = of(&[("a", "1"), ("b", "2")]);
    assert_eq!(edited(&source, "set", &["--drop-producer", "sdk:a"]), of(&[("b", "2")]));
    let changed = edited(&source, "set", &["--drop-producer", "sdk:a", "--sdk", "a=3", "--sdk", "b=4"]);
    assert_eq!(changed, of(&[("a", "3"), ("b", "4")]));
    assert_eq!(edited(&source, "unset", &["producers"]), module(&[]));
    assert!(refused(&source, "set", &["--drop-producer", "a"]).contains("FIELD:NAME"));
}

#[test]
fn put_replaces_adds_and_appends() {
    let source = module(&[custom("note", b"one"), section(1, &[0])]);
    assert_eq!(edited(&source, "put", &["note", "--data", "two"]), module(&[custom("note", b"two"), section(1, &[0])]));
    let appended = edited(&source, "put", &["note", "--data", "-2", "--append"]);
    assert_eq!(appended, module(&[custom("note", b"one"), section(1, &[0]), custom("note", b"-2")]));
    let (directory, _) = file(b"");
    let data = directory.path().join("data");
    fs::write(&data, [0, 0xff]).unwrap();
    let put = edited(&source, "put", &["new", "--data-file", data.to_str().unwrap()]);
    assert_eq!(put, [source.clone(), custom("new", [0, 0xff])].concat());
    assert!(refused(&source, "put", &["", "--data", ""]).contains("1 to 100,000"));
    assert!(refused(&source, "put", &["new"]).contains("--data"));
    assert!(refused(&source, "put", &["new", "--data-file", "/no/such/file"]).contains("cannot be read"));
}

#[test]
fn put_takes_data_from_standard_input() {
    let source = module(&[]);
    let (_directory, path) = file(&source);
    let put = |file: &OsStr| {
        let args = [OsStr::new("put"), file, OsStr::new("new"), OsStr::new("--data-file"), OsStr::new("-")];
        run_with_input(args, &[0, 0xff])
    };
    assert_eq!(put(path.as_os_str()).status, 0);
    assert_eq!(fs::read(&path).unwrap(), module(&[custom("new", [0, 0xff])]));
    let both = run_with_input(["put", "-", "new", "--data-file", "-", "-o", "-"], &source);
    assert!(both.status == 2 && both.stdout.is_empty() && both.stderr.contains("cannot be both"), "{}", both.stderr);
}

#[test]
fn remove_takes_names_and_globs() {
    let source = module(&[custom("a", b""), custom("ab", b""), custom("b", b""), custom("a", b"2")]);
    assert_eq!(edited(&source, "remove", &["a"]), module(&[custom("ab", b""), custom("b", b"")]));
    assert_eq!(edited(&source, "remove", &["a*"]), module(&[custom("b", b"")]));
    assert_eq!(edited(&source, "remove", &["[b]", "?b"]), module(&[custom("a", b""), custom("a", b"2")]));
}

#[test]
fn strip_reports_removed_sections_and_saved_bytes() {
    let inner = module(&[custom(".debug_info", [0; 2000]), custom("name", name("inner"))]);
    let source = component(&[nested(&inner), custom(".debug_str", b"x"), custom("authors", b"me"), custom("x", b"")]);
    let (_directory, path) = file(&source);
    let ran = edit("strip", &path, &[]);
    assert_eq!(ran.status, 0);
    for part in ["- section .debug_info 2,015 bytes in item 0", "- section .debug_str 14 bytes\n", "KiB saved"] {
        assert!(ran.text().contains(part), "{}", ran.text());
    }
    let stripped =
        component(&[nested(&module(&[custom("name", name("inner"))])), custom("authors", b"me"), custom("x", b"")]);
    let padded = fs::read(&path).unwrap(); // the width of the item's size is kept
    assert_eq!(show_json(&padded).1["item"]["items"][0]["name"], "inner");
    assert_eq!(padded.len(), stripped.len() + 1);
    assert!(!edited(&source, "strip", &["--at", "0"]).windows(10).any(|bytes| bytes == b".debug_inf"));
    assert!(edited(&source, "strip", &["--at", "0"]).windows(10).any(|bytes| bytes == b".debug_str"));
    assert!(edited(&source, "strip", &["--keep", ".debug_s*"]).windows(10).any(|bytes| bytes == b".debug_str"));
    assert!(!edited(&source, "strip", &["--all"]).ends_with(&custom("x", b"")));
}

#[test]
fn strip_removes_names_only_on_request() {
    let source = module(&[custom("name", name("me")), custom(".debug_str", b"x"), custom("authors", b"me")]);
    assert_eq!(edited(&source, "strip", &[]), module(&[custom("name", name("me")), custom("authors", b"me")]));
    let own = custom("name", section(0, &prefixed("me")));
    assert_eq!(edited(&source, "strip", &["--names"]), module(&[own, custom("authors", b"me")]));
    let nameless = edited(&source, "unset", &["name"]);
    assert_eq!(show_json(&nameless).1["item"]["name"], serde_json::Value::Null);
    assert!(nameless.ends_with(&custom("authors", b"me")));
}

#[test]
fn relocatable_objects_are_stripped_only_with_force() {
    let source = fs::read(project().join("tests/files/clang-fib.o")).unwrap();
    let message = refused(&source, "strip", &[]);
    assert!(
        message.contains("linking data refers to") && message.contains("use --force to edit it anyway"),
        "{message}"
    );
    assert!(!edited(&source, "strip", &["--force"]).windows(10).any(|bytes| bytes == b".debug_str"));
}

#[test]
fn migrate_reports_what_it_does_not_move() {
    let metadata = br#"{"authors":["A","B"],"license":"MIT","categories":["c"],"description":"new"}"#;
    let source = component(&[custom("registry-metadata", metadata), custom("description", b"old")]);
    let (_directory, path) = file(&source);
    let ran = edit("migrate", &path, &[]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("description already has a value") && ran.stderr.contains("categories"),
        "{}",
        ran.stderr
    );
    let (_, json) = show_json(&fs::read(&path).unwrap());
    let annotations = &json["item"]["annotations"];
    assert_eq!((&annotations["licenses"], &annotations["description"]), (&"MIT".into(), &"old".into()));
    assert!(json["item"].get("registry_metadata").is_none());
    assert_eq!(edited(&module(&[]), "migrate", &[]), module(&[]));
}

#[test]
fn a_nested_item_is_picked_by_its_path() {
    let source = component(&[nested(&module(&[])), nested(&component(&[nested(&module(&[]))]))]);
    let (_, json) = show_json(&edited(&source, "set", &["--at", "1/0", "--name", "deep"]));
    assert_eq!(json["item"]["items"][1]["items"][0]["name"], "deep");
    for path in ["2", "0/0", "1/1"] {
        assert!(
            refused(&source, "set", &["--at", path, "--name", "x"]).contains(&format!("item {path} does not exist"))
        );
    }
    refused(&source, "set", &["--at", "x", "--name", "x"]);
}

#[test]
fn a_dry_run_shows_the_differences_and_writes_nothing() {
    let source = module(&[custom("licenses", b"MIT")]);
    let (_directory, path) = file(&source);
    let args = ["--licenses", "ISC OR MIT", "--dry-run"];
    let shown = edit("set", &path, &args);
    assert!(shown.text().starts_with("  licenses: MIT → ISC OR MIT\n"), "{}", shown.text());
    assert!(shown.text().contains("22 → 29 bytes, 7 B more"), "{}", shown.text());
    let json = edit("set", &path, &[&args[..], &["--json"]].concat()).json();
    assert_eq!(json["size"], 22);
    assert_eq!(json["new_size"], 29);
    assert_eq!(json["kept"].as_u64().unwrap() + json["inserted"].as_u64().unwrap(), 29);
    assert_eq!(json["changes"][0]["change"], "replaced");
    assert_eq!(json["changes"][0]["bytes"], serde_json::json!([14, 21]));
    assert_eq!(json["written"], false);
    assert_eq!(fs::read(&path).unwrap(), source);
}

#[test]
fn an_edit_without_changes_is_reported() {
    let source = module(&[custom("licenses", b"MIT")]);
    let (directory, path) = file(&source);
    for rest in [&["--licenses", "MIT", "--dry-run"][..], &["--licenses", "MIT"], &["--licenses", "MIT", "--in-place"]]
    {
        let ran = edit("set", &path, rest);
        assert_eq!((ran.status, ran.text()), (0, &*format!("{}: already up to date\n", path.display())));
        assert_eq!(edit("set", &path, &[rest, &["--json"]].concat()).json()["written"], false);
    }
    let out = directory.path().join("out.wasm");
    let copied = edit("strip", &path, &["-o", out.to_str().unwrap()]);
    assert_eq!(copied.text(), format!("{}: copied without changes\n", path.display()));
    assert_eq!(fs::read(out).unwrap(), source);
}

#[test]
fn an_edit_with_output_leaves_the_source_unchanged() {
    let source = module(&[]);
    let expected = module(&[custom("licenses", b"MIT")]);
    let (directory, path) = file(&source);
    let out = directory.path().join("out.wasm");
    for _ in 0..2 {
        let ran = edit("set", &path, &["--licenses", "MIT", "-o", out.to_str().unwrap()]);
        assert_eq!((ran.status, fs::read(&out).unwrap()), (0, expected.clone()));
    }
    let stdout = edit("set", &path, &["--licenses", "MIT", "-o", "-"]);
    assert_eq!((stdout.status, &stdout.stdout), (0, &expected));
    let json = edit("set", &path, &["--licenses", "MIT", "-o", "-", "--json"]);
    assert_eq!(json.stdout, expected);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json.stderr).unwrap()["written"], true);
    assert_eq!(fs::read(&path).unwrap(), source);

    let piped = run_with_input(["set", "-", "--licenses", "MIT", "-o", "-"], &source);
    assert_eq!((piped.status, piped.stdout), (0, expected));
    let lost = run_with_input(["set", "-", "--licenses", "MIT"], &source);
    assert!(lost.status == 2 && lost.stderr.contains("-o"), "{}", lost.stderr);
}

#[test]
fn in_place_gives_the_same_file() {
    let source = module(&[section(1, &[0]), custom("licenses", b"MIT"), custom("end", b"")]);
    for rest in [&["--licenses", "ISC"][..], &["--licenses", "MIT OR ISC", "--name", "n"], &["--vendor", "v"]] {
        let in_place = edited(&source, "set", &[rest, &["--in-place"]].concat());
        assert_eq!(in_place, edited(&source, "set", rest));
        assert_eq!(in_place, edited(&source, "set", &[rest, &["--in-place", "--no-sync"]].concat()));
    }
    refused(&source, "set", &["--in-place", "-o", "x", "--vendor", "v"]);
    let (_directory, path) = file(&source);
    let none = edit("recover", &path, &[]);
    assert!(none.status == 2 && none.stderr.contains("nothing to recover"), "{}", none.stderr);
}

#[test]
fn invalid_input_leaves_the_file_unchanged() {
    let source = module(&[custom("producers", [1])]);
    for (command, rest, message) in [
        ("set", &["--licenses", "MIT/Apache-2.0"][..], "--allow-invalid"),
        ("set", &["--licenses", "proprietary"], "LicenseRef-"),
        ("set", &["--name", ""], "--name"),
        ("set", &["--language", "=1"], "it has no name"),
        ("set", &["--sdk", ""], "it has no name"),
        ("set", &["--homepage", "javascript:alert(1)"], "is not an http or https URL"),
        ("set", &["--created", "yesterday"], "created"),
        ("set", &["--source", "git@github.com:a/b.git"], "--allow-invalid"),
        ("set", &["--vendor", "a", "--vendor", "b"], "multiple times"),
        ("set", &["--sdk", "a"], "cannot change the `producers` section at offset 0x8"),
        ("unset", &["vendor", "vendor"], "changed twice"),
        ("unset", &["vendors"], "vendors"),
        ("unset", &[], "FIELD"),
        ("put", &["licenses", "--data", "x", "-o", ""], "o"),
        ("remove", &["["], "["),
    ] {
        let stderr = refused(&source, command, rest);
        assert!(stderr.contains(message), "{command} {rest:?}: {stderr}");
    }
    for (rest, message) in [(["--licenses", "MIT/Apache-2.0"], "warning"), (["--source", "git@github.com:a/b.git"], "")]
    {
        let (_directory, path) = file(&source);
        let ran = edit("set", &path, &[&rest[..], &["--allow-invalid"]].concat());
        assert!(ran.status == 0 && ran.stderr.contains(message), "{}", ran.stderr);
    }
    let (_directory, path) = file(&source);
    let ran = edit("set", &path, &["--licenses", "GPL-3.0"]);
    assert!(ran.status == 0 && ran.stderr.contains("GPL-3.0-only"), "{}", ran.stderr);

    for malformed in [&b""[..], b"\x7fELF", &COMPONENT[..7], &[&module(&[])[..], &[1, 9, 0]].concat()] {
        refused(malformed, "set", &["--vendor", "v"]);
        refused(malformed, "strip", &[]);
    }
    let gone = run(["set", "/no/such/file", "--vendor", "v"]);
    assert!(gone.status == 2 && gone.stderr.starts_with("sectile: /no/such/file: no such file"), "{}", gone.stderr);
}

#[test]
fn the_output_is_not_the_input() {
    let (directory, path) = file(&module(&[]));
    let alias = directory.path().join(".").join("a.wasm");
    for out in [&path, &alias] {
        let ran = edit("set", &path, &["--vendor", "v", "-o", out.to_str().unwrap()]);
        assert!(ran.status == 2 && ran.stderr.contains("the output is the input itself"), "{}", ran.stderr);
    }
    assert_eq!(fs::read(&path).unwrap(), module(&[]));
}

#[test]
fn edit_messages_are_escaped() {
    let source = module(&[custom("\u{1b}[31m\u{202e}x", b"")]);
    let (_directory, path) = file(&source);
    let ran = edit("remove", &path, &["*"]);
    assert!(ran.status == 0 && !ran.text().contains('\u{202e}') && !ran.text().contains('\u{1b}'), "{}", ran.text());
    let refused = edit("set", &path, &["--licenses", "\u{1b}[31m\u{202e}"]);
    assert!(refused.status == 2 && !refused.stderr.contains('\u{202e}') && !refused.stderr.contains('\u{1b}'));
}

#[test]
fn standard_input_cannot_be_recovered() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("-"), module(&[])).unwrap();
    let run = Run::of(command(["recover", "-"]).current_dir(directory.path()).output().unwrap());
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("standard input cannot be recovered"), "{}", run.stderr);
}
