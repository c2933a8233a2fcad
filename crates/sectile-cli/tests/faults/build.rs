//! The metadata of a binary that Cargo built: every system call that writes it, with each fault.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tempfile::TempDir;

use crate::matrix::{ELSEWHERE, Fault, faults};
use crate::modes::source;
use crate::stage::{Ended, directory};
use crate::trace::calls;

/// A package that is built, and a stand-in for Cargo, which links the second name to the first if it
/// is another file, as Cargo does.
struct Package {
    directory: TempDir,
}

const MAIN: &str = "target/deps/a.wasm";
const OTHER: &str = "target/a.wasm";
const ORIGINAL: &str = "target/deps/.sectile/a.wasm";

impl Package {
    fn new() -> Self {
        let package = Self { directory: directory() };
        fs::create_dir_all(package.path("target/deps")).unwrap();
        fs::write(package.path("target/.cargo-lock"), "").unwrap();
        fs::write(package.path("Cargo.toml"), "[package]\nname = \"a\"\nversion = \"1.0.0\"\nlicense = \"ISC\"\n")
            .unwrap();
        fs::write(package.path(MAIN), source()).unwrap();
        fs::hard_link(package.path(MAIN), package.path(OTHER)).unwrap();
        let root = package.directory.path().display();
        let message = format!(
            "{{\"reason\":\"compiler-artifact\",\"package_id\":\"path+file:///a#1.0.0\",\"manifest_path\":\"{root}/Cargo.toml\",\
             \"target\":{{\"crate_types\":[\"bin\"],\"kind\":[\"bin\"]}},\"filenames\":[\"{root}/{OTHER}\"],\"fresh\":true}}"
        );
        let link = format!("[ {MAIN} -ef {OTHER} ] || ln -f {MAIN} {OTHER}");
        let finished = "{\"reason\":\"build-finished\",\"success\":true}";
        fs::write(package.path("cargo"), format!("#!/bin/sh\n{link}\nprintf '%s\\n' '{message}' '{finished}'\n"))
            .unwrap();
        fs::set_permissions(package.path("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        package
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the command, under strace if there are options for it.
    fn build(&self, strace: &[&str]) -> Ended {
        let program = env!("CARGO_BIN_EXE_cargo-sectile");
        let mut command = Command::new(if strace.is_empty() { program } else { "strace" });
        if !strace.is_empty() {
            command.args(["-qq", "-o"]).arg(self.path("log")).args(strace).arg(program);
        }
        command.args(["sectile", "--no-git", "build"]).current_dir(self.directory.path());
        command.env("CARGO", self.path("cargo")).env_remove("SOURCE_DATE_EPOCH").env_remove("LD_LIBRARY_PATH");
        Ended::of(command.output().unwrap())
    }

    fn content(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path(name)).ok()
    }

    /// Asserts a finished build: both names are links of the new file, and only the original is kept.
    /// An earlier build that was killed may have left temporary files beside the original.
    fn is_finished(&self, new: &[u8], is_after_kill: bool) -> Result<(), String> {
        let inode = |name: &str| self.path(name).metadata().unwrap().ino();
        let kept: Vec<_> =
            fs::read_dir(self.path("target/deps/.sectile")).unwrap().map(|it| it.unwrap().file_name()).collect();
        if self.content(MAIN).as_deref() != Some(new) || self.content(ORIGINAL) != Some(source()) {
            return Err("the file is not the new one, or the original is lost".to_owned());
        }
        if inode(MAIN) != inode(OTHER) {
            return Err("the names are not links of one file".to_owned());
        }
        let is_temporary = |name: &OsString| {
            let name = name.to_string_lossy();
            name.starts_with(".sectile-") && name.ends_with(".tmp") || name == "a.link"
        };
        if !kept.iter().all(|name| name == "a.wasm" || is_after_kill && is_temporary(name)) {
            return Err(format!("leftovers: {kept:?}"));
        }
        Ok(())
    }
}

/// The calls of a clean build that concern the target directory, each with its number among the
/// calls of its name.
fn writing_calls() -> (Vec<(String, usize)>, Vec<u8>) {
    let package = Package::new();
    let ended = package.build(&["-e", "trace=all"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let new = package.content(MAIN).unwrap();
    assert_ne!(new, source());
    package.is_finished(&new, false).unwrap();
    let log = fs::read_to_string(package.path("log")).unwrap();
    let target = package.path("target").display().to_string();
    let (mut counts, mut found, mut is_begun) = (HashMap::<String, usize>::new(), Vec::new(), false);
    for call in calls(&log) {
        let count = counts.entry(call.name.clone()).or_default();
        *count += 1;
        is_begun |= call.args.contains(&*target);
        if is_begun && !ELSEWHERE.contains(&&*call.name) {
            found.push((call.name, *count));
        }
    }
    (found, new)
}

/// Runs a build with a fault, and the next one without. Returns the problem.
fn check(call: &str, nth: usize, fault: Fault, new: &[u8]) -> Result<(), String> {
    let package = Package::new();
    let ended = package.build(&["-e", &format!("trace={call}"), "-e", &fault.injection(call, nth)]);
    let is_whole = |name| package.content(name).is_some_and(|content| content == source() || content == new);
    if !is_whole(MAIN) || !is_whole(OTHER) {
        return Err(format!("neither the old nor the new file: {ended:?}"));
    }
    match ended.status {
        Some(0) if package.content(OTHER).as_deref() != Some(new) => {
            return Err(format!("success, and the file is not the new one: {ended:?}"));
        }
        Some(2) if ended.stderr.is_empty() => return Err("failure without a message".to_owned()),
        Some(0 | 2) | None => {}
        // The standard library panics if a directory cannot be closed.
        Some(101) if call == "close" && ended.stderr.contains("closedir") => {}
        Some(_) => return Err(format!("another status: {ended:?}")),
    }
    let next = package.build(&[]);
    if next.status != Some(0) {
        return Err(format!("the next build: {next:?}, after {ended:?}"));
    }
    package
        .is_finished(new, fault == Fault::Kill)
        .map_err(|problem| format!("after the next build: {problem}; {ended:?}"))
}

#[test]
#[ignore = "needs strace"]
fn at_every_system_call_a_built_binary_is_old_or_new() {
    let (calls, new) = writing_calls();
    let cases: Vec<(&str, usize, Fault)> =
        calls.iter().flat_map(|(call, nth)| faults(call).into_iter().map(|fault| (&**call, *nth, fault))).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(&(call, nth, fault)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = check(call, nth, fault, &new) {
                        wrong.lock().unwrap().push(format!("{call} #{nth}, {fault:?}: {problem}"));
                    }
                }
            });
        }
    });
    println!("{} cases", cases.len());
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(cases.len() > 100 && wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
