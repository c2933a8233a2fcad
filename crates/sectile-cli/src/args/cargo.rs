//! Arguments of `cargo sectile`. Options before the command are Sectile's; everything after it is
//! Cargo's.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, value_parser};

use super::build::{BuildArgs, build};
use super::matches::all;
use super::oci::{RegistryArgs, reference, registry};
use super::options::{flag, messages};

const ARGS: &str = "ARGS";
const AUDIT: &str = "audit";

pub fn command() -> Command {
    let cargo_command = |name: &'static str, alias: &'static str, about: &'static str| {
        Command::new(name).visible_alias(alias).about(about).disable_help_flag(true).arg(cargo_args())
    };
    Command::new("cargo-sectile")
        .bin_name("cargo sectile")
        .disable_version_flag(true) // `--version` is a field
        .about("Run Cargo, and set the metadata of the WebAssembly binaries that it builds")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(build())
        .arg(flag(AUDIT, "Add the list of dependencies, in the format of cargo-auditable"))
        .args(messages())
        .subcommands([
            cargo_command("build", "b", "Run `cargo build`, and set metadata"),
            cargo_command("run", "r", "Build, set metadata, and run `cargo run`"),
            cargo_command("test", "t", "Build tests, set metadata, and run `cargo test`"),
            Command::new("publish")
                .about("Build for release, set metadata, and push the binary to a registry")
                .args(registry())
                .args([reference(), cargo_args()]),
        ])
        .after_help(
            "Options before the command are Sectile's; everything after it is passed to Cargo.\n\n\
             Examples:\n  \
               cargo sectile build --target wasm32-wasip2 --release\n  \
               cargo sectile --vendor Acme publish ghcr.io/acme/app:1.2.0 --target wasm32-wasip2",
        )
}

fn cargo_args() -> Arg {
    Arg::new(ARGS)
        .num_args(0..)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
        .value_parser(value_parser!(OsString))
        .help("Arguments for Cargo")
}

#[derive(Clone, Debug)]
pub struct CargoArgs {
    pub build: BuildArgs,
    /// Whether to add the list of dependencies.
    pub audit: bool,
    pub action: CargoAction,
    /// The arguments for Cargo, without the command.
    pub args: Vec<OsString>,
}

#[derive(Clone, Debug)]
pub enum CargoAction {
    Build,
    Run,
    Test,
    Publish(PublishArgs),
}

#[derive(Clone, Debug)]
pub struct PublishArgs {
    pub push: RegistryArgs,
}

impl CargoArgs {
    pub fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, of_command) = matches.subcommand().expect("clap requires a subcommand");
        let action = match name {
            "build" => CargoAction::Build,
            "run" => CargoAction::Run,
            "test" => CargoAction::Test,
            _ => CargoAction::Publish(PublishArgs { push: RegistryArgs::from_matches(of_command) }),
        };
        let build = BuildArgs::from_matches(matches);
        if build.metadata.manifest.is_some() {
            let message = "--from is not used here: Cargo names the manifest of each binary; use --manifest-path after the command";
            return Err(command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(Self { build, audit: matches.get_flag(AUDIT), action, args: all(of_command, ARGS) })
    }
}
