//! Third-party programs. Each extracts a case into a fresh directory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::generator::{Case, Openers};
use super::modules;

/// A program that extracts archives.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    opens: &'static [Openers],
    input: Input,
    /// The program and its arguments. `FILE` and `DIR` are replaced.
    arguments: &'static [&'static str],
}

/// The way in which a program gets the case.
#[derive(PartialEq)]
enum Input {
    /// As a file. It writes to the directory.
    File,
    /// As a pipe without seeking. It writes to the directory.
    Pipe,
    /// As a file. It writes to its output.
    FileToOutput,
}

use Openers::{Gzip, Tar, Zip, Zstd};

const fn program(
    name: &'static str,
    opens: &'static [Openers],
    input: Input,
    arguments: &'static [&'static str],
) -> Program {
    Program { name, opens, input, arguments }
}

pub(crate) const PROGRAMS: [Program; 11] = [
    program("GNU tar", &[Tar], Input::File, &["tar", "--no-same-owner", "--force-local", "-xf", "FILE", "-C", "DIR"]),
    program(
        "GNU tar -i",
        &[Tar],
        Input::File,
        &["tar", "--no-same-owner", "--force-local", "-xif", "FILE", "-C", "DIR"],
    ),
    program("bsdtar", &[Tar, Zip], Input::File, &["bsdtar", "--no-same-owner", "-xf", "FILE", "-C", "DIR"]),
    program("bsdtar, piped", &[Tar, Zip], Input::Pipe, &["bsdtar", "--no-same-owner", "-xf", "-", "-C", "DIR"]),
    program("busybox tar", &[Tar], Input::File, &["busybox", "tar", "-xof", "FILE", "-C", "DIR"]),
    program("unzip", &[Zip], Input::File, &["unzip", "-oqP", "x", "FILE", "-d", "DIR"]),
    program("busybox unzip", &[Zip], Input::File, &["busybox", "unzip", "-oq", "FILE", "-d", "DIR"]),
    program("7z", &[Tar, Zip, Gzip], Input::File, &["7z", "x", "-y", "-bso0", "-bse0", "-px", "-oDIR", "FILE"]),
    program("gzip", &[Gzip], Input::FileToOutput, &["gzip", "-dc", "FILE"]),
    program("busybox gunzip", &[Gzip], Input::FileToOutput, &["busybox", "gunzip", "-c", "FILE"]),
    program("zstd", &[Zstd], Input::FileToOutput, &["zstd", "-dcq", "FILE"]),
];

/// A module that a reader extracted from a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extraction {
    /// Index of the case.
    pub(crate) case: usize,
    pub(crate) module: usize,
    pub(crate) reader: String,
}

/// Timeout of a program for one case, which all programs stay below.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Runs the programs that are likely to open each case, on one thread per processor.
pub(crate) fn extract_all(
    cases: &[(&Path, &Case)],
    directory: &Path,
    runs: impl Fn(usize, &str) -> bool + Sync,
) -> Vec<Extraction> {
    let found = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let work = || loop {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        let Some((path, case)) = cases.get(nth) else { break };
        if case.escapes {
            continue;
        }
        for program in &PROGRAMS {
            let is_likely = case.openers == Openers::All || program.opens.contains(&case.openers);
            if !is_likely || !runs(nth, program.name) {
                continue;
            }
            let extractions = program.extract(path, &directory.join(nth.to_string())).into_iter();
            let reader = program.name;
            let extractions = extractions.map(|module| Extraction { case: nth, module, reader: reader.to_owned() });
            found.lock().unwrap().extend(extractions);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    found.into_inner().unwrap()
}

impl Program {
    /// The modules that the program extracts from a file.
    fn extract(&self, file: &Path, directory: &Path) -> BTreeSet<usize> {
        fs::create_dir(directory).unwrap();
        let mut command = Command::new(self.arguments[0]);
        for argument in &self.arguments[1..] {
            let argument = argument.replace("FILE", file.to_str().unwrap());
            command.arg(argument.replace("DIR", directory.to_str().unwrap()));
        }
        command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let output = directory.join("output");
        match self.input {
            Input::FileToOutput => drop(command.stdout(File::create(&output).unwrap())),
            Input::Pipe => drop(command.stdin(Stdio::piped())),
            Input::File => {}
        }
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.arguments[0]));
        if let Some(mut pipe) = child.stdin.take() {
            // Cases fit into a pipe, except for a few with much trailing data, which the program
            // reads in the meantime.
            _ = std::io::Write::write_all(&mut pipe, &fs::read(file).unwrap());
        }
        wait(&mut child, TIMEOUT);
        let mut found = BTreeSet::new();
        collect(directory, &mut found);
        remove(directory);
        found
    }
}

/// Waits for a child, or kills it.
fn wait(child: &mut Child, timeout: Duration) {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(300);
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > timeout {
            child.kill().unwrap();
            child.wait().unwrap();
            return;
        }
        thread::sleep(pause);
        pause = (pause * 5 / 4).min(Duration::from_millis(50));
    }
}

/// Reads the regular files below a directory. Other files are not opened, and links are not
/// followed.
fn collect(directory: &Path, found: &mut BTreeSet<usize>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            collect(&entry.path(), found);
        } else if kind.is_file() {
            let mut head = Vec::new();
            if let Ok(file) = File::open(entry.path()) {
                _ = file.take(4096).read_to_end(&mut head);
            }
            found.extend(modules::number_of(&head));
        }
    }
}

/// Removes a directory, whatever permissions were extracted.
fn remove(directory: &Path) {
    if fs::remove_dir_all(directory).is_err() {
        _ = Command::new("chmod").args(["-R", "u+rwx"]).arg(directory).status();
        fs::remove_dir_all(directory).unwrap();
    }
}
