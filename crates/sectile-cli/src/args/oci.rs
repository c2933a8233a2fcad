//! Arguments of `sectile oci …`.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use sectile::Field;
use sectile::splice::WriteOptions;
use sectile_oci::consumer::Consumer;
use sectile_oci::registry::{Reference, Scheme};
use sectile_oci::{Duplicates, WrittenShape};

use super::matches::{all, choice, optional, required};
use super::metadata::{MetadataArgs, allow_invalid, metadata};
use super::options::{
    OUTPUT, ReportArgs, color, created, created_time, flag, force, hides_progress, is_forced, is_json, json, messages,
    no_progress, no_sync, oci_file, output, platform, source, write_options,
};
use crate::image_name::registry_reference;
use crate::source::InputSource;

const ANNOTATION: &str = "annotation";
const DUPLICATES: &str = "duplicates";
const REFUSE: &str = "refuse";
const AUTHOR: &str = "author";
const OS: &str = "os";
const TARGET: &str = "target";
const FILE_NAME: &str = "file-name";
const REF: &str = "ref";
pub const REFERENCE: &str = "REFERENCE";
const SBOM: &str = "sbom";
const DRY_RUN: &str = "dry-run";
const SHAPE: &str = "shape";
const PLAIN_HTTP: &str = "plain-http";
const HTTPS: &str = "https";

pub fn annotations(command: Command) -> Command {
    command.arg(oci_file()).arg(platform()).args(binary()).args(annotation_options()).args(messages())
}

#[derive(Clone, Debug)]
pub struct AnnotationsArgs {
    pub binary: BinaryArgs,
    pub annotations: AnnotationArgs,
}

impl AnnotationsArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { binary: BinaryArgs::from_matches(matches), annotations: AnnotationArgs::from_matches(matches) }
    }
}

pub fn config(command: Command) -> Command {
    command.arg(oci_file()).arg(platform()).args(image()).args(messages())
}

pub fn layout(command: Command) -> Command {
    command
        .arg(oci_file())
        .arg(platform())
        .args(image())
        .args([
            output()
                .value_name("DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::DirPath)
                .help("Directory of the layout; its other images are kept, and one of the same name is replaced"),
            Arg::new(REF)
                .long(REF)
                .value_name("NAME")
                .help("Name of the image in the layout (org.opencontainers.image.ref.name)"),
            no_sync(),
            force(),
            json(),
            color(),
        ])
        .args(messages())
}

#[derive(Clone, Debug)]
pub struct LayoutArgs {
    pub image: ImageArgs,
    pub directory: PathBuf,
    /// The image's name, unchecked: a malformed one is reported for the file.
    pub ref_name: Option<String>,
    pub write: WriteOptions,
    pub report: ReportArgs,
}

impl LayoutArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            image: ImageArgs::from_matches(matches),
            directory: required(matches, OUTPUT),
            ref_name: optional(matches, REF),
            write: WriteOptions { force: is_forced(matches), ..write_options(matches) },
            report: ReportArgs::from_matches(matches),
        }
    }
}

const IMAGE: &str = "IMAGE";
const FOR: &str = "for";

pub fn check(command: Command) -> Command {
    let consumers = Consumer::ALL.map(|consumer| (consumer.name(), consumer));
    command
        .args([
            Arg::new(IMAGE)
                .required(true)
                .num_args(1..)
                .value_parser(OsStringValueParser::new().map(InputSource::new))
                .help("An image: HOST/REPOSITORY[:TAG|@DIGEST] in a registry, oci:DIR[:NAME|@DIGEST] in a layout"),
            Arg::new(FOR)
                .long(FOR)
                .value_name("CONSUMER")
                .value_parser(choice(consumers))
                .action(ArgAction::Append)
                .help("Check the rules of this consumer; can be repeated [default: all]"),
            json(),
            color(),
        ])
        .args(connection())
        .args(messages())
        .after_help(
            "Examples:\n  sectile oci check registry.example.com/filters/auth:1.2.0 --for istio\n  \
             sectile oci check oci:images:1.2.0",
        )
}

#[derive(Clone, Debug)]
pub struct OciCheckArgs {
    pub sources: Vec<InputSource>,
    pub consumers: Vec<Consumer>,
    pub scheme: Scheme,
    pub report: ReportArgs,
}

impl OciCheckArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let mut consumers = all(matches, FOR);
        if consumers.is_empty() {
            consumers = Consumer::ALL.to_vec();
        }
        consumers.sort_unstable();
        consumers.dedup();
        Self {
            sources: all(matches, IMAGE),
            consumers,
            scheme: scheme(matches),
            report: ReportArgs::from_matches(matches),
        }
    }
}

pub fn push(command: Command) -> Command {
    command.args([oci_file(), reference(), platform()]).args(image()).args(registry()).args(messages())
}

/// The options of every command that pushes an image.
pub fn registry() -> impl Iterator<Item = Arg> {
    let sbom = flag(SBOM, "Also push an SBOM that refers to the image: its dependencies as CycloneDX JSON");
    let dry_run = flag(DRY_RUN, "Show what a push would send, and the digest that the tag has; send nothing");
    let report = [json().help("Print what was done as one JSON object on a line"), no_progress()];
    [sbom, dry_run].map(|arg| arg.help_heading("Registry")).into_iter().chain(connection()).chain(report)
}

/// The options of every command that connects to a registry.
pub fn connection() -> [Arg; 2] {
    let flag = |name, help| flag(name, help).help_heading("Registry");
    [
        flag(
            PLAIN_HTTP,
            "Use plain HTTP, the default for a registry on this machine; no credentials are sent to others",
        )
        .conflicts_with(HTTPS),
        flag(HTTPS, "Use HTTPS even for a registry on this machine"),
    ]
}

/// The scheme of requests to the registry.
pub fn scheme(matches: &ArgMatches) -> Scheme {
    match (matches.get_flag(PLAIN_HTTP), matches.get_flag(HTTPS)) {
        (true, _) => Scheme::Http,
        (_, true) => Scheme::Https,
        _ => Scheme::Auto,
    }
}

/// The place of the image.
pub fn reference() -> Arg {
    Arg::new(REFERENCE)
        .required(true)
        .value_parser(registry_reference)
        .help("Destination: HOST[:PORT]/REPOSITORY[:TAG]; without a tag, the image has only its digest")
}

/// The place of an image, and how to push it.
#[derive(Clone, Debug)]
pub struct RegistryArgs {
    pub reference: Reference,
    pub sbom: bool,
    pub dry_run: bool,
    pub scheme: Scheme,
    pub report: ReportArgs,
    pub no_progress: bool,
}

impl RegistryArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            reference: required(matches, REFERENCE),
            sbom: matches.get_flag(SBOM),
            dry_run: matches.get_flag(DRY_RUN),
            scheme: scheme(matches),
            report: ReportArgs { json: is_json(matches), color: None },
            no_progress: hides_progress(matches),
        }
    }
}

#[derive(Clone, Debug)]
pub struct PushArgs {
    pub image: ImageArgs,
    pub registry: RegistryArgs,
}

impl PushArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { image: ImageArgs::from_matches(matches), registry: RegistryArgs::from_matches(matches) }
    }
}

/// The arguments of every command that makes an image, except FILE.
fn image() -> impl Iterator<Item = Arg> {
    let text = |name: &'static str, value, help| Arg::new(name).long(name).value_name(value).help(help);
    let shapes = WrittenShape::ALL.map(|shape| (shape.name(), shape));
    let config = [
        Arg::new(SHAPE)
            .long(SHAPE)
            .value_name("SHAPE")
            .value_parser(choice(shapes))
            .default_value(WrittenShape::default().name())
            .help("Shape of the image: `envoy` and `compat` are those that Envoy Gateway and Istio load"),
        text(AUTHOR, "TEXT", "The config's `author` [default: the binary's `authors`]"),
        text(OS, "OS", "The config's `os` [default: wasip1 of a module, wasip2 of a component]"),
        text(TARGET, "WORLD", "The config's `target`: the world that the component targets"),
        text(
            FILE_NAME,
            "NAME",
            "File name of the layer for tools that write it to disk [default: the title, with .wasm]",
        ),
    ];
    let config = config.map(|arg| arg.help_heading("Image"));
    binary().chain(annotation_options()).chain(config)
}

/// A binary, and the content of its image's config and annotations.
#[derive(Clone, Debug)]
pub struct ImageArgs {
    pub binary: BinaryArgs,
    pub annotations: AnnotationArgs,
    pub shape: WrittenShape,
    pub author: Option<String>,
    pub os: Option<String>,
    pub target: Option<String>,
    pub file_name: Option<String>,
}

impl ImageArgs {
    /// The image of a file as it is.
    pub fn unedited(source: InputSource) -> Self {
        Self {
            binary: BinaryArgs::unedited(source),
            annotations: AnnotationArgs { annotations: Vec::new(), duplicates: Duplicates::Refuse, created: None },
            shape: WrittenShape::default(),
            author: None,
            os: None,
            target: None,
            file_name: None,
        }
    }

    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            binary: BinaryArgs::from_matches(matches),
            annotations: AnnotationArgs::from_matches(matches),
            shape: required(matches, SHAPE),
            author: optional(matches, AUTHOR),
            os: optional(matches, OS),
            target: optional(matches, TARGET),
            file_name: optional(matches, FILE_NAME),
        }
    }
}

/// The arguments for metadata of the binary in the image.
fn binary() -> impl Iterator<Item = Arg> {
    metadata(binary_fields()).chain([allow_invalid()])
}

/// The fields that can be set in the binary. The creation time only becomes an annotation.
fn binary_fields() -> impl Iterator<Item = Field> {
    Field::ALL.into_iter().filter(|field| *field != Field::Created)
}

/// A binary, and the metadata to write to its copy in the image. The file itself is not changed.
#[derive(Clone, Debug)]
pub struct BinaryArgs {
    pub source: InputSource,
    pub metadata: MetadataArgs,
}

impl BinaryArgs {
    /// A file as it is.
    pub fn unedited(source: InputSource) -> Self {
        Self { source, metadata: MetadataArgs::default() }
    }

    fn from_matches(matches: &ArgMatches) -> Self {
        Self { source: source(matches), metadata: MetadataArgs::from_matches(matches, binary_fields()) }
    }
}

fn annotation_options() -> impl Iterator<Item = Arg> {
    let args = [
        Arg::new(ANNOTATION)
            .long(ANNOTATION)
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .help("Set an annotation, regardless of the binary's value"),
        Arg::new(DUPLICATES)
            .long(DUPLICATES)
            .value_name("WHICH")
            .value_parser(choice([
                (REFUSE, Duplicates::Refuse),
                ("first", Duplicates::First),
                ("last", Duplicates::Last),
            ]))
            .default_value(REFUSE)
            .help("Which of several sections to use if one is expected"),
        created(),
    ];
    args.map(|arg| arg.help_heading("Image")).into_iter()
}

/// The annotations of an image.
#[derive(Clone, Debug)]
pub struct AnnotationArgs {
    /// Annotations as `KEY=VALUE`, unchecked: a malformed one is reported for the file.
    pub annotations: Vec<String>,
    pub duplicates: Duplicates,
    pub created: Option<String>,
}

impl AnnotationArgs {
    fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            annotations: all(matches, ANNOTATION),
            duplicates: required(matches, DUPLICATES),
            created: created_time(matches),
        }
    }
}
