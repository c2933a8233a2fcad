//! `tests/shared/cases.json`: the cases that every binding runs. `cargo xtask shared` selects them from
//! the inputs of the core's tests; `BLESS=1 cargo test -p sectile-cli --all-features shared` rewrites the
//! answers to the cases that are there.

mod answer;
mod manifest;
mod request;
mod select;

use std::path::{Path, PathBuf};
use std::{env, fs};

use sectile_testing::files::project;
use sectile_testing::recorded;

use crate::cli::run_with_input;
use manifest::{Case, Manifest};

fn cases() -> PathBuf {
    project().join("tests/shared/cases.json")
}

#[test]
fn cases_have_the_answers_of_the_library() {
    let path = cases();
    let recorded = env::var_os(recorded::DIRECTORY).map(PathBuf::from).filter(|_| blesses());
    let expected = match recorded {
        Some(recorded) => select::manifest(recorded::inputs(&recorded)),
        None => Manifest::parse(&text(&path)).answered(),
    };
    let expected = expected.to_text();
    if blesses() {
        fs::write(&path, &expected).unwrap();
    }
    assert!(text(&path) == expected, "run `BLESS=1 cargo test -p sectile-cli --all-features shared`");
    assert!(expected.len() < 1 << 20, "{} bytes", expected.len());
    let is_missing = |code: &&str| !expected.contains(&format!(r#"\"code\":\"{code}\""#));
    let missing: Vec<_> = select::expected_codes().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:?} occur in no case: run `cargo xtask shared`");
}

fn blesses() -> bool {
    env::var_os("BLESS").is_some()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n")
}

#[test]
fn documents_are_those_of_the_command() {
    let manifest = Manifest::parse(&text(&cases()));
    let mut compared = 0;
    for case in &manifest.cases {
        let Some(arguments) = command(case) else { continue };
        let run = run_with_input(arguments.iter().map(String::as_str).chain(["-"]), &manifest.input(case));
        assert_eq!(run.text().strip_suffix('\n'), case.answer["document"].as_str(), "{arguments:?} {}", case.input);
        compared += 1;
    }
    assert!(compared >= 50, "{compared}");
}

/// The arguments for the command; `None` for operations that it lacks. It has the day from a variable.
fn command(case: &Case) -> Option<Vec<String>> {
    let mut arguments = match case.operation() {
        "read" => vec!["show"],
        "sections" => vec!["sections"],
        "inventory" => vec!["show", "--packages", "all"],
        "check" if !case.request.contains_key("day") => vec!["check"],
        _ => return None,
    };
    if let Some(policy) = case.request.get("policy").map(|policy| policy.as_str().unwrap()) {
        arguments.extend(["--policy", policy]);
    }
    arguments.push("--json");
    Some(arguments.into_iter().map(str::to_owned).collect())
}
