//! What the command understands.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use sectile::Severity;
use sectile::audit::{Form, WalkOptions};
use sectile::scan::Path;

use crate::{created, edit, oci};

/// The whole command line.
pub fn command() -> Command {
    Command::new("sectile")
        .version(clap::crate_version!())
        .about("Reads and edits the metadata of WebAssembly modules and components without touching the rest")
        .after_help(
            "Exit status:\n  \
               0  done\n  \
               1  the answer is no: `check` or `audit` refused something, `get` found no such section\n  \
               2  something could not be done, or only a part of a file could be read",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            subcommand(
                "show",
                "Shows the metadata of each file: its items, what each says of itself, and what is wrong with it",
                show,
            ),
            subcommand("sections", "Lists every section of each file, nested ones under their item", sections),
            subcommand("get", "Writes the raw data of a custom section to standard output", get),
            subcommand("check", "Judges what is wrong or notable in each file; nothing else is shown", check),
            subcommand(
                "audit",
                "Judges every binary below each path, however deep it lies: directories, image layouts, \
                 registries' storages, archives, buckets",
                audit,
            ),
            subcommand(
                "sbom",
                "Writes the dependencies that were found in the tree to standard output, as CycloneDX JSON",
                sbom,
            ),
            subcommand(
                "digest",
                "Computes the SHA-256 of each file, and of everything in it but custom sections, which edits of \
                 metadata keep",
                digest,
            ),
        ])
        .subcommands(edit::args::subcommands())
        .subcommands([
            oci::args::command(),
            subcommand("completions", "Writes a completion script for a shell to standard output", completions),
            subcommand("man", "Writes the manual pages into a directory", man),
        ])
}

/// One of the commands. What it understands is put together once it is the one that is asked for: to do so for all of them
/// takes longer than to show a file.
pub fn subcommand(name: &'static str, about: &'static str, understands: fn(Command) -> Command) -> Command {
    Command::new(name).about(about).defer(understands)
}

fn show(command: Command) -> Command {
    command.args([
        anywhere().num_args(1..),
        Arg::new("interface")
            .long("interface")
            .action(ArgAction::SetTrue)
            .help("Show what the root item imports and exports, too, and what a WIT package defines"),
        Arg::new("image").long("image").action(ArgAction::SetTrue).conflicts_with("map").help(
            "Compare the binary with the annotations of its image's manifest: FILE is `oci:DIR[:NAME|@DIGEST]`, or \
                 `oci://HOST/REPOSITORY[:TAG|@DIGEST]`",
        ),
        Arg::new("verify")
            .long("verify")
            .action(ArgAction::SetTrue)
            .requires("image")
            .help("Hash the binary, too, and compare it with the digest that its image's layer has"),
        json(),
        map(),
        color(),
    ])
}

fn sections(command: Command) -> Command {
    command.args([anywhere().num_args(1..), json(), map(), color()])
}

fn get(command: Command) -> Command {
    command.args([
        anywhere(),
        Arg::new("NAME").required(true).help("The name of the custom section"),
        Arg::new("nth")
            .long("nth")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..))
            .help("Of several sections of that name the N-th, counted from 1 [default: the last]"),
        at("The item to look in, as child indexes such as 3/0 [default: the root]"),
        map(),
    ])
}

fn check(command: Command) -> Command {
    command.args([anywhere().num_args(1..), policy(), refuse(), json(), map(), color()])
}

fn policy() -> Arg {
    Arg::new("policy")
        .long("policy")
        .value_name("POLICY.toml")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help("Judge by this policy, and read by its limits; docs/policy.md says what may stand in it")
}

fn refuse() -> Arg {
    Arg::new("refuse")
        .long("refuse")
        .value_name("SEVERITY")
        .value_parser(PossibleValuesParser::new(Severity::ALL.map(Severity::name)))
        .help("Refuse a file with a finding of this severity, or a worse one [default: what the policy says, or else error]")
}

fn audit(command: Command) -> Command {
    let forms = [TABLE].into_iter().chain(Form::ALL.map(Form::name));
    command
        .args([
            Arg::new("PATH")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::AnyPath)
                .help(AUDITED),
            policy(),
            refuse(),
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(forms))
                .default_value(TABLE)
                .help("What the answer looks like: a summary for people, a row of JSON or CSV for each binary, SARIF, or one HTML page"),
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("OUT")
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::FilePath)
                .help("Write the answer into this file, which is replaced once the whole answer is written [default: standard output]"),
            Arg::new("since")
                .long("since")
                .value_name("REPORT")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Take the rows of what has not changed from this earlier answer in the format jsonl, and read nothing of it"),
            Arg::new("resume")
                .long("resume")
                .action(ArgAction::SetTrue)
                .requires("output")
                .conflicts_with("since")
                .help("Go on where the audit that wrote OUT was cut off"),
            Arg::new("hash")
                .long("hash")
                .action(ArgAction::SetTrue)
                .help("Compute the SHA-256 of every binary, for which all of each is read, and compare it with what its store says"),
            Arg::new("threads")
                .long("threads")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=1024))
                .help("Read on so many threads [default: as many as there are processors]"),
            Arg::new("ignore-rules")
                .long("ignore-rules")
                .action(ArgAction::SetTrue)
                .help("Pass over what .gitignore and .ignore files say to ignore"),
            Arg::new("nested")
                .long("nested")
                .value_name("N")
                .value_parser(value_parser!(u32).range(..=i64::from(WalkOptions::MOST_NESTED)))
                .help("Look into so many archives inside one another, 0 for none [default: 4]"),
        ])
        .args(in_flight())
        .args([color()])
}

#[cfg(feature = "remote")]
const AUDITED: &str = "A directory, an archive, an image layout, a registry's storage, or a binary; or what lies below `s3://BUCKET/PREFIX`, \
                       `gs://…` or `az://…`";
#[cfg(not(feature = "remote"))]
const AUDITED: &str = "A directory, an archive, an image layout, a registry's storage, or a binary";

/// How many objects are read at once, where any are.
fn in_flight() -> Option<Arg> {
    cfg!(feature = "remote").then(|| {
        Arg::new("in-flight")
            .long("in-flight")
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=1024))
            .help("Read so many objects at once on each thread, where they lie far away [default: 16]")
    })
}

/// The format that is for people.
pub const TABLE: &str = "table";

fn sbom(command: Command) -> Command {
    command.args([anywhere(), created::arg(), map()])
}

fn digest(command: Command) -> Command {
    command.args([file().num_args(1..), json(), map(), color()])
}

fn completions(command: Command) -> Command {
    command.arg(
        Arg::new("SHELL")
            .required(true)
            .value_parser(value_parser!(clap_complete::Shell))
            .help("The shell that will read it"),
    )
}

fn man(command: Command) -> Command {
    command.arg(
        Arg::new("DIR")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::DirPath)
            .help("The directory, which is made if it is not there"),
    )
}

pub fn file() -> Arg {
    Arg::new("FILE")
        .required(true)
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::FilePath)
        .help("A WebAssembly module or component; `-` is standard input, `oci:DIR[:NAME|@DIGEST]` an image in a layout")
}

/// A FILE that may lie elsewhere, too, where that is built in.
fn anywhere() -> Arg {
    if cfg!(feature = "remote") {
        file().help(
            "A WebAssembly module or component; `-` is standard input, `oci:DIR[:NAME|@DIGEST]` an image in a layout; \
             `https://…`, `s3://…`, `gs://…`, `az://…`, `file:///…` and `oci://HOST/REPOSITORY[:TAG|@DIGEST]` are read \
             where they lie, by ranges",
        )
    } else {
        file()
    }
}

pub fn at(help: &'static str) -> Arg {
    Arg::new("at")
        .long("at")
        .value_name("PATH")
        .value_parser(value_parser!(Path))
        .default_value("")
        .hide_default_value(true)
        .help(help)
}

pub fn json() -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object a file, each on a line")
}

fn map() -> Arg {
    Arg::new("map").long("map").action(ArgAction::SetTrue).help(
        "Map files into memory instead of reading from them: only for files that nobody changes meanwhile, \
         because one that is truncated ends the command with a signal",
    )
}

pub fn color() -> Arg {
    Arg::new("color")
        .long("color")
        .value_name("WHEN")
        .value_parser(PossibleValuesParser::new(["auto", "always", "never"]))
        .default_value("auto")
        .help("Colour the output: `auto` does on a terminal, unless NO_COLOR is set")
}
