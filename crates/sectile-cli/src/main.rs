//! The command `sectile`: parses arguments, calls the library, prints.

mod args;
mod build_edit;
mod commands;
mod diagnosis;
mod display;
mod edit_diff;
mod exit;
mod failure;
mod input;
mod judge;
mod output;
mod policy_file;
mod private_redirects;
mod reading;
#[cfg(feature = "remote")]
mod remote;
mod settings;
mod source;
mod text;
mod timestamp;
mod version;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use self::args::{CommandLine, Subcommand};
use self::exit::Exit;
use self::failure::Failure;
use self::output::Output;
use self::settings::Settings;

fn main() -> ExitCode {
    survive_file_size_limit();
    let CommandLine { mut subcommand, verbosity } = match args::parse() {
        Ok(command_line) => command_line,
        Err(answer) => return print_clap_answer(&answer),
    };
    if !matches!(subcommand, Subcommand::Completions(_) | Subcommand::Man(_)) {
        match Settings::load() {
            Ok(settings) => settings.fill(&mut subcommand),
            Err(failure) => {
                output::print_diagnostic(None, &failure);
                return Exit::Failed.into();
            }
        }
    }
    let mut output = Output::new(commands::output_mode(&subcommand), verbosity);
    let result = commands::run(&subcommand, &mut output);
    let flushed = output.flush();
    let exit = *result.as_ref().unwrap_or(&Exit::Done);
    match result.and(flushed) {
        Ok(()) => exit.into(),
        // The reader closed the pipe early, as `head` does.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => exit.into(),
        Err(failure) => {
            output.print_diagnostic(None, &failure);
            Exit::Failed.into()
        }
    }
}

/// Prints help and the version on standard output, usage errors on standard error.
fn print_clap_answer(answer: &clap::Error) -> ExitCode {
    match answer.print().and_then(|()| io::stdout().flush()) {
        Err(error) if !answer.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            output::print_diagnostic(None, &Failure::Output(error));
            Exit::Failed.into()
        }
        _ if answer.use_stderr() => Exit::Failed.into(),
        _ => Exit::Done.into(),
    }
}

/// Makes writing fail at a limit on the size of files (`ulimit -f`), instead of the process being killed.
fn survive_file_size_limit() {
    #[cfg(unix)]
    {
        // If this fails, a killed process still leaves the old file whole.
        _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
    }
}
