//! Third-party libraries. A program in each language extracts all cases of a directory in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::programs::Extraction;

/// The programs, built once.
pub(crate) struct Libraries {
    /// The program in Go.
    pub(crate) go: PathBuf,
    /// Prefixes of the names of readers, and the commands that run them.
    commands: [(&'static str, Vec<String>); 3],
}

impl Libraries {
    /// Builds the programs in this directory.
    pub(crate) fn build(directory: &Path) -> Self {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers");
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let go = text(directory.join("readers-go"));
        // The module has no dependencies.
        run(Command::new("go")
            .args(["build", "-o", &go, "."])
            .current_dir(sources.join("go"))
            .env("GOFLAGS", "-mod=mod")
            .env("GOTOOLCHAIN", "local"));
        run(Command::new("javac").arg("-d").arg(directory).arg(sources.join("Readers.java")));
        let python = vec!["python3".to_owned(), text(sources.join("extract.py"))];
        let java = ["java", "-Xshare:auto", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"];
        let java = java.map(str::to_owned).into_iter().chain([text(directory.to_owned()), "Readers".to_owned()]);
        Self { go: PathBuf::from(&go), commands: [("python", python), ("go", vec![go]), ("java", java.collect())] }
    }

    /// Extracts all cases of a directory, whose files are named by their index.
    pub(crate) fn extract_all(&self, cases: &Path, reads: &(dyn Fn(&str) -> bool + Sync)) -> Vec<Extraction> {
        thread::scope(|scope| {
            let run = |command: &[String]| {
                let mut command = with_arguments(command);
                let output = command.arg(cases).stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
                assert!(output.status.success(), "{command:?}: {}", output.status);
                String::from_utf8(output.stdout).unwrap().lines().map(extraction).collect::<Vec<_>>()
            };
            let running: Vec<_> = self
                .commands
                .iter()
                .filter(|(language, _)| reads(language))
                .map(|(_, command)| scope.spawn(move || run(command)))
                .collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }
}

fn with_arguments(command: &[String]) -> Command {
    let mut program = Command::new(&command[0]);
    program.args(&command[1..]);
    program
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// Parses a line: the file, the reader, and the number of a module.
fn extraction(line: &str) -> Extraction {
    let [file, reader, module] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
    let case = file.split('.').next().unwrap().parse().unwrap();
    Extraction { case, module: module.parse().unwrap(), reader: reader.to_owned() }
}

/// The name of the file of a case.
pub(crate) fn file_name(index: usize, extension: &str) -> String {
    if extension.is_empty() { format!("{index:06}") } else { format!("{index:06}.{extension}") }
}

/// Creates a new file.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
