//! Completions for fish that the generator of `clap_complete` leaves out: the possible values of
//! positional arguments.

use std::fmt::{self, Write};

use clap::Command;
use clap::builder::PossibleValue;

/// Writes a line for each positional argument with possible values. The command must be built.
pub fn write_positional_values(command: &Command, out: &mut impl Write) -> fmt::Result {
    let name = command.get_name();
    for subcommand in command.get_subcommands() {
        // Files are completed too if another argument is a file.
        let no_files = if subcommand.get_positionals().count() == 1 { " -f" } else { "" };
        for arg in subcommand.get_positionals() {
            let values = arg.get_possible_values();
            let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
            if !values.is_empty() {
                let (subcommand, values) = (subcommand.get_name(), values.join(" "));
                let condition = format!("__fish_{name}_using_subcommand {subcommand}");
                writeln!(out, "complete -c {name} -n \"{condition}\"{no_files} -a \"{values}\"")?;
            }
        }
    }
    Ok(())
}
