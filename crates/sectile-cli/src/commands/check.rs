//! `sectile check`: the findings of each file, judged by a policy.

use std::fmt;

use sectile::Error;
use sectile_audit::amount::Grouped;
use sectile_policy::report::Report;
use sectile_policy::{ExceptionUse, JudgeContext};

use super::{each_source, warn_unused};
use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::Judge;
use crate::output::Output;
use crate::reading::SizedReading;
use crate::source::InputSource;
use crate::text;

pub fn run(args: &CheckArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.policy.is_stdin() && args.sources.iter().any(InputSource::is_stdin) {
        let message = "standard input is both FILE and the policy; give one of them as a file";
        return Err(Failure::Other(message.to_owned()));
    }
    let judge = Judge::new(&args.policy)?.with_packages(args.packages); // an invalid policy fails before any file is read
    args.policy.print_policy(output);
    let announced = judge.print_advisories(output);
    let exceptions = judge.policy.exception_use();
    let mut counts = Counts::default();
    let exit = each_source(&args.sources, output, |source, output| {
        check(source, &judge, &exceptions, &mut counts, args, output)
    })?;
    let unused: Vec<_> = exceptions.unused().map(|one| (one.location(), one.reason())).collect();
    warn_unused(&unused, output);
    if counts.files > 1 && counts.refused + counts.unread > 0 {
        output.print_diagnostic(None, &counts);
    }
    Ok(exit.max(announced))
}

fn check(
    source: &InputSource,
    judge: &Judge,
    exceptions: &ExceptionUse<'_>,
    counts: &mut Counts,
    args: &CheckArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let reading = SizedReading::read(source, args.map, |input| input.read_with_policy(&judge.policy))?;
    let report = Report::for_policy(source.name(), reading.size, &reading.outcome);
    let locations = [source.name()];
    let mut context = JudgeContext::new().with_day(judge.today);
    if !source.is_stdin() {
        context = context.with_locations(&locations);
    }
    let verdict = judge.policy.judge_with_context(&report, &context);
    exceptions.add(verdict.findings());
    counts.files += 1;
    counts.refused += u64::from(verdict.is_refused());
    counts.unread += u64::from(!verdict.is_complete());
    let exit = if verdict.is_refused() { Exit::No } else { Exit::Done };
    if args.report.json {
        report.write_verdict_json(&verdict, output.out())?;
    } else if output.shows_success() || !verdict.is_accepted() {
        text::write_verdict(source.name(), &verdict, incomplete_answer(&reading), output.out())?;
    }
    Ok(exit.max(reading.finish(source, output)))
}

/// The verdicts on several files, because the exit status tells only the worst.
#[derive(Debug, Default)]
struct Counts {
    files: u64,
    refused: u64,
    unread: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} files refused", Grouped(self.refused), Grouped(self.files))?;
        match self.unread {
            0 => Ok(()),
            1 => write!(f, ", 1 not read to its end"),
            unread => write!(f, ", {} not read to their end", Grouped(unread)),
        }
    }
}

/// The answer for an input that was not read completely.
fn incomplete_answer<T>(reading: &SizedReading<T>) -> &'static str {
    let is_not_wasm = reading.outcome.error().is_some_and(Error::is_not_wasm);
    match reading.size {
        None => "not judged: it cannot be opened",
        Some(_) if is_not_wasm => "refused: it is not WebAssembly",
        Some(_) => "refused: it cannot be read to its end",
    }
}
