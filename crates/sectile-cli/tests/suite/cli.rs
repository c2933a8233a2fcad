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
mod terminal;
mod toolchains;
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
#[cfg(unix)]
use sectile_testing::files::make_fifo;
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

/// Texts that would control a terminal.
const HOSTILE: &str = "\x1b[2J\x1b]0;owned\x07\r\nfaked: ok\u{9b}31m\u{202e}\u{2066}\u{200b}\x7f";

#[test]
fn input_is_escaped_on_a_terminal() {
    let inner = module(&[custom("name", name(HOSTILE))]);
    let bytes = component(&[
        nested(&inner),
        custom("description", HOSTILE),
        custom("licenses", HOSTILE),
        custom("homepage", HOSTILE),
        custom("created", HOSTILE),
        custom(HOSTILE, ""),
        custom("component-name", name(HOSTILE)),
        custom("producers", producers(&[(HOSTILE, &[(HOSTILE, HOSTILE), (HOSTILE, HOSTILE)]), (HOSTILE, &[])])),
        custom("sourceMappingURL", [&[HOSTILE.len() as u8][..], HOSTILE.as_bytes()].concat()),
        custom("registry-metadata", format!("{{\"a\":1,\"a\":\"{HOSTILE}\"}}")),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("a{}.wasm", HOSTILE.replace('/', "")));
    fs::write(&path, &bytes).unwrap();
    for args in [
        &["show"][..],
        &["show", "--interface"],
        &["show", "--color", "never"],
        &["sections"],
        &["check"],
        &["check", "--refuse", "note"],
        &["digest"],
        &["audit"],
        &["strip", "--all", "--dry-run"],
        &["set", "--dry-run", "--vendor", "v"],
    ] {
        let run = run(args.iter().map(OsStr::new).chain([path.as_os_str()]));
        assert_ne!(run.status, 2, "{args:?} {}", run.stderr);
        for text in [run.text(), &run.stderr] {
            let deceptive = |character: &char| {
                *character != '\n'
                    && (character.is_control()
                        || ('\u{200b}'..='\u{2069}').contains(character) && *character != '\u{2026}')
            };
            assert_eq!(text.chars().find(deceptive), None, "{text:?}");
            assert!(!text.contains("\nfaked"), "{text:?}");
        }
    }
    // JSON contains it exactly.
    let json = run([OsStr::new("show"), OsStr::new("--json"), path.as_os_str()]).json();
    assert_eq!(json["item"]["annotations"]["description"], HOSTILE);
    assert_eq!(json["item"]["name"], HOSTILE);
    assert_eq!(json["file"], path.to_str().unwrap());
    assert_eq!(json["item"]["producers"][HOSTILE][0], serde_json::json!([HOSTILE, HOSTILE]));
    let json = run([OsStr::new("sections"), OsStr::new("--json"), path.as_os_str()]).json();
    assert!(json["sections"].as_array().unwrap().iter().any(|section| section["name"] == HOSTILE));
}

/// JSON may also be shown on a terminal.
#[test]
fn json_is_exact_and_safe_on_a_terminal() {
    let hostile = "a\u{9b}31m\u{202e}\u{2066}\u{200b}\x7f\u{85}\u{feff}\u{e0041}\x1bb";
    let bytes = component(&[
        nested(&module(&[custom("name", name(hostile))])),
        custom("description", hostile),
        custom(hostile, ""),
        custom("producers", producers(&[(hostile, &[(hostile, hostile)])])),
        custom("registry-metadata", format!("{{\"authors\":[\"{}\"]}}", hostile.replace('\x1b', ""))),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(format!("{hostile}.wasm"));
    fs::write(&path, bytes).unwrap();
    for args in [
        &["show", "--json"][..],
        &["show", "--json", "--interface"],
        &["sections", "--json"],
        &["check", "--json"],
        &["digest", "--json"],
        &["set", "--dry-run", "--json", "--allow-invalid", "--vendor", hostile],
        &["audit", "--format", "jsonl"],
        &["audit", "--format", "sarif"],
        &["audit", "--format", "csv"],
        &["audit", "--format", "html"],
        &["sbom"],
        &["oci", "annotations"],
        &["oci", "config"],
    ] {
        let run = run(args.iter().map(OsStr::new).chain([path.as_os_str()]));
        assert!(run.status < 2 || args[0] == "oci", "{args:?} {}", run.stderr);
        for text in [run.text(), &run.stderr] {
            let raw = text.chars().find(|&character| character != '\n' && character != '\r' && is_deceptive(character));
            assert_eq!(raw, None, "{args:?} {text:?}");
        }
    }
    let json = run([OsStr::new("show"), OsStr::new("--json"), path.as_os_str()]);
    assert!(
        json.text().contains(r"a\u009b31m\u202e\u2066\u200b\u007f\u0085\ufeff\udb40\udc41\u001bb"),
        "{}",
        json.text()
    );
    assert_eq!(json.json()["item"]["annotations"]["description"], hostile);
}

/// The paths of deep items are long, and every row has one.
#[test]
fn json_has_at_most_40_bytes_for_each_byte_of_the_file() {
    let deep = |inner: Vec<u8>, depth: usize| (0..depth).fold(inner, |inner, _| component(&[nested(&inner)]));
    let empty = section(0, b"\0");
    let sections = module(&vec![empty.clone(); 40_000]);
    let items = component(&vec![nested(&module(&[])); 8_000]);
    let findings = module(&(0..2_000).map(|nth| custom("licenses", format!("{nth}?"))).collect::<Vec<_>>());
    let named = component(&vec![nested(&module(&[custom("name", name("\u{9b}"))])); 4_000]);
    for (what, inner) in [("sections", sections), ("items", items), ("findings", findings), ("names", named)] {
        for depth in [1, 900] {
            let (_directory, path) = file(&deep(inner.clone(), depth));
            let len = fs::metadata(&path).unwrap().len();
            for command in ["sections", "show", "check"] {
                let run = run([OsStr::new(command), OsStr::new("--json"), path.as_os_str()]);
                let answer = run.text();
                let bound = (40 * len).max(256 << 10) + 4_096;
                assert!(answer.len() as u64 <= bound, "{what} {depth} {command}: {} of {len}", answer.len());
                if command != "show" || depth < 30 {
                    serde_json::from_str::<Value>(answer).unwrap(); // the parser does not read deeper trees
                }
                let is_cut = run.stderr.contains("rows are left out: the output would have more than 40 bytes");
                assert_eq!(is_cut, answer.contains("rows are left out"), "{what} {depth} {command}");
                assert!(
                    !is_cut || run.status == 2 && answer.contains("\"outcome\":\"partial\""),
                    "{what} {depth} {command}"
                );
                let is_expected = matches!((what, depth, command), ("sections", 900, "sections") | ("items", 900, _));
                assert!(is_cut || !is_expected || command == "check", "{what} {depth} {command} {}", answer.len());
            }
        }
    }
    // The kept part is unchanged.
    let (_directory, path) = file(&module(&vec![empty; 1_000]));
    let json = run([OsStr::new("sections"), OsStr::new("--json"), path.as_os_str()]).json();
    assert_eq!((json["sections"].as_array().unwrap().len(), &json["outcome"]), (1_000, &Value::from("complete")));
}

/// A script may pass arguments from untrusted sources.
#[test]
fn echoed_arguments_are_escaped() {
    let hostile = "x\x1b[2J\u{9b}31m\u{202e}\nerror: faked\x07";
    for args in [
        &[hostile][..],
        &["show", hostile, "--x\x1b[31m"],
        &["show", &format!("--{hostile}"), "a"],
        &["set", "a.wasm", &format!("--{hostile}=x")],
        &["audit", "a", "--format", hostile],
        &["audit", "a", "--threads", hostile],
        &["audit", "a", "--refuse", hostile],
        &["get", "a", "b", "--at", hostile],
        &["unset", "a", hostile],
        &["oci", hostile],
        &["oci", "push", "a", hostile],
        &["oci", "push", "a", "example.com/b", hostile],
        &["completions", hostile],
        &["show", "a", "--color", hostile],
        &["help", hostile],
    ] {
        let run = run(args);
        assert_eq!(run.status, 2, "{args:?}");
        for text in [run.text(), &run.stderr] {
            let raw = text.chars().find(|&character| character != '\n' && is_deceptive(character));
            assert_eq!(raw, None, "{args:?} {text:?}");
            assert!(!text.contains("\nerror: faked"), "{args:?} {text:?}");
        }
        assert!(run.stderr.contains(r"\x1b"), "{args:?} {}", run.stderr);
    }
}

/// Text output is truncated, but never within a character. JSON is complete.
#[test]
fn long_values_are_truncated_in_text_but_not_in_json() {
    let long = format!("a{}", "é".repeat(2_000));
    let tools: Vec<String> = (0..40).map(|nth| format!("tool{nth}")).collect();
    let tools: Vec<(&str, &str)> = tools.iter().map(|tool| (&**tool, "1")).collect();
    let bytes = module(&[
        custom("producers", producers(&[("processed-by", &tools)])),
        custom("description", &long),
        custom("vendor", ""),
        custom("authors", [0xff; 1_500]),
    ]);
    let (_directory, path) = file(&bytes);
    let shown = run([OsStr::new("show"), path.as_os_str()]);
    let text = shown.text();
    assert_eq!((shown.status, &*shown.stderr), (0, ""));
    assert!(text.contains(&format!("a{}… (4,001 bytes)", "é".repeat(499))), "{text}");
    assert!(text.contains("tool31") && !text.contains("tool32") && text.contains("… and 8 more"), "{text}");
    assert!(text.lines().any(|line| line.contains("vendor") && line.ends_with("(empty)")), "{text}");
    assert!(text.contains("\\xff… (1,500 bytes)"), "{text}");
    let (_, json) = show_json(&bytes);
    assert_eq!(json["item"]["annotations"]["description"], long);
    assert_eq!(json["item"]["producers"]["processed-by"].as_array().unwrap().len(), 40);
}

#[test]
fn colors_are_for_terminals() {
    let (_directory, path) = file(&module(&[custom("licenses", "mit")]));
    let show =
        |args: &[&str]| run([OsStr::new("show"), path.as_os_str()].into_iter().chain(args.iter().map(OsStr::new)));
    assert!(!show(&[]).text().contains('\x1b'));
    assert!(show(&["--color", "always"]).text().contains("\x1b["));
    assert!(!show(&["--color", "never"]).text().contains('\x1b'));
    assert_eq!(show(&["--color", "sometimes"]).status, 2);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    use std::time::{Duration, Instant};

    #[test]
    fn a_file_name_that_is_not_utf8_is_base64_in_json() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(OsStr::from_bytes(b"caf\xe9.wasm"));
        fs::write(&path, MODULE).unwrap();
        let path = Path::new(OsStr::from_bytes(b"caf\xe9.wasm"));
        let run = |args: &[&str]| {
            let mut command = command(args);
            Run::of(command.arg(path).current_dir(&directory).output().unwrap())
        };
        assert_eq!(run(&["show", "--json"]).json()["file"], serde_json::json!({"base64": "Y2Fm6S53YXNt"}));
        assert!(run(&["show"]).text().starts_with("caf\\xe9.wasm: module"));
    }

    #[test]
    fn special_files_are_rejected_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        make_fifo(&fifo);
        let begin = Instant::now();
        for (path, what) in [
            (fifo.as_path(), "is a FIFO"),
            (directory.path(), "is a directory"),
            (Path::new("/dev/null"), "is a device"),
        ] {
            for command in ["show", "sections", "check"] {
                let run = run([OsStr::new(command), path.as_os_str()]);
                assert_eq!(run.status, 2);
                assert!(run.stderr.contains(what), "{}", run.stderr);
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "a FIFO is not waited for");
    }

    #[test]
    fn an_unreadable_file_is_reported() {
        let (directory, path) = file(&MODULE);
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let mut command = command([OsStr::new("show"), path.as_os_str()]);
        if fs::read(&path).is_ok() {
            command.uid(65534); // root may read everything
        }
        // Another user may be unable to reach the binary in a private target directory.
        let Ok(output) = command.output() else {
            // Not printed with a macro, because the test harness captures the output of a passing
            // test.
            _ = writeln!(std::io::stderr(), "SKIPPED: the other user cannot run the binary");
            return;
        };
        let run = Run::of(output);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains("Permission denied"), "{}", run.stderr);
    }

    #[test]
    fn a_symbolic_link_is_followed() {
        let (directory, path) = file(&MODULE);
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(run([OsStr::new("show"), link.as_os_str()]).status, 0);
    }
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

#[test]
fn the_verbose_version_lists_features_and_the_target() {
    let short = run(["--version"]);
    assert_eq!(short.text(), concat!("sectile ", env!("CARGO_PKG_VERSION"), "\n"));
    let details = run(["-vV"]);
    assert_eq!((details.status, &*details.stderr), (0, ""));
    let remote =
        if cfg!(feature = "remote") { "features: remote\n" } else { "features: (none)\nnot built in: remote\n" };
    assert!(details.text().starts_with(&format!("{}{remote}target: ", short.text())), "{}", details.text());
    assert!(details.text().contains(std::env::consts::ARCH) && details.text().ends_with("\nJSON schema: 2\n"));
    for args in [["--version", "--verbose"], ["--verbose", "--version"], ["-V", "-v"], ["-v", "-V"]] {
        assert_eq!(run(args).stdout, details.stdout, "{args:?}");
    }
    assert_eq!(run(["-v"]).status, 2);
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = run(["completions", shell]);
        assert_eq!(run.status, 0);
        for word in ["show", "sections", "check", "get", "recover", "annotations", "--data-file", "--plain-http"] {
            let said = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(run.text().contains(said), "{shell} {word}");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man/man1");
    assert_eq!(run([OsStr::new("man"), pages.as_os_str()]).status, 0);
    for (page, says) in [
        ("sectile.1", ".TH"),
        ("sectile-show.1", "interface"),
        ("sectile-oci-push.1", "plain"),
        ("sectile-set.1", "revision"),
    ] {
        assert!(fs::read_to_string(pages.join(page)).unwrap().contains(says), "{page}");
    }
    for page in fs::read_dir(&pages).unwrap() {
        let page = page.unwrap().path();
        let text = fs::read_to_string(&page).unwrap();
        let sections = [".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".SH \"SEE ALSO\""];
        assert!(sections.iter().all(|section| text.contains(section)), "{}", page.display());
        assert!(!text.contains(".SH EXTRA"), "{}", page.display());
    }
    let audit = fs::read_to_string(pages.join("sectile-audit.1")).unwrap();
    assert!(
        audit.contains(".SH EXAMPLES\n.nf\nsectile audit dist\n") && audit.contains("\\fBsectile\\fR(1)"),
        "{audit}"
    );
    let (_directory, path) = file(b"in the way");
    let run = run([OsStr::new("man"), path.as_os_str()]);
    assert!(run.status == 2 && run.stderr.contains("a.wasm: the manual pages cannot be written"), "{}", run.stderr);
}

/// Help omits inputs that a command cannot use or that are not built in.
#[test]
fn help_states_the_inputs_of_each_command() {
    for (command, reads_elsewhere) in [("show", true), ("get", true), ("digest", false), ("set", false)] {
        let help = run([command, "--help"]);
        assert_eq!(help.text().contains("https://"), reads_elsewhere && cfg!(feature = "remote"), "{command}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_status_2() {
    for args in [&["--help"][..], &["--version"], &["set", "--help"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let run = Run::of(command(args).stdout(full).output().unwrap());
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.stderr.starts_with("sectile: cannot write standard output"), "{args:?} {}", run.stderr);
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for args in
        [&[][..], &["show"], &["frobnicate"], &["show", "--frobnicate", "x"], &["get", "x"], &["completions", "tcsh"]]
    {
        assert_eq!(run(args).status, 2, "{args:?}");
    }
    assert_eq!(run(["--help"]).status, 0);
    assert_eq!(run(["--version"]).status, 0);
}
