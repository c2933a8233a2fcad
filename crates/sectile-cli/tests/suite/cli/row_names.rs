//! Names of rows, given back to commands that read a file.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use sectile::digest::Digest;

use super::{Run, command};
use sectile_testing::binary::{custom, large_module, module, numbered_module};

fn run_in(directory: &Path, args: &[&OsStr]) -> Run {
    Run::of(command(args).current_dir(directory).stdin(Stdio::null()).output().unwrap())
}

/// The rows of an audit of a directory, which is the current one.
pub fn rows(directory: &Path, root: &str) -> Vec<Value> {
    let args = ["audit", root, "--format", "jsonl", "--allow-empty"].map(OsStr::new);
    let run = run_in(directory, &args);
    let lines = run.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("file").is_some()).collect()
}

/// The name of a row. Bytes that are not UTF-8 are encoded.
pub fn name(row: &Value) -> OsString {
    match row["file"].as_str() {
        Some(file) => file.into(),
        None => bytes_name(&decoded(row["file"]["base64"].as_str().unwrap())),
    }
}

fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, &byte| bits << 6 | u32::from(digit(byte)));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}

#[cfg(unix)]
fn bytes_name(bytes: &[u8]) -> OsString {
    <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn bytes_name(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Checks that commands read the binary of each row by its name.
pub fn check_names(directory: &Path, rows: &[Value]) {
    for row in rows.iter().filter(|row| row["row"] == "binary") {
        let name = name(row);
        let show = run_in(directory, &[OsStr::new("show"), OsStr::new("--json"), &name]);
        let shown = show.json();
        if shown["item"].is_null() {
            let reasons = [&row["reason"]["message"], &row["findings"][0]["message"]];
            let is_own = reasons.iter().any(|reason| **reason == shown["reason"]["message"]);
            assert!(show.status == 2 && is_own, "{name:?}: {} {row}", show.stderr);
            continue;
        }
        for key in ["file", "size", "item"] {
            assert_eq!(shown[key], row[key], "{name:?}: {key} {}", show.stderr);
        }
        let digest = run_in(directory, &[OsStr::new("digest"), OsStr::new("--json"), &name]).json();
        if !row["digest"].is_null() {
            assert_eq!(digest["digest"], row["digest"], "{name:?}");
        }
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar with entries of any names.
pub fn tar(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn store() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    let named = |nth| numbered_module(nth);
    let inner = tar(&[(b"a!b.wasm", &named(1)), (b"!c.wasm", &large_module(2))]);
    put("plain.wasm", &named(3));
    put("pkg.tgz", &gzip(&tar(&[(b"package/dist/a.wasm", &named(4)), (b"package/inner!.tgz", &gzip(&inner))])));
    put("odd!.tar", &inner);
    put("one.wasm.gz", &gzip(&named(5)));
    put("twice.wasm.gz", &gzip(&gzip(&named(6))));
    put("a!b.tar", &tar(&[(b"same.wasm", &named(7)), (b"same.wasm", &named(7))]));
    put("control.tar", &tar(&[(b"x\x1b[31m.wasm", &named(8)), (b"line\n.wasm", &named(9))]));
    put("broken.tar", &tar(&[(b"text.wasm", b"no module"), (b"cut.wasm", &named(10)[..11])]));
    let cut = gzip(&large_module(11));
    put("cut.wasm.gz", &cut[..cut.len() / 2]);
    directory
}

#[test]
fn every_row_of_archives_is_read_by_its_name() {
    let directory = store();
    let rows = rows(directory.path(), ".");
    let names: Vec<_> = rows.iter().map(name).collect();
    for expected in ["./pkg.tgz!package/dist/a.wasm", "./pkg.tgz!package/inner!!.tgz!a!!b.wasm", "./one.wasm.gz"] {
        assert!(names.iter().any(|name| name == expected), "{expected}: {names:?}");
    }
    assert!(rows.len() >= 14, "{names:?}");
    check_names(directory.path(), &rows);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_are_read_as_displayed() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.tar"), tar(&[(b"caf\xe9.wasm", &numbered_module(1))])).unwrap();
    fs::write(directory.path().join(bytes_name(b"\xff\x1b.wasm")), numbered_module(2)).unwrap();
    let rows = rows(directory.path(), ".");
    assert_eq!(rows.len(), 2, "{rows:?}");
    check_names(directory.path(), &rows);
    for displayed in [r"a.tar!caf\xe9.wasm", r"\xff\x1b.wasm"] {
        let run = run_in(directory.path(), &["show", displayed].map(OsStr::new));
        assert_eq!(run.status, 0, "{displayed}: {}", run.stderr);
    }
}

#[test]
fn all_commands_that_read_a_file_accept_names_of_rows() {
    let directory = tempfile::tempdir().unwrap();
    let binary = module(&[custom("version", "1.0.0")]);
    fs::write(directory.path().join("a.tgz"), gzip(&tar(&[(b"b.wasm", &binary)]))).unwrap();
    for args in [
        &["show", "a.tgz!b.wasm"][..],
        &["show", "--interface", "a.tgz!b.wasm"],
        &["sections", "a.tgz!b.wasm"],
        &["check", "a.tgz!b.wasm"],
        &["digest", "a.tgz!b.wasm"],
        &["sbom", "a.tgz!b.wasm"],
        &["get", "a.tgz!b.wasm", "version"],
    ] {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        let run = run_in(directory.path(), &args);
        assert_eq!(run.status, 0, "{args:?}: {}", run.stderr);
    }
    // A file of the whole name comes first.
    fs::write(directory.path().join("a.tgz!b.wasm"), module(&[custom("version", "2.0.0")])).unwrap();
    let get = run_in(directory.path(), &["get", "a.tgz!b.wasm", "version"].map(OsStr::new));
    assert_eq!(get.text(), "2.0.0");
}

#[test]
fn entries_of_deeply_nested_archives_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let nested = (0..6).fold(gzip(&numbered_module(1)), |inner, _| tar(&[(b"inner", &inner)]));
    fs::write(directory.path().join("a.tar"), nested).unwrap();
    let args = ["audit", "a.tar", "--nested", "8", "--format", "jsonl"].map(OsStr::new);
    let run = run_in(directory.path(), &args);
    let name = format!("a.tar{}", "!inner".repeat(6));
    assert!(run.text().contains(&format!("\"file\":\"{name}\"")), "{}", run.text());
    let shown = run_in(directory.path(), &["show", &name].map(OsStr::new));
    assert_eq!(shown.status, 0, "{}", shown.stderr);
}

#[test]
fn names_that_no_row_has_are_errors_with_the_names_of_others() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (numbered_module(1), numbered_module(2));
    fs::write(directory.path().join("a.tar"), tar(&[(b"b.wasm", &first), (b"c.wasm", &first), (b"c.wasm", &second)]))
        .unwrap();
    for (name, message) in [
        ("a.tar!x.wasm", "no binary has this name; its binaries: `a.tar!b.wasm`, `a.tar!c.wasm`"),
        ("a.tar!c.wasm", "several different binaries have this name"),
        ("a.tar", "this is tar data; run `sectile audit a.tar`"),
        ("missing.tar!b.wasm", "no such file"),
        ("a.tar!", "no such file"),
    ] {
        let run = run_in(directory.path(), &["show", name].map(OsStr::new));
        assert!(run.status == 2 && run.stderr.contains(message), "{name}: {}", run.stderr);
    }
}

/// Images that have no layer with a media type of WebAssembly, or several.
#[test]
fn images_are_shown_by_name_if_they_have_one_binary() {
    let directory = tempfile::tempdir().unwrap();
    let image = |tag: &str, layers: &[(&str, Vec<u8>)]| {
        let blob = |media_type: &str, bytes: &[u8]| {
            let digest = Digest::new(bytes);
            let path = directory.path().join("l/blobs/sha256").join(digest.hex());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}"#, bytes.len())
        };
        let layers: Vec<_> = layers.iter().map(|(media_type, bytes)| blob(media_type, bytes) + "}").collect();
        let manifest = format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","));
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let name = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}}}"#);
        blob(media_type, manifest.as_bytes()) + &name
    };
    let tar_layer =
        |nth| ("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&tar(&[(b"x.wasm", &numbered_module(nth))])));
    let images = [
        image("one", &[("application/wasm", numbered_module(1))]),
        image("compat", &[tar_layer(2)]),
        image("two", &[tar_layer(3), ("text/plain", b"text".to_vec())]),
        image("several", &[tar_layer(4), tar_layer(5)]),
    ];
    fs::write(directory.path().join("l/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, images.join(","));
    fs::write(directory.path().join("l/index.json"), index).unwrap();
    let rows = rows(directory.path(), "l");
    assert_eq!(rows.len(), 5, "{rows:?}");
    assert!(rows.iter().all(|row| row["file"].as_str().unwrap().starts_with("oci:l:")), "{rows:?}");
    check_names(directory.path(), &rows);
    for (name, size) in [("one", numbered_module(1)), ("compat", numbered_module(2)), ("two", numbered_module(3))] {
        let shown = run_in(directory.path(), &["show", "--json", &format!("oci:l:{name}")].map(OsStr::new)).json();
        assert_eq!(shown["size"], size.len(), "{name}");
    }
    let run = run_in(directory.path(), &["show", "oci:l:several"].map(OsStr::new));
    assert!(run.status == 2 && run.stderr.contains("its binaries: `oci:l:several@sha256:"), "{}", run.stderr);
}
