//! The context of a step of CI: its log, and the commands that it runs.

use std::fs::File;
use std::io::Write;
use std::process::Command;

use crate::process::Run;

/// The runner of a step's commands. Their output goes to the step's log.
pub(crate) struct Context {
    log: File,
}

impl Context {
    pub(crate) const fn new(log: File) -> Self {
        Self { log }
    }

    /// Runs a command; an error if it fails. Incremental data, a third of the bytes that CI writes, is not kept.
    pub(crate) fn run(&mut self, mut command: Command) -> Result<(), String> {
        command.env("CARGO_INCREMENTAL", "0");
        let what = format!("{command:?}").replace('"', "");
        writeln!(self.log, "\n$ {what}").map_err(|error| format!("the log cannot be written: {error}"))?;
        match command.logged(&self.log)?.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{what}: {status}")),
            Err(error) => Err(format!("{what}: {error}")),
        }
    }

    /// Another context that writes to the same log, for work side by side.
    pub(crate) fn side(&self) -> Result<Self, String> {
        let log = self.log.try_clone().map_err(|error| format!("the log cannot be written: {error}"))?;
        Ok(Self { log })
    }

    /// Writes a line to the log.
    pub(crate) fn note(&mut self, line: &str) {
        _ = writeln!(self.log, "{line}");
    }
}
