//! Running the programs of a build.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::process::{self, Child, Command, ExitStatus};

use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;

/// Starts a child process.
pub fn start(command: &mut Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| cannot_run(command.get_program(), &error))
}

/// Waits for a child process.
pub fn wait(child: &mut Child, name: &OsStr) -> Result<Exit, Failure> {
    child.wait().map(exit).map_err(|error| cannot_run(name, &error))
}

/// Runs a program, and collects its output.
pub fn output(command: &mut Command) -> Result<process::Output, Failure> {
    command.output().map_err(|error| cannot_run(command.get_program(), &error))
}

/// The failure to run a program.
fn cannot_run(name: &OsStr, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        ErrorKind::NotFound => "it is not installed, or not in PATH".to_owned(),
        _ => error.to_string(),
    };
    Failure::Other(format!("cannot run `{}`: {advice}", escaped(name)))
}

/// Converts a child's exit status. As in a shell, a signal becomes 128 plus its number.
fn exit(status: ExitStatus) -> Exit {
    if status.success() {
        return Exit::Done;
    }
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal = None;
    let code = status.code().or(signal).and_then(|code| u8::try_from(code).ok());
    code.map_or(Exit::Failed, Exit::Program)
}
