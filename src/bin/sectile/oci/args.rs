//! What `sectile oci …` understands.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use sectile::metadata::Field;
use sectile::oci::registry::Reference;

use crate::args::{color, file, json, subcommand};
use crate::created;
use crate::edit::args::{allow_invalid, flag, no_sync, said};

/// What counts of several sections, as the command names it.
pub const DUPLICATES: [&str; 3] = ["refuse", "first", "last"];

pub fn command() -> Command {
    let about = "Makes a Wasm OCI artifact of a binary: its annotations, its config, and the whole image, in a layout on disk or \
                 a registry";
    Command::new("oci").about(about).subcommand_required(true).arg_required_else_help(true).subcommands([
        subcommand(
            "annotations",
            "Writes the annotations that the manifest would have, as one JSON object",
            annotations,
        ),
        subcommand("config", "Writes the config that the image would have, byte for byte", config),
        subcommand("layout", "Adds the image to an image layout on disk, which is made if it is not there", layout),
        subcommand("push", "Pushes the image to a registry", push),
    ])
}

fn annotations(command: Command) -> Command {
    command.arg(file()).args(of_binary()).args(of_annotations())
}

fn config(command: Command) -> Command {
    command.arg(file()).args(of_image())
}

fn layout(command: Command) -> Command {
    command.arg(file()).args(of_image()).args([
        Arg::new("output")
            .short('o')
            .long("output")
            .value_name("DIR")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::DirPath)
            .help("The directory of the layout; what is in it stays, but an image of the same name"),
        Arg::new("ref")
            .long("ref")
            .value_name("NAME")
            .help("What the image is called in the layout: its org.opencontainers.image.ref.name"),
        no_sync(),
        json(),
        color(),
    ])
}

fn push(command: Command) -> Command {
    let flag = |name, help| flag(name, help).help_heading("Registry");
    command
        .args([
            file(),
            Arg::new("REFERENCE")
                .required(true)
                .value_parser(value_parser!(Reference))
                .help("Where to: HOST[:PORT]/REPOSITORY[:TAG]; without a tag, by its digest alone"),
        ])
        .args(of_image())
        .args([
            flag("sbom", "Push the dependencies beside it, as CycloneDX JSON that refers to it"),
            flag("plain-http", "Speak plain HTTP, as is done within this machine anyway; no credentials are sent so")
                .conflicts_with("https"),
            flag("https", "Speak HTTPS within this machine, too"),
            json().help("Print what was done as one JSON object on a line"),
        ])
}

/// What all that make an image of a binary understand: what the binary is to say, and what is said of it.
pub fn of_image() -> impl Iterator<Item = Arg> {
    let text = |name: &'static str, value, help| Arg::new(name).long(name).value_name(value).help(help);
    let config = [
        text("author", "TEXT", "The config's `author` [default: what the binary says in `authors`]"),
        text("os", "OS", "The config's `os` [default: wasip1 of a module, wasip2 of a component]"),
        text("target", "WORLD", "The world that a component was made for, as the config's `target`"),
        text(
            "file-name",
            "NAME",
            "What the layer is called by tools that write it to disk [default: the title, with .wasm]",
        ),
    ];
    let config = config.map(|arg| arg.help_heading("Image"));
    of_binary().chain(of_annotations()).chain(config)
}

/// What the binary is to say of itself in the image; the file stays as it is. (When it was built it is not to say: that
/// becomes an annotation alone.)
fn of_binary() -> impl Iterator<Item = Arg> {
    said().filter(|arg| arg.get_id() != Field::Created.section()).chain([allow_invalid()])
}

/// The fields that it is to say.
pub fn fields_of_binary() -> impl Iterator<Item = Field> {
    Field::ALL.into_iter().filter(|field| *field != Field::Created)
}

fn of_annotations() -> impl Iterator<Item = Arg> {
    let args = [
        Arg::new("annotation")
            .long("annotation")
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .help("Give an annotation this value, whatever the binary says"),
        Arg::new("duplicates")
            .long("duplicates")
            .value_name("WHICH")
            .value_parser(PossibleValuesParser::new(DUPLICATES))
            .default_value(DUPLICATES[0])
            .help("Which of several sections counts, where one is meant"),
        created::arg(),
    ];
    args.map(|arg| arg.help_heading("Image")).into_iter()
}
