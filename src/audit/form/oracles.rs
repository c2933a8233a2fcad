//! What others make of the answers: a browser, the schema of SARIF, another reader of comma-separated values. They must be
//! there: `.ci/run` sees to it, and runs these.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Form;
use crate::audit::Stop;
use crate::audit::sample::{HOSTILE, hostile, usual, written};

/// Where `.ci/run` installs what these need, and where they leave what is to be looked at.
fn target(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(path)
}

/// Writes an answer for so many rows, of which every so manieth is hostile, and shows it to a script of `tests/oracles/answers`.
fn shown_to(script: &str, form: Form, name: &str, rows: u64, every: u64, arguments: &[&str]) {
    let rows: Vec<_> = (0..rows).map(|nth| if nth % every == every - 1 { hostile(nth) } else { usual(nth) }).collect();
    let stop = Stop { behind: Some(HOSTILE[0].into()) };
    let answers = target("answers");
    fs::create_dir_all(&answers).unwrap();
    let path = answers.join(name);
    fs::write(&path, written(form, &rows, Some(&stop).filter(|_| every < 100))).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/answers").join(script);
    let mut python = Command::new(target("oracles/bin/python3"));
    let status = python.arg(script).arg(&path).args(arguments).status().expect("python");
    assert!(status.success());
}

/// Nothing of a hostile report runs, opens or asks for anything, whatever is clicked.
#[test]
#[ignore = "needs Chromium and playwright"]
fn hostile_pages_are_inert() {
    shown_to("browser.py", Form::Html, "hostile.html", 300, 2, &["hostile"]);
}

/// Filters, sorts, opens; says how long filtering 100,000 rows takes, for information.
#[test]
#[ignore = "needs Chromium and playwright"]
fn large_pages_can_be_used() {
    shown_to("browser.py", Form::Html, "large.html", 100_000, 1_000_000, &["large"]);
}

#[test]
#[ignore = "needs jsonschema, and the schema"]
fn sarif_is_valid() {
    let schema = target("oracles/sarif-2.1.0.json");
    let schema = schema.to_str().unwrap();
    shown_to("sarif.py", Form::Sarif, "hostile.sarif", 2_000, 3, &[schema]);
    shown_to("sarif.py", Form::Sarif, "none.sarif", 0, 1_000, &[schema]);
}

#[test]
#[ignore = "needs Python"]
fn csv_is_read_by_others() {
    shown_to("csv_reader.py", Form::Csv, "hostile.csv", 2_000, 3, &["2000"]);
}
