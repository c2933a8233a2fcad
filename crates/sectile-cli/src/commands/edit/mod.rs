//! The commands that edit a file, and `sectile recover`.

mod sink;

use std::io::{self, Write};

use sectile::Input;
use sectile::edit::EditPlan;
use sectile::splice::{self, Recovered, WriteError};
use sectile_policy::report::EditReport;

use self::sink::EditSink;
use crate::args::{EditArgs, RecoverArgs};
use crate::build_edit::build_edit;
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::text;

const WRITTEN: &str = "the file is written";

/// Runs one of the editing commands.
pub fn run(args: &EditArgs, output: &mut Output) -> Result<Exit, Failure> {
    let sink = EditSink::new(args)?;
    sink.check_other_inputs(args)?;
    let input = input::open_local(&args.source, false)?;
    input::check_not_torn(&args.source)?;
    let (planned, notes) = plan(args, &input).map_err(|failure| match input::check_not_torn(&args.source) {
        // Another process started to write to the file meanwhile, which explains the failure.
        Err(torn) => torn,
        Ok(()) if input.changed().unwrap_or(false) => WriteError::Changed.into(),
        Ok(()) => failure,
    })?;
    sink.write(&planned, &input, args.write, output)?;
    let is_written = sink.is_written(planned.plan());
    let reported = write_report(&planned, is_written, &notes, &sink, args, output);
    if is_written && !sink.is_stdout() {
        output.flush_report(WRITTEN, reported)?;
    } else {
        reported.and_then(|()| output.flush())?;
    }
    Ok(Exit::Done)
}

fn plan(args: &EditArgs, input: &Input) -> Result<(EditPlan, Vec<String>), Failure> {
    let (edit, notes) = build_edit(args, input)?;
    let edit = if args.write.force { edit.force() } else { edit };
    Ok((edit.plan_input(input)?, notes))
}

/// Reports the edit; on standard error if the result is on standard output.
fn write_report(
    planned: &EditPlan,
    is_written: bool,
    notes: &[String],
    sink: &EditSink,
    args: &EditArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    for finding in planned.findings() {
        output.print_finding(&args.source, finding);
    }
    for note in notes {
        output.print_diagnostic(Some(&args.source), note);
    }
    let report = EditReport::new(args.source.name(), planned, is_written);
    match (args.report.json, sink.is_stdout()) {
        (true, false) => report.write_json(output.out())?,
        (true, true) => {
            let mut line = Vec::new();
            report.write_json(&mut line)?;
            _ = io::stderr().lock().write_all(&line);
        }
        (false, false) => text::write_edit(args.source.name(), planned, is_written, output.out())?,
        (false, true) => {}
    }
    Ok(())
}

/// `sectile recover`.
pub fn recover(args: &RecoverArgs, output: &mut Output) -> Result<Exit, Failure> {
    let file = args.source.argument();
    if args.source.is_stdin() {
        return Err(Failure::Other("standard input cannot be recovered: give the file".to_owned()));
    }
    let outcome = match splice::recover(file, args.write)? {
        Recovered::NotBegun => "the edit had not begun; the file is the old one",
        Recovered::Undone => "the edit is undone; the file is the old one",
        Recovered::Finished => "the edit was complete; the file is the new one",
        _ => "recovered",
    };
    let reported = writeln!(output.out(), "{}: {outcome}", escaped(file)).map_err(Failure::Output);
    output.flush_report(WRITTEN, reported)?;
    Ok(Exit::Done)
}
