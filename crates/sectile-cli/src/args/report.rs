//! Arguments of `sectile report`.

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use sectile::splice::WriteOptions;

use super::audit::{output_args, outputs};
use super::matches::required;
use super::options::{PolicyArgs, color, color_choice, is_forced, policy};
use super::outputs::{AuditFormat, OutputArgs};

const ROWS: &str = "ROWS.jsonl";

pub fn report(command: Command) -> Command {
    command
        .arg(
            Arg::new(ROWS)
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("The output of `sectile audit` in the format jsonl or parquet; `-` is standard input"),
        )
        .args(policy())
        .args(outputs())
        .arg(color())
        .after_help(
            "Examples:\n  \
               sectile report rows.jsonl -o html=report.html\n  \
               sectile report rows.jsonl --policy policy.toml --format markdown",
        )
}

#[derive(Clone, Debug)]
pub struct SavedRowsArgs {
    pub rows: PathBuf,
    pub policy: PolicyArgs,
    pub outputs: OutputArgs<AuditFormat>,
    pub write: WriteOptions,
    pub color: Option<ColorChoice>,
}

impl SavedRowsArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            rows: required(matches, ROWS),
            policy: PolicyArgs::from_matches(matches),
            outputs: output_args(matches),
            write: WriteOptions { force: is_forced(matches), ..WriteOptions::default() },
            color: color_choice(matches),
        }
    }
}
