//! `sectile diff`: the differences between two binaries, or between two sets of binaries or reports.

mod binary;
pub mod side;

use sectile::Input;
use sectile_audit::Progress;
use sectile_policy::diff::{
    ReportCounts, ReportError, ReportIndex, RowChange, compare, compare_reports, write_comparison_json,
};

use self::binary::Binary;
use self::side::Side;
use crate::args::DiffArgs;
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::Judge;
use crate::output::Output;
use crate::source::InputSource;
use crate::text;

pub fn run(args: &DiffArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.old.is_stdin() && args.new.is_stdin() {
        return Err(Failure::Other("standard input is both OLD and NEW; give one of them as a file".to_owned()));
    }
    let judge = Judge::new(&args.policy)?.with_packages(args.packages);
    let announced = judge.print_advisories(output);
    let old = named(&args.old, Side::open(&args.old))?;
    let new = named(&args.new, Side::open(&args.new))?;
    let exit = match (old, new) {
        (Side::Binary(old), Side::Binary(new)) => compare_binaries(args, &judge, old, new, output)?,
        _ if args.content => {
            let message = "--content compares two binaries; audit both sets with --hash, and compare the reports";
            return Err(Failure::Other(message.to_owned()));
        }
        (old, new) => {
            let progress = Progress::new();
            let old = named(&args.old, old.into_rows(&args.old, &judge, &progress))?;
            let new = named(&args.new, new.into_rows(&args.new, &judge, &progress))?;
            compare_rows(args, old, &new, output)?
        }
    };
    Ok(exit.max(announced))
}

/// Adds the name of a source to a failure of reading it.
fn named<T>(source: &InputSource, result: Result<T, Failure>) -> Result<T, Failure> {
    result.map_err(|failure| match failure {
        Failure::Input(_) | Failure::Other(_) => Failure::Other(named_message(source, &failure)),
        failure => failure,
    })
}

/// The message of a failure, with the name of the source if that was read.
pub fn named_message(source: &InputSource, failure: &Failure) -> String {
    match failure {
        Failure::Input(_) | Failure::Other(_) => format!("{}: {failure}", escaped(source.name())),
        _ => failure.to_string(),
    }
}

fn compare_binaries(
    args: &DiffArgs,
    judge: &Judge,
    old: Option<Input>,
    new: Option<Input>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let read = |source, opened| named(source, Binary::read(source, opened, args.content, judge));
    let (old, new) = (read(&args.old, old)?, read(&args.new, new)?);
    let comparison = compare(&old.facts, &new.facts);
    if args.report.json {
        write_comparison_json(&old.facts, &new.facts, &comparison, output.out())?;
    } else {
        text::write_comparison(&old.facts, &new.facts, &comparison, output.layout(), output.out())?;
    }
    let exit = if comparison.is_equal() { Exit::Done } else { Exit::No };
    Ok(exit.max(old.finish(&args.old, output)).max(new.finish(&args.new, output)))
}

/// Maximum number of rows that are listed for people; the rest is counted.
const MAX_ROWS: u64 = 1_000;

fn compare_rows(args: &DiffArgs, old: Input, new: &Input, output: &mut Output) -> Result<Exit, Failure> {
    let old = named(&args.old, ReportIndex::new(old).map_err(Failure::from))?;
    let (mut counts, mut shown, mut incomplete) = (ReportCounts::default(), 0, 0_u64);
    let layout = output.layout();
    let is_complete = compare_reports(&old, new, |change: RowChange| -> Result<(), Failure> {
        counts.add(&change);
        let rows = [&change.old, &change.new];
        incomplete += u64::from(rows.into_iter().flatten().any(|row| !row.facts().is_complete()));
        if args.report.json {
            change.write_json(output.out())?;
        } else if change.comparison.as_ref().is_none_or(|comparison| !comparison.is_equal()) {
            shown += 1;
            if shown <= MAX_ROWS {
                text::write_row_change(&change, layout, output.out())?;
            }
        }
        Ok(())
    });
    let is_complete = named(&args.new, is_complete)? && old.is_complete();
    if args.report.json {
        counts.write_json(is_complete, output.out())?;
    } else {
        text::write_counts(&counts, shown.saturating_sub(MAX_ROWS), output.out())?;
    }
    let mut exit = if counts.is_equal() { Exit::Done } else { Exit::No };
    if !is_complete {
        output.print_diagnostic(None, &"the audit of a report was stopped before its end; what it has is compared");
        exit = Exit::Failed;
    }
    if incomplete > 0 {
        let message = format!("binaries not read to their end: {incomplete}; what was read of them is compared");
        output.print_diagnostic(None, &message);
        exit = Exit::Failed;
    }
    Ok(exit)
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::Other(match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })
    }
}
