//! The commands `sectile` and `cargo sectile`: parse arguments, call the library, print.
//!
//! Internal code that the two programs of this package and the Python package share, not a public library.
#![doc(hidden)]

mod advisories;
mod args;
mod build_edit;
mod commands;
mod diagnosis;
mod display;
pub mod embedded;
mod exit;
mod failure;
mod git;
mod image_name;
mod input;
mod judge;
mod output;
mod policy_file;
mod private_redirects;
mod reading;
mod registry;
mod remote;
mod settings;
mod source;
mod text;
mod timestamp;
mod version;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use self::args::{CommandLine, Subcommand};
use self::exit::Exit;
use self::failure::Failure;
use self::output::Output;
use self::settings::Settings;

/// Runs `sectile` with the arguments of this process.
pub fn run() -> ExitCode {
    run_with(&std::env::args_os().collect::<Vec<_>>()).into()
}

/// Runs `sectile` with these arguments. The first one is the name of the program.
fn run_with(args: &[OsString]) -> Exit {
    survive_file_size_limit();
    match args::parse(args) {
        Ok(command_line) => run_command_line(command_line),
        Err(answer) => print_clap_answer(&answer),
    }
}

/// Runs `cargo sectile` with the arguments of this process.
pub fn run_for_cargo() -> ExitCode {
    survive_file_size_limit();
    let exit = match args::parse_for_cargo() {
        Ok(command_line) => run_command_line(command_line),
        Err(answer) => print_clap_answer(&answer),
    };
    exit.into()
}

fn run_command_line(CommandLine { mut subcommand, verbosity }: CommandLine) -> Exit {
    let settings = match subcommand {
        Subcommand::Completions(_) | Subcommand::Man(_) => Ok(Settings::default()),
        // The result of a build must not depend on the user's configuration file.
        Subcommand::Wrap(_) | Subcommand::Cargo(_) => Settings::from_variables(),
        _ => Settings::load(),
    };
    match settings {
        Ok(settings) => settings.fill(&mut subcommand),
        Err(failure) => {
            output::print_diagnostic(None, &failure);
            return Exit::Failed;
        }
    }
    let mut output = Output::new(commands::output_mode(&subcommand), verbosity);
    let result = commands::run(&subcommand, &mut output);
    let flushed = output.flush();
    let exit = *result.as_ref().unwrap_or(&Exit::Done);
    match result.and(flushed) {
        Ok(()) => exit,
        // The reader closed the pipe early, like `head`.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => exit,
        Err(failure) => {
            output.print_diagnostic(None, &failure);
            Exit::Failed
        }
    }
}

/// Prints help and the version on standard output, usage errors on standard error.
fn print_clap_answer(answer: &clap::Error) -> Exit {
    match answer.print().and_then(|()| io::stdout().flush()) {
        Err(error) if !answer.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            output::print_diagnostic(None, &Failure::Output(error));
            Exit::Failed
        }
        _ if answer.use_stderr() => Exit::Failed,
        _ => Exit::Done,
    }
}

/// Turns the file size limit (`ulimit -f`) into a write error instead of a fatal signal.
fn survive_file_size_limit() {
    #[cfg(unix)]
    {
        // If registration fails, a killed process still leaves the old file intact.
        _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
    }
}
