//! Arguments of `sectile explain`.

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command};
use sectile::FindingCode;
use sectile_policy::internal::finding_code;

use super::matches::{WithPossibleValues, all};
use super::options::{ReportArgs, color, flag, json};

const CODE: &str = "CODE";
const LIST: &str = "list";

pub fn explain(command: Command) -> Command {
    command.args([
        Arg::new(CODE)
            .required_unless_present(LIST)
            .num_args(1..)
            .value_parser(WithPossibleValues {
                parser: StringValueParser::new().try_map(|code| finding_code(&code)),
                values: FindingCode::ALL.map(|code| code.name().into()).to_vec(),
            })
            .hide_possible_values(true) // --list lists them
            .help("The code of a finding, such as `missing-field`"),
        flag(LIST, "List all codes with their default severities").conflicts_with(CODE),
        json().help("Print one JSON object for each code, each on a line"),
        color(),
    ])
}

#[derive(Clone, Debug)]
pub struct ExplainArgs {
    /// The codes to explain.
    pub codes: Vec<FindingCode>,
    /// Whether to print one line for each code.
    pub list: bool,
    pub report: ReportArgs,
}

impl ExplainArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let list = matches.get_flag(LIST);
        let codes = if list { FindingCode::ALL.to_vec() } else { all(matches, CODE) };
        Self { codes, list, report: ReportArgs::from_matches(matches) }
    }
}
