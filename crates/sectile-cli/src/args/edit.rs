//! Arguments of the commands that edit a file, and of `sectile recover`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use sectile::scan::ItemPath;
use sectile::splice::WriteOptions;
use sectile::{Field, Glob};

use super::matches::{all, choice, optional};
use super::metadata::{self, MetadataArgs, allow_invalid, is_invalid_allowed, metadata};
use super::options::{
    AT, OUTPUT, ReportArgs, at, color, file, flag, force, is_forced, item_path, json, messages, no_sync, output,
    platform, source, sources, write_options,
};
use super::targets::Targets;
use crate::image_name::ImageName;
use crate::source::InputSource;

const PRODUCERS: &str = "producers";
const DATA: &str = "data";
const DATA_FILE: &str = "data-file";
const APPEND: &str = "append";
const NAMES: &str = "names";
const ALL: &str = "all";
const KEEP: &str = "keep";
const IN_PLACE: &str = "in-place";
const DRY_RUN: &str = "dry-run";
const TO: &str = "to";

const UNSET: Targets = Targets {
    command: "sectile unset",
    option: "field",
    value_name: "FIELD",
    help: "The field to remove",
    is_list: true,
    parser: || ValueParser::new(unset_target()),
};

const PUT: Targets = Targets {
    command: "sectile put",
    option: SECTION,
    value_name: "NAME",
    help: "The name of the custom section",
    is_list: false,
    parser: || ValueParser::string(),
};

const REMOVE: Targets = Targets {
    command: "sectile remove",
    option: SECTION,
    value_name: "GLOB",
    help: "The name of custom sections; `*`, `?` and `[…]` match as in a shell",
    is_list: true,
    parser: || ValueParser::new(glob),
};

const SECTION: &str = "section";

pub fn set(command: Command) -> Command {
    editing(command.arg(files())).args(metadata(Field::ALL)).arg(allow_invalid()).after_help(
        "Examples:\n  \
           sectile set app.wasm --licenses MIT --version 1.2.0\n  \
           sectile set dist/*.wasm --from Cargo.toml",
    )
}

pub fn unset(command: Command) -> Command {
    editing(UNSET.define(command)).after_help(
        "Examples:\n  \
           sectile unset app.wasm version revision\n  \
           sectile unset --field version dist/*.wasm",
    )
}

pub fn put(command: Command) -> Command {
    editing(PUT.define(command))
        .args([
            Arg::new(DATA)
                .long(DATA)
                .value_name("TEXT")
                .allow_hyphen_values(true)
                .required_unless_present(DATA_FILE)
                .help("The data"),
            Arg::new(DATA_FILE)
                .long(DATA_FILE)
                .value_name("PATH")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .conflicts_with(DATA)
                .help("A file with the data; `-` is standard input"),
            flag(APPEND, "Add a section, even if there are others of this name"),
        ])
        .after_help(
            "Examples:\n  \
               sectile put app.wasm note --data 'built on Monday'\n  \
               sectile put --section note --data-file note.txt dist/*.wasm",
        )
}

pub fn remove(command: Command) -> Command {
    editing(REMOVE.define(command)).after_help(
        "Examples:\n  \
           sectile remove app.wasm 'build*'\n  \
           sectile remove --section note --section 'build*' dist/*.wasm",
    )
}

pub fn strip(command: Command) -> Command {
    editing(command.arg(files()))
        .mut_arg(AT, |at| at.help("The one item to change, as child indexes such as 3/0 [default: all of them]"))
        .after_help(
            "Metadata, the names of functions, links to separate debug data, signatures, and sections for loading or \
             linking are kept.\n\n\
             Examples:\n  \
               sectile strip app.wasm\n  \
               sectile strip --names --all --keep note dist/*.wasm",
        )
        .args([
            flag(NAMES, "Also remove the names of functions, locals and others; keep the item's own name"),
            flag(ALL, "Also remove custom sections without a known purpose"),
            Arg::new(KEEP)
                .long(KEEP)
                .value_name("GLOB")
                .value_parser(glob)
                .action(ArgAction::Append)
                .help("Keep custom sections of this name"),
        ])
}

pub fn migrate(command: Command) -> Command {
    editing(command.arg(files())).arg(allow_invalid()).after_help("Example:\n  sectile migrate dist/*.wasm")
}

/// Every FILE of an editing command.
fn files() -> Arg {
    file().num_args(1..).help(
        "WebAssembly modules or components; `-` is standard input, `oci:DIR[:NAME|@DIGEST]` and \
         `oci://HOST/REPOSITORY[:TAG|@DIGEST]` are images",
    )
}

fn unset_target() -> impl TypedValueParser<Value = UnsetTarget> {
    let fields = Field::ALL.map(|field| (field.section(), UnsetTarget::Field(field)));
    let others = [(metadata::NAME, UnsetTarget::Name), (PRODUCERS, UnsetTarget::Producers)];
    choice(fields.into_iter().chain(others))
}

/// Adds the options of every editing command.
fn editing(command: Command) -> Command {
    let output = [
        output()
            .value_name("OUT")
            .value_parser(value_parser!(OsString))
            .value_hint(ValueHint::FilePath)
            .help("Write the result to another file instead of FILE; `-` is standard output"),
        flag(IN_PLACE, "Overwrite only the bytes that differ in the file itself; others may see a partial edit")
            .long_help(
                "Overwrite only the bytes that differ in the file itself, instead of replacing the file. Other programs may \
                 see a partial edit. The old bytes are first saved in a journal in the same directory: after an \
                 interruption, `sectile recover` finishes or undoes the edit.",
            )
            .conflicts_with(OUTPUT),
        Arg::new(TO)
            .long(TO)
            .value_name("IMAGE")
            .value_parser(OsStringValueParser::new().try_map(ImageName::for_target))
            .conflicts_with_all([OUTPUT, IN_PLACE])
            .help("Write the result as an image with its metadata as annotations: HOST/REPOSITORY[:TAG] or oci:DIR[:NAME]"),
        flag(DRY_RUN, "Show the differences, and write nothing").short('n'),
        no_sync(),
        force().help("Edit a file that is read-only or hard-linked, or an object whose sections would move"),
    ];
    command
        .arg(at("The item to change, as child indexes such as 3/0 [default: the root]"))
        .arg(platform())
        .args(output.map(|arg| arg.help_heading("Output")))
        .args([json().help("Print one JSON object for each file, each on a line"), color()])
        .args(messages())
}

/// Arguments of an editing command.
#[derive(Clone, Debug)]
pub struct EditArgs {
    /// The files to edit, at least one.
    pub sources: Vec<InputSource>,
    /// The item to edit. If `None`, the root; for `strip`, every item.
    pub item: Option<ItemPath>,
    pub operation: EditOperation,
    /// The file to write, if there is one source; the source itself if `None`.
    pub output: Option<OsString>,
    pub in_place: bool,
    /// The image to write, if there is one source.
    pub to: Option<ImageName>,
    pub dry_run: bool,
    pub write: WriteOptions,
    pub report: ReportArgs,
}

#[derive(Clone, Debug)]
pub enum EditOperation {
    Set(MetadataArgs),
    Unset(Vec<UnsetTarget>),
    Put(PutArgs),
    Remove(Vec<Glob>),
    Strip(StripArgs),
    Migrate { allow_invalid: bool },
}

#[derive(Clone, Copy, Debug)]
pub enum UnsetTarget {
    Field(Field),
    Name,
    Producers,
}

#[derive(Clone, Debug)]
pub struct PutArgs {
    pub section_name: String,
    pub data: PutData,
    pub append: bool,
}

#[derive(Clone, Debug)]
pub enum PutData {
    Text(String),
    /// A file; `-` is standard input.
    File(PathBuf),
}

#[derive(Clone, Debug)]
pub struct StripArgs {
    pub names: bool,
    pub all: bool,
    pub keep: Vec<Glob>,
}

impl EditArgs {
    pub fn set(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let metadata = MetadataArgs::from_matches(matches, Field::ALL);
        if metadata.is_empty() {
            return Err(usage_error(set, "set", ErrorKind::MissingRequiredArgument, NOTHING_TO_SET));
        }
        Self::new(matches, sources(matches), EditOperation::Set(metadata))
    }

    pub fn unset(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (sources, targets) = UNSET.parse(matches)?;
        Self::new(matches, sources, EditOperation::Unset(targets))
    }

    pub fn put(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (sources, names) = PUT.parse::<String>(matches)?;
        let text = || PutData::Text(optional(matches, DATA).unwrap_or_default());
        let put = PutArgs {
            section_name: names.into_iter().next().expect("a name is required"),
            data: optional(matches, DATA_FILE).map_or_else(text, PutData::File),
            append: matches.get_flag(APPEND),
        };
        Self::new(matches, sources, EditOperation::Put(put))
    }

    pub fn remove(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (sources, globs) = REMOVE.parse(matches)?;
        Self::new(matches, sources, EditOperation::Remove(globs))
    }

    pub fn strip(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let strip = StripArgs { names: matches.get_flag(NAMES), all: matches.get_flag(ALL), keep: all(matches, KEEP) };
        Self::new(matches, sources(matches), EditOperation::Strip(strip))
    }

    pub fn migrate(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let migrate = EditOperation::Migrate { allow_invalid: is_invalid_allowed(matches) };
        Self::new(matches, sources(matches), migrate)
    }

    /// Whether `--output` names standard output.
    pub fn is_to_stdout(&self) -> bool {
        self.output.as_ref().is_some_and(|output| output == "-")
    }

    fn new(matches: &ArgMatches, sources: Vec<InputSource>, operation: EditOperation) -> Result<Self, clap::Error> {
        let (output, to) = (optional(matches, OUTPUT), optional(matches, TO));
        if (output.is_some() || to.is_some()) && sources.len() > 1 {
            let option = if to.is_some() { TO } else { OUTPUT };
            let message = format!("--{option} takes one FILE, not {}", sources.len());
            return Err(Command::new("sectile").error(ErrorKind::ArgumentConflict, message));
        }
        Ok(Self {
            sources,
            item: item_path(matches),
            operation,
            output,
            in_place: matches.get_flag(IN_PLACE),
            to,
            dry_run: matches.get_flag(DRY_RUN),
            write: WriteOptions { force: is_forced(matches), ..write_options(matches) },
            report: ReportArgs::from_matches(matches),
        })
    }
}

const NOTHING_TO_SET: &str =
    "nothing to set: give a value, such as `--licenses MIT`, or a manifest, such as `--from Cargo.toml`";

/// An error with the usage of a command.
fn usage_error(define: fn(Command) -> Command, name: &'static str, kind: ErrorKind, message: &str) -> clap::Error {
    define(Command::new(name).bin_name(format!("sectile {name}"))).error(kind, message)
}

pub fn recover(command: Command) -> Command {
    command.args([file().help("The file that was being edited"), no_sync()]).args(messages())
}

#[derive(Clone, Debug)]
pub struct RecoverArgs {
    pub source: InputSource,
    pub write: WriteOptions,
}

impl RecoverArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { source: source(matches), write: write_options(matches) }
    }
}

fn glob(pattern: &str) -> Result<Glob, String> {
    Glob::new(pattern).map_err(|error| error.to_string())
}
