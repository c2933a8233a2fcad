//! Arguments of `sectile diff`.

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command, ValueHint};
use sectile_policy::Packages;

use super::matches::required;
use super::options::{
    PolicyArgs, ReportArgs, chosen_platform, color, flag, json, judged_packages, messages, platform, policy,
    which_packages,
};
use crate::source::InputSource;

const OLD: &str = "OLD";
const NEW: &str = "NEW";
const CONTENT: &str = "content";

pub fn diff(command: Command) -> Command {
    let side = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .required(true)
            .value_parser(OsStringValueParser::new().map(InputSource::new))
            .value_hint(ValueHint::AnyPath)
            .help(help)
    };
    command
        .args([
            side(
                OLD,
                "A binary as for `show`; a directory, an archive or a repository of a registry with several binaries; or \
                 a report: the JSON lines of `audit` or `check`",
            ),
            side(NEW, "A binary, a set of binaries or a report, to compare with OLD"),
            flag(CONTENT, "Read all of both binaries, and compare everything but custom sections by SHA-256"),
            judged_packages(),
            platform(),
        ])
        .args(policy())
        .args([json().help("Print one JSON object for each pair of binaries, each on a line"), color()])
        .args(messages())
        .after_help(
            "Exit status: 0 without a difference, 1 with differences, 2 after an error.\n\nExamples:\n  \
               sectile diff old.wasm new.wasm\n  \
               sectile diff --content oci://ghcr.io/acme/app:1.0 app.wasm\n  \
               sectile diff yesterday.jsonl today.jsonl",
        )
}

#[derive(Clone, Debug)]
pub struct DiffArgs {
    pub old: InputSource,
    pub new: InputSource,
    /// Whether to read all of both binaries.
    pub content: bool,
    /// The packages to read; the policy tells if `None`.
    pub packages: Option<Packages>,
    pub policy: PolicyArgs,
    pub report: ReportArgs,
}

impl DiffArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let side = |name| required::<InputSource>(matches, name).with_platform(chosen_platform(matches));
        Self {
            old: side(OLD),
            new: side(NEW),
            content: matches.get_flag(CONTENT),
            packages: which_packages(matches),
            policy: PolicyArgs::from_matches(matches),
            report: ReportArgs::from_matches(matches),
        }
    }
}
