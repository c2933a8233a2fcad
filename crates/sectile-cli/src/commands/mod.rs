//! The commands: each takes its parsed arguments and returns an exit status.

pub mod audit;
mod build;
mod check;
pub mod diff;
mod digest;
mod edit;
mod explain;
mod generate;
mod get;
mod oci;
mod policy;
mod sbom;
mod sections;
mod show;

use std::io::ErrorKind;
use std::slice;
use std::time::Instant;

use anstream::ColorChoice;

use sectile_policy::PolicyLocation;

use crate::args::{AuditFormat, OutputArgs, ReportArgs, Subcommand};
use crate::display::{Elapsed, UnusedExceptions};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, OutputMode};
use crate::source::InputSource;

/// Runs a command.
pub fn run(subcommand: &Subcommand, output: &mut Output) -> Result<Exit, Failure> {
    match subcommand {
        Subcommand::Show(args) => each_source(&args.sources, output, |source, output| show::run(source, args, output)),
        Subcommand::Sections(args) => {
            each_source(&args.sources, output, |source, output| sections::run(source, args, output))
        }
        Subcommand::Get(args) => only_source(&args.source, output, |output| get::run(args, output)),
        Subcommand::Check(args) => check::run(args, output),
        Subcommand::Audit(args) => audit::run(args, output),
        Subcommand::Report(args) => audit::report::run(args, output),
        Subcommand::Sbom(args) => only_source(&args.source, output, |output| sbom::run(args, output)),
        Subcommand::Digest(args) => {
            each_source(&args.sources, output, |source, output| digest::run(source, args, output))
        }
        Subcommand::Diff(args) => diff::run(args, output),
        Subcommand::Edit(args) => edit::run(args, output),
        Subcommand::Recover(args) => only_source(&args.source, output, |output| edit::recover(args, output)),
        Subcommand::OciAnnotations(args) => {
            only_source(&args.binary.source, output, |output| oci::annotations(args, output))
        }
        Subcommand::OciConfig(args) => only_source(&args.binary.source, output, |output| oci::config(args, output)),
        Subcommand::OciLayout(args) => {
            only_source(&args.image.binary.source, output, |output| oci::layout(args, output))
        }
        Subcommand::OciCheck(args) => {
            each_source(&args.sources, output, |source, output| oci::check(source, args, output))
        }
        Subcommand::OciPush(args) => only_source(&args.image.binary.source, output, |output| oci::push(args, output)),
        Subcommand::OciPull(args) => oci::pull(args, output),
        Subcommand::OciCopy(args) => oci::copy(args, output),
        Subcommand::OciTags(args) => oci::tags(args, output),
        Subcommand::OciLogin(args) => oci::login(args, output),
        Subcommand::OciLogout(args) => oci::logout(args, output),
        Subcommand::PolicyInit(args) => policy::init(args, output),
        Subcommand::PolicyCheck(args) => policy::check(args, output),
        Subcommand::PolicyShow(args) => policy::show(args, output),
        Subcommand::Explain(args) => explain::run(args, output),
        Subcommand::Wrap(args) => build::wrap(args, output),
        Subcommand::Cargo(args) => build::cargo(args, output),
        Subcommand::Completions(args) => generate::completions(*args, output),
        Subcommand::Man(args) => generate::man(args),
    }
}

/// Whether the output of an audit is text or machine-readable.
fn audit_mode(outputs: &OutputArgs<AuditFormat>, color: Option<ColorChoice>) -> OutputMode {
    match outputs.stdout_format() {
        Some(AuditFormat::Rows(_)) => OutputMode::Raw,
        Some(AuditFormat::Table) | None => OutputMode::Styled(color.unwrap_or(ColorChoice::Auto)),
    }
}

/// Whether the output of a command is text or machine-readable.
pub fn output_mode(subcommand: &Subcommand) -> OutputMode {
    let report_mode = |report: ReportArgs| {
        if report.json { OutputMode::Raw } else { OutputMode::Styled(report.color.unwrap_or(ColorChoice::Auto)) }
    };
    match subcommand {
        Subcommand::Show(args) => report_mode(args.report),
        Subcommand::Sections(args) => report_mode(args.report),
        Subcommand::Check(args) => report_mode(args.report),
        Subcommand::Digest(args) => report_mode(args.report),
        Subcommand::Diff(args) => report_mode(args.report),
        Subcommand::Explain(args) => report_mode(args.report),
        Subcommand::PolicyCheck(args) => report_mode(args.report),
        Subcommand::Audit(args) => audit_mode(&args.outputs, args.color),
        Subcommand::Report(args) => audit_mode(&args.outputs, args.color),
        Subcommand::Edit(args) if args.is_to_stdout() => OutputMode::Raw,
        Subcommand::Edit(args) => report_mode(args.report),
        Subcommand::OciCheck(args) => report_mode(args.report),
        Subcommand::OciLayout(args) => report_mode(args.report),
        Subcommand::OciPush(args) => report_mode(args.registry.report),
        Subcommand::Get(_)
        | Subcommand::Sbom(_)
        | Subcommand::Recover(_)
        | Subcommand::Wrap(_)
        | Subcommand::Cargo(_)
        | Subcommand::OciAnnotations(_)
        | Subcommand::OciConfig(_)
        | Subcommand::OciPull(_)
        | Subcommand::OciCopy(_)
        | Subcommand::OciTags(_)
        | Subcommand::OciLogin(_)
        | Subcommand::OciLogout(_)
        | Subcommand::PolicyInit(_)
        | Subcommand::PolicyShow(_)
        | Subcommand::Completions(_)
        | Subcommand::Man(_) => OutputMode::Raw,
    }
}

/// Runs a command on each source, even after a failure. Returns the worst exit status.
fn each_source(
    sources: &[InputSource],
    output: &mut Output,
    mut run: impl FnMut(&InputSource, &mut Output) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut worst = Exit::Done;
    for source in sources {
        let started = Instant::now();
        let result = run(source, output);
        output.print_detail(Some(source), &format_args!("took {}", Elapsed(started.elapsed())));
        let exit = match result {
            Ok(exit) => exit,
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(Failure::BinaryOutput(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Failed, // closed pipe
            Err(failure) => {
                output.print_failure(source, &failure);
                Exit::Failed
            }
        };
        worst = worst.max(exit);
    }
    Ok(worst)
}

/// Warns about unused exceptions of a policy.
fn warn_unused(unused: &[(Option<&PolicyLocation>, &str)], output: &mut Output) {
    if !unused.is_empty() {
        output.print_note(None, &UnusedExceptions(unused));
    }
}

/// Runs a command that takes one source.
fn only_source(
    source: &InputSource,
    output: &mut Output,
    run: impl Fn(&mut Output) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    each_source(slice::from_ref(source), output, |_, output| run(output))
}
