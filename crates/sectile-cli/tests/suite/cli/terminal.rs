//! Progress of long work, which only a terminal shows.

use std::fs::{self, File};

use super::push::pushing;
use super::{command, file};
use sectile_testing::binary::{custom, module};
use sectile_testing::registry::{Registry, error, start};
use sectile_testing::terminal;

/// The visible rest of the terminal output: the text after the last cleared line, and after the
/// final cursor position.
fn left(told: &str) -> &str {
    let cleared = ["\x1b[2K", "\x1b[K"].into_iter().filter_map(|clear| Some(told.rfind(clear)? + clear.len())).max();
    told[cleared.expect("something is cleared")..].trim_start_matches("\x1b[1A")
}

/// One file is so large that the audit is stopped before the file is hashed.
#[test]
fn an_audit_shows_its_progress() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.wasm"), module(&[custom("licenses", "MIT")])).unwrap();
    File::create(directory.path().join("b.wasm")).unwrap().set_len(1 << 40).unwrap();
    let mut audit = command(["audit", "--hash"]);
    audit.arg(directory.path());
    let (mut is_stopped, mut heard) = (false, 0);
    let (status, table, told) = terminal::run(&mut audit, |child, told| {
        heard += 1;
        if heard > 1_000 {
            child.kill().unwrap(); // the expected text is missing
        }
        if !is_stopped && told.contains(" of 2 files") && told.contains(" binaries, 0 refused, ") {
            let process = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
            is_stopped = true;
        }
    });
    assert!(is_stopped && heard <= 1_000 && status.code() == Some(2), "{told:?}");
    assert!(told.contains(" a second") && !told.contains(" 0s left"), "{told:?}");
    assert!(left(&told).starts_with("sectile: stopped") && left(&told).ends_with("\r\n"), "{told:?}");
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("stopped before its end") && !table.contains('\x1b'), "{table}");
}

/// Scrolling rows already show progress, and a bar between them would disturb.
#[test]
fn rows_on_a_terminal_hide_the_progress_bar() {
    let directory = tempfile::tempdir().unwrap();
    let takes_a_while = if cfg!(debug_assertions) { 1 << 25 } else { 1 << 30 }; // to be hashed
    File::create(directory.path().join("b.wasm")).unwrap().set_len(takes_a_while).unwrap();
    for (format, is_alone) in [("csv", true), ("jsonl", true), ("table", false)] {
        let mut audit = command(["audit", "--hash", "--format", format]);
        let (status, told) = terminal::run_wholly(audit.arg(directory.path()));
        assert_eq!(status.code(), Some(2), "{told:?}"); // it is not WebAssembly
        assert!(told.contains("b.wasm"), "{told:?}");
        assert_eq!(!told.contains(" a second"), is_alone, "{format}: {told:?}");
    }
}

#[test]
fn progress_is_hidden_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let takes_a_while = if cfg!(debug_assertions) { 1 << 25 } else { 1 << 30 }; // to be hashed
    File::create(directory.path().join("b.wasm")).unwrap().set_len(takes_a_while).unwrap();
    for option in ["--no-progress", "--quiet"] {
        let mut audit = command(["audit", "--hash", option]);
        let (status, _, told) = terminal::run(audit.arg(directory.path()), |_, _| {});
        assert!(status.code() == Some(2) && told.starts_with("sectile: 0 of 1 binary refused"), "{option}: {told:?}");
    }
    let mut audit = command(["audit", "--hash"]);
    audit.env("SECTILE_NO_PROGRESS", "1").arg(directory.path());
    let told = terminal::run(&mut audit, |_, _| {}).2;
    assert!(told.starts_with("sectile: 0 of 1 binary refused"), "{told:?}");
    let (directory, path) = file(&module(&[custom("note", vec![7; 3 << 20])]));
    let (server, _) = start(Registry::default(), |_| None);
    let to = format!("{}/app:1", server.address);
    for option in ["--no-progress", "--quiet"] {
        let (status, _, told) = terminal::run(&mut pushing(directory.path(), &path, &to, &[option]), |_, _| {});
        assert_eq!((status.code(), &*told), (Some(0), ""), "{option}");
    }
}

#[test]
fn a_push_shows_its_progress() {
    let (directory, path) = file(&module(&[custom("note", vec![7; 3 << 20])]));
    let (server, _) = start(Registry::default(), |request| {
        let is_refused = request.is("PUT", "/manifests/refused") && request.body.is_some();
        is_refused.then(|| error(403, "DENIED", "not here"))
    });
    let push = |tag: &str| {
        let to = format!("{}/app:{tag}", server.address);
        terminal::run(&mut pushing(directory.path(), &path, &to, &[]), |_, _| {})
    };
    let (status, out, told) = push("taken");
    assert!(status.success() && out.starts_with(server.address.to_string().as_bytes()), "{told:?}");
    for percent in ["\rpushing:   0 % of 3.1 MB", "\rpushing:  50 % of 3.1 MB", "\rpushing: 100 % of 3.1 MB"] {
        assert_eq!(told.matches(percent).count(), 1, "{told:?}");
    }
    assert_eq!(left(&told), "");
    let (status, _, told) = push("refused");
    assert!(status.code() == Some(2) && left(&told).starts_with("sectile: "), "{told:?}");
    // Short work shows no progress.
    fs::write(&path, module(&[custom("note", vec![7; 1 << 10])])).unwrap();
    let (status, _, told) = push("small");
    assert_eq!((status.code(), &*told), (Some(0), ""));
}
