//! The command line: its definition, and the typed values it is parsed into.

mod audit;
mod build;
mod cargo;
mod diff;
mod edit;
mod explain;
mod generate;
mod images;
mod inspect;
mod matches;
mod metadata;
mod oci;
mod options;
mod outputs;
mod policy;
mod report;
mod targets;

use std::ffi::OsString;

use clap::{ArgMatches, Command};
use sectile::Escaped;

use crate::{settings, version};

pub use self::audit::{AuditArgs, BaselineArg, FailOn, THREADS};
pub use self::build::{BuildArgs, WrapArgs};
pub use self::cargo::{CargoAction, CargoArgs, PublishArgs};
pub use self::diff::DiffArgs;
pub use self::edit::{EditArgs, EditOperation, PutArgs, PutData, RecoverArgs, StripArgs, UnsetTarget};
pub use self::explain::ExplainArgs;
pub use self::generate::{CompletionsArgs, ManArgs};
pub use self::images::{CopyArgs, LoginArgs, LogoutArgs, PullArgs, TagsArgs};
pub use self::inspect::{CheckArgs, DigestArgs, GetArgs, ImageComparison, SbomArgs, SectionsArgs, ShowArgs};
pub use self::metadata::MetadataArgs;
pub use self::oci::{AnnotationArgs, AnnotationsArgs, BinaryArgs, ImageArgs, LayoutArgs, OciCheckArgs, PushArgs};
pub use self::options::{COLORS, PolicyArgs, ReportArgs, Verbosity};
pub use self::outputs::{AuditFormat, FormatOutput, OutputArgs, OutputFormat, OutputPlace};
pub use self::policy::{PolicyCheckArgs, PolicyInitArgs, PolicyShowArgs};
pub use self::report::SavedRowsArgs;

/// A command, and its typed arguments.
#[derive(Clone, Debug)]
pub enum Subcommand {
    Show(ShowArgs),
    Sections(SectionsArgs),
    Get(GetArgs),
    Check(CheckArgs),
    Audit(AuditArgs),
    Report(SavedRowsArgs),
    Sbom(SbomArgs),
    Digest(DigestArgs),
    Diff(DiffArgs),
    Edit(EditArgs),
    Recover(RecoverArgs),
    Wrap(WrapArgs),
    Cargo(CargoArgs),
    OciAnnotations(AnnotationsArgs),
    OciCheck(OciCheckArgs),
    OciConfig(ImageArgs),
    OciLayout(LayoutArgs),
    OciPush(PushArgs),
    OciPull(PullArgs),
    OciCopy(CopyArgs),
    OciTags(TagsArgs),
    OciLogin(LoginArgs),
    OciLogout(LogoutArgs),
    PolicyInit(PolicyInitArgs),
    PolicyCheck(PolicyCheckArgs),
    PolicyShow(PolicyShowArgs),
    Explain(ExplainArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// A parsed command line.
#[derive(Clone, Debug)]
pub struct CommandLine {
    pub subcommand: Subcommand,
    pub verbosity: Verbosity,
}

/// Parses arguments, after the name of the program. Requests for help and for the version are also errors.
///
/// The error message quotes arguments, but is safe on a terminal.
pub fn parse(args: &[OsString]) -> Result<CommandLine, clap::Error> {
    parse_args(args).map_err(|error| escaped_error(error, args, command, |args| parse_args(args).err()))
}

/// Parses the arguments of this process as those of `cargo sectile`.
pub fn parse_for_cargo() -> Result<CommandLine, clap::Error> {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    // Cargo passes the name of its subcommand.
    if args.get(1).is_some_and(|arg| arg == "sectile") {
        args.remove(1);
    }
    let parse = |args: &[OsString]| cargo::command().try_get_matches_from(args);
    let matches =
        parse(&args).map_err(|error| escaped_error(error, &args, cargo::command, |args| parse(args).err()))?;
    let args = CargoArgs::from_matches(&matches)?;
    Ok(CommandLine { subcommand: Subcommand::Cargo(args), verbosity: Verbosity::from_matches(&matches) })
}

/// The error for the escaped arguments, if escaping changes them.
fn escaped_error(
    error: clap::Error,
    args: &[OsString],
    command: fn() -> Command,
    parse: impl Fn(&[OsString]) -> Option<clap::Error>,
) -> clap::Error {
    let escaped: Vec<OsString> = args.iter().map(|arg| Escaped::file(arg).to_string().into()).collect();
    if escaped == args {
        return error;
    }
    match parse(&escaped) {
        Some(error) => error,
        // Only the escaped characters are wrong.
        None => command().error(error.kind(), Escaped::new(error.to_string().trim_end())),
    }
}

fn parse_args(args: &[OsString]) -> Result<CommandLine, clap::Error> {
    let mut command = command();
    if args.get(1).is_some_and(|arg| arg == "--help" || arg == "help") {
        command = command.after_long_help(format!("{}\n\n{}", exit_status(), settings::help()));
    }
    let matches = if version::is_requested(args.get(1..).unwrap_or_default()) {
        command = command.long_version(&*version::details().leak()); // once in this process
        command.try_get_matches_from(["sectile", "--version"])?
    } else {
        command.try_get_matches_from(args)?
    };
    match matches.subcommand() {
        Some((OCI, matches)) => parse_subcommand(matches, &OCI_COMMANDS),
        Some((POLICY, matches)) => parse_subcommand(matches, &POLICY_COMMANDS),
        _ => parse_subcommand(&matches, FILE_COMMANDS.iter().chain(&HELP_COMMANDS)),
    }
}

fn parse_subcommand<'a>(
    matches: &ArgMatches,
    definitions: impl IntoIterator<Item = &'a SubcommandDefinition>,
) -> Result<CommandLine, clap::Error> {
    let (name, matches) = matches.subcommand().expect("clap requires a subcommand");
    let definition = definitions.into_iter().find(|definition| definition.name == name);
    let definition = definition.expect("clap accepts only defined subcommands");
    let subcommand = (definition.parse)(matches)?;
    Ok(CommandLine { subcommand, verbosity: Verbosity::from_matches(matches) })
}

/// The definition of the whole command line.
pub fn command() -> Command {
    let oci = Command::new(OCI)
        .about("Package a binary as a Wasm OCI artifact, in a layout or a registry; pull, copy and list images")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(OCI_COMMANDS.iter().map(SubcommandDefinition::command));
    let policy = Command::new(POLICY)
        .about("Write a starter policy, check a policy, and show its effective settings")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(POLICY_COMMANDS.iter().map(SubcommandDefinition::command));
    Command::new("sectile")
        .version(clap::crate_version!())
        .about("Read, edit and audit the metadata of WebAssembly binaries")
        .after_help(exit_status())
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(FILE_COMMANDS.iter().map(SubcommandDefinition::command))
        .subcommand(oci)
        .subcommand(policy)
        .subcommands(HELP_COMMANDS.iter().map(SubcommandDefinition::command))
}

/// Each exit status, and its meaning.
pub const EXIT_STATUSES: [(u8, &str); 3] = [
    (0, "done"),
    (
        1,
        "negative result: `check` or `audit` refused a file, `diff` found a difference, `oci check` found a consumer \
         that would not load an image, or `get` or `remove` found no matching section",
    ),
    (2, "an error, or only a part of a file could be read"),
];

/// The end of the help of the whole command.
fn exit_status() -> String {
    let lines = EXIT_STATUSES.map(|(status, meaning)| format!("  {status}  {meaning}")).join("\n");
    format!("`--version --verbose` lists the features that are built in.\n\nExit status:\n{lines}")
}

/// A subcommand: its help, its arguments, and their parser.
struct SubcommandDefinition {
    name: &'static str,
    about: &'static str,
    define: fn(Command) -> Command,
    parse: fn(&ArgMatches) -> Result<Subcommand, clap::Error>,
}

impl SubcommandDefinition {
    /// Arguments are defined only for the subcommand in use. Defining all of them takes longer than
    /// showing a file.
    fn command(&self) -> Command {
        Command::new(self.name).about(self.about).defer(self.define)
    }
}

const FILE_COMMANDS: [SubcommandDefinition; 17] = [
    SubcommandDefinition {
        name: "show",
        about: "Show the metadata of each file: its items, their values, and the findings",
        define: inspect::show,
        parse: |matches| Ok(Subcommand::Show(ShowArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "sections",
        about: "List every section of each file, nested ones included",
        define: inspect::sections,
        parse: |matches| Ok(Subcommand::Sections(SectionsArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "get",
        about: "Write the raw data of a custom section to standard output",
        define: inspect::get,
        parse: |matches| Ok(Subcommand::Get(GetArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "check",
        about: "Judge each file by its findings, and by a policy",
        define: inspect::check,
        parse: |matches| Ok(Subcommand::Check(CheckArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "audit",
        about: "Judge every binary below each path: in directories, image layouts, registry storages, \
                archives and buckets",
        define: audit::audit,
        parse: |matches| Ok(Subcommand::Audit(AuditArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "report",
        about: "Write the rows of an earlier audit in other formats, or judge them by another policy",
        define: report::report,
        parse: |matches| Ok(Subcommand::Report(SavedRowsArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "sbom",
        about: "Write the recorded dependencies to standard output, as CycloneDX JSON",
        define: inspect::sbom,
        parse: |matches| Ok(Subcommand::Sbom(SbomArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "digest",
        about: "Compute the SHA-256 of each file, and of its content without custom sections",
        define: inspect::digest,
        parse: |matches| Ok(Subcommand::Digest(DigestArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "diff",
        about: "List what differs between two binaries, or between two sets of binaries or reports",
        define: diff::diff,
        parse: |matches| Ok(Subcommand::Diff(DiffArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "set",
        about: "Set fields, the name, and producers",
        define: edit::set,
        parse: |matches| EditArgs::set(matches).map(Subcommand::Edit),
    },
    SubcommandDefinition {
        name: "unset",
        about: "Remove fields, the name, or the producers",
        define: edit::unset,
        parse: |matches| EditArgs::unset(matches).map(Subcommand::Edit),
    },
    SubcommandDefinition {
        name: "put",
        about: "Put data into a custom section, in its place or at the end",
        define: edit::put,
        parse: |matches| EditArgs::put(matches).map(Subcommand::Edit),
    },
    SubcommandDefinition {
        name: "remove",
        about: "Remove custom sections by name",
        define: edit::remove,
        parse: |matches| EditArgs::remove(matches).map(Subcommand::Edit),
    },
    SubcommandDefinition {
        name: "strip",
        about: "Remove debug sections, from nested items too unless --at picks one",
        define: edit::strip,
        parse: |matches| EditArgs::strip(matches).map(Subcommand::Edit),
    },
    SubcommandDefinition {
        name: "migrate",
        about: "Move the retired `registry-metadata` to one section for each field",
        define: edit::migrate,
        parse: |matches| EditArgs::migrate(matches).map(Subcommand::Edit),
    },
    SubcommandDefinition {
        name: "recover",
        about: "Finish or undo an edit with --in-place that was interrupted",
        define: edit::recover,
        parse: |matches| Ok(Subcommand::Recover(RecoverArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "wrap",
        about: "Run a compiler or packager, and set the metadata of the binaries that it writes",
        define: build::wrap,
        parse: |matches| Ok(Subcommand::Wrap(WrapArgs::from_matches(matches))),
    },
];

const OCI: &str = "oci";

const OCI_COMMANDS: [SubcommandDefinition; 10] = [
    SubcommandDefinition {
        name: "annotations",
        about: "Write the annotations of the manifest, as one JSON object",
        define: oci::annotations,
        parse: |matches| Ok(Subcommand::OciAnnotations(AnnotationsArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "config",
        about: "Write the config of the image, byte for byte",
        define: oci::config,
        parse: |matches| Ok(Subcommand::OciConfig(ImageArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "layout",
        about: "Add the image to an image layout on disk, which is created if it does not exist",
        define: oci::layout,
        parse: |matches| Ok(Subcommand::OciLayout(LayoutArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "check",
        about: "Tell which consumers would load an image, by the rules of their sources",
        define: oci::check,
        parse: |matches| Ok(Subcommand::OciCheck(OciCheckArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "push",
        about: "Push the image to a registry",
        define: oci::push,
        parse: |matches| Ok(Subcommand::OciPush(PushArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "pull",
        about: "Download the binary of an image in a registry, and check its digest",
        define: images::pull,
        parse: |matches| Ok(Subcommand::OciPull(PullArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "copy",
        about: "Copy an image between registries and layouts, with every byte unchanged",
        define: images::copy,
        parse: |matches| Ok(Subcommand::OciCopy(CopyArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "tags",
        about: "List the tags of a repository in a registry",
        define: images::tags,
        parse: |matches| Ok(Subcommand::OciTags(TagsArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "login",
        about: "Check a password for a registry, and store it where Docker and Podman find it",
        define: images::login,
        parse: |matches| Ok(Subcommand::OciLogin(LoginArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "logout",
        about: "Remove the stored password for a registry",
        define: images::logout,
        parse: |matches| Ok(Subcommand::OciLogout(LogoutArgs::from_matches(matches))),
    },
];

const POLICY: &str = "policy";

const POLICY_COMMANDS: [SubcommandDefinition; 3] = [
    SubcommandDefinition {
        name: "init",
        about: "Write a commented policy to start with",
        define: policy::init,
        parse: |matches| Ok(Subcommand::PolicyInit(PolicyInitArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "check",
        about: "Check that policies are valid, and warn about rules and exceptions without an effect",
        define: policy::check,
        parse: |matches| Ok(Subcommand::PolicyCheck(PolicyCheckArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "show",
        about: "Show a policy with all keys, those with their defaults included, as TOML",
        define: policy::show,
        parse: |matches| Ok(Subcommand::PolicyShow(PolicyShowArgs::from_matches(matches))),
    },
];

const HELP_COMMANDS: [SubcommandDefinition; 3] = [
    SubcommandDefinition {
        name: "explain",
        about: "Explain the codes of findings: what each is, why it matters and how to fix it",
        define: explain::explain,
        parse: |matches| Ok(Subcommand::Explain(ExplainArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "completions",
        about: "Write a completion script for a shell to standard output",
        define: generate::completions,
        parse: |matches| Ok(Subcommand::Completions(CompletionsArgs::from_matches(matches))),
    },
    SubcommandDefinition {
        name: "man",
        about: "Write the manual pages into a directory",
        define: generate::man,
        parse: |matches| Ok(Subcommand::Man(ManArgs::from_matches(matches))),
    },
];
