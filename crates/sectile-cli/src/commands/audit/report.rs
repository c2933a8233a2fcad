//! `sectile report`: the rows of an earlier audit in other formats.

use std::io::{self, BufReader};

use sectile::Input;
use sectile_audit::{SavedRows, SavedRowsError, is_parquet, parquet_lines};

use super::answers::Answers;
use super::{exit, print_verdict};
use crate::args::{FailOn, SavedRowsArgs};
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::Judge;
use crate::output::Output;
use crate::policy_file;
use crate::timestamp;

/// The rows of a report for random access, as JSON lines.
pub fn lines(input: Input) -> Result<Input, Failure> {
    if !is_parquet(&input) {
        return Ok(input);
    }
    let lines = parquet_lines(&input, input.len()).map_err(|error| {
        Failure::Other(match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })
    })?;
    Ok(Input::from_file(lines)?)
}

pub fn run(args: &SavedRowsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let is_stdin = policy_file::is_stdin(&args.rows);
    if is_stdin && args.policy.is_stdin() {
        return Err(Failure::Other(
            "standard input is both ROWS and the policy; give one of them as a file".to_owned(),
        ));
    }
    let is_judged = args.policy.is_given();
    let judge = is_judged.then(|| Judge::new(&args.policy)).transpose()?;
    let announced = judge.as_ref().map_or(Exit::Done, |judge| judge.print_advisories(output));
    let failure = |error: SavedRowsError| {
        let reason = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Failure::Other(format!("{}: {reason}", escaped(args.rows.as_os_str())))
    };
    let answers = Answers::open(&args.outputs.resolve()?, args.write, |report| {
        if !is_stdin {
            report.check_rows(&args.rows)?;
        }
        args.policy.check_not_output(report)
    })?;
    let rows = if is_stdin { SavedRows::read(BufReader::new(io::stdin().lock())) } else { SavedRows::open(&args.rows) };
    let rows = rows.map_err(failure)?;
    let rows = match &judge {
        Some(judge) => {
            let name = args.policy.file.as_deref().map(|file| policy_file::name(file).to_owned());
            rows.with_policy(&judge.policy, name, judge.today)
        }
        None => rows,
    };
    let rows = match timestamp::created(None)? {
        Some(created) => rows.with_created(created),
        None => rows,
    };
    let mut unusable = None;
    let written = answers.write(output, |formats| match rows.write(formats) {
        Ok(outcome) => Ok(outcome),
        Err(SavedRowsError::Write(error)) => Err(error),
        Err(error) => {
            unusable = Some(error);
            Err(io::ErrorKind::InvalidData.into())
        }
    });
    if let Some(error) = unusable {
        return Err(failure(error));
    }
    let outcome = written?;
    if outcome.stop.is_some() {
        output.print_diagnostic(None, &"the audit that wrote these rows was stopped before its end");
    }
    let status = exit(&outcome, FailOn::Refused);
    print_verdict(&outcome, status, output);
    Ok(status.max(announced))
}
