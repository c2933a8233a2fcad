//! Standard input and output, and commands that only show.

use std::fs;

use crate::modes::{MODES, source};
use crate::stage::{Stage, through};
use crate::trace::calls;

fn edited() -> Vec<u8> {
    MODES[0].result()
}

#[test]
fn a_failed_standard_output_does_not_hide_the_write() {
    let stage = Stage::plain();
    stage
        .shell(r#""$0" set a.wasm --licenses "MIT OR Apache-2.0" > /dev/full"#)
        .refused("the file is written, but not reported");
    assert_eq!(stage.content("a.wasm"), Some(edited()));
    stage.shell(r#""$0" set a.wasm --licenses MIT >&-"#).succeeds();
    assert_eq!(stage.content("a.wasm"), Some(source()));
    stage
        .shell(r#""$0" oci layout a.wasm -o layout > /dev/full"#)
        .refused("the image is in the layout, but not reported");
    // Nothing was written, and the message does not claim so.
    let ended = stage.shell(r#""$0" set a.wasm --licenses MIT > /dev/full"#).refused("cannot write standard output");
    assert!(!ended.stderr.contains("the file is written"));
    // A reader that closes the pipe early does not cause a failure.
    stage.shell(r#"{ "$0" set a.wasm --licenses ISC; echo $? >&3; } 3>status | true"#).succeeds();
    assert_eq!(stage.content("status").unwrap(), b"0\n");
}

#[test]
fn a_partial_standard_output_is_a_failure() {
    let stage = Stage::plain();
    stage.shell(r#""$0" set a.wasm --licenses "MIT OR Apache-2.0" -o - > out.wasm"#).succeeds();
    assert_eq!(stage.content("out.wasm"), Some(edited()));
    stage.shell(r#""$0" set - --licenses "MIT OR Apache-2.0" -o - < a.wasm > out.wasm"#).succeeds();
    assert_eq!(stage.content("out.wasm"), Some(edited()));
    stage.shell(r#""$0" set a.wasm --licenses ISC -o - > /dev/full"#).refused("cannot write standard output: No space");
    // Unlike a list, a partial binary is useless.
    let script = r#"{ "$0" put a.wasm big --data-file big -o - 2> said; echo $? > status; } | head -c 10"#;
    fs::write(stage.path("big"), vec![b'x'; 1 << 20]).unwrap();
    stage.shell(script).succeeds();
    assert_eq!(stage.content("status").unwrap(), b"2\n");
    assert_eq!(stage.content("said").unwrap(), b"", "a closed pipe is quiet");
    assert_eq!(stage.content("a.wasm"), Some(source()));
}

#[test]
fn standard_input_is_not_changed() {
    let stage = Stage::plain();
    for how in ["", "--in-place"] {
        stage
            .shell(&format!(r#""$0" set - --licenses ISC {how} < a.wasm"#))
            .refused("standard input cannot be changed");
    }
    assert_eq!(stage.content("a.wasm"), Some(source()));
}

#[test]
fn a_binary_is_not_written_to_a_terminal() {
    let stage = Stage::plain();
    // `script` gives it a terminal, and captures the output.
    let ended = stage.shell(r#"script -qec "'$0' set a.wasm --licenses ISC -o -" /dev/null"#);
    assert!(ended.status == Some(2) && ended.stdout.contains("standard output is a terminal"), "{ended:?}");
    assert!(!ended.stdout.contains("\0asm"));
}

#[test]
#[ignore = "needs strace"]
fn a_dry_run_writes_nothing() {
    for command in
        [&["set", "a.wasm", "--licenses", "ISC"][..], &["strip", "a.wasm", "--all"], &["remove", "a.wasm", "*"]]
    {
        for how in [&["-n"][..], &["-n", "--in-place"], &["-n", "-o", "out.wasm"], &["-n", "-o", "a.wasm"]] {
            let stage = Stage::plain();
            let log = stage.path("log");
            let mut strace = through("strace", &["-f", "-qq", "-o", log.to_str().unwrap()]);
            let ended = crate::stage::end(strace.args(command).args(how).current_dir(stage.directory()));
            assert_eq!(ended.status, Some(0), "{ended:?}");
            let log = fs::read_to_string(log).unwrap();
            for call in calls(&log) {
                assert!(!call.is_write(), "{command:?} {how:?} {call:?}");
            }
            assert_eq!((stage.content("a.wasm"), stage.leftovers()), (Some(source()), vec!["log".to_owned()]));
        }
    }
}

/// Lines of concurrent programs must not mix.
#[test]
#[ignore = "needs strace"]
fn each_message_is_one_system_call() {
    let stage = Stage::plain();
    for args in [
        &["show", "missing\u{9b}.wasm", "a.wasm", "also-missing"][..],
        &["set", "a.wasm", "--licenses", "GPL-2.0", "-o", "-", "--json"],
        &["audit", "missing"],
    ] {
        let log = stage.path("log");
        let strace = ["-f", "-qq", "-e", "trace=write", "-o", log.to_str().unwrap()];
        let ended = crate::stage::end(through("strace", &strace).args(args).current_dir(stage.directory()));
        let writes = fs::read_to_string(&log).unwrap().matches("write(2, ").count();
        assert!(writes > 0 && writes == ended.stderr.lines().count(), "{args:?} {writes} {ended:?}");
    }
}
