//! Every system call of every mode, one at a time. The process is killed before the call, or the
//! call fails in each possible way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::modes::{MODES, Mode, Sink};
use crate::stage::{Ended, Stage};
use crate::trace::calls;

/// A fault injected into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before the call.
    Kill,
    /// The call fails once.
    Error(&'static str),
    /// The call and all later calls of its name fail.
    Errors(&'static str),
    /// The call does nothing and returns this value.
    Returns(&'static str),
}

#[derive(Clone, Copy, Debug)]
struct Case<'m> {
    mode: &'m Mode,
    call: &'m str,
    nth: usize,
    fault: Fault,
    /// The process is then killed while it undoes its changes.
    then_killed: Option<(&'m str, usize)>,
}

/// Calls unrelated to files.
pub const ELSEWHERE: [&str; 12] = [
    "execve",
    "mmap",
    "munmap",
    "mprotect",
    "madvise",
    "mremap",
    "brk",
    "sigaltstack",
    "rt_sigaction",
    "rt_sigprocmask",
    "exit_group",
    "ioctl",
];

/// The faults of a system call.
pub fn faults(call: &str) -> Vec<Fault> {
    use Fault::{Error, Errors, Kill, Returns};
    let faults: &[Fault] = match call {
        "openat" | "open" => &[
            Error("EACCES"),
            Error("EIO"),
            Error("ENOSPC"),
            Error("EINTR"),
            Error("EMFILE"),
            Error("EROFS"),
            Errors("EIO"),
        ],
        "read" | "pread64" => &[Error("EIO"), Error("EINTR"), Returns("0"), Errors("EIO")],
        // Standard output. The same call writes standard error, which must report the failure.
        "write" => &[Error("ENOSPC"), Error("EIO"), Error("EINTR"), Error("EPIPE"), Returns("0")],
        "pwrite64" => &[
            Error("ENOSPC"),
            Error("EIO"),
            Error("EINTR"),
            Error("EDQUOT"),
            Error("EFBIG"),
            Returns("0"),
            Errors("ENOSPC"),
        ],
        "copy_file_range" => &[
            Error("ENOSPC"),
            Error("EIO"),
            Error("EINTR"),
            Error("EXDEV"),
            Error("EOPNOTSUPP"),
            Error("EINVAL"),
            Error("EPERM"),
            Error("ENOSYS"),
            Error("ETXTBSY"),
            Returns("0"),
            Errors("EIO"),
            Errors("EOPNOTSUPP"),
        ],
        "fallocate" => &[Error("ENOSPC"), Error("EOPNOTSUPP"), Error("EINTR"), Error("EIO"), Error("EFBIG")],
        "ftruncate" => &[Error("EIO"), Error("EINTR"), Error("ENOSPC"), Error("EFBIG"), Errors("EIO")],
        "fsync" | "fdatasync" => &[Error("EIO"), Error("ENOSPC"), Error("EINTR"), Error("EINVAL"), Errors("EIO")],
        "rename" | "renameat" | "renameat2" | "link" | "linkat" => &[
            Error("EXDEV"),
            Error("EIO"),
            Error("ENOSPC"),
            Error("EACCES"),
            Error("EINTR"),
            Error("EINVAL"),
            Error("ENOSYS"),
            Error("EEXIST"),
        ],
        "unlink" | "unlinkat" => &[Error("EIO"), Error("EACCES"), Error("EINTR"), Errors("EIO")],
        "chmod" | "fchmod" | "fchown" | "utimensat" => {
            &[Error("EPERM"), Error("EIO"), Error("EOPNOTSUPP"), Error("EINTR")]
        }
        "flock" => {
            &[Error("EINTR"), Error("EAGAIN"), Error("ENOLCK"), Error("EOPNOTSUPP"), Error("ENOSYS"), Error("EIO")]
        }
        "fsetxattr" | "fgetxattr" | "flistxattr" | "fremovexattr" => {
            &[Error("EOPNOTSUPP"), Error("EIO"), Error("ENOSPC"), Error("EACCES"), Error("ERANGE")]
        }
        "fstat" | "stat" | "lstat" | "statx" | "newfstatat" => {
            &[Error("EIO"), Error("EACCES"), Error("ENOENT"), Errors("EIO")]
        }
        "close" => &[Error("EIO"), Error("EINTR"), Error("ENOSPC"), Errors("EIO")],
        "readlink" | "getcwd" => &[Error("EIO"), Error("EACCES"), Error("ENOENT")],
        "lseek" | "mkdir" | "mkdirat" => &[Error("EIO")],
        "getdents64" => &[Error("EIO"), Errors("EIO")],
        "wait4" | "geteuid" | "fcntl" | "getrandom" | "poll" | "futex" | "getpid" | "gettid" => &[],
        call => panic!("add the errors of {call} to this table"),
    };
    [Kill].into_iter().chain(faults.iter().copied()).collect()
}

impl Fault {
    pub fn injection(self, call: &str, nth: usize) -> String {
        match self {
            Self::Kill => format!("inject={call}:signal=KILL:when={nth}"),
            Self::Error(error) => format!("inject={call}:error={error}:when={nth}"),
            Self::Errors(error) => format!("inject={call}:error={error}:when={nth}+"),
            Self::Returns(value) => format!("inject={call}:retval={value}:when={nth}"),
        }
    }
}

/// Every call of a clean run after those of the loader, with each fault for it.
fn cases(mode: &Mode) -> Vec<Case<'_>> {
    let stage = Stage::of(mode);
    let (ended, log) = stage.log(mode, &[]);
    assert_eq!(ended.status, Some(0), "{mode:?} {ended:?}");
    assert_eq!((stage.content(mode.target()), stage.leftovers()), (Some(after(mode)), vec![]), "{mode:?}");
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut cases = Vec::new();
    let (mut is_begun, calls) = (false, calls(&log));
    let names: Vec<&'static str> = calls.iter().map(|call| &*String::leak(call.name.clone())).collect();
    for (call, name) in calls.iter().zip(names) {
        let nth = counts.entry(name).or_default();
        *nth += 1;
        is_begun |= call.args.contains("a.wasm") && name != "execve";
        if is_begun && !ELSEWHERE.contains(&name) {
            cases.extend(faults(name).into_iter().map(|fault| Case {
                mode,
                call: name,
                nth: *nth,
                fault,
                then_killed: None,
            }));
        }
    }
    let pairs: Vec<_> = cases.iter().flat_map(killed_after).collect();
    cases.extend(pairs);
    cases
}

/// The kills that may follow an error, before each call of another name. strace injects only one
/// fault per name.
fn killed_after<'m>(case: &Case<'m>) -> Vec<Case<'m>> {
    let is_undone =
        ["pwrite64", "pread64", "copy_file_range", "ftruncate", "fsync", "rename", "unlink", "fchmod", "fsetxattr"];
    if case.fault != Fault::Error("EIO") || !is_undone.contains(&case.call) {
        return Vec::new();
    }
    let (_, log) = Stage::of(case.mode).log(case.mode, &["-e", &case.fault.injection(case.call, case.nth)]);
    let calls = calls(&log);
    let failed = calls.iter().enumerate().filter(|(_, call)| call.name == case.call).nth(case.nth - 1).unwrap().0;
    let mut later = Vec::new();
    for (place, call) in calls.iter().enumerate().skip(failed + 1) {
        let name = &*call.name;
        if name != case.call && !ELSEWHERE.contains(&name) && !["fcntl", "close", "write", "geteuid"].contains(&name) {
            let nth = calls[..=place].iter().filter(|call| call.name == name).count();
            later.push(Case { then_killed: Some((String::leak(name.to_owned()), nth)), ..*case });
        }
    }
    later
}

/// The file after an undisturbed run.
fn after(mode: &Mode) -> Vec<u8> {
    match mode.sink {
        Sink::Recover("unlink", _) => mode.result(),
        // All data was written, but the sync was not reached.
        Sink::Recover("fsync", 3) => mode.result(),
        Sink::Recover(..) => mode.old().unwrap(),
        _ => mode.result(),
    }
}

/// Runs a case. Returns the problem with its result.
fn fails(case: &Case<'_>) -> Result<(), String> {
    let &Case { mode, call, nth, fault, then_killed } = case;
    let stage = Stage::of(mode);
    let (traced, inject) = (format!("trace={call}"), fault.injection(call, nth));
    let ended = match then_killed {
        None => stage.run_traced(mode, &["-e", &traced, "-e", &inject]),
        Some((then, nth)) => {
            let kill = Fault::Kill.injection(then, nth);
            stage.run_traced(mode, &["-e", &format!("{traced},{then}"), "-e", &inject, "-e", &kill])
        }
    };
    if (fault == Fault::Kill || then_killed.is_some()) != ended.status.is_none() {
        return Err(format!("the fault did not happen: {ended:?}"));
    }
    let found = if mode.is_in_place() { in_place(case, &stage, &ended) } else { check_replaced(case, &stage, &ended) };
    let source_stays = mode.target() == "a.wasm" || stage.content("a.wasm") == Stage::of(&MODES[0]).content("a.wasm");
    found.and_then(|()| if source_stays { Ok(()) } else { Err("the source was changed".to_owned()) }).map_err(|what| {
        format!(
            "{}: {call} #{nth}, {fault:?}, {then_killed:?}: {what}\n    left {:?}, {ended:?}",
            mode.name,
            stage.leftovers()
        )
    })
}

/// Checks that the file is the old or the new one, and that the message agrees.
fn check_message(mode: &Mode, ended: &Ended, content: Option<&[u8]>) -> Result<(), &'static str> {
    let (is_old, is_new) = (content == mode.old().as_deref(), content == Some(&*mode.result()));
    match ended.status {
        _ if !is_old && !is_new => Err("the file is neither old nor new"),
        Some(0) if !is_new => Err("success, and the file is not the new one"),
        Some(2) if ended.stderr.is_empty() => Err("failure without a message"),
        Some(2) if is_new && !reports_write(ended) => Err("the file is the new one, but no message reports it"),
        Some(2) if is_old && reports_write(ended) => Err("the file is the old one, but a message reports the new one"),
        Some(0 | 2) | None => Ok(()),
        Some(_) => Err("another status"),
    }
}

fn reports_write(ended: &Ended) -> bool {
    ended.stderr.contains("is replaced") || ended.stderr.contains("is written")
}

fn check_replaced(case: &Case<'_>, stage: &Stage, ended: &Ended) -> Result<(), String> {
    let &Case { mode, call, fault, .. } = case;
    let content = stage.content(mode.target());
    check_message(mode, ended, content.as_deref())?;
    let is_new = content.as_deref() == Some(&*mode.result());
    let cannot_know = call == "flistxattr" && fault == Fault::Error("EOPNOTSUPP");
    let may_lose_attributes = cannot_know || mode.sink == Sink::NewFile || mode.args().contains(&"--force");
    if (is_new || mode.old().is_some()) && !stage.has_attributes(mode.target()) && !may_lose_attributes {
        return Err("the attributes are lost".to_owned());
    }
    let leftovers = stage.leftovers();
    if !leftovers.iter().all(|name| name.starts_with(".sectile-") && name.ends_with(".tmp")) || leftovers.len() > 1 {
        return Err("unexpected temporary files".to_owned());
    }
    if !leftovers.is_empty() && ended.status.is_some() && !call.starts_with("unlink") {
        return Err("temporary files are left".to_owned());
    }
    if ended.status.is_none() {
        let again = stage.run(&mode.args());
        if (again.status, stage.content(mode.target())) != (Some(0), Some(mode.result()))
            || stage.leftovers() != leftovers
        {
            return Err(format!("the next run: {again:?}"));
        }
    }
    Ok(())
}

fn in_place(case: &Case<'_>, stage: &Stage, ended: &Ended) -> Result<(), String> {
    let mode = case.mode;
    let is_recovery = matches!(mode.sink, Sink::Recover(..));
    let content = stage.content("a.wasm");
    let is_whole = content == mode.old() || content == Some(mode.result());
    if !stage.leftovers().iter().all(|name| name.starts_with(".sectile-") && name.ends_with(".journal")) {
        return Err("unexpected temporary files".to_owned());
    }
    if ended.status.is_some_and(|status| status != 0 && status != 2) {
        return Err("another status".to_owned());
    }
    if ended.status == Some(2) && ended.stderr.is_empty() {
        return Err("failure without a message".to_owned());
    }
    if !stage.has_attributes("a.wasm") {
        return Err("the attributes are lost".to_owned());
    }
    if ended.status == Some(0) && (content != Some(if is_recovery { after(mode) } else { mode.result() })) {
        return Err("success, and the file is not what it should be".to_owned());
    }
    if stage.journal().is_none() {
        if !is_whole {
            return Err("torn, and no journal".to_owned());
        }
        if is_recovery {
            return Ok(());
        }
        return Ok(check_message(mode, ended, content.as_deref())?);
    }
    let waits = ended.stderr.contains("the file needs recovery");
    if ended.status == Some(0) {
        return Err("success, and a journal left".to_owned());
    }
    let says_so = waits || ended.stderr.contains("its journal may still exist");
    if !is_recovery && ended.status == Some(2) && !says_so {
        return Err("a journal is left, but no message reports it".to_owned());
    }
    if !is_recovery && ended.status == Some(2) && !waits {
        check_message(mode, ended, content.as_deref())?;
    }
    if ended.status.is_none() {
        let before = stage.content("a.wasm");
        let refused = stage.run(&["set", "a.wasm", "--name", "other"]);
        if refused.status != Some(2)
            || !refused.stderr.contains("the file needs recovery")
            || stage.content("a.wasm") != before
        {
            return Err(format!("an edit of a torn file: {refused:?}"));
        }
    }
    let recovered = stage.run(&["recover", "a.wasm"]);
    let content = stage.content("a.wasm");
    if recovered.status != Some(0)
        || (content != mode.old() && content != Some(mode.result()))
        || !stage.leftovers().is_empty()
    {
        return Err(format!("recovery: {recovered:?}"));
    }
    let says_new = recovered.stdout.contains("the file is the new one");
    if says_new != (content == Some(mode.result())) {
        return Err(format!("recovery does not say what it did: {recovered:?}"));
    }
    Ok(())
}

#[test]
#[ignore = "needs strace"]
fn the_file_is_old_or_new_after_a_fault_in_any_call() {
    let cases: Vec<Case<'_>> = MODES.iter().flat_map(cases).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = fails(case) {
                        wrong.lock().unwrap().push(what);
                    }
                }
            });
        }
    });
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for case in &cases {
        let [kills, errors, both] = counts.entry(case.mode.name).or_default();
        *match (case.fault, case.then_killed) {
            (Fault::Kill, _) => kills,
            (_, None) => errors,
            (_, Some(_)) => both,
        } += 1;
    }
    for (mode, [kills, errors, both]) in counts {
        println!("{mode}: killed {kills} times, {errors} errors, {both} errors and then killed");
    }
    println!("{} in all", cases.len());
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Two faults: the operation fails, and its journal cannot be removed.
#[test]
#[ignore = "needs strace"]
fn a_journal_that_cannot_be_removed_is_reported() {
    for mode in MODES.iter().filter(|mode| mode.sink == Sink::InPlace && mode.is_synced()) {
        for (call, nth) in [("pwrite64", 1), ("fsync", 1), ("fsync", 2), ("fsync", 3)] {
            let stage = Stage::of(mode);
            let (fails, stays) =
                (Fault::Error("EIO").injection(call, nth), Fault::Errors("EROFS").injection("unlink", 1));
            let ended = stage.run_traced(mode, &["-e", &format!("trace={call},unlink"), "-e", &fails, "-e", &stays]);
            ended.refused("the file needs recovery");
            assert_eq!(stage.content("a.wasm"), mode.old(), "{mode:?} {call} {nth}");
            stage.run(&mode.args()).refused("the file needs recovery");
            stage.run(&["recover", "a.wasm"]).succeeds();
            assert_eq!((stage.content("a.wasm"), stage.leftovers()), (mode.old(), vec![]), "{mode:?} {call} {nth}");
        }
    }
}
