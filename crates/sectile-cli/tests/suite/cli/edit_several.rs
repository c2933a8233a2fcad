//! Editing commands that take several files.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use super::{Run, command, run, run_with_input};
use sectile_testing::binary::{custom, module};

/// A directory with these binaries, as `0.wasm` and so on.
fn binaries(sources: &[Vec<u8>]) -> (TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..sources.len()).map(|n| directory.path().join(format!("{n}.wasm"))).collect();
    for (path, source) in paths.iter().zip(sources) {
        fs::write(path, source).unwrap();
    }
    (directory, paths)
}

fn run_on(before: &[&str], paths: &[PathBuf], after: &[&str]) -> Run {
    let paths = paths.iter().map(OsString::from);
    run(before.iter().map(OsString::from).chain(paths).chain(after.iter().map(OsString::from)))
}

#[test]
fn each_file_is_edited() {
    let source = module(&[custom("a", "1"), custom(".debug_info", ""), custom("version", "1")]);
    for (before, after, expected) in [
        (
            &["set"][..],
            &["--version", "2"][..],
            [custom("a", "1"), custom(".debug_info", ""), custom("version", "2")].to_vec(),
        ),
        (&["strip"], &[], vec![custom("a", "1"), custom("version", "1")]),
        (&["unset", "--field", "version"], &[], vec![custom("a", "1"), custom(".debug_info", "")]),
        (&["remove", "--section", "a", "--section", ".debug*"], &[], vec![custom("version", "1")]),
        (&["remove", "--section=a"], &["--section", ".debug*"], vec![custom("version", "1")]),
        (
            &["put", "--section", "a", "--data", "2"],
            &[],
            vec![custom("a", "2"), custom(".debug_info", ""), custom("version", "1")],
        ),
    ] {
        for files in [1, 3] {
            let (_directory, paths) = binaries(&vec![source.clone(); files]);
            let ran = run_on(before, &paths, &[after, &["--json"]].concat());
            assert_eq!((ran.status, &*ran.stderr), (0, ""), "{before:?}");
            let lines: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            for (line, path) in lines.iter().zip(&paths) {
                assert_eq!((line["file"].as_str(), &line["written"]), (path.to_str(), &true.into()));
                assert_eq!(fs::read(path).unwrap(), module(&expected), "{before:?}");
            }
            assert_eq!(lines.len(), files);
        }
    }
}

#[test]
fn the_exit_status_is_the_worst_of_all_files() {
    let good = module(&[custom("a", "")]);
    let (_directory, paths) = binaries(&[good.clone(), b"no wasm".to_vec(), good]);
    let ran = run_on(&["set"], &paths, &["--licenses", "MIT"]);
    assert_eq!((ran.status, ran.stderr.lines().count()), (2, 1), "{}", ran.stderr);
    for path in [&paths[0], &paths[2]] {
        assert_eq!(fs::read(path).unwrap(), module(&[custom("a", ""), custom("licenses", "MIT")]));
    }
    assert_eq!(run_on(&["remove", "--section", "b"], &[paths[0].clone(), paths[2].clone()], &[]).status, 1);
    assert_eq!(run_on(&["remove", "--section", "b"], &paths, &[]).status, 2);
}

#[test]
fn a_closed_pipe_does_not_stop_the_edits() {
    let (_directory, paths) = binaries(&vec![module(&[]); 20]);
    let args = ["set", "--licenses", "MIT"].map(OsString::from).into_iter().chain(paths.iter().map(OsString::from));
    let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    for path in &paths {
        assert_eq!(fs::read(path).unwrap(), module(&[custom("licenses", "MIT")]), "{}", path.display());
    }
}

#[test]
fn a_section_name_is_not_mistaken_for_a_file() {
    let (_directory, paths) = binaries(&[module(&[custom("version", "1")]), module(&[])]);
    let ran = run_on(&["unset"], &paths, &["version"]);
    assert_eq!((ran.status, ran.text()), (2, ""));
    assert!(ran.stderr.contains("invalid value") && ran.stderr.contains("[possible values: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("sectile unset --help") || ran.stderr.contains("try '--help'"), "{}", ran.stderr);
    assert_eq!(fs::read(&paths[0]).unwrap(), module(&[custom("version", "1")]));
    let ran = run_on(&["unset"], &paths[..1], &["versoin"]);
    assert!(ran.status == 2 && ran.stderr.contains("'version'"), "{}", ran.stderr);
    let put = run_on(&["put"], &paths, &["note", "--data", "x"]);
    assert!(put.status == 2 && put.stderr.contains("unexpected argument"), "{}", put.stderr);
    for (command, rest) in [("unset", &[][..]), ("remove", &[]), ("put", &["--data", "x"])] {
        let ran = run_on(&[command], &paths[..1], rest);
        assert!(ran.status == 2 && ran.stderr.contains("Usage: sectile "), "{}", ran.stderr);
    }
    let hostile = run([OsStr::new("unset"), paths[0].as_os_str(), OsStr::new("\x1b[2J")]);
    assert!(hostile.status == 2 && !hostile.stderr.contains('\x1b'), "{:?}", hostile.stderr);
}

#[test]
fn an_output_file_is_for_one_file() {
    let (directory, paths) = binaries(&[module(&[]), module(&[])]);
    let out = directory.path().join("out.wasm");
    for command in [&["strip"][..], &["set", "--vendor", "v"], &["remove", "--section", "a"]] {
        let ran = run_on(command, &paths, &["-o", out.to_str().unwrap()]);
        assert!(ran.status == 2 && ran.stderr.contains("--output takes one FILE"), "{}", ran.stderr);
        assert!(!out.exists());
    }
}

#[test]
fn data_from_standard_input_goes_into_each_file() {
    let (_directory, paths) = binaries(&[module(&[]), module(&[])]);
    let args = ["put", "--section", "note", "--data-file", "-"].map(OsString::from);
    let ran = run_with_input(args.into_iter().chain(paths.iter().map(OsString::from)), b"data");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for path in &paths {
        assert_eq!(fs::read(path).unwrap(), module(&[custom("note", "data")]));
    }
}
