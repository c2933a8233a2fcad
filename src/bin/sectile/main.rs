//! The command `sectile`: parses arguments, calls the library, prints.

mod args;
mod audit;
mod check;
mod created;
mod digest;
mod edit;
mod exit;
mod failure;
mod generate;
mod get;
mod human;
mod input;
mod oci;
mod output;
#[cfg(feature = "remote")]
mod remote;
mod sbom;
mod sections;
mod show;

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::ArgMatches;

use self::exit::Exit;
use self::failure::Failure;
use self::output::Output;

fn main() -> ExitCode {
    survive_file_size_limit();
    let matches = match args::command().try_get_matches() {
        Ok(matches) => matches,
        Err(answer) => return say(&answer),
    };
    let (mut name, mut matches) = matches.subcommand().expect("clap asks for a subcommand");
    if name == "oci" {
        (name, matches) = matches.subcommand().expect("clap asks for a subcommand");
    }
    let mut output = Output::new(matches);
    let result = run(name, matches, &mut output);
    let flushed = output.flush();
    let exit = *result.as_ref().unwrap_or(&Exit::Done);
    match result.and(flushed) {
        Ok(()) => exit.into(),
        // Whoever read the output has seen enough.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => exit.into(),
        Err(failure) => {
            output.complain(None, &failure);
            Exit::Failed.into()
        }
    }
}

/// Prints what clap answers with: help and the version on standard output, what is wrong with the usage on standard error.
fn say(answer: &clap::Error) -> ExitCode {
    match answer.print().and_then(|()| io::stdout().flush()) {
        Err(error) if !answer.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            output::complain(None, &Failure::Output(error));
            Exit::Failed.into()
        }
        _ if answer.use_stderr() => Exit::Failed.into(),
        _ => Exit::Done.into(),
    }
}

fn run(name: &str, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    match name {
        "show" => each_file(matches, output, show::run),
        "sections" => each_file(matches, output, sections::run),
        "check" => {
            let judge = check::judge(matches)?; // nothing is judged by a policy that is wrong
            each_file(matches, output, |file, matches, output| check::run(file, &judge, matches, output))
        }
        "audit" => audit::run(matches, output),
        "get" => each_file(matches, output, get::run),
        "sbom" => each_file(matches, output, sbom::run),
        "recover" => each_file(matches, output, edit::run_recover),
        "set" | "unset" | "put" | "remove" | "strip" | "migrate" => {
            each_file(matches, output, |file, matches, output| edit::run(name, file, matches, output))
        }
        "digest" => each_file(matches, output, digest::run),
        "annotations" => each_file(matches, output, oci::annotations),
        "config" => each_file(matches, output, oci::config),
        "layout" => each_file(matches, output, oci::layout),
        "push" => each_file(matches, output, oci::push),
        "completions" => generate::completions(matches, output),
        "man" => generate::man(matches),
        _ => unreachable!("clap knows no other subcommand"),
    }
}

/// Where a limit on the size of files (`ulimit -f`) is met, writing fails, instead of the process being killed.
fn survive_file_size_limit() {
    #[cfg(unix)]
    {
        // Where it cannot be registered, being killed still leaves the old file whole.
        _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
    }
}

/// Runs a command on each file. One that fails does not stop the others; the exit status is that of the worst.
fn each_file(
    matches: &ArgMatches,
    output: &mut Output,
    mut run: impl FnMut(&OsString, &ArgMatches, &mut Output) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut worst = Exit::Done;
    for file in matches.get_many::<OsString>("FILE").into_iter().flatten() {
        let exit = match run(file, matches, output) {
            Ok(exit) => exit,
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(Failure::Result(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Failed, // quietly
            Err(failure) => {
                output.complain(Some(file), &failure);
                Exit::Failed
            }
        };
        worst = worst.max(exit);
    }
    Ok(worst)
}
