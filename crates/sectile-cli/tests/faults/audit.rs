//! A full disk and a file size limit while an audit writes its report. The previous report stays
//! intact. Also, threads that the system refuses to create.

use std::fs;

use crate::mounted::Mounted;
use crate::stage::{Stage, end, names, sectile, through};
use sectile_testing::binary::{custom, module};

/// A directory with this number of binaries.
fn store(stage: &Stage, binaries: usize) {
    fs::create_dir(stage.path("store")).unwrap();
    for nth in 0..binaries {
        let bytes = module(&[custom("licenses", "nonsense"), custom("description", vec![b'x'; 300])]);
        fs::write(stage.path(&format!("store/{nth:04}.wasm")), bytes).unwrap();
    }
}

const FORMATS: [&str; 5] = ["table", "jsonl", "csv", "sarif", "html"];

#[test]
fn a_report_over_the_file_size_limit_keeps_the_old_one() {
    let stage = Stage::plain();
    store(&stage, 200);
    let mut failed = 0;
    for format in FORMATS {
        for limit in [0, 1, 700, 4_096, 50_000] {
            fs::write(stage.path("answer"), "the old one").unwrap();
            let limit = format!("--fsize={limit}");
            let args = ["audit", "store", "--format", format, "-o", "answer"];
            let ended = end(through("prlimit", &[&limit]).args(args).current_dir(stage.directory()));
            if ended.status == Some(1) {
                assert_ne!(fs::read(stage.path("answer")).unwrap(), b"the old one");
            } else {
                ended.refused("File too large");
                assert_eq!(fs::read(stage.path("answer")).unwrap(), b"the old one", "{format} {limit}");
                failed += 1;
            }
            let mut leftovers = stage.leftovers();
            leftovers.retain(|name| !["answer", "store"].contains(&&**name));
            assert!(leftovers.is_empty(), "{format} {limit} {leftovers:?}");
        }
    }
    assert!(failed > 15, "{failed}");
}

#[test]
fn failure_to_start_threads_is_an_error() {
    let stage = Stage::plain();
    store(&stage, 3);
    let ended = end(sectile()
        .args(["audit", "store"])
        .env("RUST_MIN_STACK", (1_u64 << 46).to_string())
        .current_dir(stage.directory()));
    ended.refused("Resource temporarily unavailable");
}

/// The first look at the root succeeds, and that of the walk, in another thread, fails.
#[test]
#[ignore = "needs strace"]
fn a_root_that_cannot_be_examined_is_unreadable() {
    for error in ["EIO", "EACCES"] {
        let stage = Stage::plain();
        store(&stage, 3);
        let log = stage.path("log");
        let inject = format!("inject=statx:error={error}:when=1");
        let strace = ["-f", "-y", "-qq", "-o", log.to_str().unwrap(), "-e", "trace=statx", "-e", &inject];
        let args = ["audit", "store", "--format", "jsonl", "-o", "report"];
        let ended = end(through("strace", &strace).args(args).current_dir(stage.directory()));
        let log = fs::read_to_string(log).unwrap();
        assert!(log.lines().any(|line| line.contains("\"store\"") && line.contains("(INJECTED)")), "{log}");
        let report = fs::read_to_string(stage.path("report")).unwrap();
        assert!(ended.status == Some(2) && report.contains("\"code\":\"unreadable\""), "{ended:?} {report}");
    }
}

#[test]
#[ignore = "needs root"]
fn a_report_on_a_full_disk_keeps_the_old_one() {
    let stage = Stage::plain();
    store(&stage, 400);
    let mounted = Mounted::in_memory("32k");
    for format in FORMATS.into_iter().filter(|format| *format != "table") {
        fs::write(mounted.path().join("answer"), "the old one").unwrap();
        let answer = mounted.path().join("answer");
        let args = ["audit", "store", "--format", format, "-o"];
        let ended = end(sectile().args(args).arg(&answer).current_dir(stage.directory()));
        ended.refused("No space left on device");
        assert_eq!(fs::read(&answer).unwrap(), b"the old one", "{format}");
        assert_eq!(names(mounted.path()), ["answer"], "{format}");
    }
}

/// Timestamps of this file system have a resolution of one second. A file that may still change
/// within its second has no fingerprint, so a later audit reads it again.
#[test]
#[ignore = "needs root"]
fn coarse_timestamps_delay_the_reuse_of_rows() {
    let mounted = Mounted::made_by("mkfs.ext2", &["-q", "-I", "128"], 4 << 20);
    let stage = Stage::plain();
    let store = mounted.path().to_str().unwrap();
    let file = mounted.path().join("a.wasm");
    let state = |report: &str| {
        let text = fs::read_to_string(stage.path(report)).unwrap();
        let row = text.lines().nth(1).unwrap().to_owned();
        (serde_json::from_str::<serde_json::Value>(&row).unwrap()["state"].clone(), row)
    };
    for round in 0..20 {
        let license = |name: &str| module(&[custom("licenses", name)]);
        fs::write(&file, license("MIT")).unwrap();
        stage.run(&["audit", store, "--format", "jsonl", "-o", "first"]).succeeds();
        fs::write(&file, license("ISC")).unwrap();
        stage.run(&["audit", store, "--format", "jsonl", "-o", "second", "--since", "first"]).succeeds();
        assert!(state("first").0.is_null(), "{round}");
        assert!(state("second").1.contains("\"licenses\":\"ISC\""), "{round} {}", state("second").1);
    }
    std::thread::sleep(std::time::Duration::from_millis(3_100));
    stage.run(&["audit", store, "--format", "jsonl", "-o", "third"]).succeeds();
    assert!(state("third").0.is_string());
    let since = stage.run(&["audit", store, "--format", "jsonl", "--since", "third"]).succeeds();
    assert!(since.stdout.contains(",\"bytes_read\":0,\"archives\""), "{}", since.stdout);
}
