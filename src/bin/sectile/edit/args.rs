//! What the editing commands understand.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use sectile::edit::Glob;
use sectile::manifest::Format;
use sectile::metadata::Field;

use crate::args::{at, color, file, json, subcommand};

pub const NAME: &str = "name";
pub const PRODUCERS: &str = "producers";
pub const FROM: &str = "from";
pub const FROM_GIT: &str = "revision-from-git";

/// The fields of the `producers` section. Source: the tool conventions' `ProducersSection.md`.
pub const PRODUCER_FIELDS: [&str; 3] = ["language", "processed-by", "sdk"];

pub fn subcommands() -> [Command; 7] {
    [
        subcommand("set", "Sets fields, the name, and producers", set),
        subcommand("unset", "Removes fields, the name, or the producers", unset),
        subcommand("put", "Puts data into a custom section: where it stands, or at the end", put),
        subcommand("remove", "Removes custom sections", remove),
        subcommand("strip", "Removes what debugging left, from nested items too unless --at picks one", strip),
        subcommand("migrate", "Moves the retired `registry-metadata` to one section a field", migrate),
        subcommand("recover", "Finishes or undoes an edit with --in-place that was cut off", recover),
    ]
}

fn set(command: Command) -> Command {
    editing(command).args(said()).arg(allow_invalid())
}

/// What a binary is to say of itself: one option a field, and more.
pub fn said() -> impl Iterator<Item = Arg> {
    let fields = Field::ALL.map(|field| {
        Arg::new(field.section())
            .long(field.section())
            .value_name(field.expects().name())
            .allow_hyphen_values(true)
            .help(field.help().trim_end_matches('.'))
            .help_heading("Fields")
    });
    let producers = PRODUCER_FIELDS.map(|field| {
        Arg::new(field)
            .long(field)
            .value_name("NAME[=VERSION]")
            .value_parser(producer)
            .action(ArgAction::Append)
            .help(format!("Add a producer to `{field}`, or give the one of that name this version"))
            .help_heading("Name and producers")
    });
    let name = Arg::new(NAME).long(NAME).value_name("NAME").value_parser(NonEmptyStringValueParser::new());
    let name = name.help("The item's own name");
    let drop = Arg::new("drop-producer")
        .long("drop-producer")
        .value_name("FIELD:NAME")
        .action(ArgAction::Append)
        .help("Drop the producer of that name from a field");
    let [name, drop] = [name, drop].map(|arg| arg.help_heading("Name and producers"));
    fields.into_iter().chain([name]).chain(producers).chain([drop]).chain(sources())
}

pub fn allow_invalid() -> Arg {
    flag("allow-invalid", "Write values that are not what the table of fields asks for")
}

/// Where values come from that are not given one by one.
fn sources() -> [Arg; 2] {
    let names = Format::ALL.map(Format::file_name).join(", ");
    let from = Arg::new(FROM)
        .long(FROM)
        .value_name("MANIFEST")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help(format!("Take the fields, the name and the language from a manifest ({names}); other options win"));
    let from_git = flag(FROM_GIT, "Set the revision to the commit of the Git work tree that holds the manifest")
        .long_help(
            "Set the revision to the commit of the Git work tree that holds the manifest, or FILE where none is given (the \
             current directory for `-`), with `+dirty` behind it where tracked files are changed. It wins over a revision \
             that the manifest gives.",
        )
        .conflicts_with(Field::Revision.section());
    [from, from_git].map(|source| source.help_heading("Sources"))
}

fn unset(command: Command) -> Command {
    let names = Field::ALL.map(Field::section).into_iter().chain([NAME, PRODUCERS]);
    editing(command).arg(
        Arg::new("FIELD")
            .required(true)
            .num_args(1..)
            .value_parser(PossibleValuesParser::new(names))
            .help("What to remove"),
    )
}

fn put(command: Command) -> Command {
    editing(command).args([
        Arg::new("NAME").required(true).help("The name of the custom section"),
        Arg::new("data")
            .long("data")
            .value_name("TEXT")
            .allow_hyphen_values(true)
            .required_unless_present("data-file")
            .help("The data"),
        Arg::new("data-file")
            .long("data-file")
            .value_name("PATH")
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::FilePath)
            .conflicts_with("data")
            .help("A file with the data; `-` is standard input"),
        flag("append", "Add a section, whatever is there"),
    ])
}

fn remove(command: Command) -> Command {
    editing(command).arg(
        Arg::new("GLOB")
            .required(true)
            .num_args(1..)
            .value_parser(glob)
            .help("Names of custom sections; `*`, `?` and `[…]` match as in a shell"),
    )
}

fn strip(command: Command) -> Command {
    editing(command)
        .mut_arg("at", |at| at.help("The one item to change, as child indexes such as 3/0 [default: all of them]"))
        .after_help(
            "What stays: metadata, the names of functions, links to debugging data that is kept elsewhere, signatures, \
             and what loading or linking needs.",
        )
        .args([
            flag("names", "Remove the names of functions, locals and the like too; the item's own name stays"),
            flag("all", "Remove custom sections too that no known convention gives a purpose"),
            Arg::new("keep")
                .long("keep")
                .value_name("GLOB")
                .value_parser(glob)
                .action(ArgAction::Append)
                .help("Keep custom sections of this name"),
        ])
}

fn migrate(command: Command) -> Command {
    editing(command).arg(allow_invalid())
}

fn recover(command: Command) -> Command {
    command.args([file().help("The file that was being edited"), no_sync()])
}

/// What all commands that change a file understand.
fn editing(command: Command) -> Command {
    command.args([
        file().help("A WebAssembly module or component; `-` is standard input"),
        at("The item to change, as child indexes such as 3/0 [default: the root]"),
        Arg::new("output")
            .short('o')
            .long("output")
            .value_name("OUT")
            .value_parser(value_parser!(OsString))
            .value_hint(ValueHint::FilePath)
            .help("Write another file, and leave this one; `-` is standard output")
            .help_heading("Output"),
        flag("in-place", "Write into the file itself, only where it differs; other programs see it torn meanwhile")
            .long_help(
                "Write into the file itself, only where it differs, instead of replacing it. Other programs see torn bytes \
                 meanwhile. What is overwritten is saved in a journal beside the file first: where this is cut off, \
                 `sectile recover` finishes or undoes it.",
            )
            .conflicts_with("output")
            .help_heading("Output"),
        flag("dry-run", "Show what would be written, and write nothing").short('n').help_heading("Output"),
        no_sync().help_heading("Output"),
        flag("force", "Do it even if the file is read-only, is hard-linked, or is an object whose sections would move")
            .help_heading("Output"),
        json().help("Print what was done as one JSON object on a line"),
        color(),
    ])
}

pub fn no_sync() -> Arg {
    flag("no-sync", "Do not wait until what was written has reached the disk: it survives a kill, but no power cut")
}

pub fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// A name, and perhaps a version behind `=`.
fn producer(text: &str) -> Result<String, String> {
    match text.split('=').next() {
        None | Some("") => Err("it has no name".to_owned()),
        Some(_) => Ok(text.to_owned()),
    }
}

fn glob(pattern: &str) -> Result<Glob, String> {
    Glob::new(pattern).map_err(|error| error.to_string())
}
