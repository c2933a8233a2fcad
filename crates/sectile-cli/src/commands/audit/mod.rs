//! `sectile audit`: every binary below some roots, judged by a policy.

mod baseline;
mod progress_bar;

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anstream::StripStream;
use sectile::splice::WriteError;
use sectile_audit::{Audit, AuditOutcome, Completeness, Format, Progress, ReportFile, Root, WalkOptions};

use self::baseline::open_baseline;
use crate::args::{AuditArgs, AuditFormat};
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
#[cfg(not(feature = "remote"))]
use crate::input::LACKS_REMOTE;
use crate::judge::Judge;
use crate::output::Output;
use crate::source::InputSource;
use crate::text;

pub fn run(args: &AuditArgs, output: &mut Output) -> Result<Exit, Failure> {
    let roots = args.roots.iter().map(root).collect::<Result<Vec<Root>, _>>()?;
    let report = args.output.as_ref().map(|path| open_report(path, &roots, args)).transpose()?;
    let audit = configure(args)?;
    let audit = report.iter().fold(audit, Audit::with_output);
    let progress = Progress::new();
    stop_when_interrupted(&progress);
    let write = || write_answer(&audit, &roots, args, report, &progress, output);
    // Rows on a terminal already show the progress.
    let rows_are_visible = args.format != AuditFormat::Summary && args.output.is_none() && io::stdout().is_terminal();
    let outcome = if rows_are_visible { write() } else { progress_bar::show_while(&audit, &roots, &progress, write) }?;
    if let Some(stop) = &outcome.stop {
        let last = stop.after.as_deref().map(|last| format!(" behind {}", escaped(last))).unwrap_or_default();
        let resume = if args.format == AuditFormat::Rows(Format::Jsonl) {
            "; what is done is written, and --resume goes on from there"
        } else {
            ""
        };
        output.print_diagnostic(None, &format!("stopped{last}{resume}"));
    }
    let verdict = text::Outcome(&outcome.summary);
    if verdict.is_notable() {
        output.print_diagnostic(None, &verdict);
    }
    Ok(exit(&outcome))
}

/// Looks up OUT, which must not be a file that the audit reads.
fn open_report(path: &OsStr, roots: &[Root], args: &AuditArgs) -> Result<ReportFile, Failure> {
    let open = || {
        let report = ReportFile::open(path, args.write)?;
        report.check_roots(roots)?;
        args.policy.file.iter().try_for_each(|policy| report.check_input(policy))?;
        Ok(report)
    };
    open().map_err(|error| cannot_write(path, error))
}

/// The root that a PATH names. A local one must exist.
fn root(source: &InputSource) -> Result<Root, Failure> {
    let fail = |error: &dyn Display| Failure::Other(format!("{}: {error}", escaped(source.name())));
    if source.is_stdin() {
        return Err(Failure::Other("standard input is no PATH; `sectile check -` judges what comes by it".to_owned()));
    }
    let Some(url) = source.url() else {
        return match Path::new(source.argument()).metadata() {
            Ok(_) => Ok(Root::from(source.argument())),
            Err(_) if source.is_layout_image() => {
                Err(fail(&"an audit takes the directory of a layout, and looks at all images in it"))
            }
            Err(error) => Err(fail(&error)),
        };
    };
    #[cfg(feature = "remote")]
    {
        let root = Root::url(url, &crate::remote::options()).map_err(|error| fail(&error))?;
        match root.as_path() {
            Some(path) => path.metadata().map(|_| root.clone()).map_err(|error| fail(&error)),
            None => Ok(root),
        }
    }
    #[cfg(not(feature = "remote"))]
    {
        _ = url;
        Err(fail(&LACKS_REMOTE))
    }
}

fn configure(args: &AuditArgs) -> Result<Audit, Failure> {
    let judge = Judge::new(&args.policy)?;
    let mut walk = WalkOptions::default();
    walk.ignore_rules = args.ignore_rules;
    if let Some(nested) = args.nested {
        walk.max_nesting = nested;
    }
    if let Some(rows) = args.archive_rows {
        walk.max_rows = rows;
    }
    if let Some(bytes) = args.archive_row_bytes {
        walk.max_row_bytes = bytes;
    }
    #[cfg(feature = "remote")]
    if let Some(in_flight) = args.in_flight {
        walk.in_flight = usize::from(in_flight);
    }
    let mut audit = Audit::new(judge.policy).with_walk(walk).with_hashing(args.hash);
    if let Some(threads) = args.threads {
        audit = audit.with_threads(usize::from(threads));
    }
    if let Some(policy) = &args.policy.file {
        audit = audit.with_policy_name(policy);
    }
    if let Some(today) = judge.today {
        audit = audit.with_day(today);
    }
    open_baseline(args, audit)
}

/// Runs the audit and writes its rows or its summary.
fn write_answer(
    audit: &Audit,
    roots: &[Root],
    args: &AuditArgs,
    report: Option<ReportFile>,
    progress: &Progress,
    output: &mut Output,
) -> Result<AuditOutcome, Failure> {
    let path = args.output.as_deref().unwrap_or_default();
    match (args.format, report) {
        (AuditFormat::Summary, report) => write_summary(audit, roots, path, report, progress, output),
        (AuditFormat::Rows(format), None) => Ok(audit.run(roots, Some(format), output.out(), progress)?),
        (AuditFormat::Rows(format), Some(report)) => {
            report.write(|out| audit.run(roots, Some(format), out, progress)).map_err(|error| cannot_write(path, error))
        }
    }
}

fn write_summary(
    audit: &Audit,
    roots: &[Root],
    path: &OsStr,
    report: Option<ReportFile>,
    progress: &Progress,
    output: &mut Output,
) -> Result<AuditOutcome, Failure> {
    let run = || audit.run(roots, None, &mut io::sink(), progress);
    let Some(report) = report else {
        let outcome = run()?;
        text::write_summary(&outcome.info, &outcome.summary, outcome.stop.as_ref(), output.out())?;
        return Ok(outcome);
    };
    let write = |out: &mut dyn Write| {
        let outcome = run()?;
        let mut uncolored = StripStream::new(Vec::new());
        text::write_summary(&outcome.info, &outcome.summary, outcome.stop.as_ref(), &mut uncolored)?;
        out.write_all(&uncolored.into_inner())?;
        Ok(outcome)
    };
    report.write(write).map_err(|error| cannot_write(path, error))
}

fn cannot_write(path: &OsStr, error: WriteError) -> Failure {
    Failure::Write(error, Some(path.to_owned()))
}

/// Makes the first interruption end the audit with a partial result; the second ends the process.
fn stop_when_interrupted(progress: &Progress) {
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // If registering fails, the first interruption ends the process.
        let flag = progress.stop_flag();
        _ = signal_hook::flag::register_conditional_default(signal, std::sync::Arc::clone(&flag));
        _ = signal_hook::flag::register(signal, flag);
    }
    #[cfg(not(unix))]
    {
        _ = progress;
    }
}

fn exit(outcome: &AuditOutcome) -> Exit {
    let summary = &outcome.summary;
    let unread = summary.rows_with(Completeness::Partial) + summary.rows_with(Completeness::Unread);
    if outcome.stop.is_some() || unread > 0 {
        Exit::Failed
    } else if summary.refused > 0 {
        Exit::No
    } else {
        Exit::Done
    }
}
