//! `sectile audit`.

mod archives;

use std::fs;

use serde_json::Value;

use super::{Run, command, run};
use sectile_testing::binary::{custom, module};

const FORMATS: [&str; 13] = [
    "table",
    "jsonl",
    "csv",
    "sarif",
    "html",
    "markdown",
    "junit",
    "github",
    "arrow",
    "parquet",
    "cyclonedx-1.6",
    "cyclonedx-1.7",
    "spdx-2.3",
];

/// A directory with a binary of each license.
fn store(licenses: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (nth, licence) in licenses.iter().enumerate() {
        let bytes = module(&[custom("licenses", licence)]);
        fs::write(directory.path().join(format!("{nth}.wasm")), bytes).unwrap();
    }
    directory
}

fn path(directory: &tempfile::TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

/// A tar with these entries, truncated inside the data of the last.
fn cut_tar(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, &**bytes).unwrap();
    }
    let mut bytes = tar.into_inner().unwrap();
    bytes.truncate(bytes.len() - 1024 - 100);
    bytes
}

#[test]
fn exit_status_is_that_of_the_verdict() {
    let good = store(&["MIT", "Apache-2.0"]);
    let refused = store(&["MIT", "nonsense"]);
    let broken = store(&["MIT", "nonsense"]);
    fs::write(path(&broken, "cut.wasm"), b"\0asm\x01\0\0\0\x01").unwrap();
    for (directory, status) in [(&good, 0), (&refused, 1), (&broken, 2)] {
        for format in FORMATS {
            let run = run(["audit", &path(directory, ""), "--format", format]);
            assert_eq!(run.status, status, "{format} {}", run.stderr);
            let message = match status {
                0 => "",
                1 => "sectile: 1 of 2 binaries refused\n",
                _ => "sectile: 1 of 3 binaries refused, 1 not read to its end\n",
            };
            assert!(!run.stdout.is_empty() && run.stderr == message, "{format} {}", run.stderr);
        }
    }
    let missing = run(["audit", &path(&good, "missing")]);
    assert_eq!(missing.status, 2);
    assert!(missing.stderr.contains("No such file"), "{}", missing.stderr);
}

#[test]
fn formats_are_the_same_in_a_file_and_on_standard_output() {
    let (directory, answers) = (store(&["MIT", "nonsense"]), tempfile::tempdir().unwrap());
    for format in FORMATS {
        let answer = path(&answers, format);
        let printed = run(["audit", &path(&directory, ""), "--format", format]);
        let written = run(["audit", &path(&directory, ""), "--format", format, "-o", &answer]);
        let message = "sectile: 1 of 2 binaries refused\n";
        assert_eq!((written.status, &*written.stdout, &*written.stderr), (1, &b""[..], message), "{format}");
        assert!(fs::read(&answer).unwrap() == printed.stdout, "{format}");
        let dashed = run(["audit", &path(&directory, ""), "--format", format, "-o", "-"]);
        assert!(dashed.stdout == printed.stdout, "{format}: {}", dashed.text());
    }
    assert_eq!(fs::read_dir(answers.path()).unwrap().count(), FORMATS.len());
}

/// One audit writes several formats, each equal to that of a separate audit.
#[test]
fn one_audit_writes_several_outputs() {
    let (directory, answers) = (store(&["MIT", "nonsense"]), tempfile::tempdir().unwrap());
    let store = path(&directory, "");
    let names = [("table", "a.txt"), ("jsonl", "a.jsonl"), ("csv", "a.csv"), ("sarif", "a.sarif"), ("html", "a.html")];
    let names = names.into_iter().chain([("markdown", "a.md"), ("junit", "a.xml"), ("github", "github=a")]);
    let names = names.chain([("cyclonedx", "a.cdx.json"), ("spdx", "a.spdx.json")]);
    let names: Vec<_> = names.map(|(format, name)| (format, name, path(&answers, name))).collect();
    let mut arguments = vec!["audit".to_owned(), store.clone(), "--json".to_owned()];
    for (_, name, file) in &names {
        let given = if name.contains('=') { format!("github={}", path(&answers, "a")) } else { file.clone() };
        arguments.extend(["-o".to_owned(), given]);
    }
    let all = run(&arguments);
    assert_eq!(all.status, 1, "{}", all.stderr);
    assert_eq!(all.text(), "", "a.jsonl has the rows");
    for (format, name, file) in &names {
        let alone = run(["audit", &store, "--format", format]);
        let file = if name.contains('=') { path(&answers, "a") } else { file.clone() };
        assert!(fs::read(file).unwrap() == alone.stdout, "{format}");
    }
    let page = path(&answers, "page.html");
    let both = run(["audit", &store, "--json", "-o", &page]);
    assert!(both.stdout == run(["audit", &store, "--format", "jsonl"]).stdout, "{}", both.text());
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!DOCTYPE html>"));
}

/// If one output fails, none of the files is replaced.
#[test]
fn outputs_are_replaced_together() {
    let (directory, answers) = (store(&["MIT"]), tempfile::tempdir().unwrap());
    let (good, bad) = (path(&answers, "good.csv"), path(&answers, "missing/bad.html"));
    fs::write(&good, "old").unwrap();
    let run = super::run(["audit", &path(&directory, ""), "-o", &good, "-o", &bad]);
    assert!(run.status == 2 && run.stderr.contains("bad.html"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&good).unwrap(), "old");
}

#[test]
fn unknown_output_formats_are_errors() {
    let (directory, answers) = (store(&["MIT"]), tempfile::tempdir().unwrap());
    let (store, out) = (path(&directory, ""), path(&answers, "out"));
    for (arguments, message) in [
        (&["-o", &out][..], "cannot tell the format of"),
        (&["-o", "html=-", "-o", "csv=-"], "two outputs go to standard output"),
        (&["--format", "xml"], "possible values"),
        (&["--json", "--format", "csv"], "cannot be used with"),
    ] {
        let run = run(["audit", &store].into_iter().chain(arguments.iter().copied()));
        assert!(run.status == 2 && run.stderr.contains(message), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(fs::read_dir(answers.path()).unwrap().count(), 0);
}

#[test]
fn an_audit_of_no_binary_fails_unless_it_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(path(&directory, "notes.txt"), "notes").unwrap();
    for arguments in [&[][..], &["--json"], &["--format", "html"]] {
        let arguments = || ["audit", directory.path().to_str().unwrap()].into_iter().chain(arguments.iter().copied());
        let run = run(arguments());
        assert_eq!(run.status, 2);
        assert!(
            run.stderr.contains("no WebAssembly binary in") && run.stderr.contains("--allow-empty"),
            "{}",
            run.stderr
        );
        assert_eq!(super::run(arguments().chain(["--allow-empty"])).status, 0);
    }
}

/// Every row is accepted, refused or unjudged, in the table and in JSON.
#[test]
fn verdicts_add_up() {
    let directory = store(&["MIT", "MIT", "nonsense", "MIT"]);
    let whole = fs::read(path(&directory, "2.wasm")).unwrap();
    fs::write(path(&directory, "refused-and-cut.wasm"), [&whole[..], &[1]].concat()).unwrap();
    fs::write(path(&directory, "cut.wasm"), b"\0asm\x01\0\0\0\x01").unwrap();
    fs::write(path(&directory, "not.wasm"), b"text").unwrap();
    let run = run(["audit", &path(&directory, ""), "--json"]);
    assert_eq!(run.status, 2);
    assert_eq!(run.stderr, "sectile: 2 of 7 binaries refused, 3 not read to their end\n");
    let last: Value = serde_json::from_str(run.text().lines().last().unwrap()).unwrap();
    let summary = &last["summary"];
    let number = |of: &Value, key: &str| of[key].as_u64().unwrap_or_else(|| panic!("{key}: {of}"));
    for counts in [summary, &summary["by_row"]["binaries"], &summary["by_row"]["archives"], &summary["by_row"]["files"]]
    {
        let sum: u64 = ["accepted", "refused", "unjudged"].iter().map(|key| number(counts, key)).sum();
        assert_eq!(sum, number(counts, "rows"), "{counts}");
        let outcomes = ["complete", "partial", "unread", "skipped"].map(|key| number(&counts["outcomes"], key));
        assert_eq!(outcomes.iter().sum::<u64>(), number(counts, "rows"), "{counts}");
        assert_eq!(outcomes[1] + outcomes[2], number(counts, "unread"), "{counts}");
    }
    assert_eq!(["accepted", "refused", "unjudged", "unread"].map(|key| number(summary, key)), [3, 2, 2, 3]);
    let table = super::run(["audit", &path(&directory, "")]);
    let line = "  3 accepted (42.9 %), 2 refused, 2 unjudged; 3 not read to the end, without a policy\n";
    assert!(table.text().contains(line), "{}", table.text());
}

#[test]
fn the_table_shows_counts_licenses_and_findings() {
    let directory = store(&["MIT", "MIT", "nonsense\u{1b}[31m"]);
    let run = run(["audit", &path(&directory, ""), "--color", "never"]);
    let text = run.text();
    for part in ["3 binaries", "2 accepted", "1 refused, without a policy", "3 modules", "MIT", "not-spdx", "2.wasm"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    for (named, advice) in [("-", "`sectile check -`"), ("oci:layout:1.0", "takes the directory of a layout")] {
        let run = super::run(["audit", named]);
        assert!(run.status == 2 && run.stderr.contains(advice), "{}", run.stderr);
    }
    let one = super::run(["audit", &path(&directory, "0.wasm")]);
    assert!(
        one.text().contains("  1 module, 1 item, 1 section, searched inside other local files\n"),
        "{}",
        one.text()
    );
}

#[test]
fn the_table_names_omitted_roots_and_the_policy() {
    let stores: Vec<_> = (0..5).map(|_| store(&["MIT"])).collect();
    let policy = path(&stores[0], "policy.toml");
    fs::write(&policy, "[[licenses]]\nallow = [\"MIT\"]\n").unwrap();
    let mut arguments: Vec<_> = ["audit", "--policy", &policy].map(str::to_owned).into();
    arguments.extend(stores.iter().map(|store| path(store, "0.wasm")));
    let run = run(&arguments);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    assert!(run.text().contains("0.wasm, 2 more: 5 binaries"), "{}", run.text());
    assert!(run.text().contains(&format!("0 refused, under {policy}")), "{}", run.text());
    // An empty directory yields an empty summary.
    let nothing = store(&[]);
    let empty = super::run(["audit", &path(&nothing, ""), "--allow-empty"]);
    assert_eq!((empty.status, &*empty.stderr), (0, ""));
    assert!(empty.text().contains(": 0 binaries") && !empty.text().contains("licenses"), "{}", empty.text());
    for heading in ["largest sections", "sections by kind"] {
        assert!(run.text().contains(heading) && !empty.text().contains(heading), "{}", empty.text());
    }
}

#[test]
fn source_date_epoch_and_nested_archives_are_applied() {
    let directory = store(&["nonsense"]);
    let policy = path(&directory, "policy.toml");
    let exception = "[[exceptions]]\npaths = \"*\"\nreason = \"for now\"\nexpires = 2026-03-31\n";
    fs::write(&policy, exception).unwrap();
    for (noon, status) in [("1774958400", 0), ("1775044800", 1)] {
        let mut command = command(["audit", &path(&directory, "0.wasm"), "--policy", &policy]);
        let run = Run::of(command.env("SOURCE_DATE_EPOCH", noon).output().unwrap());
        assert_eq!(run.status, status, "{noon} {} {}", run.stderr, run.text());
    }
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_path_with_name(path(&directory, "0.wasm"), "0.wasm").unwrap();
    fs::write(path(&directory, "in.tar"), tar.into_inner().unwrap()).unwrap();
    for (nested, rows) in [("0", 0), ("1", 1)] {
        let run = run(["audit", &path(&directory, "in.tar"), "--nested", nested, "--format", "csv", "--allow-empty"]);
        assert_eq!(run.text().lines().count(), rows + 1, "{} {}", run.stderr, run.text());
    }
}

#[cfg(feature = "remote")]
#[test]
fn a_file_url_is_the_path() {
    let directory = store(&["MIT"]);
    let url = |name: &str| format!("file://{}", path(&directory, name));
    let shown = run(["audit", &url("0.wasm"), "--format", "csv"]);
    assert_eq!(shown.text(), run(["audit", &path(&directory, "0.wasm"), "--format", "csv"]).text());
    let missing = run(["audit", &url("missing")]);
    assert!(missing.status == 2 && missing.stderr.contains("No such file"), "{}", missing.stderr);
}

#[test]
fn the_policy_decides_the_verdicts() {
    let directory = store(&["MIT", "GPL-3.0-only"]);
    let policy = path(&directory, "policy.toml");
    fs::write(&policy, "[[licenses]]\nallow = [\"MIT\"]\n").unwrap();
    let run = run(["audit", &path(&directory, ""), "--format", "jsonl", "--policy", &policy]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    let lines: Vec<Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["audit"]["policy"], policy.as_str());
    assert_eq!((&lines[1]["accepted"], &lines[2]["accepted"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(lines[3]["summary"]["refused"], 1);
}
#[test]
fn since_reuses_the_rows_of_an_earlier_report() {
    let (directory, answers) = (store(&["MIT", "nonsense", "Apache-2.0"]), tempfile::tempdir().unwrap());
    let (first, second) = (path(&answers, "first"), path(&answers, "second"));
    let audit = |arguments: &[&str]| {
        let store = path(&directory, "");
        run(["audit", &store, "--format", "jsonl"].into_iter().chain(arguments.iter().copied()))
    };
    assert_eq!(audit(&["-o", &first]).status, 1);
    assert_eq!(audit(&["-o", &second, "--since", &first]).status, 1);
    let body = |file: &str| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().take_while(|line| !line.contains("\"summary\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(body(&first), body(&second));
    // An interrupted output is continued, and a missing one is started.
    let whole = fs::read_to_string(&first).unwrap();
    fs::write(&first, &whole[..whole.len() / 2]).unwrap();
    fs::remove_file(&second).unwrap();
    for answer in [&first, &second] {
        assert_eq!(audit(&["-o", answer, "--resume"]).status, 1);
        assert_eq!(body(answer).len(), 4);
    }
    for (arguments, why) in [
        (&["--resume"][..], "--output"),
        (&["-o", &first, "--resume", "--format", "csv"], "cannot be used multiple times"),
        (&["--since", &path(&directory, "0.wasm")], "not the output of an audit"),
        (&["--since", &first, "--hash"], "without computing digests"),
        (&["--since", "missing"], "No such file"),
    ] {
        let run = audit(arguments);
        assert!(run.status == 2 && run.stderr.contains(why), "{arguments:?}: {}", run.stderr);
    }
    let csv = run(["audit", &path(&directory, ""), "--format", "csv", "-o", &first, "--resume"]);
    assert!(csv.status == 2 && csv.stderr.contains("add `-o jsonl=FILE`"), "{}", csv.stderr);
}

#[cfg(unix)]
#[test]
fn since_rejects_a_report_that_others_may_write() {
    use std::os::unix::fs::PermissionsExt;

    let (directory, answers) = (store(&["MIT"]), tempfile::tempdir().unwrap());
    let (first, second, policy) = (path(&answers, "first"), path(&answers, "second"), path(&directory, "policy.toml"));
    fs::write(&policy, "[[licenses]]\nallow = [\"ISC\"]\n").unwrap();
    let audit = |arguments: &[&str]| {
        let store = path(&directory, "");
        run(["audit", &store, "--policy", &policy, "--format", "jsonl"].into_iter().chain(arguments.iter().copied()))
    };
    assert_eq!(audit(&["-o", &first]).status, 1);
    assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o022, 0);
    let honest = fs::read_to_string(&first).unwrap();
    // A forged row claims that a refused binary is accepted.
    let forged =
        honest.replace("\"accepted\":false", "\"accepted\":true").replace("\"refused\":true", "\"refused\":false");
    for mode in [0o622, 0o620, 0o602] {
        fs::write(&first, &forged).unwrap();
        fs::set_permissions(&first, fs::Permissions::from_mode(mode)).unwrap();
        for arguments in [&["-o", &second, "--since", &first][..], &["-o", &first, "--resume"]] {
            let refused = audit(arguments);
            let is_told =
                refused.stderr.contains("is not trusted: others may write to it; use --trust-report to accept it");
            assert!(refused.status == 2 && is_told, "{arguments:?} {}", refused.stderr);
            assert_eq!(fs::read_to_string(&first).unwrap(), forged);
        }
        assert_eq!(audit(&["-o", &second, "--since", &first, "--trust-report"]).status, 0);
        assert_eq!(audit(&["-o", &first, "--resume", "--trust-report"]).status, 0);
    }
}

#[test]
fn since_updates_the_names_of_unchanged_images() {
    let (directory, answers) = (store(&["MIT"]), tempfile::tempdir().unwrap());
    let layout = path(&answers, "layout");
    let named = |name: &str| {
        let run = run(["oci", "layout", &path(&directory, "0.wasm"), "-o", &layout, "--ref", name]);
        assert_eq!(run.status, 0, "{}", run.stderr);
    };
    named("one");
    let (first, second, anew) = (path(&answers, "first"), path(&answers, "second"), path(&answers, "anew"));
    let audit = |arguments: &[&str]| {
        let run = run(["audit", &layout, "--format", "jsonl"].into_iter().chain(arguments.iter().copied()));
        assert_eq!(run.status, 0, "{}", run.stderr);
    };
    audit(&["-o", &first]);
    named("two");
    audit(&["-o", &second, "--since", &first]);
    audit(&["-o", &anew]);
    let rows = |file: &str| fs::read_to_string(file).unwrap().lines().nth(1).unwrap().to_owned();
    assert_eq!(rows(&second), rows(&anew));
    let row: Value = serde_json::from_str(&rows(&anew)).unwrap();
    assert_eq!(row["locations"].as_array().unwrap().len(), 3, "{row}");
}

#[test]
fn every_file_of_a_store_is_counted() {
    let directory = store(&[]);
    let refused = module(&[custom("licenses", "GPL-3.0-only")]);
    let policy = path(&directory, "policy.toml");
    fs::write(&policy, "[[licenses]]\nallow = [\"MIT\"]\n").unwrap();
    for (nth, hidden) in [
        &["v2/blobs/sha256/x", "v2/repositories/app.wasm"][..],
        &["v2/blobs/sha256/x", "v2/repositories/app/_uploads/1/data"],
        &["v2/blobs/sha256/x", "v2/repositories/app/_manifests/tags/x"],
        &["oci-layout/app"],
        &["oci-layout/index.json", "blobs/sha256/app"],
    ]
    .into_iter()
    .enumerate()
    {
        let root = path(&directory, &nth.to_string());
        for name in hidden {
            let file = std::path::Path::new(&root).join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, if *name == *hidden.last().unwrap() { &refused[..] } else { b"text" }).unwrap();
        }
        let run = run(["audit", &root, "--policy", &policy, "--format", "jsonl"]);
        assert_eq!(run.status, 1, "{hidden:?} {}", run.text());
        let rows: Vec<Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let rows: Vec<_> = rows.iter().filter(|row| row.get("file").is_some()).collect();
        assert!(rows.len() == 1 && rows[0]["row"] == "binary" && rows[0]["accepted"] == false, "{rows:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_audit_keeps_its_finished_rows() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let (directory, answers) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = module(&[custom("licenses", "MIT")]);
    for nth in 0..20_000 {
        let place = directory.path().join(format!("{:03}", nth / 100));
        if nth % 100 == 0 {
            fs::create_dir(&place).unwrap();
        }
        fs::write(place.join(format!("{nth}.wasm")), &bytes).unwrap();
    }
    let answer = path(&answers, "answer");
    let store = path(&directory, "");
    let mut command = command(["audit", &store, "--format", "jsonl", "-o", &answer, "--threads", "1"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Part of the output is in its temporary file, and most of it is still to be written.
    let is_begun = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().metadata().is_ok_and(|it| it.len() > 0);
    let begun = Instant::now();
    while !fs::read_dir(answers.path()).unwrap().any(is_begun) {
        assert!(begun.elapsed() < Duration::from_secs(120), "nothing is written");
        std::thread::sleep(Duration::from_millis(1));
    }
    let process = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("stopped after") && stderr.contains("use --resume to continue"), "{stderr}");
    let text = fs::read_to_string(&answer).unwrap();
    assert!(text.lines().count() < 20_000 && text.lines().last().unwrap().contains("\"stopped\":true"));
    let resumed = run(["audit", &store, "--format", "jsonl", "-o", &answer, "--resume"]);
    assert_eq!((resumed.status, &*resumed.stderr), (0, ""));
    assert_eq!(fs::read_to_string(&answer).unwrap().lines().count(), 20_002);
}

/// Saved rows give the same answers as the audit that wrote them.
#[test]
fn saved_rows_are_written_in_every_format() {
    let (directory, answers) = (store(&["MIT", "nonsense", "Apache-2.0"]), tempfile::tempdir().unwrap());
    fs::write(path(&directory, "cut.wasm"), b"\0asm\x01\0\0\0\x01").unwrap();
    fs::write(path(&directory, "notes.txt"), "notes").unwrap();
    fs::write(path(&directory, "in.tar"), cut_tar(&[("in.wasm", module(&[custom("licenses", "MIT")]))])).unwrap();
    let (store, rows) = (path(&directory, ""), path(&answers, "rows.jsonl"));
    let audited = run(["audit", &store, "-o", &rows]);
    for format in FORMATS {
        let of_audit = run(["audit", &store, "--format", format]);
        let of_rows = run(["report", &rows, "--format", format]);
        assert_eq!((of_rows.status, &of_rows.stderr), (audited.status, &audited.stderr), "{format}");
        if format != "html" {
            assert!(of_rows.stdout == of_audit.stdout, "{format}: {}", of_rows.text());
        }
    }
    let page = path(&answers, "page.html");
    let both = run(["report", &rows, "--json", "-o", &page]);
    assert!(both.stdout == fs::read(&rows).unwrap() && fs::read_to_string(&page).unwrap().contains("in.wasm"));
    let piped = super::run_with_input(["report", "-", "--format", "csv"], &fs::read(&rows).unwrap());
    assert!(piped.stdout == run(["audit", &store, "--format", "csv"]).stdout);
}

/// Judging saved rows gives the same verdicts as an audit by that policy.
#[test]
fn saved_rows_are_judged_by_another_policy() {
    let (directory, answers) = (store(&["MIT", "GPL-3.0-only", "apache-2.0"]), tempfile::tempdir().unwrap());
    fs::write(path(&directory, "none.wasm"), module(&[])).unwrap();
    fs::write(path(&directory, "cut.wasm"), [&module(&[custom("licenses", "MIT")])[..], &[1]].concat()).unwrap();
    let (store, rows, policy) = (path(&directory, ""), path(&answers, "rows.jsonl"), path(&answers, "policy.toml"));
    let mut audit = command(["audit", &store, "-o", &rows]);
    assert_eq!(Run::of(audit.output().unwrap()).status, 2);
    let rules = "refuse = \"warning\"\n[severity]\nimprecise-license = \"ignore\"\n\
        [[licenses]]\nallow = [\"MIT\", \"Apache-2.0\"]\n[[required]]\nitems = \"root\"\nfields = [\"licenses\"]\nseverity = \"warning\"\n\
        [[exceptions]]\npaths = \"*/1.wasm\"\nreason = \"bought\"\n[[exceptions]]\npaths = \"*/none.wasm\"\nreason = \"old\"\nexpires = 2020-01-01\n";
    fs::write(&policy, rules).unwrap();
    let judged = |arguments: &[&str]| {
        let run = run(arguments.iter().copied().chain(["--json", "--policy", &policy]));
        let lines: Vec<Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let verdict = |line: &Value| {
            let findings = line["findings"].as_array()?.iter().map(|finding| {
                let [code, severity, refused, excepted] =
                    ["code", "severity", "refused", "excepted"].map(|key| finding[key].clone());
                [code, severity, refused, excepted["reason"].clone()]
            });
            Some((line["file"].clone(), line["accepted"].clone(), findings.collect::<Vec<_>>()))
        };
        (run.status, lines.iter().filter_map(verdict).collect::<Vec<_>>())
    };
    let (audited, again) = (judged(&["audit", &store]), judged(&["report", &rows]));
    assert_eq!(audited.1.len(), 5);
    assert_eq!(again, audited);
    run(["audit", &store, "-o", &rows]);
    // Without a rule about imports, they are not in the rows.
    fs::write(&policy, "[[imports]]\nnames = [\"wasi:*\"]\n").unwrap();
    let run = run(["report", &rows, "--policy", &policy, "--json"]);
    assert!(run.text().contains("not-judged"), "{}", run.text());
    // Such rows are not reused by an audit.
    let judged = path(&answers, "judged.jsonl");
    fs::write(&judged, &run.stdout).unwrap();
    let since = super::run(["audit", &store, "--policy", &policy, "--json", "--since", &judged]);
    assert!(since.status == 2 && since.stderr.contains("another policy"), "{}", since.stderr);
}

#[test]
fn damaged_saved_rows_are_errors() {
    let (directory, answers) = (store(&["MIT", "nonsense"]), tempfile::tempdir().unwrap());
    let rows = path(&answers, "rows.jsonl");
    run(["audit", &path(&directory, ""), "-o", &rows]);
    let text = fs::read_to_string(&rows).unwrap();
    for (text, message) in [
        (String::new(), "not the output of `sectile audit --format jsonl`"),
        ("file,row\n".to_owned(), "not the output of `sectile audit --format jsonl`"),
        (text.replace("\"schema\":2", "\"schema\":1"), "the rows have schema 1, and this version reads schema 2"),
        (text.replace("\"row\":\"binary\"", "\"row\":\"other\""), "line 2 is not a row"),
        (text.replacen("\"outcome\"", "\"out\"", 1), "line 2 is not a row"),
        (text.replace("not-spdx", "no-such-code"), "line 3 is not a row"),
        (text[..text.len() - 20].to_owned(), "was stopped before its end"),
        (text.lines().next().unwrap().to_owned() + "\n", "was stopped before its end"),
    ] {
        fs::write(&rows, &text).unwrap();
        let run = run(["report", &rows]);
        assert!(run.status == 2 && run.stderr.contains(message), "{message}: {}", run.stderr);
    }
    fs::write(&rows, &text).unwrap();
    let run = run(["report", &rows, "--json", "-o", &rows]);
    assert!(run.status == 2 && run.stderr.contains("the output is one of the inputs"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&rows).unwrap(), text);
}
