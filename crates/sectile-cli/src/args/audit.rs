//! Arguments of `sectile audit`.

use std::ffi::OsString;
use std::path::PathBuf;

use anstream::ColorChoice;
use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use sectile::splice::WriteOptions;
use sectile_audit::{Format, WalkOptions};

use super::matches::{all, choice, optional, required};
use super::options::{OUTPUT, PolicyArgs, color, color_choice, flag, force, is_forced, output, policy};
use crate::source::InputSource;

const PATH: &str = "PATH";
const FORMAT: &str = "format";
const TABLE: &str = "table";
const SINCE: &str = "since";
const RESUME: &str = "resume";
const TRUST_REPORT: &str = "trust-report";
const HASH: &str = "hash";
const THREADS: &str = "threads";
const IGNORE_RULES: &str = "ignore-rules";
const NESTED: &str = "nested";
const ARCHIVE_ROWS: &str = "archive-rows";
const ARCHIVE_ROW_BYTES: &str = "archive-row-bytes";
#[cfg(feature = "remote")]
const IN_FLIGHT: &str = "in-flight";

#[cfg(feature = "remote")]
const PATH_HELP: &str = "A directory, an archive, an image layout, a registry's storage, or a binary; or what lies below `s3://BUCKET/PREFIX`, \
                       `gs://…` or `az://…`";
#[cfg(not(feature = "remote"))]
const PATH_HELP: &str = "A directory, an archive, an image layout, a registry's storage, or a binary";

pub fn audit(command: Command) -> Command {
    let formats = [(TABLE, AuditFormat::Summary)].into_iter();
    let formats = formats.chain(Format::ALL.map(|format| (format.name(), AuditFormat::Rows(format))));
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
        .args([
            Arg::new(FORMAT)
                .long(FORMAT)
                .value_name("FORMAT")
                .value_parser(choice(formats))
                .default_value(TABLE)
                .help("What the answer looks like: a summary for people, a row of JSON or CSV for each binary, SARIF, or one HTML page"),
            output()
                .value_name("OUT")
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::FilePath)
                .help("Write the answer into this file, which is replaced once the whole answer is written [default: standard output]"),
            Arg::new(SINCE)
                .long(SINCE)
                .value_name("REPORT")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Take the rows of what has not changed from this earlier answer in the format jsonl, and read nothing of it"),
            force(),
            flag(RESUME, "Go on where the audit that wrote OUT was cut off").requires(OUTPUT).conflicts_with(SINCE),
            flag(TRUST_REPORT, "Believe the earlier answer although it belongs to someone else, or others may write to it"),
            flag(HASH, "Compute the SHA-256 of every binary, for which all of each is read, and compare it with what its store says"),
            Arg::new(THREADS)
                .long(THREADS)
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=1024))
                .help("Read on so many threads [default: as many as there are processors]"),
            flag(IGNORE_RULES, "Pass over what .gitignore and .ignore files say to ignore"),
            Arg::new(NESTED)
                .long(NESTED)
                .value_name("N")
                .value_parser(value_parser!(u32).range(..=i64::from(WalkOptions::NESTING_LIMIT)))
                .help("Look into so many archives inside one another, 0 for none [default: 4]"),
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
    let command = command.arg(
        Arg::new(IN_FLIGHT)
            .long(IN_FLIGHT)
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=1024))
            .help("Read so many objects at once on each thread, where they lie far away [default: 16]"),
    );
    command.arg(color())
}

#[derive(Clone, Debug)]
pub struct AuditArgs {
    pub roots: Vec<InputSource>,
    pub policy: PolicyArgs,
    pub format: AuditFormat,
    /// The file to write; standard output if `None`.
    pub output: Option<OsString>,
    pub write: WriteOptions,
    pub baseline: Option<BaselineArg>,
    /// Whether the earlier report is believed, whoever may have written it.
    pub trust_report: bool,
    pub hash: bool,
    pub threads: Option<u16>,
    pub ignore_rules: bool,
    pub nested: Option<u32>,
    pub archive_rows: Option<u64>,
    pub archive_row_bytes: Option<u64>,
    #[cfg(feature = "remote")]
    pub in_flight: Option<u16>,
    pub color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFormat {
    /// A summary for people.
    Summary,
    Rows(Format),
}

/// An earlier report whose rows are reused.
#[derive(Clone, Debug)]
pub enum BaselineArg {
    Since(PathBuf),
    /// The output file of an audit that was cut off.
    Resume,
}

impl AuditArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let since = optional(matches, SINCE).map(BaselineArg::Since);
        Self {
            roots: all(matches, PATH),
            policy: PolicyArgs::from_matches(matches),
            format: required(matches, FORMAT),
            output: optional::<OsString>(matches, OUTPUT).filter(|output| output != "-"),
            write: WriteOptions { force: is_forced(matches), ..WriteOptions::default() },
            baseline: if matches.get_flag(RESUME) { Some(BaselineArg::Resume) } else { since },
            trust_report: matches.get_flag(TRUST_REPORT),
            hash: matches.get_flag(HASH),
            threads: optional(matches, THREADS),
            ignore_rules: matches.get_flag(IGNORE_RULES),
            nested: optional(matches, NESTED),
            archive_rows: optional(matches, ARCHIVE_ROWS),
            archive_row_bytes: optional(matches, ARCHIVE_ROW_BYTES),
            #[cfg(feature = "remote")]
            in_flight: optional(matches, IN_FLIGHT),
            color: color_choice(matches),
        }
    }
}
