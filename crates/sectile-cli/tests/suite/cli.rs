//! The command as scripts use it.

mod advisories;
mod audit;
mod audit_baseline;
#[cfg(feature = "remote")]
mod buckets;
mod build;
mod completions;
mod diff;
mod edit;
mod edit_notices;
mod edit_several;
mod escaping;
mod explain;
mod from;
mod git;
mod images;
mod inputs;
mod interface;
mod messages;
mod oci;
mod oci_check;
mod packages;
mod parquet;
mod policy;
mod push;
mod registries;
mod rejudge;
#[cfg(feature = "remote")]
mod remote;
mod row_names;
mod sbom;
mod schema;
mod settings;
#[cfg(unix)]
mod special_files;
#[cfg(unix)]
mod terminal;
mod toolchains;
mod usage;
#[cfg(unix)]
mod users;
mod values;
mod widths;
mod wrap;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::docs::schema::check_output;
use sectile::internal::is_deceptive;
use sectile_testing::binary::{COMPONENT, MODULE, chain, component, custom, module, name, nested, producers, section};
use sectile_testing::files::{project, real_paths};

/// The command, run in the root of the project.
fn command<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sectile"));
    command.args(args).current_dir(project()).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.env("SECTILE_CONFIG", ""); // the user's own configuration is not read
    command
}

/// The result of a run.
pub struct Run {
    status: i32,
    stdout: Vec<u8>,
    stderr: String,
}

impl Run {
    /// Also checks JSON against its schema, for every test of the command.
    fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        check_output(&String::from_utf8_lossy(&output.stdout));
        check_output(&stderr);
        Self { status: output.status.code().expect("no signal"), stdout: output.stdout, stderr }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// The one line of JSON.
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.text().matches('\n').count(), 1, "{}", self.text());
        serde_json::from_str(self.text()).unwrap()
    }
}

fn run<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Run {
    Run::of(command(args).stdin(Stdio::null()).output().unwrap())
}

pub fn run_with_input<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>, input: &[u8]) -> Run {
    let mut child = command(args);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || _ = stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run::of(output)
}

/// A directory with one file of these bytes.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    fs::write(&path, bytes).unwrap();
    (directory, path)
}

/// `show --json` of these bytes.
fn show_json(bytes: &[u8]) -> (Run, Value) {
    let (_directory, path) = file(bytes);
    let run = run([OsStr::new("show"), OsStr::new("--json"), path.as_os_str()]);
    let json = run.json();
    (run, json)
}

/// The keys of an object in the order of the text, because the parser sorts them.
fn keys_in_order(text: &str) -> Vec<String> {
    let (mut keys, mut depth, mut rest) = (Vec::new(), 0, text);
    while let Some(at) = rest.find(['{', '}', '[', ']', '"']) {
        match rest.as_bytes()[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let mut string = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<String>();
                let key = string.next().unwrap().unwrap();
                let end = at + string.byte_offset();
                if depth == 1 && rest[end..].starts_with(':') {
                    keys.push(key);
                }
                rest = &rest[end..];
                continue;
            }
        }
        rest = &rest[at + 1..];
    }
    keys
}

#[test]
fn show_json_is_the_contract() {
    let inner =
        module(&[custom("name", name("inner")), custom("licenses", "MIT"), custom("build_id", b"\x02\xab\xcd")]);
    let outer = component(&[
        nested(&inner),
        custom("component-name", name("outer")),
        custom("producers", producers(&[("processed-by", &[("wit-component", "0.245.1")]), ("sdk", &[])])),
        custom("authors", "me"),
        custom("authors", "you"),
        custom("description", b"caf\xe9"),
        custom("registry-metadata", "{\n \"license\": \"MIT\",\n \"authors\": [\"a b\"]}"),
    ]);
    let (run, json) = show_json(&outer);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    assert_eq!(
        keys_in_order(run.text()),
        ["schema", "file", "size", "item", "findings", "packages", "outcome", "bytes_read"]
    );
    let item = &run.text()[run.text().find("{\"kind\"").unwrap()..];
    assert_eq!(
        keys_in_order(item)[..9],
        [
            "kind",
            "path",
            "range",
            "name",
            "annotations",
            "first_annotations",
            "producers",
            "registry_metadata",
            "items"
        ]
    );
    assert_eq!(json["schema"], 2);
    assert_eq!(json["size"], outer.len());
    assert!(json["bytes_read"].as_u64().unwrap() <= outer.len() as u64);
    let item = &json["item"];
    assert_eq!((&item["kind"], &item["path"], &item["name"]), (&"component".into(), &"".into(), &"outer".into()));
    assert_eq!(item["range"], serde_json::json!([0, outer.len()]));
    assert_eq!(item["annotations"], serde_json::json!({"authors": "you", "description": {"base64": "Y2Fm6Q=="}}));
    assert_eq!(item["producers"], serde_json::json!({"processed-by": [["wit-component", "0.245.1"]], "sdk": []}));
    assert_eq!(item["registry_metadata"], serde_json::json!({"license": "MIT", "authors": ["a b"]}));
    let inner = &item["items"][0];
    assert_eq!((&inner["kind"], &inner["path"], &inner["name"]), (&"module".into(), &"0".into(), &"inner".into()));
    assert_eq!(inner["annotations"], serde_json::json!({"licenses": "MIT"}));
    assert_eq!(inner["producers"], serde_json::json!({}));
    assert_eq!(inner["items"], serde_json::json!([]));
    assert_eq!(inner["debug_links"], serde_json::json!([["build_id", {"base64": "q80="}]]));
    assert!(inner.get("dependencies").is_none() && inner.get("registry_metadata").is_none());
    let codes: Vec<_> =
        json["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["duplicate-section", "not-utf8", "retired-section"]);
    let duplicate = &json["findings"][0];
    let text = &run.text()[run.text().find("{\"code\"").unwrap()..];
    assert_eq!(keys_in_order(text)[..6], ["code", "severity", "path", "offset", "section", "message"]);
    let second = outer.windows(3).position(|window| window == b"you").unwrap();
    assert_eq!(duplicate["offset"], second - 2 - 1 - "authors".len());
    assert_eq!((&duplicate["severity"], &duplicate["section"]), (&"warning".into(), &"authors".into()));
    assert_eq!(json["outcome"], "complete");
}

#[test]
fn dependencies_are_shown_for_the_item_that_has_them() {
    let json = run(["show", "--json", "tests/files/rust-auditable.component.wasm"]).json();
    assert!(json["item"].get("dependencies").is_none());
    let packages = json["item"]["items"][0]["dependencies"].as_array().unwrap();
    assert_eq!(packages.len(), 3);
    assert_eq!(
        packages[1],
        serde_json::json!({"name": "checksum", "version": "0.1.0", "source": "local", "kind": "runtime", "root": true,
            "dependencies": [0, 2]})
    );
}

#[test]
fn packages_are_counted_and_listed_on_request() {
    let file = "tests/files/rust-auditable.component.wasm";
    let counted = run(["show", file]);
    assert!(counted.text().contains("3 packages (--packages declared lists them)\n"), "{}", counted.text());
    assert!(!counted.text().contains("checksum 0.1.0"), "{}", counted.text());
    let listed = run(["show", "--packages", "declared", file]);
    assert!(listed.text().contains("3 packages\n"), "{}", listed.text());
    assert!(listed.text().contains(" checksum 0.1.0 (local, the root)\n"), "{}", listed.text());
    assert!(listed.text().contains(" adler 1.0.2 (crates.io)\n"), "{}", listed.text());
    assert_eq!(run(["show", "--json", "--packages", "declared", file]).stdout, run(["show", "--json", file]).stdout);
}

#[test]
fn truncated_file_is_shown_up_to_the_cut_with_status_2() {
    let whole = module(&[custom("licenses", "MIT"), section(10, &[0; 100])]);
    let (run, json) = show_json(&whole[..whole.len() - 1]);
    assert_eq!(run.status, 2);
    assert_eq!(json["item"]["annotations"]["licenses"], "MIT");
    assert_eq!(json["outcome"], "partial");
    assert_eq!(json["reason"]["offset"], whole.len() - 1);
    assert!(json["reason"]["message"].as_str().unwrap().contains("the code section that begins at 0x16"), "{json}");
    assert!(run.stderr.starts_with("sectile: ") && run.stderr.contains("a.wasm: the input ends inside"));
    assert!(run.stderr.ends_with(&format!("(at offset {:#x})\n", whole.len() - 1)), "{}", run.stderr);
}

#[test]
fn messages_name_the_format_of_other_files() {
    for (bytes, expected) in [
        (&b""[..], "the input is empty"),
        (b"\0asm\x01\0\0", "7 bytes are shorter than the 8-byte preamble"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "it looks like an ELF binary"),
        (b"(module (func))", "it looks like the WebAssembly text format"),
        (b"hello, world", "it looks like text"),
        (b"\0asm\x02\0\0\0", "unsupported version 2, layer 0"),
        (b"\0asm\x0a\0\x01\0", "unsupported version 10, layer 1"),
        (b"\0asm\x01\0\x01\0", "unsupported version 1, layer 1"),
    ] {
        let (run, json) = show_json(bytes);
        assert_eq!((run.status, &json["item"], &json["outcome"]), (2, &Value::Null, &"partial".into()));
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(run.stderr.contains("(at offset 0x"), "{}", run.stderr);
    }
}

#[test]
fn a_failed_file_does_not_stop_the_others() {
    let (_directory, good) = file(&module(&[custom("licenses", "MIT")]));
    let (_other, bad) = file(b"no wasm");
    let run = run([OsStr::new("show"), OsStr::new("--json"), bad.as_os_str(), OsStr::new("nowhere"), good.as_os_str()]);
    assert_eq!(run.status, 2);
    let lines: Vec<Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["item"], &lines[1]["size"]), (&Value::Null, &Value::Null));
    assert_eq!(lines[2]["item"]["annotations"]["licenses"], "MIT");
    assert_eq!(run.stderr.lines().count(), 2);
}

#[test]
fn standard_input_is_a_file() {
    let bytes = module(&[custom("licenses", "MIT")]);
    for args in [&["show", "--json", "-"][..], &["show", "--map", "--json", "-"]] {
        let run = run_with_input(args, &bytes);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert_eq!(run.json()["file"], "-");
        assert_eq!(run.json()["size"], bytes.len());
        assert_eq!(run.json()["item"]["annotations"]["licenses"], "MIT");
    }
    assert_eq!(run_with_input(["get", "-", "licenses"], &bytes).stdout, b"MIT");
    let broken = run_with_input(["show", "-"], &bytes[..bytes.len() - 1]);
    assert_eq!(broken.status, 2);
    assert!(broken.stderr.starts_with("sectile: standard input: "), "{}", broken.stderr);
}

#[test]
fn mapped_files_give_the_same_output() {
    for path in real_paths() {
        let show = |args: &[&str]| {
            let mut json = run(args.iter().map(OsStr::new).chain([path.as_os_str()])).json();
            json.as_object_mut().unwrap().remove("bytes_read");
            json
        };
        assert_eq!(show(&["show", "--json"]), show(&["show", "--json", "--map"]), "{path:?}");
    }
}

#[test]
fn a_closed_pipe_is_quiet() {
    let sections = vec![custom("x", ""); 100_000];
    let (_directory, path) = file(&module(&sections));
    let mut child = command([OsStr::new("sections"), path.as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
}

#[test]
fn sections_json_is_the_contract() {
    let bytes = component(&[nested(&module(&[section(1, &[0]), custom("na\"me", "data")])), section(7, &[0])]);
    let (_directory, path) = file(&bytes);
    let run = run([OsStr::new("sections"), OsStr::new("--json"), path.as_os_str()]);
    assert_eq!(run.status, 0);
    let sections = serde_json::json!([
        {"path": "", "id": 1, "kind": "core module", "range": [8, 33], "payload": [10, 33]},
        {"path": "0", "id": 1, "kind": "type", "range": [18, 21], "payload": [20, 21]},
        {"path": "0", "id": 0, "kind": "custom", "name": "na\"me", "range": [21, 33], "payload": [23, 33], "data": [29, 33]},
        {"path": "", "id": 7, "kind": "type", "range": [33, 36], "payload": [35, 36]},
    ]);
    assert_eq!(run.json()["sections"], sections);
    assert_eq!(keys_in_order(run.text()), ["schema", "file", "size", "sections", "outcome"]);
    let last = &run.text()[run.text().find("{\"path\":\"0\",\"id\":0").unwrap()..];
    assert_eq!(keys_in_order(last)[..7], ["path", "id", "kind", "name", "range", "payload", "data"]);
}

#[test]
fn an_empty_section_list_is_shown_as_none() {
    let (_directory, path) = file(&module(&[]));
    let run = run([OsStr::new("sections"), path.as_os_str()]);
    assert_eq!(run.status, 0);
    assert!(run.text().contains("a.wasm: 8 bytes\n") && run.text().ends_with("(none)\n"), "{}", run.text());
}

#[test]
fn get_prints_the_exact_bytes() {
    let bytes = component(&[
        nested(&module(&[custom("x", "inner")])),
        custom("x", b"first\0\xff"),
        custom("x", ""),
        custom("x", b"last\x1b"),
    ]);
    let (_directory, path) = file(&bytes);
    let get = |args: &[&str]| {
        let run = run([OsStr::new("get"), path.as_os_str()].into_iter().chain(args.iter().map(OsStr::new)));
        (run.status, run.stdout, run.stderr)
    };
    assert_eq!(get(&["x"]), (0, b"last\x1b".to_vec(), String::new()));
    assert_eq!(get(&["x", "--nth", "1"]), (0, b"first\0\xff".to_vec(), String::new()));
    assert_eq!(get(&["x", "--nth", "2"]), (0, vec![], String::new()));
    assert_eq!(get(&["x", "--at", "0"]), (0, b"inner".to_vec(), String::new()));
    for (args, why) in [
        (&["x", "--nth", "4"][..], "only 3 custom sections `x`"),
        (&["x", "--at", "0", "--nth", "2"], "item 0 has only one custom section `x`"),
        (&["y"], "the root has no custom section `y`"),
        (&["x", "--at", "1"], "item 1 does not exist"),
        (&["\x1b[31m"], "no custom section `\\x1b[31m`"),
    ] {
        let (status, stdout, stderr) = get(args);
        assert_eq!((status, &*stdout), (1, &b""[..]));
        assert!(stderr.contains(why), "{stderr}");
    }
    assert_eq!(get(&["x", "--nth", "0"]).0, 2);
    assert_eq!(get(&["x", "--at", "a"]).0, 2);
}

#[test]
fn get_from_a_truncated_file_is_status_2() {
    let whole = module(&[custom("x", "kept"), custom("x", "cut off")]);
    let (_directory, path) = file(&whole[..whole.len() - 4]);
    let run = |args: &[&str]| run([OsStr::new("get"), path.as_os_str()].into_iter().chain(args.iter().map(OsStr::new)));
    assert_eq!((run(&["x", "--nth", "1"]).status, run(&["x", "--nth", "1"]).stdout), (2, b"kept".to_vec()));
    assert_eq!((run(&["x"]).status, run(&["x"]).stdout), (2, b"cut".to_vec()));
    assert_eq!(run(&["y"]).status, 2);
}

/// The worst status counts, and the line after the files counts all.
#[test]
fn check_counts_refused_and_unread_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let refused = module(&[custom("licenses", "nonsense")]);
    fs::write(path("good.wasm"), module(&[])).unwrap();
    fs::write(path("refused.wasm"), &refused).unwrap();
    fs::write(path("cut.wasm"), &refused[..refused.len() - 1]).unwrap();
    for json in [false, true] {
        let check = |names: &[&str]| {
            let args = ["check".into()].into_iter().chain(names.iter().map(|name| path(name).into_os_string()));
            run(args.chain(json.then(|| "--json".into())))
        };
        let both = check(&["good.wasm", "refused.wasm", "cut.wasm", "missing.wasm"]);
        assert_eq!(both.status, 2);
        assert!(both.stderr.ends_with("sectile: 1 of 4 files refused, 2 not read to their end\n"), "{}", both.stderr);
        let no = check(&["good.wasm", "refused.wasm"]);
        assert_eq!((no.status, &*no.stderr), (1, "sectile: 1 of 2 files refused\n"));
        let one = check(&["refused.wasm"]);
        assert_eq!((one.status, &*one.stderr), (1, ""));
    }
}

#[test]
fn exit_status_of_check_is_its_verdict() {
    let cases = [
        (module(&[custom("licenses", "MIT")]), 0, 0),
        (module(&[custom("licenses", "mit")]), 0, 1),
        (module(&[custom("licenses", "no license")]), 1, 1),
        (module(&[custom("licenses", "mit")])[..20].to_vec(), 2, 2),
        (b"no wasm".to_vec(), 2, 2),
    ];
    for (bytes, status, strict) in cases {
        let (_directory, path) = file(&bytes);
        let check =
            |args: &[&str]| run([OsStr::new("check"), path.as_os_str()].into_iter().chain(args.iter().map(OsStr::new)));
        assert_eq!(check(&[]).status, status);
        assert_eq!(check(&["--refuse", "warning"]).status, strict);
        let json = check(&["--json"]).json();
        assert_eq!(json["accepted"], status == 0);
        let keys = if status == 2 { &["outcome", "reason"][..] } else { &["outcome"] };
        let expected =
            [&["schema", "file", "size", "findings", "packages", "excepted", "accepted"], keys, &["bytes_read"]]
                .concat();
        assert_eq!(keys_in_order(check(&["--json"]).text()), expected);
    }
    let (_directory, path) = file(&module(&[custom("licenses", "no license"), custom("homepage", "nowhere")]));
    let run = run([OsStr::new("check"), path.as_os_str()]);
    let lines: Vec<&str> = run.text().lines().collect();
    assert!(
        lines[0].contains("error: `no license` is not an SPDX expression") && lines[0].contains("[not-spdx]"),
        "{lines:?}"
    );
    assert!(lines[2].ends_with("refused, 2 errors"), "{lines:?}");
    assert_eq!(
        self::run([OsStr::new("check"), OsStr::new("--refuse"), OsStr::new("fatal"), path.as_os_str()]).status,
        2
    );
}

#[test]
fn deep_and_wide_trees_have_short_lines() {
    let many = [&MODULE[..], &b"\x00\x01\x00".repeat(100_000)].concat();
    for (bytes, status) in [(chain(100_000, &COMPONENT), 2), (many, 0)] {
        let (_directory, path) = file(&bytes);
        for args in [&["show", "--json"][..], &["show"], &["sections"], &["sections", "--json"], &["check"]] {
            let run = run(args.iter().map(OsStr::new).chain([path.as_os_str()]));
            assert_eq!(run.status, status, "{args:?} {}", run.stderr);
            let shown = if args.contains(&"--json") { "" } else { run.text() };
            let longest = shown.lines().chain(run.stderr.lines()).map(str::len).max();
            assert!(longest < Some(400), "a line of {longest:?} bytes by {args:?}");
        }
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    for path in real_paths() {
        for args in [&["show"][..], &["show", "--json"], &["sections"], &["sections", "--json"], &["check"]] {
            let once = || run(args.iter().map(OsStr::new).chain([path.as_os_str()])).stdout;
            assert_eq!(once(), once(), "{args:?} {path:?}");
        }
    }
}
