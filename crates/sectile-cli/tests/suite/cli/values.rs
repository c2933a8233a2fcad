//! Values that other tools write in their own ways.

use std::fs;
use std::path::PathBuf;

use sectile::digest::Digest;
use sectile_testing::binary::{custom, module};

use super::{Run, file, run, show_json};

fn input(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn show(name: &str) -> serde_json::Value {
    let shown = run(["show".as_ref(), "--json".as_ref(), input(name).as_os_str()]);
    assert_eq!(shown.status, 0, "{}", shown.stderr);
    shown.json()
}

fn codes(shown: &serde_json::Value) -> Vec<&str> {
    shown["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[test]
fn build_ids_without_a_length_are_shown() {
    const UUID: &str = "2dbc86d1674bfd810ee1236f318b61";
    let raw = show("bid-raw.wasm");
    assert_eq!(codes(&raw), ["unprefixed-debug-link"]);
    let either = show("bid-raw0f.wasm");
    assert_eq!(codes(&either), ["ambiguous-debug-link"]);
    for (name, ids) in
        [("bid-raw.wasm", &[format!("30{UUID}")][..]), ("bid-raw0f.wasm", &[UUID.into(), format!("0f{UUID}")])]
    {
        let text = run(["show".as_ref(), input(name).as_os_str()]);
        let lines: Vec<_> = text.text().lines().filter(|line| line.trim_start().starts_with("build_id")).collect();
        assert_eq!(lines.len(), ids.len(), "{lines:?}");
        assert!(lines.iter().zip(ids).all(|(line, id)| line.ends_with(&**id)), "{lines:?}");
    }
    let map = custom("sourceMappingURL", "https://example.com/app.wasm.map");
    let (_, shown) = show_json(&module(&[map]));
    let links = serde_json::json!([["sourceMappingURL", "https://example.com/app.wasm.map"]]);
    assert_eq!((&shown["item"]["debug_links"], codes(&shown)), (&links, vec!["unprefixed-debug-link"]));
}

/// Runs a command on a copy of the bytes, and returns the resulting file.
fn edit(bytes: &[u8], command: &str, args: &[&str]) -> (Run, Vec<u8>) {
    let (_directory, path) = file(bytes);
    let ran = run([command.as_ref(), path.as_os_str()].into_iter().chain(args.iter().map(std::ffi::OsStr::new)));
    (ran, fs::read(&path).unwrap())
}

#[test]
fn stale_claims_are_reported() {
    let jwt = fs::read(input("jwt.wasm")).unwrap();
    let (ran, _) = edit(&jwt, "set", &["--licenses", "MIT"]);
    assert!(
        ran.status == 0 && ran.stderr.contains("the signature no longer holds") && ran.stderr.contains("section jwt"),
        "{}",
        ran.stderr
    );
    let (ran, stripped) = edit(&jwt, "strip", &["--all"]);
    assert_eq!((ran.status, &*ran.stderr, stripped), (0, "", jwt.clone()));
    let (ran, _) = edit(&jwt, "put", &["jwt", "--data", "other"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
}

#[test]
fn strip_all_names_each_unknown_section() {
    let program =
        module(&[custom("psp-runtime", vec![7; 4000]), custom(".debug_info", "d"), custom("licenses", "MIT")]);
    let (ran, stripped) = edit(&program, "strip", &["--all"]);
    assert_eq!((ran.status, stripped), (0, module(&[custom("licenses", "MIT")])));
    let warning = ran.stderr.lines().next().unwrap();
    assert!(warning.contains("psp-runtime") && warning.contains("99 % of the file"), "{warning}");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    for args in [&["--all", "--keep", "psp-*"][..], &[]] {
        let (ran, stripped) = edit(&program, "strip", args);
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        assert_eq!(stripped, module(&[custom("psp-runtime", vec![7; 4000]), custom("licenses", "MIT")]));
    }
    let (ran, _) = edit(&program, "remove", &["psp-runtime"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""), "it is named");
}

/// Soroban reads the joined data of all such sections.
#[test]
fn joined_sections_are_read_whole_and_added_to() {
    for name in ["contractmetav0", "contractspecv0"] {
        let two = module(&[custom(name, "one"), custom(name, "two")]);
        let (_, shown) = show_json(&two);
        assert_eq!(codes(&shown), [""; 0]);
        let get = |bytes: &[u8], rest: &[&str]| {
            let (_directory, path) = file(bytes);
            run(["get".as_ref(), path.as_os_str(), name.as_ref()]
                .into_iter()
                .chain(rest.iter().map(std::ffi::OsStr::new)))
            .stdout
        };
        assert_eq!(get(&two, &[]), b"onetwo");
        assert_eq!(get(&two, &["--nth", "1"]), b"one");
        let (ran, three) = edit(&two, "put", &[name, "--data", "three"]);
        assert_eq!((ran.status, get(&three, &[])), (0, b"onetwothree".to_vec()));
        let (_, again) = edit(&three, "put", &[name, "--data", "three"]);
        assert_eq!(again, three);
        let (_, appended) = edit(&three, "put", &[name, "--data", "three", "--append"]);
        assert_eq!(get(&appended, &[]), b"onetwothreethree");
        let (_, removed) = edit(&three, "remove", &[name]);
        assert_eq!(removed, module(&[]));
    }
}

#[test]
fn licenses_follow_the_specification() {
    for (value, says) in [
        ("apache-2.0", "did you mean `Apache-2.0`?"),
        ("MIT OR bsd-3-clause", "did you mean `MIT OR BSD-3-Clause`?"),
        ("MIT\u{a0}OR ISC", "U+00A0"),
        ("LicenseRef-", "need a name"),
        ("MIT AND NOASSERTION", "NOASSERTION"),
        ("GFDL-1.1-invariants", "GFDL-1.1-invariants-only"),
    ] {
        let (ran, unchanged) = edit(&module(&[]), "set", &["--licenses", value]);
        assert!(ran.status == 2 && ran.stderr.contains(says), "{value}: {}", ran.stderr);
        assert_eq!(unchanged, module(&[]));
    }
    let check = |license: &str, policy: &str| {
        let (directory, path) = file(&module(&[custom("licenses", license)]));
        let rules = directory.path().join("policy.toml");
        fs::write(&rules, policy).unwrap();
        run(["check".as_ref(), "--policy".as_ref(), rules.as_os_str(), path.as_os_str()]).status
    };
    assert_eq!(check("apache-2.0", "[licenses]\nallow = ['Apache-2.0']"), 0);
    assert_eq!(check("Apache-2.0", "[licenses]\nallow = ['apache-2.0']"), 0);
    assert_eq!(check("gpl-3.0-only", "[licenses]\ndeny = ['GPL-3.0-only']"), 1);
    for none in ["NONE", "NOASSERTION", "noassertion"] {
        assert_eq!(check(none, ""), 0, "{none}");
        assert_eq!(check(none, "[licenses]\ndeny = ['GPL-3.0-only']"), 1, "{none}");
        assert_eq!(check(none, "[licenses]\ndeny = ['GPL-3.0-only']\nunknown = true"), 0, "{none}");
        assert_eq!(check(none, "[required]\nfields = 'licenses'"), 1, "{none}");
        assert_eq!(check(none, "[required]\nfields = 'licenses'\nunknown = true"), 0, "{none}");
    }
}

#[test]
fn other_formats_are_named() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    let (_directory, path) = file(pointer.as_bytes());
    let shown = run(["show".as_ref(), path.as_os_str()]);
    assert!(shown.status == 2 && shown.stderr.contains("Git LFS pointer"), "{}", shown.stderr);
}

#[test]
fn substrate_runtimes_are_decompressed() {
    let shown = run(["show".as_ref(), input("rt.compact.compressed.wasm").as_os_str()]);
    assert!(shown.status == 0 && shown.text().contains("MIT"), "{}", shown.stderr);
    let audited =
        run(["audit".as_ref(), "--format".as_ref(), "jsonl".as_ref(), input("rt.compact.compressed.wasm").as_os_str()]);
    assert_eq!(audited.status, 0, "{}", audited.text());
    let row = audited.text().lines().find(|line| line.contains("\"file\"")).unwrap();
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    assert_eq!(
        (&row["outcome"], &row["item"]["annotations"]["licenses"]),
        (&"complete".into(), &"MIT".into()),
        "{row}"
    );
}

/// A layout whose index names a manifest for another platform that the layout lacks.
#[test]
fn absent_blobs_are_notes_unless_the_policy_refuses_them() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = directory.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(directory.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let absent = Digest::new(b"absent");
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":6}}]}}"#
    );
    fs::write(directory.path().join("index.json"), index).unwrap();
    let layout = directory.path().to_str().unwrap();
    let audited = run(["audit", layout, "--format", "jsonl"]);
    assert!(audited.status == 0 && audited.text().contains("absent-blob"), "{}", audited.text());
    let policies = tempfile::tempdir().unwrap();
    for (severity, status) in [("ignore", 0), ("note", 0), ("error", 1)] {
        let policy = policies.path().join("policy.toml");
        fs::write(&policy, format!("[severity]\nabsent-blob = '{severity}'\n")).unwrap();
        let audited = run(["audit", layout, "--policy", policy.to_str().unwrap()]);
        assert_eq!(audited.status, status, "{severity}: {}", audited.text());
    }
}
