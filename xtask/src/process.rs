//! Running other programs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// A program, run at the project's root.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

pub(crate) fn cargo(arguments: &[&str]) -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// Whether a program can be started.
pub(crate) fn is_installed(name: &str) -> bool {
    let probe = program("sh", &["-c", &format!("command -v {name} >/dev/null")]).status();
    probe.is_ok_and(|status| status.success())
}

/// Runs a command.
pub(crate) trait Run {
    /// Runs it; an error if it fails.
    fn run(self) -> Result<(), String>;

    /// Sends what it prints to a file.
    fn logged(self, log: &File) -> Result<Command, String>;
}

impl Run for Command {
    fn run(mut self) -> Result<(), String> {
        let what = format!("{self:?}");
        println!("$ {}", what.replace('"', ""));
        match self.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{what}: {status}")),
            Err(error) => Err(format!("{what}: {error}")),
        }
    }

    fn logged(mut self, log: &File) -> Result<Command, String> {
        let clone = || log.try_clone().map_err(|error| format!("the log cannot be written: {error}"));
        self.stdout(clone()?).stderr(clone()?);
        Ok(self)
    }
}
