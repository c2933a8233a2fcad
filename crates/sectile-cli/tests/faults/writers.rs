//! Concurrent writers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sectile::splice::{WriteError, WriteOptions};
use sectile::{Edit, Field, Input};

use crate::modes::source;
use crate::mounted::Mounted;
use crate::stage::{Ended, Stage, sectile, through};

const AUTHORS: [&str; 5] = ["set", "a.wasm", "--no-sync", "--authors", "some more than the old authors"];
const LICENSES: [&str; 5] = ["set", "a.wasm", "--no-sync", "--licenses", "0BSD"];

fn start(stage: &Stage, args: &[&str]) -> std::process::Child {
    let mut command = sectile();
    command.args(args).current_dir(stage.directory()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn edited(edits: &[&[&str]]) -> Vec<u8> {
    let stage = Stage::plain();
    for edit in edits {
        stage.run(edit).succeeds();
    }
    stage.content("a.wasm").unwrap()
}

#[test]
fn concurrent_edits_succeed_or_report_the_conflict() {
    let (authors, licenses) = (edited(&[&AUTHORS]), edited(&[&LICENSES]));
    let both = edited(&[&AUTHORS, &LICENSES]);
    assert_eq!(both, edited(&[&LICENSES, &AUTHORS]));
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    let mut looks = 0;
    for round in 0..450 {
        let in_place = [round % 3 > 0, round % 3 > 1];
        let with =
            |args: [&'static str; 5], in_place| [&args[..], if in_place { &["--in-place"] } else { &[] }].concat();
        let stage = Stage::plain();
        let is_over = AtomicBool::new(false);
        let [first, second] = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let (mut seen, mut looks) = (Vec::new(), 0);
                while !is_over.load(Ordering::Relaxed) {
                    seen.extend(stage.content("a.wasm").filter(|content| seen.last() != Some(content)));
                    looks += 1;
                }
                (seen, looks)
            });
            let running = [start(&stage, &with(AUTHORS, in_place[0])), start(&stage, &with(LICENSES, in_place[1]))];
            let ended = running.map(|child| Ended::of(child.wait_with_output().unwrap()));
            is_over.store(true, Ordering::Relaxed);
            let (seen, looked) = reader.join().unwrap();
            looks += looked;
            if in_place == [false, false] {
                // Every concurrent reader, at any time.
                let known = [&source(), &authors, &licenses, &both];
                assert!(seen.iter().all(|content| known.contains(&content)), "round {round}");
            }
            ended
        });
        for ended in [&first, &second] {
            let meets =
                ["is being edited by another process", "was changed by another process", "or for another state of it"];
            let is_told = meets.iter().any(|why| ended.stderr.contains(why));
            assert!(ended.status == Some(0) || ended.status == Some(2) && is_told, "round {round} {ended:?}");
        }
        let expected = match (first.status, second.status) {
            (Some(0), Some(0)) => &both,
            (Some(0), _) => &authors,
            (_, Some(0)) => &licenses,
            _ => panic!("round {round}: {first:?} {second:?}"),
        };
        assert!(stage.content("a.wasm").as_ref() == Some(expected), "round {round} {first:?} {second:?}");
        assert!(stage.leftovers().is_empty(), "round {round} {:?}", stage.leftovers());
        *counts.entry((in_place, first.status, second.status)).or_default() += 1;
    }
    println!("{counts:?}, {looks} looks");
    assert!(looks > 450, "{looks}");
}

/// Timestamps of many file systems have ticks of some milliseconds. A file may be edited many times
/// within one tick.
#[test]
fn an_in_place_edit_within_a_clock_tick_is_detected() {
    edit_is_detected_in(Stage::plain().directory());
}

/// Newer kernels have finer timestamps for some file systems, but not for this one.
#[test]
#[ignore = "needs root"]
fn an_in_place_edit_is_detected_with_coarse_timestamps() {
    edit_is_detected_in(Mounted::made_by("mkfs.ext2", &["-q", "-I", "256"], 4 << 20).path());
}

fn edit_is_detected_in(directory: &Path) {
    let path = directory.join("a.wasm");
    let edit = |licenses| Edit::new().set(Field::Licenses, licenses).unwrap();
    for round in 0..300 {
        fs::write(&path, source()).unwrap();
        let plan = |licenses| edit(licenses).plan_input(&Input::open(&path).unwrap()).unwrap().into_plan();
        let (first, second) = (plan("ISC"), plan("MIT OR Apache-2.0"));
        let options = WriteOptions { sync: false, ..WriteOptions::default() };
        first.write_in_place(&path, options).unwrap();
        let refused =
            if round % 2 == 0 { second.replace(&path, options) } else { second.write_in_place(&path, options) };
        assert!(matches!(refused, Err(WriteError::OtherSource)), "round {round} {refused:?}");
    }
}

/// A process that is being started temporarily inherits all open files.
#[test]
fn child_processes_do_not_inherit_the_lock() {
    let stage = Stage::plain();
    let path = stage.path("a.wasm");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::process::Command::new("true").status().unwrap();
                }
            });
        }
        let results: Vec<_> = (0..1500)
            .map(|round| {
                let edit = Edit::new().set(Field::Licenses, ["ISC", "MIT"][round % 2]).unwrap();
                let planned = edit.plan_input(&Input::open(&path).unwrap()).unwrap();
                planned.plan().write_in_place(&path, WriteOptions { sync: false, ..WriteOptions::default() })
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
}

/// The way in which another process changes the file.
#[derive(Clone, Copy, Debug)]
enum Change {
    Rewrite,
    Replace,
    Remove,
}

#[test]
#[ignore = "needs strace"]
fn a_file_changed_before_the_rename_is_not_replaced() {
    // Leaves time to change the file: the command waits before its first sync, after everything is
    // written.
    let wait = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=900000:when=1"];
    let theirs = crate::modes::OTHER;
    thread::scope(|scope| {
        for change in [Change::Rewrite, Change::Replace, Change::Remove] {
            for how in [&[][..], &["--in-place"], &["-o", "out.wasm"], &["-o", "new.wasm"]] {
                scope.spawn(move || {
                    let stage = Stage::plain();
                    fs::write(stage.path("out.wasm"), b"there already").unwrap();
                    let args = [&["set", "a.wasm", "--licenses", "ISC"], how].concat();
                    let mut strace = through("strace", &wait);
                    strace.args(&args).current_dir(stage.directory()).stdout(Stdio::piped()).stderr(Stdio::piped());
                    let child = strace.spawn().unwrap();
                    while stage.leftovers().is_empty() {
                        thread::sleep(Duration::from_millis(1));
                    }
                    thread::sleep(Duration::from_millis(200));
                    let path = stage.path("a.wasm");
                    match change {
                        Change::Rewrite => fs::write(&path, theirs).unwrap(),
                        Change::Replace => {
                            fs::write(stage.path("theirs"), theirs).unwrap();
                            fs::rename(stage.path("theirs"), &path).unwrap();
                        }
                        Change::Remove => fs::remove_file(&path).unwrap(),
                    }
                    let ended = Ended::of(child.wait_with_output().unwrap());
                    if matches!(change, Change::Remove) && !how.contains(&"-o") {
                        ended.refused("No such file");
                    } else {
                        ended.refused("was changed by another process");
                    }
                    let expected = if matches!(change, Change::Remove) { None } else { Some(theirs.to_vec()) };
                    assert_eq!(stage.content("a.wasm"), expected, "{change:?} {how:?}");
                    assert_eq!(stage.content("out.wasm").unwrap(), b"there already", "{change:?} {how:?}");
                    assert!(stage.leftovers().is_empty(), "{change:?} {how:?} {:?}", stage.leftovers());
                });
            }
        }
    });
}

#[test]
#[ignore = "needs strace"]
fn an_output_created_during_the_write_is_not_replaced() {
    let wait = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=900000:when=1"];
    let stage = Stage::plain();
    let mut strace = through("strace", &wait);
    strace.args(["set", "a.wasm", "--licenses", "ISC", "-o", "new.wasm"]).current_dir(stage.directory());
    let child = strace.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while stage.leftovers().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    fs::write(stage.path("new.wasm"), b"of another process").unwrap();
    Ended::of(child.wait_with_output().unwrap()).refused("File exists");
    assert_eq!(stage.content("new.wasm").unwrap(), b"of another process");
    assert_eq!(stage.leftovers(), ["new.wasm"]);
}
