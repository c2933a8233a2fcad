//! The project's tasks. `cargo xtask` lists them.

mod ci;
mod context;
mod fuzz;
mod process;
mod steps;
mod tools;
mod words;

use std::env;
use std::process::ExitCode;

use process::{Run, cargo, program};

const USAGE: &str = "\
Tasks of the project:

  cargo xtask check [-p CRATE]      format, clippy and tests of one crate, or of all
  cargo xtask test [-p CRATE] ARG…  tests of one crate, or of all, with all features; ARGs go to `cargo test`
  cargo xtask fuzz TARGET [SECONDS] run a fuzz target from its seeds and corpus; 60 seconds by default
  cargo xtask readers CASES [SEED]  compare audits with the files that other programs extract from CASES inconsistent archives
  cargo xtask bench NAME ARG…       run a bench; ARGs go to it
  cargo xtask inventory             fetch packages and write the table of docs/inventory.md
  cargo xtask shared                write tests/shared/cases.json from the inputs of the core's tests
  cargo xtask words [PATH…]         list phrases that the style rules forbid, in these paths or all that CI checks
  cargo xtask api                   write api/CRATE.txt, the public interface of each crate
  cargo xtask ci [STEP…]            run the checks that a change must pass: all steps, or some
  cargo xtask ci --list             list the steps
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["check"] => check(None),
        ["check", "-p", krate] => check(Some(krate)),
        ["test", "-p", krate, ref rest @ ..] => test(&["-p", krate], rest),
        ["test", ref rest @ ..] => test(&["--workspace"], rest),
        ["fuzz", target] => fuzz::run(target, 60),
        ["fuzz", target, seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::run(target, seconds),
            Err(_) => Err(format!("`{seconds}` is not a number of seconds")),
        },
        ["readers", cases] => readers(cases, "1"),
        ["readers", cases, seed] => readers(cases, seed),
        ["bench", name, ref rest @ ..] => bench(name, rest),
        ["inventory"] => inventory(),
        ["shared"] => shared(),
        ["words", ref paths @ ..] => words::check(paths),
        ["api"] => tools::write_api(),
        ["ci", "--list"] => {
            ci::list();
            Ok(())
        }
        ["ci", ref steps @ ..] => ci::run(steps),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn check(krate: Option<&str>) -> Result<(), String> {
    let selection = krate.map_or(vec!["--workspace"], |krate| vec!["-p", krate]);
    let format = krate.map_or(vec!["fmt", "--all", "--check"], |krate| vec!["fmt", "-p", krate, "--check"]);
    cargo(&format).run()?;
    let clippy = [&["clippy"], &selection[..], &["--all-targets", "--all-features", "--", "-D", "warnings"]].concat();
    cargo(&clippy).run()?;
    test(&selection, &[])
}

fn test(selection: &[&str], rest: &[&str]) -> Result<(), String> {
    cargo(&[&["test", "--all-features"], selection, rest].concat()).run()
}

/// A campaign. Libraries extract every case, programs one in 50.
fn readers(cases: &str, seed: &str) -> Result<(), String> {
    let mut command = cargo(&["test", "-p", "sectile-audit", "--all-features", "--test", "readers"]);
    command.args(["--", "--ignored", "--nocapture", "other_tools_extract_only"]);
    command.env("SECTILE_READERS_CASES", cases).env("SECTILE_READERS_SEED", seed).env("SECTILE_READERS_SAMPLE", "50");
    command.run()
}

/// Fetches about 200 MB.
fn inventory() -> Result<(), String> {
    cargo(&["build", "-p", "sectile-cli", "--all-features"]).run()?;
    program("benches/inventory/table", &["target/debug/sectile"]).run()
}

/// Records the inputs of the core's tests and fuzz seeds, and selects the cases that every binding runs.
fn shared() -> Result<(), String> {
    let directory = env::current_dir().map_err(|error| error.to_string())?.join("target/recorded-inputs");
    let mut record = cargo(&["test", "-p", "sectile", "--all-features", "--test", "suite"]);
    record.env("SECTILE_RECORD_INPUTS", &directory);
    record.run()?;
    let mut select = cargo(&["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "shared::"]);
    select.env("SECTILE_RECORD_INPUTS", &directory).env("BLESS", "1");
    select.run()
}

fn bench(name: &str, rest: &[&str]) -> Result<(), String> {
    let krate = match name {
        "audit" | "columns" | "inside" | "packages" | "rejudge" | "remote" | "requests" => "sectile-audit",
        "build" => "sectile-cli",
        "gate" => "sectile-policy",
        "matching" => "sectile-advisories",
        _ => "sectile-benches",
    };
    cargo(&[&["bench", "--all-features", "-p", krate, "--bench", name, "--"], rest].concat()).run()
}
