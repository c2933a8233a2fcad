//! Arguments of `sectile policy init`, `check` and `show`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use sectile::splice::WriteOptions;

use super::matches::{all, optional, required};
use super::options::{OUTPUT, ReportArgs, color, force, is_forced, json, messages, output};

const POLICY: &str = "POLICY";

fn policy_file() -> Arg {
    Arg::new(POLICY)
        .required(true)
        .value_name("POLICY.toml")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help("The file of a policy; `-` is standard input")
}

pub fn init(command: Command) -> Command {
    command.args([
        output()
            .value_name("FILE")
            .value_parser(value_parser!(OsString))
            .value_hint(ValueHint::FilePath)
            .help("Write the policy to this file [default: standard output]"),
        force().help("Replace a file that is not empty, is read-only or has several hard links"),
    ])
}

#[derive(Clone, Debug)]
pub struct PolicyInitArgs {
    /// The file to write; standard output if `None`.
    pub output: Option<OsString>,
    pub write: WriteOptions,
}

impl PolicyInitArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            output: optional::<OsString>(matches, OUTPUT).filter(|output| output != "-"),
            write: WriteOptions { force: is_forced(matches), ..WriteOptions::default() },
        }
    }
}

pub fn check(command: Command) -> Command {
    command
        .args([
            policy_file().num_args(1..),
            json().help("Print one JSON object for each policy, each on a line"),
            color(),
        ])
        .args(messages())
}

#[derive(Clone, Debug)]
pub struct PolicyCheckArgs {
    pub files: Vec<PathBuf>,
    pub report: ReportArgs,
}

impl PolicyCheckArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { files: all(matches, POLICY), report: ReportArgs::from_matches(matches) }
    }
}

pub fn show(command: Command) -> Command {
    command.args([policy_file(), json().help("Print one JSON object")])
}

#[derive(Clone, Debug)]
pub struct PolicyShowArgs {
    pub file: PathBuf,
    pub json: bool,
}

impl PolicyShowArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { file: required(matches, POLICY), json: super::options::is_json(matches) }
    }
}
