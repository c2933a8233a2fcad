//! Arguments of `sectile completions` and `sectile man`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use clap_complete::Shell;

use super::matches::required;

const SHELL: &str = "SHELL";

pub fn completions(command: Command) -> Command {
    let shell =
        Arg::new(SHELL).required(true).value_parser(value_parser!(Shell)).help("The shell that reads the script");
    command.arg(shell).after_help(
        "Examples:\n  source <(sectile completions bash)\n  sectile completions fish > ~/.config/fish/completions/sectile.fish",
    )
}

#[derive(Clone, Copy, Debug)]
pub struct CompletionsArgs {
    pub shell: Shell,
}

impl CompletionsArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { shell: required(matches, SHELL) }
    }
}

const DIR: &str = "DIR";

pub fn man(command: Command) -> Command {
    command.arg(
        Arg::new(DIR)
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::DirPath)
            .help("Directory for the pages; created if it does not exist"),
    )
}

#[derive(Clone, Debug)]
pub struct ManArgs {
    pub directory: PathBuf,
}

impl ManArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { directory: required(matches, DIR) }
    }
}
