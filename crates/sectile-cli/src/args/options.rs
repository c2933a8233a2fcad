//! Arguments that several commands share: each id, its definition, and its typed value.

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};
use sectile::Severity;
use sectile::scan::ItemPath;
use sectile::splice::WriteOptions;
use sectile_oci::Platform;
use sectile_policy::Packages;

use super::matches::{all, choice, optional, required};
use crate::policy_file::is_stdin;
use crate::source::InputSource;

pub fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

const FILE: &str = "FILE";

/// The only FILE, for a command that needs all of it.
pub fn file() -> Arg {
    Arg::new(FILE)
        .required(true)
        .value_parser(OsStringValueParser::new().map(InputSource::new))
        .value_hint(ValueHint::FilePath)
        .help(
            "A WebAssembly module or component; `-` is standard input, `oci:DIR[:NAME|@DIGEST]` an image in a layout, \
             `oci://HOST/REPOSITORY[:TAG|@DIGEST]` an image in a registry",
        )
}

/// The only FILE of a command of `oci`.
pub fn oci_file() -> Arg {
    file().value_parser(OsStringValueParser::new().map(InputSource::for_oci))
}

/// A FILE that is read by ranges. It may be a URL if that feature is enabled.
pub fn any_file() -> Arg {
    if cfg!(feature = "remote") {
        file().help(
            "A WebAssembly module or component; `-` is standard input, `oci:DIR[:NAME|@DIGEST]` an image in a layout, \
             `oci://HOST/REPOSITORY[:TAG|@DIGEST]` an image in a registry; that, `https://…`, `s3://…`, `gs://…`, \
             `az://…` and `file:///…` are read by ranges",
        )
    } else {
        file()
    }
}

/// The only FILE.
pub fn source(matches: &ArgMatches) -> InputSource {
    required::<InputSource>(matches, FILE).with_platform(chosen_platform(matches))
}

/// Every FILE.
pub fn sources(matches: &ArgMatches) -> Vec<InputSource> {
    let platform = chosen_platform(matches);
    all::<InputSource>(matches, FILE).into_iter().map(|source| source.with_platform(platform.clone())).collect()
}

const PLATFORM: &str = "platform";

pub fn platform() -> Arg {
    Arg::new(PLATFORM)
        .long(PLATFORM)
        .value_name("OS/ARCH")
        .value_parser(value_parser!(Platform))
        .help("Platform of the image, if an index lists several [default: the one for wasm]")
}

/// The platform given by `--platform`, for a command that takes it.
pub fn chosen_platform(matches: &ArgMatches) -> Option<Platform> {
    matches.try_get_one(PLATFORM).ok().flatten().cloned()
}

const SECTION_NAME: &str = "NAME";

pub fn section_name_arg() -> Arg {
    Arg::new(SECTION_NAME).required(true).help("The name of the custom section")
}

pub fn section_name(matches: &ArgMatches) -> String {
    required(matches, SECTION_NAME)
}

pub const AT: &str = "at";

pub fn at(help: &'static str) -> Arg {
    Arg::new(AT).long(AT).value_name("PATH").value_parser(value_parser!(ItemPath)).help(help)
}

/// The path given by `--at`.
pub fn item_path(matches: &ArgMatches) -> Option<ItemPath> {
    optional(matches, AT)
}

pub const MAP: &str = "map";

pub fn map() -> Arg {
    flag(MAP, "Map files into memory; a file that another program truncates meanwhile ends the command with a signal")
}

pub fn is_mapped(matches: &ArgMatches) -> bool {
    matches.get_flag(MAP)
}

pub const JSON: &str = "json";

pub fn json() -> Arg {
    flag(JSON, "Print one JSON object for each file, each on a line")
}

pub fn is_json(matches: &ArgMatches) -> bool {
    matches.get_flag(JSON)
}

const QUIET: &str = "quiet";
const VERBOSE: &str = "verbose";

/// `--quiet` and `--verbose`.
pub fn messages() -> [Arg; 2] {
    [
        flag(QUIET, "Print errors only: no warnings, notes or messages of success").short('q').conflicts_with(VERBOSE),
        flag(VERBOSE, "Print what is read and written, and how long it takes").short('v'),
    ]
}

/// The amount of output besides the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Also warnings, notes and messages of success.
    #[default]
    Normal,
    /// Also what is read and written, and how long it takes.
    Verbose,
}

impl Verbosity {
    /// The verbosity that the options of any command give.
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let is_set = |id| matches.try_get_one::<bool>(id).ok().flatten() == Some(&true);
        if is_set(QUIET) {
            Self::Quiet
        } else if is_set(VERBOSE) {
            Self::Verbose
        } else {
            Self::Normal
        }
    }
}

const NO_PROGRESS: &str = "no-progress";

pub fn no_progress() -> Arg {
    flag(NO_PROGRESS, "Show no progress on the terminal")
}

pub fn hides_progress(matches: &ArgMatches) -> bool {
    matches.get_flag(NO_PROGRESS) || Verbosity::from_matches(matches) == Verbosity::Quiet
}

const COLOR: &str = "color";

/// The values of `--color`.
pub const COLORS: [(&str, ColorChoice); 3] =
    [("auto", ColorChoice::Auto), ("always", ColorChoice::Always), ("never", ColorChoice::Never)];

pub fn color() -> Arg {
    Arg::new(COLOR)
        .long(COLOR)
        .value_name("WHEN")
        .value_parser(choice(COLORS))
        .help("Color the output: `auto` does on a terminal, unless NO_COLOR is set [default: auto]")
}

pub fn color_choice(matches: &ArgMatches) -> Option<ColorChoice> {
    optional(matches, COLOR)
}

/// The format of a report: `--json` and `--color`.
#[derive(Clone, Copy, Debug)]
pub struct ReportArgs {
    pub json: bool,
    pub color: Option<ColorChoice>,
}

impl ReportArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { json: is_json(matches), color: color_choice(matches) }
    }
}

const POLICY: &str = "policy";
const REFUSE: &str = "refuse";
const ADVISORIES: &str = "advisories";
const VEX: &str = "vex";

pub fn policy() -> [Arg; 4] {
    let file = Arg::new(POLICY)
        .long(POLICY)
        .value_name("POLICY.toml")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help("Judge by this policy, and read within its limits; `-` is standard input");
    let refuse = Arg::new(REFUSE)
        .long(REFUSE)
        .value_name("SEVERITY")
        .value_parser(choice(Severity::ALL.map(|severity| (severity.name(), severity))))
        .help("Refuse a file with a finding of this severity, or a worse one [default: that of the policy, or error]");
    [file, refuse, advisories(), vex()]
}

const PACKAGES: &str = "packages";

pub fn packages() -> Arg {
    Arg::new(PACKAGES)
        .long(PACKAGES)
        .value_name("WHICH")
        .value_parser(choice(Packages::ALL.map(|packages| (packages.name(), packages))))
}

/// The option of the commands that judge.
pub fn judged_packages() -> Arg {
    packages()
        .help("Read the packages that cargo-auditable declared, or all that the data names too [default: as the policy says, or declared]")
}

/// Which packages are read, if the option is given.
pub fn which_packages(matches: &ArgMatches) -> Option<Packages> {
    optional(matches, PACKAGES)
}

/// `--advisories`.
pub fn advisories() -> Arg {
    Arg::new(ADVISORIES)
        .long(ADVISORIES)
        .value_name("PATH")
        .action(ArgAction::Append)
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::AnyPath)
        .help("Match packages with this database of advisories: a directory of RustSec, or OSV records in a directory or ZIP archive; may be repeated")
}

/// `--vex`.
pub fn vex() -> Arg {
    Arg::new(VEX)
        .long(VEX)
        .value_name("FILE")
        .action(ArgAction::Append)
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help("Excuse advisories by the statements of this OpenVEX 0.2 document; may be repeated")
}

/// The documents given by `--vex`.
pub fn vex_paths(matches: &ArgMatches) -> Vec<PathBuf> {
    all(matches, VEX)
}

/// The databases given by `--advisories`.
pub fn advisory_paths(matches: &ArgMatches) -> Vec<PathBuf> {
    all(matches, ADVISORIES)
}

/// The policy to judge by: `--policy`, `--refuse`, `--advisories` and `--vex`.
#[derive(Clone, Debug)]
pub struct PolicyArgs {
    pub file: Option<PathBuf>,
    /// The variable or configuration file that names the policy file, if no option does.
    pub origin: Option<String>,
    pub refuse: Option<Severity>,
    /// Databases of advisories.
    pub advisories: Vec<PathBuf>,
    /// VEX documents.
    pub vex: Vec<PathBuf>,
}

impl PolicyArgs {
    /// Whether an option, a variable or the configuration file says what to judge by.
    pub fn is_given(&self) -> bool {
        self.file.is_some() || self.refuse.is_some() || !self.advisories.is_empty() || !self.vex.is_empty()
    }

    /// Whether the policy is read from standard input.
    pub fn is_stdin(&self) -> bool {
        self.file.as_deref().is_some_and(is_stdin)
    }

    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            file: optional(matches, POLICY),
            origin: None,
            refuse: optional(matches, REFUSE),
            advisories: advisory_paths(matches),
            vex: vex_paths(matches),
        }
    }
}

const CREATED: &str = "created";

pub fn created() -> Arg {
    Arg::new(CREATED)
        .long(CREATED)
        .value_name("TIME")
        .help("The creation time, such as 2026-01-31T12:00:00Z [default: SOURCE_DATE_EPOCH, if it is set]")
}

/// The time given by `--created`, unchecked.
pub fn created_time(matches: &ArgMatches) -> Option<String> {
    optional(matches, CREATED)
}

pub const OUTPUT: &str = "output";

pub fn output() -> Arg {
    Arg::new(OUTPUT).short('o').long(OUTPUT)
}

const NO_SYNC: &str = "no-sync";

pub fn no_sync() -> Arg {
    flag(NO_SYNC, "Do not wait for the disk; the result survives a kill, but not a power cut")
}

const FORCE: &str = "force";

/// `--force`, for commands that write a report or an image.
pub fn force() -> Arg {
    flag(FORCE, "Replace a file that is read-only or has several hard links")
}

/// Whether `--force` is given to a command that takes it.
pub fn is_forced(matches: &ArgMatches) -> bool {
    matches.get_flag(FORCE)
}

/// The options for writing a file, without `--force`.
pub fn write_options(matches: &ArgMatches) -> WriteOptions {
    WriteOptions { sync: !matches.get_flag(NO_SYNC), force: false }
}
