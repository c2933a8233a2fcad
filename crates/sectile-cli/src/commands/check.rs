//! `sectile check`: the findings of a file, judged by a policy.

use sectile::Error;
use sectile_policy::report::Report;
use sectile_policy::{ExceptionUse, JudgeContext};

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::Judge;
use crate::output::Output;
use crate::reading::SizedReading;
use crate::source::InputSource;
use crate::text;

pub fn run(
    source: &InputSource,
    judge: &Judge,
    exceptions: &ExceptionUse<'_>,
    args: &CheckArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let reading = SizedReading::read(source, args.map, |input| input.read_for(&judge.policy))?;
    let report = Report::for_policy(source.name(), reading.size, &reading.outcome);
    let locations = [source.name()];
    let mut context = JudgeContext::new().with_day(judge.today);
    if !source.is_stdin() {
        context = context.with_locations(&locations);
    }
    let verdict = judge.policy.judge_with_context(&report, &context);
    exceptions.add(verdict.findings());
    let exit = if verdict.is_refused() { Exit::No } else { Exit::Done };
    if args.report.json {
        report.write_verdict_json(&verdict, output.out())?;
    } else if output.shows_success() || !verdict.is_accepted() {
        text::write_verdict(source.name(), &verdict, incomplete_answer(&reading), output.out())?;
    }
    Ok(exit.max(reading.finish(source, output)))
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
