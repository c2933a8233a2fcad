//! `sectile diff`.

use std::fs;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Run, command, run, run_with_input};
use sectile::digest::Digest;
use sectile_testing::binary::{component, custom, module, name, nested, section};
use sectile_testing::registry::{Registry, start};

/// A directory with these files.
fn files(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    directory
}

fn run_in(directory: &Path, args: &[&str]) -> Run {
    let mut command = command(args);
    Run::of(command.current_dir(directory).env("HOME", directory).stdin(std::process::Stdio::null()).output().unwrap())
}

fn diff(directory: &Path, args: &[&str]) -> Run {
    run_in(directory, &[&["diff"], args].concat())
}

fn old() -> Vec<u8> {
    let inner = module(&[custom("version", "1"), section(10, &[0; 100]), custom(".debug_info", [7; 50])]);
    component(&[nested(&inner), custom("component-name", name("app")), custom("version", "0.1.0")])
}

fn new() -> Vec<u8> {
    let inner = module(&[custom("licenses", "MIT"), section(10, &[0; 100])]);
    component(&[nested(&inner), custom("component-name", name("app")), custom("version", "1.2.0")])
}

#[test]
fn differences_are_listed_for_people_and_in_json() {
    let directory = files(&[("a.wasm", &old()), ("b.wasm", &new())]);
    let run = diff(directory.path(), &["a.wasm", "b.wasm"]);
    assert_eq!((run.status, &*run.stderr), (1, ""));
    let expected = [
        "  version: 0.1.0 → 1.2.0",
        "  + licenses MIT in item 0",
        "  - version 1 in item 0",
        "  - section .debug_info 64 bytes in item 0",
        "a.wasm → b.wasm: 4 differences",
        "",
    ];
    assert_eq!(run.text(), expected.join("\n"));
    let run = diff(directory.path(), &["a.wasm", "b.wasm", "--json"]);
    let json = run.json();
    assert_eq!((run.status, &json["change"]), (1, &"changed".into()));
    assert_eq!(json["old"], json!({"file": "a.wasm", "size": old().len(), "complete": true}));
    let version = json!({"path": "", "aspect": "field", "name": "version", "old": "0.1.0", "new": "1.2.0"});
    assert_eq!(json["differences"][0], version);
    let section = json!({"path": "0", "aspect": "section", "name": ".debug_info", "old": {"sections": 1, "bytes": 64}, "new": null});
    assert_eq!(json["differences"][3], section);
    let run = diff(directory.path(), &["a.wasm", "a.wasm"]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    assert!(run.text().starts_with("a.wasm → a.wasm: no difference"), "{}", run.text());
}

#[test]
fn content_tells_changed_code_from_changed_metadata() {
    let code = |byte: u8, note: &str| module(&[section(10, &[byte; 9]), custom("note", note)]);
    let directory = files(&[("a.wasm", &code(1, "x")), ("note.wasm", &code(1, "y")), ("code.wasm", &code(2, "x"))]);
    let answer = |new: &str| {
        let run = diff(directory.path(), &["--content", "--json", "a.wasm", new]);
        (run.status, run.json()["content"].clone())
    };
    assert_eq!(answer("a.wasm"), (0, "unchanged".into()));
    assert_eq!(answer("note.wasm"), (1, "unchanged".into()));
    assert_eq!(answer("code.wasm"), (1, "changed".into()));
    let run = diff(directory.path(), &["--content", "a.wasm", "note.wasm"]);
    assert!(run.text().contains("  section note: 8 bytes, other data\n"), "{}", run.text());
    assert!(run.text().ends_with("code unchanged\n"), "{}", run.text());
    assert_eq!(diff(directory.path(), &["a.wasm", "note.wasm"]).status, 0, "only headers are read");
}

#[test]
fn hostile_values_are_escaped_and_lists_are_bounded() {
    let hostile = module(&[custom("vendor", "\u{202e}\x1b[31m"), custom("evil\x1b[m", "")]);
    let many: Vec<Vec<u8>> = (0..10_090).map(|nth| custom(&format!("s{nth}"), "")).collect();
    let directory = files(&[("a.wasm", &module(&[])), ("b.wasm", &hostile), ("c.wasm", &module(&many))]);
    let run = diff(directory.path(), &["a.wasm", "b.wasm"]);
    assert!(run.text().contains("+ vendor \\u{202e}\\x1b[31m\n  + section evil\\x1b[m"), "{}", run.text());
    let run = diff(directory.path(), &["a.wasm", "c.wasm"]);
    assert_eq!(run.text().lines().count(), 102);
    assert!(run.text().contains("… and 9,990 more"), "{}", run.text());
    assert_eq!(diff(directory.path(), &["a.wasm", "c.wasm", "--json"]).json()["left_out"], 90);
}

#[test]
fn unreadable_inputs_are_errors() {
    let bytes = old();
    let directory = files(&[("a.wasm", &bytes), ("cut.wasm", &bytes[..bytes.len() - 3]), ("text.wasm", b"text")]);
    let run = diff(directory.path(), &["a.wasm", "cut.wasm"]);
    assert_eq!(run.status, 2);
    assert!(run.text().contains("outcome: complete → partial") && run.stderr.contains("cut.wasm: "), "{}", run.stderr);
    for (args, message) in [
        (&["a.wasm", "absent.wasm"][..], "absent.wasm: cannot be read"),
        (&["text.wasm", "a.wasm"], "text.wasm: not WebAssembly"),
        (&["-", "-"], "standard input is both OLD and NEW"),
        (&[".", "a.wasm", "--content"], "--content compares two binaries"),
    ] {
        let run = diff(directory.path(), args);
        assert_eq!((run.status, run.text()), (2, ""), "{args:?}");
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn every_kind_of_input_is_accepted() {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(old().len() as u64);
    archive.append_data(&mut header, "package/app.wasm", &old()[..]).unwrap();
    let archive = archive.into_inner().unwrap().finish().unwrap();
    let directory = files(&[("a.wasm", &old()), ("pkg.tgz", &archive)]);
    let layout = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "layout", "--ref", "1.0"]);
    assert_eq!(layout.status, 0, "{}", layout.stderr);
    for side in ["pkg.tgz!package/app.wasm", "oci:layout:1.0", "a.wasm", "pkg.tgz"] {
        let run = diff(directory.path(), &[side, "a.wasm"]);
        assert_eq!((run.status, &*run.stderr), (0, ""), "{side}: {}", run.text());
    }
    let path = directory.path().join("a.wasm");
    let run = run_with_input(["diff".as_ref(), "-".as_ref(), path.as_os_str()], &new());
    assert_eq!(run.status, 1, "{}", run.stderr);
}

#[test]
fn sets_are_compared_by_name() {
    let bad = module(&[custom("licenses", "nonsense")]);
    let directory = files(&[
        ("old/same.wasm", &old()),
        ("old/changed.wasm", &old()),
        ("old/gone.wasm", &old()),
        ("new/same.wasm", &old()),
        ("new/changed.wasm", &new()),
        ("new/sub/added.wasm", &bad),
    ]);
    let path = |name: &str| Path::new(name).display().to_string();
    let of_trees = diff(directory.path(), &["old", "new"]);
    assert_eq!((of_trees.status, &*of_trees.stderr), (1, ""));
    let text = of_trees.text();
    assert!(text.starts_with(&format!("changed {}\n  version: 0.1.0 → 1.2.0\n", path("new/changed.wasm"))), "{text}");
    assert!(text.contains(&format!("gone    {}\n", path("old/gone.wasm"))), "{text}");
    assert!(text.ends_with("1 new, 1 gone, 1 changed, 1 unchanged; 1 new finding, 0 gone\n"), "{text}");
    for side in ["old", "new"] {
        let audit = run_in(directory.path(), &["audit", side, "--json"]);
        fs::write(directory.path().join(format!("{side}.jsonl")), audit.stdout).unwrap();
    }
    let counts = |run: &Run| -> Value { serde_json::from_str(run.text().lines().last().unwrap()).unwrap() };
    let of_trees = counts(&diff(directory.path(), &["old", "new", "--json"]));
    let of_reports = counts(&diff(directory.path(), &["old.jsonl", "new.jsonl", "--json"]));
    assert_eq!(of_trees, of_reports);
    assert_eq!(of_reports["compared"]["new_findings"], 1);
    assert_eq!(diff(directory.path(), &["old.jsonl", "old"]).status, 0);
}

#[test]
fn unusable_reports_are_errors() {
    let directory = files(&[
        ("one.jsonl", br#"{"schema":1,"audit":{}}"#),
        ("bad.jsonl", b"{\"schema\":2,\"file\":\"a\"}\n{\"schema\":2,\"file\":\"\xff\"}\n"),
        ("good.jsonl", b"{\"schema\":2,\"file\":\"a\"}\n"),
    ]);
    for (file, message) in [("one.jsonl", "this version reads schema 2"), ("bad.jsonl", "line 2 is not a row")] {
        for args in [[file, "good.jsonl"], ["good.jsonl", file]] {
            let run = diff(directory.path(), &args);
            assert_eq!(run.status, 2);
            assert!(run.stderr.contains(file) && run.stderr.contains(message), "{}", run.stderr);
        }
    }
}

/// Two images of 60 MB in a registry are compared by their headers and metadata.
#[test]
fn large_images_cost_little() {
    let mut registry = Registry::default();
    let mut add = |tag: &str, version: &str| {
        let inner = module(&[section(1, &[0]), section(10, &vec![0; 60_000_000]), custom("version", version)]);
        let binary = component(&[nested(&inner), custom("version", version)]);
        let mut blob = |media_type: &str, bytes: Vec<u8>| {
            let digest = Digest::new(&bytes).to_string();
            let descriptor = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
            registry.blobs.insert(digest, bytes);
            descriptor
        };
        let layer = blob("application/wasm", binary);
        let config = blob("application/vnd.wasm.config.v0+json", b"{}".to_vec());
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]});
        registry.manifests.insert(tag.to_owned(), (media_type.to_owned(), manifest.to_string().into_bytes()));
    };
    add("1.0", "1.0.0");
    add("1.1", "1.1.0");
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(registry, |_| None);
    let [old, new] = ["1.0", "1.1"].map(|tag| format!("oci://{}/app:{tag}", server.address));
    let run = diff(home.path(), &[&old, &new]);
    assert_eq!((run.status, &*run.stderr), (1, ""));
    assert!(run.text().starts_with("  version: 1.0.0 → 1.1.0\n  version: 1.0.0 → 1.1.0 in item 0\n"), "{}", run.text());
    let mut cost = 0;
    for request in server.asked().iter().filter(|request| request.path.contains("/blobs/")) {
        let range = request.field("range").expect("blobs are read by ranges");
        let (start, end) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        cost += end.parse::<u64>().unwrap() + 1 - start.parse::<u64>().unwrap();
    }
    assert!(cost < 300_000, "{cost}");
}

#[test]
fn edits_print_the_same_lines() {
    let directory = files(&[("a.wasm", &old())]);
    let edit = run_in(directory.path(), &["set", "a.wasm", "--version", "2", "--name", "it", "-o", "b.wasm"]);
    let diff = diff(directory.path(), &["a.wasm", "b.wasm"]);
    let without_last =
        |run: &Run| run.text().lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_last(&edit), "  name: app → it\n  version: 0.1.0 → 2");
    assert_eq!(without_last(&edit), without_last(&diff));
    let in_place = run_in(directory.path(), &["set", "a.wasm", "--version", "0.1.1", "--in-place"]);
    assert!(in_place.text().starts_with("  version: 0.1.0 → 0.1.1\n"), "{}", in_place.text());
}

#[test]
fn packages_and_policies_are_options() {
    let directory = files(&[("a.wasm", &old()), ("policy.toml", b"[[required]]\nfields = 'vendor'\n")]);
    let path = directory.path().join("a.wasm");
    let named = |args: &[&str]| run([&["diff", path.to_str().unwrap(), path.to_str().unwrap()], args].concat());
    assert_eq!(named(&["--packages", "all"]).status, 0);
    let policy = directory.path().join("policy.toml");
    assert_eq!(named(&["--policy", policy.to_str().unwrap()]).status, 0);
    assert_eq!(named(&["--policy", "absent.toml"]).status, 2);
}
