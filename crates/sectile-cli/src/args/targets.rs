//! The names that an editing command takes: positional after the only FILE, or as options before
//! any number of FILEs.
//!
//! `unset FILE FIELD…` and `unset --field FIELD FILE…` differ by the option, so a name is never
//! mistaken for a file.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use super::matches::{WithPossibleValues, all};
use super::options::{file, source};
use crate::source::InputSource;

const POSITIONAL: &str = "names-or-files";

/// The names that one command takes.
pub struct Targets {
    /// The command with its parents, for messages.
    pub command: &'static str,
    /// The long name of the option.
    pub option: &'static str,
    pub value_name: &'static str,
    pub help: &'static str,
    /// Whether the command takes several names.
    pub is_list: bool,
    pub parser: fn() -> ValueParser,
}

impl Targets {
    /// FILE, the positional names, and the option.
    pub fn define(&self, command: Command) -> Command {
        let action = if self.is_list { ArgAction::Append } else { ArgAction::Set };
        command.override_usage(self.usage()).args([
            file(),
            Arg::new(POSITIONAL)
                .value_name(self.value_name)
                .num_args(1..)
                .value_hint(ValueHint::FilePath)
                .value_parser(WithPossibleValues {
                    parser: OsStringValueParser::new(), // the positional names are checked later
                    values: (self.parser)().possible_values().into_iter().flatten().collect(),
                })
                .help(format!("{}; with --{}, further FILEs", self.help, self.option)),
            Arg::new(self.option)
                .long(self.option)
                .value_name(self.value_name)
                .action(action)
                .value_parser((self.parser)())
                .help(format!("{}, before several FILEs", self.help)),
        ])
    }

    /// The FILEs and the names.
    pub fn parse<T: Clone + Send + Sync + 'static>(
        &self,
        matches: &ArgMatches,
    ) -> Result<(Vec<InputSource>, Vec<T>), clap::Error> {
        let (mut sources, positional) = (vec![source(matches)], all::<OsString>(matches, POSITIONAL));
        let named = all(matches, self.option);
        if named.is_empty() {
            return Ok((sources, self.parse_positional(positional)?));
        }
        sources.extend(positional.into_iter().map(InputSource::new));
        Ok((sources, named))
    }

    /// Parses the positional names, once they are known to be names.
    fn parse_positional<T: Clone + Send + Sync + 'static>(&self, names: Vec<OsString>) -> Result<Vec<T>, clap::Error> {
        let name = Arg::new(POSITIONAL).value_name(self.value_name).required(true).value_parser((self.parser)());
        let name = if self.is_list { name.num_args(1..) } else { name };
        let command = Command::new(self.command).no_binary_name(true).override_usage(self.usage()).arg(name);
        let matches = command.try_get_matches_from([OsString::from("--")].into_iter().chain(names))?;
        Ok(all(&matches, POSITIONAL))
    }

    fn usage(&self) -> String {
        let Self { command, option, value_name, .. } = self;
        let (names, options) = if self.is_list {
            (format!("<{value_name}>..."), format!("--{option} <{value_name}>..."))
        } else {
            (format!("<{value_name}>"), format!("--{option} <{value_name}>"))
        };
        format!("{command} [OPTIONS] <FILE> {names}\n       {command} [OPTIONS] {options} <FILE>...")
    }
}
