//! Judging the result of a build.

use sectile::Input;
use sectile_manifest::Project;
use sectile_policy::JudgeContext;
use sectile_policy::report::Report;

use super::metadata::project_policy;
use crate::args::PolicyArgs;
use crate::display::FindingLocation;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::Judge;
use crate::output::Output;
use crate::reading::SizedReading;
use crate::source::InputSource;

/// Judges a binary, if options, the environment or the project require it.
pub fn judge(
    args: &PolicyArgs,
    project: Option<&Project>,
    source: &InputSource,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut args = args.clone();
    args.file = args.file.or_else(|| project_policy(project));
    args.refuse = args.refuse.or_else(|| project.and_then(|project| project.settings().refuse));
    if !args.is_given() {
        return Ok(Exit::Done);
    }
    let judge = Judge::new(&args)?;
    let announced = judge.print_advisories(output);
    let input = Input::open(source.argument())?;
    let outcome = sectile_policy::read_input(&input, &judge.policy);
    let reading = SizedReading::new(input.len(), outcome);
    let report = Report::for_policy(source.name(), reading.size, &reading.outcome);
    let locations = [source.name()];
    let context = JudgeContext::new().with_day(judge.today).with_locations(&locations);
    let verdict = judge.policy.judge_with_context(&report, &context);
    for judged in verdict.findings() {
        let (severity, finding) = (judged.severity(), judged.finding());
        let message = format!("{severity}: {} [{}]{}", finding.message(), finding.code(), FindingLocation(finding));
        if judged.is_refused() {
            output.print_diagnostic(Some(source), &message);
        } else {
            output.print_note(Some(source), &message);
        }
    }
    let exit = if verdict.is_refused() { Exit::No } else { Exit::Done };
    if exit == Exit::No {
        output.print_diagnostic(Some(source), &"refused by the policy; the build is not accepted");
    }
    Ok(exit.max(announced).max(reading.finish(source, output)))
}
