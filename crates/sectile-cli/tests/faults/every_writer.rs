//! Every writer of the command: each system call that concerns its output is failed in each possible way, and the
//! process is killed before it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::commands::{INDEX, READERS, Writer, command_name, inputs, writers};
use crate::matrix::{ELSEWHERE, Fault, faults};
use crate::modes::MODES;
use crate::stage::{Ended, Stage, end, names, sectile, through};
use crate::trace::calls;

/// A fault of a writer.
#[derive(Clone, Debug)]
struct Case<'w> {
    writer: &'w Writer,
    /// Whether an earlier output exists.
    has_old: bool,
    call: String,
    /// The number of the call among those of its name, in its thread.
    nth: usize,
    fault: Fault,
}

/// The calls of a clean run that concern the directory of the output, each with its number among the calls of its name
/// in its thread.
fn writing_calls(writer: &Writer, has_old: bool) -> BTreeSet<(String, usize)> {
    let stage = writer.stage_for_faults(has_old);
    let logs = stage.path("logs");
    fs::create_dir(&logs).unwrap();
    let log = logs.join("log");
    let ended = writer.run(&stage, &["strace", "-ff", "-qq", "-y", "-o", log.to_str().unwrap()]);
    assert!(writer.is_success(&ended), "{writer:?} {ended:?}");
    let mut found = BTreeSet::new();
    for thread in names(&logs) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for call in calls(&fs::read_to_string(logs.join(thread)).unwrap()) {
            let count = counts.entry(call.name.clone()).or_default();
            *count += 1;
            if concerns_output(writer, &call.args) && !ELSEWHERE.contains(&&*call.name) {
                found.insert((call.name, *count));
            }
        }
    }
    found
}

/// Whether a call concerns the output, by the arguments that strace writes.
fn concerns_output(writer: &Writer, call: &str) -> bool {
    let is_stdout = call.starts_with("1<");
    !is_stdout && ['"', '/'].iter().any(|before| call.contains(&format!("{before}{}", writer.directory())))
}

/// The first and the last calls of a name are failed, because a writer of many files repeats itself.
const MOST: usize = 6;

fn cases(writer: &Writer) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for has_old in [false, true] {
        let is_tried = has_old || writer.makes_new_files() && writer.is_other_code;
        if !is_tried {
            continue;
        }
        let calls = writing_calls(writer, has_old);
        let names: BTreeSet<&str> = calls.iter().map(|(name, _)| &**name).collect();
        for call in names {
            let all: Vec<usize> = calls.iter().filter(|(name, _)| name == call).map(|(_, nth)| *nth).collect();
            let skipped = all.len().min(MOST / 2)..all.len().saturating_sub(MOST / 2);
            let chosen = all.iter().enumerate().filter(|(place, _)| !skipped.contains(place)).map(|(_, nth)| *nth);
            let mut faults = faults(call);
            if !writer.is_other_code || !has_old && !writer.is_layout() {
                faults.retain(|fault| matches!(fault, Fault::Kill | Fault::Error("ENOSPC")));
            }
            if writer.command() == "oci logout" {
                // No user is logged in if the system says that the file is missing or empty.
                faults.retain(|fault| !matches!(fault, Fault::Error("ENOENT") | Fault::Returns("0")));
            }
            for nth in chosen {
                let case = |fault| Case { writer, has_old, call: call.to_owned(), nth, fault };
                cases.extend(faults.iter().copied().map(case));
            }
        }
    }
    cases
}

/// The content of each file of the output, and the names of temporary files.
fn outputs(stage: &Stage, writer: &Writer) -> (BTreeMap<String, Vec<u8>>, BTreeSet<String>) {
    let (mut files, mut temporary) = (BTreeMap::new(), BTreeSet::new());
    let mut directories = vec![stage.path(writer.directory())];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(stage.directory()).unwrap().to_str().unwrap().to_owned();
            let file_name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                directories.push(path);
            } else if file_name.starts_with(".sectile-") && file_name.ends_with(".tmp") {
                temporary.insert(name);
            } else {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    (files, temporary)
}

/// A fault of any kind, for a run of a writer.
struct Faulty<'r> {
    writer: &'r Writer,
    has_old: bool,
    /// Whether the fault may leave a temporary file.
    keeps_temporary: bool,
    run: &'r dyn Fn(&Stage) -> Ended,
    /// Whether the fault concerned the output alone, once it ran.
    is_of_output: &'r dyn Fn() -> bool,
}

impl Faulty<'_> {
    /// Runs the writer with the fault, and once more without. Returns the problem.
    fn check(&self) -> Result<Option<Ended>, String> {
        let Self { writer, has_old, .. } = *self;
        let stage = writer.stage_for_faults(has_old);
        let (old, _) = outputs(&stage, writer);
        let inputs = names(stage.directory());
        let ended = (self.run)(&stage);
        if ended.stderr.contains("error while loading shared libraries") {
            return Ok(None); // the fault is for a call of another thread
        }
        let is_killed = ended.status.is_none();
        let is_success = writer.is_success(&ended);
        let is_of_output = is_killed || (self.is_of_output)();
        let (found, temporary) = outputs(&stage, writer);
        let next = writer.run(&stage, &[]);
        let (new, left) = outputs(&stage, writer);
        if !writer.is_success(&next) || left != temporary {
            return Err(format!("the next run: {next:?} {left:?}, after {ended:?}"));
        }
        if !new.keys().any(|name| name == writer.place) && !writer.place.contains("BLOB") {
            return Err(format!("the next run writes no output: {next:?}"));
        }
        if let Some(lost) = old.keys().find(|name| !found.contains_key(*name)) {
            return Err(format!("{lost} is lost: {ended:?}"));
        }
        if names(stage.directory()).iter().any(|name| !inputs.contains(name) && name != writer.directory()) {
            return Err(format!("other files are left: {ended:?}"));
        }
        if temporary.len() > 1 || !temporary.is_empty() && !is_killed && !self.keeps_temporary {
            return Err(format!("temporary files are left: {temporary:?} {ended:?}"));
        }
        if !is_killed && !is_success && ended.status != Some(2) {
            return Err(format!("another status: {ended:?}"));
        }
        if !is_of_output {
            return Ok(None); // a report tells what could not be read, and omits files that are gone
        }
        for (name, content) in &found {
            if new.get(name) != Some(content) && old.get(name) != Some(content) {
                return Err(format!("{name} is neither old nor new: {ended:?}"));
            }
        }
        let has_new_index = writer.is_layout() && found.get(INDEX) == new.get(INDEX);
        if (has_new_index || is_success) && found != new {
            return Err(format!("the output is not complete: {ended:?}"));
        }
        if ended.status == Some(2) {
            check_message(writer, &ended, found != old, found == new)?;
        }
        Ok(Some(ended))
    }
}

/// Checks the message of a failure: it names the file and the reason, and tells whether a file is written.
fn check_message(writer: &Writer, ended: &Ended, has_changed: bool, is_complete: bool) -> Result<(), String> {
    let [message] = ended.stderr.lines().collect::<Vec<_>>()[..] else {
        return Err(format!("not one message: {ended:?}"));
    };
    let directory = writer.directory();
    let names = [format!("{directory}/"), format!("{directory}:"), format!("{directory}`")];
    if !names.iter().any(|name| message.contains(name)) {
        return Err(format!("the message does not name the file: {ended:?}"));
    }
    let says_so = message.contains("is written") || message.contains("is replaced");
    if says_so && !has_changed || !says_so && has_changed && is_complete {
        return Err(format!("changed: {has_changed}, complete: {is_complete}, and the message: {ended:?}"));
    }
    Ok(())
}

/// The part of a message that is the text of an error.
fn reason(error: &str) -> &'static str {
    match error {
        "EIO" => "Input/output error",
        "ENOSPC" => "No space left on device",
        "EACCES" => "Permission denied",
        "EMFILE" => "Too many open files",
        "EROFS" => "Read-only file system",
        "EDQUOT" => "quota exceeded",
        "EFBIG" => "File too large",
        _ => "",
    }
}

impl Case<'_> {
    /// Whether the fault concerned the output alone, so that it was compared; or the problem.
    fn run(&self) -> Result<bool, String> {
        let (traced, inject) = (format!("trace={}", self.call), self.fault.injection(&self.call, self.nth));
        let log = tempfile::NamedTempFile::new().unwrap();
        let log = log.path();
        let strace = ["strace", "-f", "-qq", "-y", "-o", log.to_str().unwrap(), "-e", &traced, "-e", &inject];
        let faulty = Faulty {
            writer: self.writer,
            has_old: self.has_old,
            keeps_temporary: self.call.starts_with("unlink"),
            run: &|stage| self.writer.run(stage, &strace),
            is_of_output: &|| {
                let log = fs::read_to_string(log).unwrap();
                let mut injected = log.lines().filter(|line| line.contains("(INJECTED)")).peekable();
                injected.peek().is_some() && injected.all(|line| concerns_output(self.writer, line))
            },
        };
        let ended = faulty.check()?;
        let is_compared = ended.is_some();
        let message = ended.filter(|ended| ended.status == Some(2)).map(|ended| ended.stderr);
        if let (Some(message), Fault::Error(error) | Fault::Errors(error)) = (message, self.fault)
            && !message.contains(reason(error))
        {
            return Err(format!("the message does not name the reason: {message}"));
        }
        Ok(is_compared)
    }
}

#[test]
#[ignore = "needs strace"]
fn every_output_is_old_or_new_after_a_fault_in_any_call() {
    let writers = writers();
    let cases: Vec<Case<'_>> = writers.iter().flat_map(cases).collect();
    let (next, compared, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match case.run() {
                        Ok(is_compared) => _ = compared.fetch_add(usize::from(is_compared), Ordering::Relaxed),
                        Err(problem) => {
                            let Case { writer, has_old, call, nth, fault } = case;
                            let args = writer.args.join(" ");
                            let line = format!("{args}, {has_old}: {call} #{nth}, {fault:?}: {problem}");
                            wrong.lock().unwrap().push(line);
                        }
                    }
                }
            });
        }
    });
    let compared = compared.into_inner();
    println!("{} writers, {} cases, {compared} with a fault of the output alone", writers.len(), cases.len());
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(compared > 2000 && wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The system writes a part, and then fails.
#[test]
fn every_output_is_old_or_new_past_a_file_size_limit() {
    let writers = writers();
    thread::scope(|scope| {
        for writer in &writers {
            scope.spawn(move || {
                let mut failed = 0;
                for limit in [0, 1, 20, 700] {
                    let fsize = format!("--fsize={limit}");
                    let faulty = Faulty {
                        writer,
                        has_old: true,
                        keeps_temporary: false,
                        run: &|stage| writer.run(stage, &["prlimit", &fsize]),
                        is_of_output: &|| true,
                    };
                    let ended = faulty.check().unwrap_or_else(|problem| panic!("{writer:?} {limit}: {problem}"));
                    if let Some(ended) = ended.filter(|ended| ended.status == Some(2)) {
                        ended.refused("File too large");
                        failed += 1;
                    }
                }
                assert!(failed > 1, "{writer:?} {failed}");
            });
        }
    });
}

/// The names of all commands, from their manual pages.
fn commands() -> Vec<String> {
    let stage = Stage::plain();
    stage.run(&["man", "pages"]).succeeds();
    let pages = names(&stage.path("pages"));
    let pages: Vec<&str> = pages.iter().filter_map(|name| name.strip_suffix(".1")?.strip_prefix("sectile-")).collect();
    let has_children = |page: &str| pages.iter().any(|other| other.starts_with(&format!("{page}-")));
    pages.iter().filter(|page| !has_children(page)).map(|page| page.replace('-', " ")).collect()
}

/// Placeholders of values that are not files to write.
const NOT_WRITTEN: [&str; 33] = [
    "<text>",
    "<URL>",
    "<OS/ARCH>",
    "<NAME[=VERSION]>",
    "<WHEN>",
    "<NAME>",
    "<WHICH>",
    "<SPDX expression>",
    "<RFC 3339 date-time>",
    "<N>",
    "<FIELD:NAME>",
    "<TIME>",
    "<SEVERITY>",
    "<TEXT>",
    "<KEY=VALUE>",
    "<WORLD>",
    "<SHAPE>",
    "<OS>",
    "<GLOB>",
    "<FORMAT>",
    "<USER>",
    "<FIELD>",
    "<WHAT>",
    "<PROFILE>",
    "<CONSUMER>",
    // Files that are read.
    "--from <MANIFEST>",
    "--policy <POLICY.toml>",
    "--advisories <PATH>",
    "--vex <FILE>",
    "--data-file <PATH>",
    "--since <REPORT>",
    "--baseline <REPORT>",
    // The path of an item.
    "--at <PATH>",
];

/// The options of a command that take a value, such as `--output <FILE>`.
fn options(command: &str) -> Vec<String> {
    let help = end(sectile().args(command.split(' ')).arg("--help")).succeeds().stdout;
    let option = |line: &str| {
        let line = line.trim_start();
        let (option, value) = line.starts_with('-').then(|| line.split_once("--"))??.1.split_once('<')?;
        let value = value.split_once('>')?.0;
        let option = option.split(['[', ' ', '=']).next()?;
        Some(format!("--{option} <{value}>"))
    };
    help.lines().filter_map(option).collect()
}

/// A new command or option is a row of `writers()`, `MODES`, `READERS` or `NOT_WRITTEN`.
#[test]
fn every_command_and_option_is_in_the_tables() {
    let writers = writers();
    let rows: Vec<(String, Vec<&str>)> = writers
        .iter()
        .map(|writer| (writer.command(), writer.args.clone()))
        .chain(MODES.iter().map(|mode| (command_name(&mode.args()), mode.args())))
        .collect();
    let readers: BTreeSet<String> =
        READERS.iter().map(|args| command_name(&args.split(' ').collect::<Vec<_>>())).collect();
    let mut options_found = BTreeSet::new();
    for command in commands() {
        let is_writer = rows.iter().any(|(name, _)| *name == command);
        assert!(is_writer != readers.contains(&command), "add `{command}` to `writers()` or `READERS`");
        for option in options(&command) {
            let (name, value) = option.split_once(' ').unwrap();
            let is_not_written = NOT_WRITTEN.contains(&value) || NOT_WRITTEN.contains(&&*option);
            let names = [name, if name == "--output" { "-o" } else { name }];
            let is_row = rows.iter().any(|(row, args)| *row == command && names.iter().any(|name| args.contains(name)));
            assert!(
                is_row || is_not_written,
                "`{option}` of `{command}`: add a row to `writers()` or to `NOT_WRITTEN`"
            );
            options_found.extend([value.to_owned(), option.clone()]);
        }
    }
    let unused: Vec<_> = NOT_WRITTEN.iter().filter(|name| !options_found.contains(**name)).collect();
    assert!(unused.is_empty(), "no option has {unused:?}");
}

#[test]
#[ignore = "needs strace"]
fn the_other_commands_write_no_file() {
    for reader in READERS {
        let args: Vec<&str> = reader.split(' ').collect();
        let stage = inputs(&args);
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut strace = through("strace", &["-f", "-qq", "-o", log.path().to_str().unwrap()]);
        let args = args.iter().map(|arg| arg.replace("HOST", &stage.host()));
        let before = listing(stage.directory());
        let ended = end(strace.args(args).current_dir(stage.directory()));
        assert!(matches!(ended.status, Some(0 | 1)), "{reader} {ended:?}");
        for call in calls(&fs::read_to_string(log.path()).unwrap()) {
            assert!(!call.is_write(), "{reader} {call:?}");
        }
        assert_eq!(listing(stage.directory()), before, "{reader}");
    }
}

fn listing(directory: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    names(directory).into_iter().map(|name| (name.clone(), fs::read(directory.join(name)).ok())).collect()
}
