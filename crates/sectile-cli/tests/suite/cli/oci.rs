//! `sectile digest`, `sectile oci …`, `show --image`, and images as inputs.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use sectile::digest::Digest;

use super::{Run, command, file, keys_in_order, run};
use sectile_testing::binary::{component, custom, module, name, nested, section};
use sectile_testing::files::project;

fn licensed_and_named() -> Vec<u8> {
    module(&[custom("licenses", "MIT"), custom("name", name("adder"))])
}

/// A run on a file in its directory.
fn run_in(directory: &Path, args: &[&str]) -> Run {
    Run::of(command(args).current_dir(directory).env_remove("SOURCE_DATE_EPOCH").stdin(Stdio::null()).output().unwrap())
}

#[test]
fn digest_json_is_the_contract() {
    let (directory, path) = file(&licensed_and_named());
    let run = run_in(directory.path(), &["digest", "--json", "a.wasm"]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    let json = run.json();
    assert_eq!(keys_in_order(run.text()), ["schema", "file", "size", "digest", "content", "outcome", "bytes_read"]);
    assert_eq!(json["digest"], Digest::new(&licensed_and_named()).to_string());
    assert_eq!(
        (&json["size"], &json["bytes_read"]),
        (&json!(licensed_and_named().len()), &json!(licensed_and_named().len()))
    );
    run_in(directory.path(), &["set", "a.wasm", "--vendor", "v"]);
    let edited = run_in(directory.path(), &["digest", "--json", "a.wasm"]).json();
    assert_eq!(run_in(directory.path(), &["digest", "--json", "--map", "a.wasm"]).json(), edited);
    assert_ne!(edited["digest"], json["digest"]);
    assert_eq!(edited["content"], json["content"]);

    fs::write(&path, [&licensed_and_named()[..], &[1, 9]].concat()).unwrap();
    let run = run_in(directory.path(), &["digest", "--json", "a.wasm"]);
    assert_eq!((run.status, &run.json()["content"], &run.json()["outcome"]), (2, &Value::Null, &json!("partial")));
    let people = run_in(directory.path(), &["digest", "a.wasm"]);
    assert!(people.text().contains("but custom sections  (unknown)"), "{}", people.text());

    // Each file has its line, and a missing file does not affect the next one.
    let run = run_in(directory.path(), &["digest", "--json", "nowhere.wasm", "a.wasm"]);
    let (first, second) = run.text().split_once('\n').unwrap();
    let gone: Value = serde_json::from_str(first).unwrap();
    assert_eq!((run.status, &gone["file"], &gone["outcome"]), (2, &json!("nowhere.wasm"), &json!("partial")));
    assert!(["size", "digest", "content"].iter().all(|key| gone[key].is_null()), "{first}");
    assert!(gone["reason"]["message"].as_str().unwrap().contains("cannot be read") && second.contains("sha256:"));
    assert_eq!(run_in(directory.path(), &["digest", "nowhere.wasm"]).text(), "");
}

#[test]
fn annotations_are_one_object_in_order() {
    let (directory, _) = file(&licensed_and_named());
    let annotations = |args: &[&str]| run_in(directory.path(), &[&["oci", "annotations", "a.wasm"][..], args].concat());
    let run = annotations(&["--vendor", "v", "--annotation", "com.example.a=b=c"]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    assert_eq!(
        run.text(),
        "{\"com.example.a\":\"b=c\",\"org.opencontainers.image.licenses\":\"MIT\",\
         \"org.opencontainers.image.title\":\"adder\",\"org.opencontainers.image.vendor\":\"v\"}\n"
    );
    assert_eq!(fs::read(directory.path().join("a.wasm")).unwrap(), licensed_and_named(), "the file is as it was");
    let twice = annotations(&["--annotation", "a=b", "--annotation", "a=c"]);
    assert_eq!((twice.status, twice.text()), (2, ""));
    assert!(twice.stderr.contains("`a` is set twice"), "{}", twice.stderr);
    assert!(annotations(&["--annotation", "a"]).stderr.contains("KEY=VALUE"));
}

#[test]
fn errors_of_annotations_name_the_option_to_use() {
    let (directory, path) = file(&module(&[custom("vendor", "a"), custom("vendor", "b")]));
    let run = |args: &[&str]| run_in(directory.path(), &[&["oci", "annotations", "a.wasm"][..], args].concat());
    let refused = run(&[]);
    assert!(
        refused.status == 2 && refused.stderr.contains("occurs 2 times") && refused.stderr.contains("--duplicates")
    );
    for (which, vendor) in [("first", "a"), ("last", "b")] {
        assert_eq!(run(&["--duplicates", which]).json()["org.opencontainers.image.vendor"], vendor);
    }
    fs::write(&path, module(&[custom("vendor", b"caf\xe9"), custom("source", "git@example.com:a/b")])).unwrap();
    let refused = run(&[]);
    assert!(refused.status == 2 && refused.stderr.contains("--allow-invalid"), "{}", refused.stderr);
    assert_eq!(run(&["--allow-invalid"]).json(), json!({"org.opencontainers.image.source": "git@example.com:a/b"}));
}

#[test]
fn created_is_only_from_an_option_or_the_epoch() {
    let (directory, _) = file(&licensed_and_named());
    let key = "org.opencontainers.image.created";
    let with = |epoch: Option<&str>, args: &[&str]| {
        let mut command = command([&["oci", "annotations", "a.wasm"][..], args].concat());
        command.current_dir(directory.path()).env_remove("SOURCE_DATE_EPOCH");
        if let Some(epoch) = epoch {
            command.env("SOURCE_DATE_EPOCH", epoch);
        }
        Run::of(command.output().unwrap())
    };
    assert_eq!(with(None, &[]).json()[key], Value::Null);
    assert_eq!(with(Some("1700000000"), &[]).json()[key], "2023-11-14T22:13:20Z");
    let (given, other) = ("2026-01-31T12:00:00Z", format!("{key}=2025-01-31T12:00:00Z"));
    assert_eq!(with(Some("1700000000"), &["--created", given]).json()[key], given);
    assert_eq!(with(Some("1700000000"), &["--annotation", &other]).json()[key], "2025-01-31T12:00:00Z");
    assert_eq!(with(None, &["--created", given, "--annotation", &other]).status, 2, "twice");
    assert_eq!(with(None, &["--created", "yesterday"]).status, 2);
    assert_eq!(with(Some("soon"), &[]).status, 2);
    // It is not a section of the binary in the image.
    let layout = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "l", "--created", given, "--json"]);
    assert_eq!(layout.json()["layer"]["digest"], Digest::new(&licensed_and_named()).to_string());
    let config = run_in(directory.path(), &["oci", "config", "a.wasm", "--created", given]);
    assert_eq!(serde_json::from_slice::<Value>(&config.stdout).unwrap()["created"], given);
}

#[test]
fn layout_json_and_images_follow_the_contract() {
    let (directory, _) = file(&component(&[nested(&licensed_and_named()), custom("version", "1.0.0")]));
    let layout = |args: &[&str]| {
        run_in(directory.path(), &[&["oci", "layout", "a.wasm", "-o", "l", "--ref", "v1"][..], args].concat())
    };
    let run = layout(&["--json", "--vendor", "v"]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    assert_eq!(
        keys_in_order(run.text()),
        ["schema", "file", "layout", "ref", "manifest", "config", "layer", "changed", "shape"]
    );
    let json = run.json();
    assert_eq!((&json["layout"], &json["ref"], &json["changed"]), (&json!("l"), &json!("v1"), &json!(true)));
    assert_eq!(layout(&["--json", "--vendor", "v"]).json()["changed"], false);
    let config = run_in(directory.path(), &["oci", "config", "a.wasm", "--vendor", "v"]);
    assert_eq!(Digest::new(&config.stdout).to_string(), json["config"]["digest"]);
    assert!(layout(&[]).text().starts_with("l: v1 is added\n"));

    for args in [
        &["show", "oci:l:v1"][..],
        &["show", "--map", "oci:l:v1"],
        &["show", "--interface", "oci:l:v1"],
        &["sections", "oci:l:v1"],
        &["check", "oci:l:v1"],
        &["digest", "oci:l:v1"],
        &["oci", "annotations", "oci:l:v1"],
        &["sbom", "oci:l:v1"],
        &["get", "oci:l:v1", "version"],
        &["set", "oci:l:v1", "--vendor", "w", "-o", "out.wasm"],
        &["oci", "layout", "oci:l:v1", "-o", "l", "--ref", "v2"],
    ] {
        let run = run_in(directory.path(), args);
        assert_eq!(run.status, 0, "{args:?} {}", run.stderr);
    }
    assert_eq!(run_in(directory.path(), &["get", "oci:l:v1", "version"]).text(), "1.0.0");
    for args in [
        &["set", "oci:l:v1", "--vendor", "w"][..],
        &["strip", "oci:l:v1"],
        &["unset", "oci:l:v1", "version", "--in-place"],
    ] {
        let run = run_in(directory.path(), args);
        assert!(run.status == 2 && run.stderr.contains("is named by its digest"), "{args:?} {}", run.stderr);
    }
    let absent = run_in(directory.path(), &["show", "oci:l:absent"]);
    assert!(absent.status == 2 && absent.stderr.contains("available: `v1`, `v2`"), "{}", absent.stderr);
}

#[test]
fn an_image_is_compared_with_its_binary() {
    let (directory, _) = file(&licensed_and_named());
    let run_it = |args: &[&str]| run_in(directory.path(), args);
    run_it(&["oci", "layout", "a.wasm", "-o", "l", "--ref", "same"]);
    run_it(&[
        "oci",
        "layout",
        "a.wasm",
        "-o",
        "l",
        "--ref",
        "other",
        "--annotation",
        "org.opencontainers.image.licenses=ISC",
    ]);
    let codes = |image: &str, more: &[&str]| {
        let run = run_it(&[&["show", "--json", "--image", image][..], more].concat());
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.json()["findings"].as_array().unwrap().iter().map(|found| found["code"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(codes("oci:l:same", &["--verify"]), Vec::<Value>::new());
    assert_eq!(codes("oci:l:other", &[]), ["annotation-drift"]);
    assert_eq!(codes("oci:l:other", &["--interface"]), ["annotation-drift"]);
    // A manifest with fewer annotations than its binary.
    let index = directory.path().join("l/index.json");
    let blob = |digest: &str| directory.path().join("l/blobs/sha256").join(digest.strip_prefix("sha256:").unwrap());
    let mut listed: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let mut entry = listed["manifests"][0].clone();
    let manifest = fs::read_to_string(blob(entry["digest"].as_str().unwrap())).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["annotations"].as_object_mut().unwrap().remove("org.opencontainers.image.licenses").unwrap();
    let manifest = manifest.to_string();
    let digest = Digest::new(manifest.as_bytes()).to_string();
    fs::write(blob(&digest), &manifest).unwrap();
    (entry["digest"], entry["size"]) = (digest.into(), manifest.len().into());
    entry["annotations"]["org.opencontainers.image.ref.name"] = "silent".into();
    listed["manifests"].as_array_mut().unwrap().push(entry);
    fs::write(&index, listed.to_string()).unwrap();
    let silent = run_it(&["show", "--json", "--image", "oci:l:silent"]).json();
    let message = silent["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("has no `org.opencontainers.image.licenses`, but the binary has `MIT`"), "{silent}");
    let people = run_it(&["show", "--image", "oci:l:other"]);
    assert!(people.text().contains("is `ISC`, but the binary has `MIT`"), "{}", people.text());

    let layer = Digest::new(&licensed_and_named());
    let mut tampered = licensed_and_named();
    *tampered.last_mut().unwrap() ^= 1;
    fs::write(directory.path().join("l/blobs/sha256").join(layer.hex()), tampered).unwrap();
    assert_eq!(codes("oci:l:same", &["--verify"]), ["digest-mismatch"]);
    let file = run_it(&["show", "--image", "a.wasm"]);
    assert!(file.status == 2 && file.stderr.contains("--image needs an image"), "{}", file.stderr);
}

/// From a manifest into a real toolchain's binary, into a layout, and back. Metadata is added to
/// the image directly, or to the file first.
#[test]
fn manifest_fields_round_trip_through_an_image() {
    for name in ["rust-magic_kernel.wasm", "clang-fib.component.wasm"] {
        let original = fs::read(project().join("tests/files").join(name)).unwrap();
        let (directory, path) = file(&original);
        let manifest =
            "[package]\nname = \"adder\"\nversion = \"1.2.3\"\nlicense = \"MIT\"\nauthors = [\"A. Uthor\"]\n";
        fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
        let run_it = |args: &[&str]| run_in(directory.path(), args);
        let on_the_way = run_it(&["oci", "layout", "a.wasm", "-o", "l", "--from", "Cargo.toml", "--json"]).json();
        assert_eq!(fs::read(&path).unwrap(), original);
        run_it(&["set", "a.wasm", "--from", "Cargo.toml"]);
        let set = run_it(&["oci", "layout", "a.wasm", "-o", "l", "--json"]).json();
        assert_eq!((&set["manifest"], &set["changed"]), (&on_the_way["manifest"], &json!(false)), "{name}");
        let elsewhere = run_it(&["oci", "layout", "oci:l", "-o", "copy", "--json"]).json();
        assert_eq!(elsewhere["manifest"], set["manifest"]);

        let annotations = run_it(&["oci", "annotations", "oci:l"]);
        assert_eq!(annotations.text(), run_it(&["oci", "annotations", "a.wasm"]).text());
        assert_eq!(annotations.json()["org.opencontainers.image.version"], "1.2.3");
        assert_eq!(annotations.json()["org.opencontainers.image.title"], "adder");
        let found = run_it(&["show", "--json", "--image", "--verify", "oci:l"]).json()["findings"].clone();
        assert_eq!(found, run_it(&["show", "--json", "a.wasm"]).json()["findings"], "no drift");
        run_it(&["unset", "oci:l", "vendor", "-o", "back.wasm"]); // the binary has no vendor
        assert_eq!(fs::read(directory.path().join("back.wasm")).unwrap(), fs::read(&path).unwrap());
        let content = |file: &str| run_it(&["digest", "--json", file]).json()["content"].clone();
        fs::write(directory.path().join("original.wasm"), &original).unwrap();
        assert_eq!(content("oci:l"), content("original.wasm"), "an edit of metadata alone");
    }
}

#[test]
fn invalid_inputs_create_no_layout() {
    let (directory, _) = file(b"\x7fELF\x02\x01\x01\0");
    let out = directory.path().join("l");
    let args = [OsStr::new("oci"), OsStr::new("layout"), OsStr::new("-"), OsStr::new("-o"), out.as_os_str()];
    assert_eq!(run(args).status, 2);
    let run = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "l"]);
    assert!(run.status == 2 && run.stderr.contains("ELF"), "{}", run.stderr);
    let run = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "l", "--ref", "../x"]);
    assert!(run.status == 2 && run.stderr.contains("is not a valid image name"), "{}", run.stderr);
    assert!(!out.exists());
}

#[test]
fn errors_of_images_name_the_option_to_use() {
    let (directory, path) = file(&module(&[custom("vendor", "a"), custom("vendor", "b")]));
    let refused = |args: &[&str], why: &[&str]| {
        for command in [&["oci", "config"][..], &["oci", "layout", "-o", "l"]] {
            let run = run_in(directory.path(), &[command, &["a.wasm"], args].concat());
            assert_eq!(run.status, 2, "{command:?}");
            assert!(why.iter().all(|why| run.stderr.contains(why)), "{command:?} {}", run.stderr);
        }
        assert!(!directory.path().join("l").exists());
    };
    refused(&[], &["occurs 2 times", "--duplicates"]);
    refused(&["--duplicates", "first", "--os", "a\u{202e}"], &["`a\\u{202e}` is not a valid operating system"]);
    refused(&["--duplicates", "first", "--file-name", "../x"], &["`../x` is not a valid file name"]);
    fs::write(&path, module(&[section(2, &[9])])).unwrap();
    refused(&[], &["cannot read imports and exports"]);
    fs::write(&path, module(&[custom("vendor", "a")])).unwrap();
    // A directory with other contents.
    fs::create_dir(directory.path().join("full")).unwrap();
    fs::write(directory.path().join("full/README.md"), "").unwrap();
    let run = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "full"]);
    assert!(run.status == 2 && run.stderr.contains("give an empty directory"), "{}", run.stderr);
    let run = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "missing/l"]);
    assert!(run.status == 2 && run.stderr.contains("No such file"), "{}", run.stderr);
}

/// Rewritten values of the manifest and findings on the binary are reported, in addition to the
/// image.
#[test]
fn warnings_and_notices_of_an_image_are_printed() {
    let (directory, path) = file(&module(&[custom("signature", b"\x01")]));
    fs::write(directory.path().join("Cargo.toml"), "[package]\nname = \"a\"\nlicense = \"MIT/Apache-2.0\"\n").unwrap();
    let run = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "l", "--from", "Cargo.toml"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let shown = run_in(directory.path(), &["show", "--json", "oci:l"]).json();
    assert_eq!(shown["item"]["annotations"]["licenses"], "MIT OR Apache-2.0");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines.iter().any(|line| line.contains("warning: ") && line.contains("signature")), "{}", run.stderr);
    assert!(lines.iter().any(|line| line.contains("rewritten: ")), "{}", run.stderr);
    assert_eq!(fs::read(&path).unwrap(), module(&[custom("signature", b"\x01")]));
}

#[test]
fn a_missing_image_has_a_line_of_json() {
    for args in [&["show"][..], &["show", "--image"], &["show", "--interface"], &["sections"], &["check"]] {
        let run = run(args.iter().copied().chain(["--json", "oci:missing:1"]));
        assert_eq!(run.status, 2, "{args:?}");
        let json = run.json();
        assert_eq!((&json["file"], &json["size"]), (&"oci:missing:1".into(), &serde_json::Value::Null), "{args:?}");
        assert_eq!(json["outcome"], "partial", "{args:?}");
    }
}

/// The image specification lets a layout omit blobs.
#[test]
fn an_absent_blob_differs_from_a_malformed_layout() {
    let (directory, _) = file(&licensed_and_named());
    let layout = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "l", "--ref", "x"]);
    assert_eq!(layout.status, 0, "{}", layout.stderr);
    let digest = Digest::new(&licensed_and_named());
    fs::remove_file(directory.path().join("l/blobs/sha256").join(digest.hex())).unwrap();
    for command in ["show", "check", "sections"] {
        let run = run_in(directory.path(), &[command, "oci:l:x"]);
        let message =
            format!("oci:l:x: the blob {digest} is not in the layout `l`: copy the whole image into the layout");
        assert!(run.status == 2 && run.stderr.contains(&message), "{command}: {}", run.stderr);
    }
    // An index may name images by digests of other algorithms.
    let index = directory.path().join("l/index.json");
    let other = format!("sha512:{}", "0".repeat(128));
    let entry = format!(r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{other}","size":9}}"#);
    let json = fs::read_to_string(&index).unwrap().replace("\"manifests\":[", &format!("\"manifests\":[{entry},"));
    fs::write(&index, json).unwrap();
    let run = run_in(directory.path(), &["audit", "l", "--allow-empty", "--format", "jsonl"]);
    let codes: Vec<_> = run.text().split("\"code\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!((run.status, &*codes), (0, &["absent-blob", "absent-blob"][..]), "{}", run.text());
    let blobs = directory.path().join("l/blobs/sha512");
    fs::create_dir(&blobs).unwrap();
    fs::write(blobs.join("0".repeat(128)), licensed_and_named()).unwrap();
    let run = run_in(directory.path(), &["audit", "l", "--format", "jsonl"]);
    assert!(run.status == 2 && run.text().contains("has another size or digest"), "{} {}", run.status, run.text());
}

#[test]
fn a_layout_cannot_be_written_to_standard_output() {
    let (directory, path) = file(&module(&[]));
    let made = command(["oci", "layout", "-o", "-"]).arg(&path).current_dir(directory.path()).output().unwrap();
    assert_eq!(made.status.code(), Some(2));
    assert!(!directory.path().join("-").exists());
}
