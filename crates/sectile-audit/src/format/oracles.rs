//! Checks the output with independent programs: a browser, the SARIF schema, another CSV parser. `.ci/run` installs and
//! runs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Format;
use crate::Stop;
use crate::sample::{HOSTILE, hostile, usual, written};

/// The directory where `.ci/run` installs the programs, and where the output stays for inspection.
fn target(path: &str) -> PathBuf {
    sectile_testing::files::project().join("target").join(path)
}

/// Writes the output for `rows` rows, one in `every` of them hostile, and passes it to a script of `tests/answers`.
fn shown_to(script: &str, format: Format, name: &str, rows: u64, every: u64, arguments: &[&str]) {
    let rows: Vec<_> = (0..rows).map(|nth| if nth % every == every - 1 { hostile(nth) } else { usual(nth) }).collect();
    let stop = Stop { after: Some(HOSTILE[0].into()) };
    let answers = target("answers");
    fs::create_dir_all(&answers).unwrap();
    let path = answers.join(name);
    fs::write(&path, written(format, &rows, Some(&stop).filter(|_| every < 100))).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers").join(script);
    let mut python = Command::new(target("oracles/bin/python3"));
    let status = python.arg(script).arg(&path).args(arguments).status().expect("python");
    assert!(status.success());
}

/// No value in a hostile page runs, opens or requests anything, after a click on any element.
#[test]
#[ignore = "needs Chromium and playwright"]
fn hostile_pages_are_inert() {
    shown_to("browser.py", Format::Html, "hostile.html", 300, 2, &["hostile"]);
}

/// Filters, sorts and opens rows. Prints how long filtering 100,000 rows takes.
#[test]
#[ignore = "needs Chromium and playwright"]
fn large_pages_stay_usable() {
    shown_to("browser.py", Format::Html, "large.html", 100_000, 1_000_000, &["large"]);
}

#[test]
#[ignore = "needs jsonschema, and the schema"]
fn sarif_is_valid() {
    let schema = target("oracles/sarif-2.1.0.json");
    let schema = schema.to_str().unwrap();
    shown_to("sarif.py", Format::Sarif, "hostile.sarif", 2_000, 3, &[schema]);
    shown_to("sarif.py", Format::Sarif, "none.sarif", 0, 1_000, &[schema]);
}

#[test]
#[ignore = "needs Python"]
fn junit_is_read_by_an_xml_parser() {
    shown_to("junit.py", Format::Junit, "hostile.xml", 2_000, 3, &["2000"]);
    shown_to("junit.py", Format::Junit, "none.xml", 0, 1_000, &["0"]);
}

#[test]
#[ignore = "needs markdown-it-py"]
fn markdown_of_the_input_is_escaped() {
    shown_to("markdown.py", Format::Markdown, "hostile.md", 2_000, 3, &[]);
}

#[test]
#[ignore = "needs Python"]
fn workflow_commands_are_one_line_each() {
    shown_to("github.py", Format::Github, "hostile.txt", 2_000, 3, &["666"]);
}

#[test]
#[ignore = "needs Python"]
fn csv_is_read_by_another_parser() {
    shown_to("csv_reader.py", Format::Csv, "hostile.csv", 2_000, 3, &["2000"]);
}
