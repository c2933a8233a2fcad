//! Arguments of the commands that set metadata in a build.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use sectile::Field;
use sectile_manifest::StripProfile;

use super::matches::{all, choice, optional};
use super::metadata::{MetadataArgs, allow_invalid, metadata};
use super::options::{OUTPUT, PolicyArgs, flag, messages, output, policy};

const STRIP: &str = "strip";
const NO_GIT: &str = "no-git";
const COMMAND: &str = "COMMAND";

/// The options of every command that builds.
pub fn build() -> impl Iterator<Item = Arg> {
    let strip = Arg::new(STRIP)
        .long(STRIP)
        .value_name("PROFILE")
        .value_parser(choice(StripProfile::ALL.map(|profile| (profile.name(), profile))))
        .help("Remove sections: debug sections; names of functions too; or all without a known purpose too");
    let no_git = flag(NO_GIT, "Do not set the revision from Git");
    metadata(Field::ALL).chain([allow_invalid(), strip, no_git]).chain(policy())
}

/// Metadata to set in a build, and how to judge the result.
#[derive(Clone, Debug)]
pub struct BuildArgs {
    pub metadata: MetadataArgs,
    pub strip: Option<StripProfile>,
    pub no_git: bool,
    pub policy: PolicyArgs,
}

impl BuildArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            metadata: MetadataArgs::from_matches(matches, Field::ALL),
            strip: optional(matches, STRIP),
            no_git: matches.get_flag(NO_GIT),
            policy: PolicyArgs::from_matches(matches),
        }
    }
}

pub fn wrap(command: Command) -> Command {
    command
        .args(build())
        .arg(
            output()
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .action(ArgAction::Append)
                .help("A binary that COMMAND writes [default: those that its own options name, as -o and --out do]"),
        )
        .args(messages())
        .arg(
            Arg::new(COMMAND)
                .required(true)
                .num_args(1..)
                .last(true)
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::CommandWithArguments)
                .help("The command to run, and its arguments"),
        )
        .after_help(
            "Examples:\n  \
               sectile wrap -- tinygo build -target=wasip2 -o app.wasm .\n  \
               sectile wrap --output build/app.wasm -- npm run compile",
        )
}

#[derive(Clone, Debug)]
pub struct WrapArgs {
    pub build: BuildArgs,
    /// The binaries that the command writes. If empty, they are taken from the command's own
    /// options.
    pub outputs: Vec<PathBuf>,
    /// The program and its arguments, at least one.
    pub command: Vec<OsString>,
}

impl WrapArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { build: BuildArgs::from_matches(matches), outputs: all(matches, OUTPUT), command: all(matches, COMMAND) }
    }
}
