//! Arguments of the commands that edit a file, and of `sectile recover`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use sectile::scan::ItemPath;
use sectile::splice::WriteOptions;
use sectile::{Field, Glob};

use super::matches::{all, choice, optional};
use super::metadata::{self, MetadataArgs, allow_invalid, is_invalid_allowed, metadata};
use super::options::{
    AT, OUTPUT, ReportArgs, at, color, file, flag, force, is_forced, item_path, json, no_sync, output, section_name,
    section_name_arg, source, write_options,
};
use crate::source::InputSource;

const PRODUCERS: &str = "producers";
const FIELD: &str = "FIELD";
const DATA: &str = "data";
const DATA_FILE: &str = "data-file";
const APPEND: &str = "append";
const GLOB: &str = "GLOB";
const NAMES: &str = "names";
const ALL: &str = "all";
const KEEP: &str = "keep";
const IN_PLACE: &str = "in-place";
const DRY_RUN: &str = "dry-run";

pub fn set(command: Command) -> Command {
    editing(command).args(metadata(Field::ALL)).arg(allow_invalid())
}

pub fn unset(command: Command) -> Command {
    let fields = Field::ALL.map(|field| (field.section(), UnsetTarget::Field(field)));
    let others = [(metadata::NAME, UnsetTarget::Name), (PRODUCERS, UnsetTarget::Producers)];
    editing(command).arg(
        Arg::new(FIELD)
            .required(true)
            .num_args(1..)
            .value_parser(choice(fields.into_iter().chain(others)))
            .help("What to remove"),
    )
}

pub fn put(command: Command) -> Command {
    editing(command).args([
        section_name_arg(),
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
        flag(APPEND, "Add a section, whatever is there"),
    ])
}

pub fn remove(command: Command) -> Command {
    editing(command).arg(
        Arg::new(GLOB)
            .required(true)
            .num_args(1..)
            .value_parser(glob)
            .help("Names of custom sections; `*`, `?` and `[…]` match as in a shell"),
    )
}

pub fn strip(command: Command) -> Command {
    editing(command)
        .mut_arg(AT, |at| at.help("The one item to change, as child indexes such as 3/0 [default: all of them]"))
        .after_help(
            "What stays: metadata, the names of functions, links to debugging data that is kept elsewhere, signatures, \
             and what loading or linking needs.",
        )
        .args([
            flag(NAMES, "Remove the names of functions, locals and the like too; the item's own name stays"),
            flag(ALL, "Remove custom sections too that no known convention gives a purpose"),
            Arg::new(KEEP)
                .long(KEEP)
                .value_name("GLOB")
                .value_parser(glob)
                .action(ArgAction::Append)
                .help("Keep custom sections of this name"),
        ])
}

pub fn migrate(command: Command) -> Command {
    editing(command).arg(allow_invalid())
}

/// Adds the arguments of every editing command.
fn editing(command: Command) -> Command {
    command.args([
        file().help("A WebAssembly module or component; `-` is standard input"),
        at("The item to change, as child indexes such as 3/0 [default: the root]"),
        output()
            .value_name("OUT")
            .value_parser(value_parser!(OsString))
            .value_hint(ValueHint::FilePath)
            .help("Write another file, and leave this one; `-` is standard output")
            .help_heading("Output"),
        flag(IN_PLACE, "Write into the file itself, only where it differs; other programs see it torn meanwhile")
            .long_help(
                "Write into the file itself, only where it differs, instead of replacing it. Other programs see torn bytes \
                 meanwhile. What is overwritten is saved in a journal beside the file first: where this is cut off, \
                 `sectile recover` finishes or undoes it.",
            )
            .conflicts_with(OUTPUT)
            .help_heading("Output"),
        flag(DRY_RUN, "Show what would be written, and write nothing").short('n').help_heading("Output"),
        no_sync().help_heading("Output"),
        force().help("Do it even if the file is read-only, is hard-linked, or is an object whose sections would move")
            .help_heading("Output"),
        json().help("Print what was done as one JSON object on a line"),
        color(),
    ])
}

/// Arguments of an editing command.
#[derive(Clone, Debug)]
pub struct EditArgs {
    pub source: InputSource,
    /// The item to edit. If `None`, the root; for `strip`, every item.
    pub item: Option<ItemPath>,
    pub operation: EditOperation,
    /// The file to write; the input itself if `None`.
    pub output: Option<OsString>,
    pub in_place: bool,
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
    pub fn set(matches: &ArgMatches) -> Self {
        Self::new(matches, EditOperation::Set(MetadataArgs::from_matches(matches, Field::ALL)))
    }

    pub fn unset(matches: &ArgMatches) -> Self {
        Self::new(matches, EditOperation::Unset(all(matches, FIELD)))
    }

    pub fn put(matches: &ArgMatches) -> Self {
        let text = || PutData::Text(optional(matches, DATA).unwrap_or_default());
        let put = PutArgs {
            section_name: section_name(matches),
            data: optional(matches, DATA_FILE).map_or_else(text, PutData::File),
            append: matches.get_flag(APPEND),
        };
        Self::new(matches, EditOperation::Put(put))
    }

    pub fn remove(matches: &ArgMatches) -> Self {
        Self::new(matches, EditOperation::Remove(all(matches, GLOB)))
    }

    pub fn strip(matches: &ArgMatches) -> Self {
        let strip = StripArgs { names: matches.get_flag(NAMES), all: matches.get_flag(ALL), keep: all(matches, KEEP) };
        Self::new(matches, EditOperation::Strip(strip))
    }

    pub fn migrate(matches: &ArgMatches) -> Self {
        Self::new(matches, EditOperation::Migrate { allow_invalid: is_invalid_allowed(matches) })
    }

    /// Whether `--output` names standard output.
    pub fn is_to_stdout(&self) -> bool {
        self.output.as_ref().is_some_and(|output| output == "-")
    }

    fn new(matches: &ArgMatches, operation: EditOperation) -> Self {
        Self {
            source: source(matches),
            item: item_path(matches),
            operation,
            output: optional(matches, OUTPUT),
            in_place: matches.get_flag(IN_PLACE),
            dry_run: matches.get_flag(DRY_RUN),
            write: WriteOptions { force: is_forced(matches), ..write_options(matches) },
            report: ReportArgs::from_matches(matches),
        }
    }
}

pub fn recover(command: Command) -> Command {
    command.args([file().help("The file that was being edited"), no_sync()])
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
