//! `sectile audit`: judges every binary below some roots by a policy.

mod answers;
mod baseline;
mod progress_bar;
pub mod report;

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Instant;

use sectile_audit::amount::{ByteSize, Grouped};
use sectile_audit::{Audit, AuditOutcome, Progress, Root, RowKind, VerdictLine, WalkOptions};
use sectile_oci::registry::Scheme;

use self::answers::Answers;
use self::baseline::{open_baseline, open_comparison};
use crate::args::{AuditArgs, AuditFormat, FailOn, FormatOutput, OutputPlace};
use crate::display::{Elapsed, escaped};
use crate::exit::Exit;
use crate::failure::Failure;
#[cfg(not(feature = "remote"))]
use crate::input::LACKS_REMOTE;
use crate::judge::Judge;
use crate::output::Output;
use crate::policy_file;
use crate::registry;
use crate::source::{InputLocation, InputSource};
use crate::timestamp;

pub fn run(args: &AuditArgs, output: &mut Output) -> Result<Exit, Failure> {
    let started = Instant::now();
    let roots = args.roots.iter().map(root).collect::<Result<Vec<Root>, _>>()?;
    let outputs = args.outputs.resolve()?;
    let answers = Answers::open(&outputs, args.write, |report| {
        report.check_roots(&roots)?;
        args.policy.check_not_output(report)
    })?;
    let judge = Judge::new(&args.policy)?.with_packages(args.packages);
    args.policy.print_policy(output);
    let announced = judge.print_advisories(output);
    let audit = configure(args, judge, &outputs)?;
    let audit = answers.files().fold(audit, Audit::with_output);
    let progress = Progress::new();
    stop_when_interrupted(&progress);
    let write = || answers.write(output, |formats| audit.run_with_outputs(&roots, formats, &progress));
    // Rows on a terminal already show the progress.
    let stdout = args.outputs.stdout_format();
    let rows_are_visible = matches!(stdout, Some(AuditFormat::Rows(_))) && io::stdout().is_terminal();
    let hides_progress = args.no_progress || rows_are_visible;
    let outcome = if hides_progress { write() } else { progress_bar::show_while(&audit, &roots, &progress, write) }?;
    if let Some(stop) = &outcome.stop {
        let last = stop.after.as_deref().map(|last| format!(" after {}", escaped(last))).unwrap_or_default();
        let has_rows =
            |output: &FormatOutput<AuditFormat>| output.format.saves_rows() && output.place != OutputPlace::Stdout;
        let resume = if outputs.iter().any(has_rows) { "; use --resume to continue from there" } else { "" };
        output.print_diagnostic(None, &format!("stopped{last}{resume}"));
    }
    let status = exit(&outcome, args.fail_on);
    print_verdict(&outcome, status, output);
    // The table has this line.
    let has_table = matches!(stdout, Some(AuditFormat::Table));
    if let Some(comparison) = outcome.summary.comparison.as_ref().filter(|_| !has_table) {
        output.print_note(None, &format_args!("since the baseline: {comparison}"));
    }
    let (files, bytes) = (Grouped(progress.files()), ByteSize(progress.bytes_read()));
    output.print_detail(None, &format_args!("read {bytes} of {files} files in {}", Elapsed(started.elapsed())));
    let found_binaries = outcome.summary.rows_of(RowKind::Binary).rows > 0 || outcome.stop.is_some();
    if found_binaries || args.allow_empty {
        return Ok(status.max(announced));
    }
    let paths: Vec<String> = args.roots.iter().map(|root| escaped(root.name()).to_string()).collect();
    let paths = paths.join(", ");
    let message = format!("no WebAssembly binary in {paths}; use --allow-empty if that is expected");
    output.print_diagnostic(None, &message);
    // Archives and other reported files have a verdict of their own.
    let is_empty = outcome.summary.rows == 0 && outcome.summary.not_opened_files == 0;
    Ok(if is_empty { Exit::Failed } else { status.max(announced) })
}

/// Prints the counts of refused, unread and unopened files, and the unused exceptions.
fn print_verdict(outcome: &AuditOutcome, status: Exit, output: &mut Output) {
    let verdict = VerdictLine(&outcome.summary);
    match status {
        _ if !verdict.is_notable() => {}
        Exit::Done => output.print_note(None, &verdict),
        Exit::No | Exit::Failed | Exit::Program(_) => output.print_diagnostic(None, &verdict),
    }
    let unused = outcome.summary.unused_exceptions().iter();
    let unused: Vec<_> = unused.map(|one| (one.location.as_ref(), &*one.reason)).collect();
    super::warn_unused(&unused, output);
}

/// The root that a PATH names. A local one must exist.
pub fn root(source: &InputSource) -> Result<Root, Failure> {
    let fail = |error: &dyn Display| Failure::Other(format!("{}: {error}", escaped(source.name())));
    if source.is_stdin() {
        return Err(Failure::Other("standard input is not a PATH; use `sectile check -` for it".to_owned()));
    }
    let Some(url) = source.url() else {
        return match Path::new(source.argument()).metadata() {
            Ok(_) => Ok(Root::from(source.argument())),
            Err(_) if source.is_layout_image() => {
                Err(fail(&"an audit takes the directory of a layout, and reads all its images"))
            }
            Err(error) => Err(fail(&error)),
        };
    };
    if let InputLocation::RegistryImage(name) = source.location() {
        if !name.contains('/') {
            return Err(fail(&format!("write oci://{}/ for all images of a registry", escaped(name.as_ref()))));
        }
        return Root::registry(name, registry::client(Scheme::Auto)?).map_err(|error| fail(&error));
    }
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

fn configure(args: &AuditArgs, judge: Judge, outputs: &[FormatOutput<AuditFormat>]) -> Result<Audit, Failure> {
    let mut walk = WalkOptions::default();
    walk.ignore_rules = args.ignore_rules;
    if let Some(inside) = args.inside {
        walk.inside = inside;
    }
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
    #[cfg(feature = "remote")]
    if let Some(request_cost) = args.request_cost {
        walk.request_cost = request_cost;
    }
    let mut audit = Audit::new(judge.policy).with_walk(walk).with_hashing(args.hash);
    if let Some(threads) = args.threads {
        audit = audit.with_threads(usize::from(threads));
    }
    if let Some(policy) = &args.policy.file {
        audit = audit.with_policy_name(policy_file::name(policy));
    }
    if let Some(today) = judge.today {
        audit = audit.with_day(today);
    }
    if let Some(created) = timestamp::created(None)? {
        audit = audit.with_created(created);
    }
    open_comparison(args, open_baseline(args, outputs, audit)?)
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

fn exit(outcome: &AuditOutcome, fail_on: FailOn) -> Exit {
    let summary = &outcome.summary;
    let (unread, refused) = match (fail_on, &summary.comparison) {
        (FailOn::New, Some(comparison)) => (comparison.newly_unread, comparison.newly_refused),
        _ => (summary.unread(), summary.refused),
    };
    if outcome.stop.is_some() || unread > 0 {
        Exit::Failed
    } else if refused > 0 {
        Exit::No
    } else {
        Exit::Done
    }
}
