//! Archives, and binaries inside other files.

use super::*;

/// The start and the end of a small archive are the same bytes.
#[test]
fn small_archives_are_not_read_twice_in_a_summary() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(path(&directory, "a.tar"), cut_tar(&[("a.wasm", module(&[]))])).unwrap();
    let zip = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    fs::write(path(&directory, "a.zip"), zip).unwrap();
    fs::write(path(&directory, "a.txt"), vec![b'x'; 9_000]).unwrap();
    let run = run(["audit", &path(&directory, ""), "--hash"]);
    let text = run.text();
    let (read, _) = text.split_once(" % of the store was read (").unwrap();
    let read: f64 = read.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((90.0..=100.0).contains(&read), "{text}");
}

/// The zips of a zipapp and of a split archive start after other bytes.
#[test]
fn zips_with_a_prefix_are_inspected() {
    let inputs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sectile-audit/tests/inputs");
    let directory = tempfile::tempdir().unwrap();
    let policy = path(&directory, "policy.toml");
    fs::write(&policy, "[[licenses]]\ndeny = [\"MIT\"]\n").unwrap();
    for name in ["k.pyz", "span.zip"] {
        let file = inputs.join(name);
        let run = run(["audit", file.to_str().unwrap(), "--format", "jsonl", "--policy", &policy]);
        assert_eq!(run.status, 1, "{name}: {} {}", run.stderr, run.text());
        assert!(run.text().contains(&format!("{name}!a.wasm")), "{}", run.text());
    }
}

/// Rows are named `PATH!ENTRY`, and `!` in a name is written `!!`. Exceptions and earlier reports
/// use the same names.
#[test]
fn separators_in_names_of_archives_are_doubled() {
    let (directory, answers) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = module(&[custom("licenses", "nonsense")]);
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    let mut packed = tar::Builder::new(Vec::new());
    packed.append_data(&mut header, "in!side.wasm", &*bytes).unwrap();
    fs::write(path(&directory, "odd!.tar"), packed.into_inner().unwrap()).unwrap();
    let policy = path(&answers, "policy.toml");
    fs::write(&policy, "[[exceptions]]\npaths = \"*/odd!!.tar!in!!side.wasm\"\nreason = \"theirs\"\n").unwrap();
    let arguments = ["audit", &path(&directory, ""), "--policy", &policy];
    let report = path(&answers, "a.jsonl");
    let first = run(arguments.iter().copied().chain(["-o", &report]));
    assert_eq!(first.status, 0, "{}", first.stderr);
    let text = fs::read_to_string(&report).unwrap();
    assert!(text.contains("/odd!!.tar!in!!side.wasm\""), "{text}");
    let again = run(arguments.iter().copied().chain(["--json", "--since", &report]));
    let last: Value = serde_json::from_str(again.text().lines().last().unwrap()).unwrap();
    assert_eq!((last["summary"]["rows"].as_u64(), last["summary"]["archive_bytes_read"].as_u64()), (Some(1), Some(0)));
}

#[test]
fn a_format_that_is_not_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(path(&directory, "a.tar.xz"), b"\xfd7zXZ\0\0\x04").unwrap();
    let run = run(["audit", &path(&directory, ""), "--format", "jsonl"]);
    assert!(
        run.text().contains("\"code\":\"not-opened\"") && run.text().contains("unsupported format xz"),
        "{}",
        run.text()
    );
}

#[test]
fn archives_without_a_binary_are_not_refused() {
    let directory = store(&["MIT"]);
    let text = b"plain text".repeat(200);
    fs::write(path(&directory, "text.tar"), cut_tar(&[("README", text.clone())])).unwrap();
    let run = super::run(["audit", &path(&directory, "")]);
    assert_eq!((run.status, &*run.stderr), (0, ""), "{}", run.text());
    for part in
        [": 1 binary,", "1 accepted (100.0 %), 0 refused", "1 archive with findings, 0 refused", "malformed-archive"]
    {
        assert!(run.text().contains(part), "{part}: {}", run.text());
    }
    // The same damage next to a binary.
    let binary = fs::read(path(&directory, "0.wasm")).unwrap();
    fs::write(path(&directory, "both.tar"), cut_tar(&[("app", binary), ("README", text)])).unwrap();
    let run = super::run(["audit", &path(&directory, "")]);
    assert_eq!(run.status, 1, "{}", run.text());
    assert_eq!(run.stderr, "sectile: 0 of 2 binaries refused; 1 archive with findings refused\n");
    for part in [": 2 binaries,", "2 archives with findings, 1 refused", "disputed-archive", "malformed-archive"] {
        assert!(run.text().contains(part), "{part}: {}", run.text());
    }
    let policy = path(&directory, "policy.toml");
    for (severity, status) in [("warning", 0), ("error", 1), ("ignore", 0)] {
        fs::write(&policy, format!("severity.hidden = \"{severity}\"\n")).unwrap();
        let run = super::run(["audit", &path(&directory, "both.tar"), "--policy", &policy]);
        assert_eq!(run.status, status, "{severity} {}", run.text());
    }
}

#[test]
fn damaged_gzip_is_refused_only_with_a_binary() {
    use std::io::Write;
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let directory = store(&["MIT"]);
    let binary = fs::read(path(&directory, "0.wasm")).unwrap();
    let flagged = |bytes: &[u8]| [&bytes[..3], &[0xe0], &bytes[4..]].concat();
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 6].to_vec();
    for (what, damage) in [("flags", &flagged as &dyn Fn(&[u8]) -> Vec<u8>), ("cut", &cut)] {
        for (bytes, is_refused, code) in
            [(&b"a log\n"[..], false, "malformed-archive"), (&binary, true, "disputed-archive")]
        {
            let file = path(&directory, "file.gz");
            fs::write(&file, damage(&gzip(bytes))).unwrap();
            let run = super::run(["audit", &file]);
            assert!((run.status != 0) == is_refused && run.text().contains(code), "{what} {}", run.text());
        }
    }
}

#[test]
fn formats_that_are_not_opened_are_counted_and_named() {
    let directory = store(&["MIT"]);
    for (name, start) in [("a.tar.xz", &b"\xfd7zXZ\0"[..]), ("b.xz", b"\xfd7zXZ\0"), ("c.7z", b"7z\xbc\xaf\x27\x1c")] {
        fs::write(path(&directory, name), [start, b"and more"].concat()).unwrap();
    }
    let named = "3 files not opened: xz (2), 7z (1)";
    for format in ["table", "jsonl", "csv", "sarif", "html"] {
        let run = run(["audit", &path(&directory, ""), "--format", format]);
        assert_eq!((run.status, run.stderr), (0, format!("sectile: 0 of 1 binary refused; {named}\n")), "{format}");
        assert!(String::from_utf8_lossy(&run.stdout).contains("not-opened"), "{format}");
    }
    assert!(run(["audit", &path(&directory, "")]).text().contains(named));
    let policy = path(&directory, "policy.toml");
    fs::write(&policy, "severity.hidden = \"error\"\n").unwrap();
    let run = run(["audit", &path(&directory, ""), "--policy", &policy]);
    assert_eq!(run.status, 1, "{}", run.text());
    // Archives that the options exclude from opening.
    fs::write(path(&directory, "in.tar"), cut_tar(&[("README", b"plain text".repeat(200))])).unwrap();
    let run = super::run(["audit", &path(&directory, "in.tar"), "--nested", "0"]);
    assert!(run.status == 0 && run.stderr.contains("1 file not opened: archive (1)"), "{}", run.stderr);
}

#[test]
fn binaries_in_archives_that_readers_dispute_are_judged() {
    let archives = concat!(env!("CARGO_MANIFEST_DIR"), "/../sectile-audit/tests/archives");
    let directory = tempfile::tempdir().unwrap();
    let policy = path(&directory, "policy.toml");
    fs::write(&policy, "[licenses]\ndeny = [\"MIT\"]\n").unwrap();
    for (name, binary, is_disputed) in [
        ("dir-blank-size.tar", "!short.wasm", false),
        ("dir-with-size.tar", "!short.wasm", true),
        ("gz-zeropad.tgz", "!p/a.wasm", false),
        ("hardlink-with-size.tar", "!short.wasm", true),
        ("link-blank-size.tar", "!short.wasm", false),
        ("one-zeropad.wasm.gz", "", false),
        ("pax-emptyval.tar", "!short.wasm", false),
        ("pax-nulpad.tar", "!long/name.wasm", true),
        ("symlink-with-size.tar", "!second.wasm", true),
        ("type-unknown.tar", "!u.wasm", true),
    ] {
        let file = format!("{archives}/{name}");
        let accepted = run(["audit", &file]);
        assert_eq!(accepted.status != 0, is_disputed, "{name}: {} {}", accepted.stderr, accepted.text());
        let refused = run(["audit", &file, "--policy", &policy, "--format", "csv"]);
        assert_ne!(refused.status, 0, "{name}");
        let is_refused = |line: &str| line.contains(&format!("{name}{binary},")) && line.contains("refused-license");
        assert!(refused.text().lines().any(is_refused), "{name}: {}", refused.text());
    }
}

#[test]
fn binaries_inside_other_files_are_judged_and_read_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let binary = module(&[custom("licenses", "nonsense")]);
    let numbers: Vec<String> = binary.iter().map(u8::to_string).collect();
    fs::write(path(&directory, "app.js"), format!("load([{}]);\n", numbers.join(","))).unwrap();
    let audit = run(["audit", &path(&directory, ""), "--format", "jsonl"]);
    assert_eq!(audit.status, 1, "{}", audit.stderr);
    let lines: Vec<Value> = audit.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["audit"]["inside"], "local");
    let name = lines[1]["file"].as_str().unwrap();
    assert!(name.ends_with("app.js!numbers@6") && lines[1]["encoding"] == serde_json::json!(["numbers"]), "{name}");
    for command in ["show", "sections", "check", "digest"] {
        let run = run([command, name]);
        assert_eq!(run.status, i32::from(command == "check"), "{command}: {}", run.stderr);
    }
    assert_eq!(run(["get", name, "licenses"]).text().trim(), "nonsense");

    let table = run(["audit", &path(&directory, "")]);
    assert!(table.text().contains("searched inside other local files"), "{}", table.text());
    let never = run(["audit", &path(&directory, ""), "--inside=never", "--allow-empty"]);
    assert_eq!(never.status, 0, "{}", never.stderr);
    let always = run(["audit", &path(&directory, ""), "--inside", "--format", "jsonl"]);
    assert!(always.text().contains("\"inside\":\"always\""), "{}", always.text());
}

/// The rows have the tag of the image, also those of binaries in the scripts of a layer.
#[test]
fn images_of_docker_save_are_named_by_their_tags() {
    let directory = tempfile::tempdir().unwrap();
    let numbers: Vec<_> = module(&[custom("licenses", "MIT")]).iter().map(u8::to_string).collect();
    let script = format!("load([{}])", numbers.join(","));
    let layer =
        crate::cli::row_names::tar(&[(b"app.js", script.as_bytes()), (b"b.wasm", &module(&[custom("x", "y")]))]);
    let path_of_layer = format!("{}/layer.tar", "a".repeat(64));
    let manifest = format!(r#"[{{"Config":"c.json","RepoTags":["team/app:1.2"],"Layers":["{path_of_layer}"]}}]"#);
    let saved = crate::cli::row_names::tar(&[
        (path_of_layer.as_bytes(), &layer),
        (b"c.json", b"{}"),
        (b"manifest.json", manifest.as_bytes()),
    ]);
    fs::write(path(&directory, "saved.tar"), saved).unwrap();
    let audit = run(["audit", &path(&directory, "saved.tar"), "--format", "jsonl"]);
    assert_eq!(audit.status, 0, "{}", audit.stderr);
    let lines = audit.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let files: Vec<_> = lines.filter_map(|line| Some(line.get("row").and(line["file"].as_str())?.to_owned())).collect();
    let image = format!("oci:{}:team/app:1.2", path(&directory, "saved.tar"));
    assert_eq!(files, [format!("{image}!app.js!numbers@6"), format!("{image}!b.wasm")]);
    for file in &files {
        assert_eq!(run(["digest", file.as_str()]).status, 0, "{file}");
    }
}
