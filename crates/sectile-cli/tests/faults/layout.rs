//! An image layout: the reads needed to write it, and its state after a kill.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::stage::{Ended, directory, end, sectile, through};
use crate::trace::calls;
use sectile_testing::binary::{custom, module, section};

const LAYOUT: [&str; 7] = ["oci", "layout", "a.wasm", "-o", "layout", "--ref", "new"];

/// The files of a layout by name, without those that a killed writer left.
fn files(at: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for directory in [at.to_owned(), at.join("blobs/sha256")] {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_file() && !name.starts_with(".sectile-") {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
#[ignore = "needs strace"]
fn a_file_is_read_once() {
    const LEN: usize = 69 << 20;
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let half = section(0, &[&[1, b'x'][..], &vec![7; LEN / 2]].concat());
    fs::write(at("a.wasm"), module(&[half.clone(), custom("version", "1.0.0"), half])).unwrap();
    let log = at("log");
    let strace =
        ["-f", "-qq", "-xx", "-s", "1", "-e", "trace=read,pread64,copy_file_range", "-o", log.to_str().unwrap()];
    end(through("strace", &strace).args(LAYOUT).arg("--no-sync").current_dir(directory.path())).succeeds();
    let calls = calls(&fs::read_to_string(&log).unwrap());
    let positioned: i64 = calls.iter().filter(|call| call.name == "pread64").map(|call| call.result).sum();
    let len = fs::metadata(at("a.wasm")).unwrap().len() as i64;
    assert!((len..len + (256 << 10)).contains(&positioned), "{positioned} bytes of {len}");
    let others: i64 = calls.iter().filter(|call| call.name == "read").map(|call| call.result.max(0)).sum();
    assert!(others < 1 << 20, "{others}");
    assert!(calls.iter().all(|call| call.name != "copy_file_range"));
}

#[test]
#[ignore = "needs strace"]
fn a_killed_layout_write_keeps_index_and_blobs_whole() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let run = |args: &[&str]| end(sectile().args(args).current_dir(directory.path()));
    fs::write(at("a.wasm"), module(&[custom("version", "1.0.0")])).unwrap();
    fs::write(at("b.wasm"), module(&[custom("version", "2.0.0")])).unwrap();
    run(&["oci", "layout", "b.wasm", "-o", "old", "--ref", "old"]).succeeds();
    let begin = |has_old: bool| {
        _ = fs::remove_dir_all(at("layout"));
        if has_old {
            assert!(
                end(std::process::Command::new("cp").args(["-r"]).args([at("old"), at("layout")])).status == Some(0)
            );
        }
    };
    let mut kills = 0;
    for has_old in [false, true] {
        begin(has_old);
        run(&LAYOUT).succeeds();
        let new = files(&at("layout"));
        const CALLS: [&str; 12] = [
            "mkdir",
            "mkdirat",
            "openat",
            "write",
            "read",
            "pread64",
            "fsync",
            "rename",
            "renameat",
            "renameat2",
            "flock",
            "close",
        ];
        for call in CALLS {
            for nth in 1.. {
                begin(has_old);
                let kill = format!("inject={call}:signal=KILL:when={nth}");
                let trace = format!("trace={call}");
                let Ended { status, .. } =
                    end(through("strace", &["-qq", "-o", "/dev/null", "-e", &trace, "-e", &kill])
                        .args(LAYOUT)
                        .current_dir(directory.path()));
                if status.is_some() {
                    break; // there are no more such calls
                }
                kills += 1;
                // Garbage collectors take every file there for a blob, and fail on other names.
                for entry in fs::read_dir(at("layout/blobs/sha256")).into_iter().flatten() {
                    let name = entry.unwrap().file_name();
                    assert!(name.len() == 64, "{name:?} after {call} {nth}");
                }
                let found = files(&at("layout"));
                for (name, bytes) in &found {
                    let is_old = || has_old && files(&at("old")).get(name) == Some(bytes);
                    assert!(new.get(name) == Some(bytes) || is_old(), "{name} after {call} {nth}");
                }
                if has_old {
                    run(&["show", "--image", "--verify", "oci:layout:old"]).succeeds();
                }
                if found.get("index.json") == new.get("index.json") {
                    run(&["show", "--image", "--verify", "oci:layout:new"]).succeeds();
                }
                // Leftover files do not disturb the next run.
                run(&LAYOUT).succeeds();
                assert_eq!(files(&at("layout")), new, "after {call} {nth}");
            }
        }
    }
    assert!(kills > 50, "{kills}");
}
