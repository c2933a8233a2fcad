//! Arguments of the commands for images in registries: `sectile oci pull`, `copy`, `tags`, `login`
//! and `logout`.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use sectile::splice::WriteOptions;
use sectile_oci::Platform;
use sectile_oci::registry::{Reference, RegistryHost, Scheme};

use super::matches::{optional, required};
use super::oci::{REFERENCE, connection, scheme};
use super::options::{
    OUTPUT, chosen_platform, flag, force, hides_progress, is_forced, messages, no_progress, no_sync, output, platform,
    write_options,
};
use crate::image_name::{ImageName, registry_reference};

pub fn pull(command: Command) -> Command {
    command
        .arg(reference("The image: HOST[:PORT]/REPOSITORY[:TAG|@DIGEST] [default tag: latest]"))
        .args([
            output().value_name("FILE").value_parser(value_parser!(OsString)).value_hint(ValueHint::FilePath).help(
                "The file to write; `-` is standard output [default: the title of the layer, or REPOSITORY.wasm]",
            ),
            platform(),
            no_sync(),
            force(),
            no_progress(),
        ])
        .args(connection())
        .args(messages())
        .after_help(
            "Examples:\n  \
               sectile oci pull ghcr.io/team/app:1.2\n  \
               sectile oci pull ghcr.io/team/app:1.2 -o - | sectile show -",
        )
}

#[derive(Clone, Debug)]
pub struct PullArgs {
    pub reference: Reference,
    /// The file to write; by default, it is named after the image.
    pub output: Option<OsString>,
    pub platform: Option<Platform>,
    pub write: WriteOptions,
    pub scheme: Scheme,
    pub no_progress: bool,
}

impl PullArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            reference: required(matches, REFERENCE),
            output: optional(matches, OUTPUT),
            platform: chosen_platform(matches),
            write: WriteOptions { force: is_forced(matches), ..write_options(matches) },
            scheme: scheme(matches),
            no_progress: hides_progress(matches),
        }
    }
}

const SOURCE: &str = "SRC";
const DESTINATION: &str = "DST";
const REFERRERS: &str = "referrers";

pub fn copy(command: Command) -> Command {
    let source = OsStringValueParser::new().try_map(ImageName::for_source);
    let destination = OsStringValueParser::new().try_map(ImageName::for_target);
    command
        .args([
            Arg::new(SOURCE)
                .required(true)
                .value_parser(source)
                .help("The image: HOST/REPOSITORY[:TAG|@DIGEST] in a registry, or oci:DIR[:NAME|@DIGEST] in a layout"),
            Arg::new(DESTINATION)
                .required(true)
                .value_parser(destination)
                .help("Where to: HOST/REPOSITORY[:TAG], or oci:DIR[:NAME]; a layout that does not exist is created"),
            flag(REFERRERS, "Copy the artifacts that refer to the image too, such as signatures and SBOMs"),
            no_sync(),
            force(),
            no_progress(),
        ])
        .args(connection())
        .args(messages())
        .after_help(
            "Examples:\n  \
               sectile oci copy ghcr.io/team/app:1.2 registry.example.com/app:1.2 --referrers\n  \
               sectile oci copy ghcr.io/team/app:1.2 oci:layout:app-1.2",
        )
}

#[derive(Clone, Debug)]
pub struct CopyArgs {
    pub source: ImageName,
    pub destination: ImageName,
    pub referrers: bool,
    pub write: WriteOptions,
    pub scheme: Scheme,
    pub no_progress: bool,
}

impl CopyArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            source: required(matches, SOURCE),
            destination: required(matches, DESTINATION),
            referrers: matches.get_flag(REFERRERS),
            write: WriteOptions { force: is_forced(matches), ..write_options(matches) },
            scheme: scheme(matches),
            no_progress: hides_progress(matches),
        }
    }
}

pub fn tags(command: Command) -> Command {
    command
        .arg(reference("The repository: HOST[:PORT]/REPOSITORY"))
        .args(connection())
        .args(messages())
        .after_help("Example:\n  sectile oci tags ghcr.io/team/app")
}

#[derive(Clone, Debug)]
pub struct TagsArgs {
    pub repository: Reference,
    pub scheme: Scheme,
}

impl TagsArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { repository: required(matches, REFERENCE), scheme: scheme(matches) }
    }
}

const HOST: &str = "HOST";
const USERNAME: &str = "username";
const PASSWORD_STDIN: &str = "password-stdin";

pub fn login(command: Command) -> Command {
    command
        .args([
            host(),
            Arg::new(USERNAME).long(USERNAME).short('u').value_name("USER").required(true).help("The user"),
            flag(PASSWORD_STDIN, "Read the password or the access token from standard input").required(true),
        ])
        .args(connection())
        .args(messages())
        .after_help("Example:\n  pass show registry | sectile oci login ghcr.io --username me --password-stdin")
}

#[derive(Clone, Debug)]
pub struct LoginArgs {
    pub host: RegistryHost,
    pub user: String,
    pub scheme: Scheme,
}

impl LoginArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { host: required(matches, HOST), user: required(matches, USERNAME), scheme: scheme(matches) }
    }
}

pub fn logout(command: Command) -> Command {
    command.arg(host()).args(messages()).after_help("Example:\n  sectile oci logout ghcr.io")
}

#[derive(Clone, Debug)]
pub struct LogoutArgs {
    pub host: RegistryHost,
}

impl LogoutArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { host: required(matches, HOST) }
    }
}

fn reference(help: &'static str) -> Arg {
    Arg::new(REFERENCE).required(true).value_parser(registry_reference).help(help)
}

fn host() -> Arg {
    Arg::new(HOST).required(true).value_parser(value_parser!(RegistryHost)).help("The registry: HOST[:PORT]")
}
