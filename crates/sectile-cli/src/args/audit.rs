//! Arguments of `sectile audit`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anstream::ColorChoice;
use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use sectile::splice::WriteOptions;
use sectile_audit::{InsideSearch, WalkOptions};
use sectile_policy::Packages;

use super::matches::{all, choice, optional};
use super::options::{
    JSON, OUTPUT, PolicyArgs, color, color_choice, flag, force, hides_progress, is_forced, is_json, judged_packages,
    messages, no_progress, policy, which_packages,
};
use super::outputs::{AuditFormat, OutputArgs, format, output_files};
use crate::source::InputSource;

const PATH: &str = "PATH";
const SINCE: &str = "since";
const RESUME: &str = "resume";
const BASELINE: &str = "baseline";
const FAIL_ON: &str = "fail-on";
const TRUST_REPORT: &str = "trust-report";
const HASH: &str = "hash";
const ALLOW_EMPTY: &str = "allow-empty";
const THREAD_COUNT: &str = "threads";
const IGNORE_RULES: &str = "ignore-rules";
const INSIDE: &str = "inside";
const NESTED: &str = "nested";
const ARCHIVE_ROWS: &str = "archive-rows";
const ARCHIVE_ROW_BYTES: &str = "archive-row-bytes";
#[cfg(feature = "remote")]
const IN_FLIGHT: &str = "in-flight";
#[cfg(feature = "remote")]
const REQUEST_COST: &str = "request-cost";

#[cfg(feature = "remote")]
const PATH_HELP: &str = "A directory, an archive, an image layout, a registry's storage, a binary, or a prefix of a bucket: \
                       `s3://BUCKET/PREFIX`, `gs://…` or `az://…`";
#[cfg(not(feature = "remote"))]
const PATH_HELP: &str = "A directory, an archive, an image layout, a registry's storage, or a binary";

/// The values of `--threads`.
pub const THREADS: RangeInclusive<u16> = 1..=1024;

pub fn audit(command: Command) -> Command {
    let command = command
        .arg(
            Arg::new(PATH)
                .required(true)
                .num_args(1..)
                .value_parser(PathBufValueParser::new().map(|path| InputSource::new(path.into_os_string())))
                .value_hint(ValueHint::AnyPath)
                .help(PATH_HELP),
        )
        .args(policy())
        .args(outputs())
        .args([
            judged_packages(),
            Arg::new(SINCE)
                .long(SINCE)
                .value_name("REPORT")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Reuse the rows of unchanged files from this earlier output in the format jsonl or parquet"),
            flag(RESUME, "Continue the audit that wrote the output in the format jsonl or parquet and was stopped")
                .requires(OUTPUT)
                .conflicts_with(SINCE),
            Arg::new(BASELINE)
                .long(BASELINE)
                .value_name("REPORT")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Say what is new, gone and changed since this earlier output in the format jsonl or parquet"),
            Arg::new(FAIL_ON)
                .long(FAIL_ON)
                .value_name("WHAT")
                .value_parser(choice([("refused", FailOn::Refused), ("new", FailOn::New)]))
                .help(
                    "Exit with 1 for any refused file, or only for findings that are new since --baseline [default: \
                     refused]",
                ),
            flag(TRUST_REPORT, "Use the earlier output even if it belongs to another user or others may write to it"),
            flag(ALLOW_EMPTY, "Succeed if the paths have no binary"),
            flag(
                HASH,
                "Read every binary to its end, compute its SHA-256, and compare it with the digest in its store",
            ),
            Arg::new(THREAD_COUNT)
                .long(THREAD_COUNT)
                .value_name("N")
                .value_parser(value_parser!(u16).range(i64::from(*THREADS.start())..=i64::from(*THREADS.end())))
                .help("Number of threads [default: the number of processors]"),
            flag(IGNORE_RULES, "Skip the files that .gitignore and .ignore files exclude"),
            Arg::new(INSIDE)
                .long(INSIDE)
                .value_name("WHEN")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value(InsideSearch::Always.name())
                .value_parser(choice(InsideSearch::ALL.map(|inside| (inside.name(), inside))))
                .help("Search files that are not binaries or archives for binaries, such as Base64 in scripts [default: local, in local files only]"),
            Arg::new(NESTED)
                .long(NESTED)
                .value_name("N")
                .value_parser(value_parser!(u32).range(..=i64::from(WalkOptions::NESTING_LIMIT)))
                .help("Open archives inside archives up to this depth; 0 opens none [default: 4]"),
            Arg::new(ARCHIVE_ROWS)
                .long(ARCHIVE_ROWS)
                .value_name("N")
                .value_parser(value_parser!(u64))
                .help("Report at most N binaries of one archive [default: 100000]"),
            Arg::new(ARCHIVE_ROW_BYTES)
                .long(ARCHIVE_ROW_BYTES)
                .value_name("N")
                .value_parser(value_parser!(u64))
                .help("Report binaries of one archive until their rows have N bytes of text [default: 64 MiB]"),
        ]);
    #[cfg(feature = "remote")]
    let command = command.args([
        Arg::new(IN_FLIGHT)
            .long(IN_FLIGHT)
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=1024))
            .help("Number of remote objects that each thread reads at once [default: 16]"),
        Arg::new(REQUEST_COST)
            .long(REQUEST_COST)
            .value_name("N")
            .value_parser(value_parser!(u64).range(..=WalkOptions::REQUEST_COST_LIMIT))
            .help("Read up to N more bytes of a remote object to save a request [default: 262144]"),
    ]);
    command.args([no_progress(), color()]).args(messages()).after_help(
        "Examples:\n  \
           sectile audit dist\n  \
           sectile audit store --policy policy.toml -o report.html -o scan.sarif\n  \
           sectile audit store --packages all -o store.cdx.json -o store.spdx.json\n  \
           sectile audit store -o rows.jsonl --since rows.jsonl\n  \
           sectile audit store --baseline rows.jsonl --fail-on new",
    )
}

/// The arguments for the outputs: `--format`, `--json`, `--output` and `--force`.
pub fn outputs() -> [Arg; 4] {
    let format = format::<AuditFormat>();
    [
        flag(JSON, "Write JSON lines to standard output, as `--format jsonl` does").conflicts_with(format.get_id()),
        format.help(
            "Write this format to standard output, as `-o FORMAT=-` does [default: table, a summary for people]",
        ),
        output_files::<AuditFormat>().help(
            "Write this format to a file, or to standard output if it is `-`; may be repeated. Without FORMAT=, the extension decides: .jsonl .csv .sarif .html .md .xml .cdx.json .spdx.json .parquet .arrows .txt",
        ),
        force(),
    ]
}

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // one for each flag
pub struct AuditArgs {
    pub roots: Vec<InputSource>,
    pub policy: PolicyArgs,
    /// The packages to read; the policy tells if `None`.
    pub packages: Option<Packages>,
    pub outputs: OutputArgs<AuditFormat>,
    pub write: WriteOptions,
    /// Whether an audit that finds no binary succeeds.
    pub allow_empty: bool,
    /// The earlier report whose rows are reused.
    pub baseline: Option<BaselineArg>,
    /// The earlier report that rows are compared with.
    pub compared: Option<PathBuf>,
    pub fail_on: FailOn,
    /// Whether to trust the earlier report, even if another user may have written it.
    pub trust_report: bool,
    pub hash: bool,
    pub threads: Option<u16>,
    pub ignore_rules: bool,
    pub inside: Option<InsideSearch>,
    pub nested: Option<u32>,
    pub archive_rows: Option<u64>,
    pub archive_row_bytes: Option<u64>,
    #[cfg(feature = "remote")]
    pub in_flight: Option<u16>,
    #[cfg(feature = "remote")]
    pub request_cost: Option<u64>,
    pub no_progress: bool,
    pub color: Option<ColorChoice>,
}

/// An earlier report whose rows are reused.
#[derive(Clone, Debug)]
pub enum BaselineArg {
    Since(PathBuf),
    /// The output file of an interrupted audit.
    Resume,
}

/// The cause for which an audit exits with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// Any refused file.
    Refused,
    /// A refused finding that the earlier report does not have.
    New,
}

impl AuditArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let since = optional(matches, SINCE).map(BaselineArg::Since);
        Self {
            roots: all(matches, PATH),
            policy: PolicyArgs::from_matches(matches),
            packages: which_packages(matches),
            outputs: output_args(matches),
            allow_empty: matches.get_flag(ALLOW_EMPTY),
            write: WriteOptions { force: is_forced(matches), ..WriteOptions::default() },
            baseline: if matches.get_flag(RESUME) { Some(BaselineArg::Resume) } else { since },
            compared: optional(matches, BASELINE),
            fail_on: optional(matches, FAIL_ON).unwrap_or(FailOn::Refused),
            trust_report: matches.get_flag(TRUST_REPORT),
            hash: matches.get_flag(HASH),
            threads: optional(matches, THREAD_COUNT),
            ignore_rules: matches.get_flag(IGNORE_RULES),
            inside: optional(matches, INSIDE),
            nested: optional(matches, NESTED),
            archive_rows: optional(matches, ARCHIVE_ROWS),
            archive_row_bytes: optional(matches, ARCHIVE_ROW_BYTES),
            #[cfg(feature = "remote")]
            in_flight: optional(matches, IN_FLIGHT),
            #[cfg(feature = "remote")]
            request_cost: optional(matches, REQUEST_COST),
            no_progress: hides_progress(matches),
            color: color_choice(matches),
        }
    }
}

/// The typed values of [`outputs`], without `--force`.
pub fn output_args(matches: &ArgMatches) -> OutputArgs<AuditFormat> {
    let mut outputs = OutputArgs::from_matches(matches);
    if is_json(matches) {
        outputs.format = Some(AuditFormat::JSON_LINES);
    }
    outputs
}
