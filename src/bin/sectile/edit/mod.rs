//! The commands that change a file: what is wanted becomes an edit, that a plan, and the plan is carried out.

pub mod args;
mod sink;
pub mod wanted;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::ArgMatches;
use sectile::edit::Planned;
use sectile::report::EditReport;
use sectile::splice::{Recovered, WriteError, WriteOptions, check_whole, recover};
use sectile::{Input, Limits};

use self::sink::Sink;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, escaped};
use crate::{human, input};

const WRITTEN: &str = "the file is written";

/// Runs one of the editing commands.
pub fn run(command: &str, file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let sink = Sink::of(file, matches)?;
    let input = input::named(file)?;
    check_settled(file)?;
    let (planned, notes) = plan(command, matches, &input).map_err(|failure| match check_settled(file) {
        // Somebody has begun to write into it meanwhile: that is what is wrong with it.
        Err(unsettled) => unsettled,
        Ok(()) if input.changed().unwrap_or(false) => WriteError::Changed.into(),
        Ok(()) => failure,
    })?;
    sink.write(&planned, &input, options(matches), output)?;
    let is_written = sink.is_written(&planned.plan);
    let report = EditReport::new(file, &planned, is_written);
    let said = say(&report, &notes, &sink, matches, output);
    if is_written && !sink.is_stdout() { output.told(WRITTEN, said) } else { said.and_then(|()| output.flush()) }?;
    Ok(Exit::Done)
}

fn plan(command: &str, matches: &ArgMatches, input: &Input) -> Result<(Planned, Vec<String>), Failure> {
    let (edit, notes) = wanted::edit(command, matches, input)?;
    let edit = if matches.get_flag("force") { edit.force() } else { edit };
    Ok((edit.plan(input, Limits::default())?, notes))
}

/// Refuses a file that an edit in place may have left torn.
pub fn check_settled(file: &OsString) -> Result<(), Failure> {
    if file == "-" || input::is_in_layout(file) { Ok(()) } else { Ok(check_whole(file)?) }
}

/// Says what was done; on standard error where the result is on standard output.
fn say(
    report: &EditReport<'_>,
    notes: &[String],
    sink: &Sink,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = report.file.to_owned();
    for finding in &report.planned.findings {
        let severity = finding.code.severity();
        let place = human::Place(finding);
        output.complain(Some(&file), &format_args!("{severity}: {}{place}", finding.message));
    }
    for note in notes {
        output.complain(Some(&file), note);
    }
    match (matches.get_flag("json"), sink.is_stdout()) {
        (true, false) => report.write_json(output.out())?,
        (true, true) => _ = report.write_json(&mut io::stderr().lock()),
        (false, false) => human::edited(report, output.out())?,
        (false, true) => {}
    }
    Ok(())
}

/// `sectile recover`.
pub fn run_recover(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    if file == "-" {
        return Err(Failure::Other("standard input cannot be recovered: give the file".to_owned()));
    }
    let what = match recover(file, options(matches))? {
        Recovered::NotBegun => "the edit had not begun; the file is the old one",
        Recovered::Undone => "the edit is undone; the file is the old one",
        Recovered::Finished => "the edit was complete; the file is the new one",
        _ => "recovered",
    };
    let said = writeln!(output.out(), "{}: {what}", escaped(file)).map_err(Failure::Output);
    output.told(WRITTEN, said)?;
    Ok(Exit::Done)
}

pub fn options(matches: &ArgMatches) -> WriteOptions {
    let force = matches.try_get_one::<bool>("force").ok().flatten().is_some_and(|force| *force);
    WriteOptions { sync: !matches.get_flag("no-sync"), force }
}
