//! `sectile explain`: the meaning of the codes of findings.

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;

pub fn run(args: &ExplainArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.report.json {
        sectile_policy::report::write_codes_json(args.codes.iter().copied(), output.out())?;
    } else if args.list {
        text::write_code_list(&args.codes, output.layout(), output.out())?;
    } else {
        text::write_explanations(&args.codes, output.layout(), output.out())?;
    }
    Ok(Exit::Done)
}
