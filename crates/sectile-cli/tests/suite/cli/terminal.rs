//! Progress of long work, which only a terminal shows.

use std::fs::{self, File};

use super::push::push_command;
use super::{command, file};
use sectile_testing::binary::{custom, module};
use sectile_testing::registry::{Registry, error, start};
use sectile_testing::terminal;

/// The visible rest of the terminal output: the text after the last cleared line, and after the
/// final cursor position.
fn last_line(terminal_text: &str) -> &str {
    let cleared =
        ["\x1b[2K", "\x1b[K"].into_iter().filter_map(|clear| Some(terminal_text.rfind(clear)? + clear.len())).max();
    terminal_text[cleared.expect("something is cleared")..].trim_start_matches("\x1b[1A")
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
    let (status, table, terminal_text) = terminal::run(&mut audit, |child, terminal_text| {
        heard += 1;
        if heard > 1_000 {
            child.kill().unwrap(); // the expected text is missing
        }
        if !is_stopped && terminal_text.contains(" of 2 files") && terminal_text.contains(" binaries, 0 refused, ") {
            let process = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
            is_stopped = true;
        }
    });
    assert!(is_stopped && heard <= 1_000 && status.code() == Some(2), "{terminal_text:?}");
    assert!(terminal_text.contains(" a second") && !terminal_text.contains(" 0s left"), "{terminal_text:?}");
    assert!(
        last_line(&terminal_text).starts_with("sectile: stopped") && last_line(&terminal_text).ends_with("\r\n"),
        "{terminal_text:?}"
    );
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
        let (status, terminal_text) = terminal::run_to_end(audit.arg(directory.path()));
        assert_eq!(status.code(), Some(2), "{terminal_text:?}"); // it is not WebAssembly
        assert!(terminal_text.contains("b.wasm"), "{terminal_text:?}");
        assert_eq!(!terminal_text.contains(" a second"), is_alone, "{format}: {terminal_text:?}");
    }
}

#[test]
fn progress_is_hidden_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let takes_a_while = if cfg!(debug_assertions) { 1 << 25 } else { 1 << 30 }; // to be hashed
    File::create(directory.path().join("b.wasm")).unwrap().set_len(takes_a_while).unwrap();
    for option in ["--no-progress", "--quiet"] {
        let mut audit = command(["audit", "--hash", option]);
        let (status, _, terminal_text) = terminal::run(audit.arg(directory.path()), |_, _| {});
        assert!(
            status.code() == Some(2) && terminal_text.starts_with("sectile: 0 of 1 binary refused"),
            "{option}: {terminal_text:?}"
        );
    }
    let mut audit = command(["audit", "--hash"]);
    audit.env("SECTILE_NO_PROGRESS", "1").arg(directory.path());
    let terminal_text = terminal::run(&mut audit, |_, _| {}).2;
    assert!(terminal_text.starts_with("sectile: 0 of 1 binary refused"), "{terminal_text:?}");
    let (directory, path) = file(&module(&[custom("note", vec![7; 3 << 20])]));
    let (server, _) = start(Registry::default(), |_| None);
    let to = format!("{}/app:1", server.address);
    for option in ["--no-progress", "--quiet"] {
        let (status, _, terminal_text) =
            terminal::run(&mut push_command(directory.path(), &path, &to, &[option]), |_, _| {});
        assert_eq!((status.code(), &*terminal_text), (Some(0), ""), "{option}");
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
        terminal::run(&mut push_command(directory.path(), &path, &to, &[]), |_, _| {})
    };
    let (status, out, terminal_text) = push("taken");
    assert!(status.success() && out.starts_with(server.address.to_string().as_bytes()), "{terminal_text:?}");
    for percent in ["\rpushing:   0 % of 3.1 MB", "\rpushing:  50 % of 3.1 MB", "\rpushing: 100 % of 3.1 MB"] {
        assert_eq!(terminal_text.matches(percent).count(), 1, "{terminal_text:?}");
    }
    assert_eq!(last_line(&terminal_text), "");
    let (status, _, terminal_text) = push("refused");
    assert!(status.code() == Some(2) && last_line(&terminal_text).starts_with("sectile: "), "{terminal_text:?}");
    // Short work shows no progress.
    fs::write(&path, module(&[custom("note", vec![7; 1 << 10])])).unwrap();
    let (status, _, terminal_text) = push("small");
    assert_eq!((status.code(), &*terminal_text), (Some(0), ""));
}
