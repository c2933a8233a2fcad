//! `sectile audit --baseline`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Run, command};
use sectile_testing::binary::{custom, module};

/// An audit of the directory `store` in this directory.
fn audit(directory: &Path, args: &[&str]) -> Run {
    let mut command = command([&["audit", "store"], args].concat());
    Run::of(command.current_dir(directory).stdin(std::process::Stdio::null()).output().unwrap())
}

fn licensed(license: &str) -> Vec<u8> {
    module(&[custom("licenses", license)])
}

/// A store with a bad binary and others, and its report `before.jsonl`; then one binary is new, one changed and one gone.
fn changed_store() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join("store").join(name);
    fs::create_dir(directory.path().join("store")).unwrap();
    for (name, license) in
        [("known.wasm", "nonsense"), ("changed.wasm", "MIT"), ("gone.wasm", "rubbish"), ("same.wasm", "MIT")]
    {
        fs::write(path(name), licensed(license)).unwrap();
    }
    let before = audit(directory.path(), &["--json"]);
    fs::write(directory.path().join("before.jsonl"), before.stdout).unwrap();
    fs::write(path("changed.wasm"), licensed("0BSD")).unwrap();
    fs::write(path("new.wasm"), licensed("MIT")).unwrap();
    fs::remove_file(path("gone.wasm")).unwrap();
    directory
}

fn lines(run: &Run) -> Vec<Value> {
    run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_format_has_new_gone_and_changed_rows() {
    let directory = changed_store();
    let audit = |args: &[&str]| audit(directory.path(), &[&["--baseline", "before.jsonl"], args].concat());
    let counts = "1 new, 1 gone, 1 changed, 2 unchanged; 0 new findings, 1 gone";
    let table = audit(&[]);
    assert_eq!(table.status, 1);
    assert!(table.text().contains(&format!("\n  since the baseline: {counts}\n")), "{}", table.text());
    assert!(!table.stderr.contains("baseline"), "{}", table.stderr);
    let jsonl = audit(&["--json"]);
    assert!(jsonl.stderr.contains(&format!("since the baseline: {counts}")), "{}", jsonl.stderr);
    let parsed = lines(&jsonl);
    let state = |name: &str| {
        let is_row = |line: &&Value| line.get("row").is_some() && line["file"].as_str().unwrap().ends_with(name);
        parsed.iter().find(is_row).unwrap()["baseline"].clone()
    };
    let with = |row: &str| json!({"row": row, "new_findings": [], "gone_findings": []});
    assert_eq!(state("known.wasm"), with("unchanged"));
    assert_eq!(state("changed.wasm"), with("changed"));
    assert_eq!(state("new.wasm"), with("new"));
    let gone = parsed.iter().find(|line| line.get("change").is_some()).unwrap();
    assert!(gone["change"] == "gone" && gone["old"]["file"].as_str().unwrap().ends_with("gone.wasm"), "{gone}");
    assert_eq!(gone["gone_findings"][0]["code"], "not-spdx");
    let expected = json!({"new": 1, "gone": 1, "changed": 1, "unchanged": 2, "new_findings": 0, "gone_findings": 1});
    assert_eq!(parsed.last().unwrap()["summary"]["baseline"], expected);
    let csv = audit(&["--format", "csv"]);
    let ends: Vec<&str> = csv.text().lines().map(|line| line.rsplit(',').nth(2).unwrap()).collect();
    assert_eq!(ends, ["baseline", "changed", "unchanged", "new", "unchanged", "gone"]);
    let sarif: Value = serde_json::from_str(audit(&["--format", "sarif"]).text()).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let states: Vec<&str> = results.iter().map(|result| result["baselineState"].as_str().unwrap()).collect();
    assert_eq!(states, ["unchanged", "absent"]);
    for format in ["html", "markdown"] {
        assert!(audit(&["--format", format]).text().contains(&format!("Since the baseline: {counts}.")), "{format}");
    }
    assert!(!audit(&["--format", "github"]).text().contains("not-spdx"), "known findings are not annotated");
}

#[test]
fn diff_of_the_reports_gives_the_same_answer() {
    let directory = changed_store();
    let after = audit(directory.path(), &["--json", "--baseline", "before.jsonl"]);
    fs::write(directory.path().join("after.jsonl"), &after.stdout).unwrap();
    let mut diff = command(["diff", "--json", "before.jsonl", "after.jsonl"]);
    let diff = Run::of(diff.current_dir(directory.path()).output().unwrap());
    assert_eq!(diff.status, 1, "{}", diff.stderr);
    assert_eq!(lines(&diff).last().unwrap()["compared"], lines(&after).last().unwrap()["summary"]["baseline"]);
}

#[test]
fn only_new_findings_fail_if_requested() {
    let directory = changed_store();
    let status = |args: &[&str]| audit(directory.path(), &[&["--baseline", "before.jsonl"], args].concat()).status;
    assert_eq!(status(&[]), 1, "a known finding is refused");
    assert_eq!(status(&["--fail-on", "refused"]), 1);
    assert_eq!(status(&["--fail-on", "new"]), 0);
    let bad = directory.path().join("store/bad.wasm");
    fs::write(&bad, licensed("nonsense")).unwrap();
    assert_eq!(status(&["--fail-on", "new"]), 1);
    fs::remove_file(&bad).unwrap();
    fs::write(directory.path().join("store/same.wasm"), licensed("nonsense")).unwrap();
    assert_eq!(status(&["--fail-on", "new"]), 1, "a known binary with a new finding");
    fs::write(directory.path().join("store/same.wasm"), &licensed("MIT")[..12]).unwrap();
    assert_eq!(status(&["--fail-on", "new"]), 2, "newly truncated");
}

#[test]
fn a_report_may_be_reused_and_compared_again() {
    let directory = changed_store();
    let first = audit(directory.path(), &["--baseline", "before.jsonl", "-o", "rows.jsonl"]);
    assert_eq!(first.status, 1, "{}", first.stderr);
    let again =
        audit(directory.path(), &["--json", "--since", "rows.jsonl", "--baseline", "rows.jsonl", "--fail-on", "new"]);
    assert_eq!(again.status, 0, "{}", again.stderr);
    let again_lines = lines(&again);
    let summary = &again_lines.last().unwrap()["summary"]["baseline"];
    assert_eq!((&summary["unchanged"], &summary["new"], &summary["gone"]), (&4.into(), &0.into(), &0.into()));
    assert!(again.text().matches("\"baseline\":").count() == 5, "one for each row, and the summary");
    let mut report = command(["report", "rows.jsonl", "--json"]);
    let report = Run::of(report.current_dir(directory.path()).output().unwrap());
    assert_eq!(report.status, 1, "{}", report.stderr);
    assert!(!report.text().contains("baseline"), "{}", report.text());
}

#[test]
fn unusable_baselines_are_errors() {
    let directory = changed_store();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("text.jsonl", "text\n");
    write("old.jsonl", "{\"schema\":1,\"audit\":{}}\n");
    write("malformed.jsonl", "{\"schema\":2,\"file\":\"store/same.wasm\",\"findings\":7}\n");
    for (file, message) in [
        ("absent.jsonl", "absent.jsonl: cannot be read"),
        ("text.jsonl", "text.jsonl: not a report"),
        ("old.jsonl", "old.jsonl: the report has schema 1"),
        ("malformed.jsonl", "the row at byte 0 of the report is malformed"),
    ] {
        let run = audit(directory.path(), &["--json", "--baseline", file]);
        assert_eq!(run.status, 2, "{file}");
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
    let run = audit(directory.path(), &["--fail-on", "new"]);
    assert!(run.status == 2 && run.stderr.contains("add --baseline REPORT"), "{}", run.stderr);
}
