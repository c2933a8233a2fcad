//! Arguments for metadata to write: fields, name, producers, and the sources of their values.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};
use sectile::Field;
use sectile_manifest::ManifestFormat;

use super::matches::{all, optional};
use super::options::flag;

pub const NAME: &str = "name";
const DROP_PRODUCER: &str = "drop-producer";
const FROM: &str = "from";
const FROM_GIT: &str = "revision-from-git";
const ALLOW_INVALID: &str = "allow-invalid";

/// The fields of the `producers` section. Source: the tool conventions' `ProducersSection.md`.
const PRODUCER_FIELDS: [&str; 3] = ["language", "processed-by", "sdk"];

const PRODUCERS_HEADING: &str = "Name and producers";

/// One option for each of these fields, and options for the name, the producers and the sources of
/// values.
pub fn metadata(fields: impl IntoIterator<Item = Field>) -> impl Iterator<Item = Arg> {
    let fields = fields.into_iter().map(|field| {
        Arg::new(field.section())
            .long(field.section())
            .value_name(field.expects().name())
            .allow_hyphen_values(true)
            .help(field.help().trim_end_matches('.'))
            .help_heading("Fields")
    });
    let name = Arg::new(NAME)
        .long(NAME)
        .value_name("NAME")
        .value_parser(NonEmptyStringValueParser::new())
        .help("The item's own name")
        .help_heading(PRODUCERS_HEADING);
    let producers = PRODUCER_FIELDS.map(|field| {
        Arg::new(field)
            .long(field)
            .value_name("NAME[=VERSION]")
            .value_parser(producer)
            .action(ArgAction::Append)
            .help(format!("Add a producer to `{field}`, or change the version of that name"))
            .help_heading(PRODUCERS_HEADING)
    });
    let drop_producer = Arg::new(DROP_PRODUCER)
        .long(DROP_PRODUCER)
        .value_name("FIELD:NAME")
        .action(ArgAction::Append)
        .help("Drop the producer of that name from a field")
        .help_heading(PRODUCERS_HEADING);
    fields.chain([name]).chain(producers).chain([drop_producer]).chain(value_sources())
}

fn value_sources() -> [Arg; 2] {
    let names = ManifestFormat::ALL.map(ManifestFormat::file_name).join(", ");
    let from = Arg::new(FROM)
        .long(FROM)
        .value_name("MANIFEST")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help(format!(
            "Take the fields, the name and the language from a manifest ({names}); other options override it"
        ));
    let from_git = flag(FROM_GIT, "Set the revision to the commit of the Git work tree that contains the manifest")
        .long_help(
            "Set the revision to the commit of the Git work tree that contains the manifest, or FILE without a manifest (the \
             current directory for `-`), and append `+dirty` if tracked files are changed. Overrides the revision of the \
             manifest.",
        )
        .conflicts_with(Field::Revision.section());
    [from, from_git].map(|source| source.help_heading("Sources"))
}

pub fn allow_invalid() -> Arg {
    flag(ALLOW_INVALID, "Write values that are invalid for their fields")
}

pub fn is_invalid_allowed(matches: &ArgMatches) -> bool {
    matches.get_flag(ALLOW_INVALID)
}

/// The metadata to write.
#[derive(Clone, Debug, Default)]
pub struct MetadataArgs {
    pub fields: Vec<(Field, String)>,
    pub name: Option<String>,
    pub producers: Vec<(&'static str, ProducerArg)>,
    /// Producers to drop, as `FIELD:NAME`. Unchecked: a malformed one is reported for the edited
    /// file.
    pub dropped_producers: Vec<String>,
    pub manifest: Option<PathBuf>,
    pub revision_from_git: bool,
    pub allow_invalid: bool,
}

/// A producer's name and its version, which may be empty.
#[derive(Clone, Debug)]
pub struct ProducerArg {
    pub name: String,
    pub version: String,
}

impl MetadataArgs {
    /// Reads the options that [`metadata`] defines for the same fields, and `--allow-invalid`.
    pub fn from_matches(matches: &ArgMatches, fields: impl IntoIterator<Item = Field>) -> Self {
        let value = |field: Field| optional(matches, field.section()).map(|value| (field, value));
        let producers = |field| all(matches, field).into_iter().map(move |producer| (field, producer));
        Self {
            fields: fields.into_iter().filter_map(value).collect(),
            name: optional(matches, NAME),
            producers: PRODUCER_FIELDS.into_iter().flat_map(producers).collect(),
            dropped_producers: all(matches, DROP_PRODUCER),
            manifest: optional(matches, FROM),
            revision_from_git: matches.get_flag(FROM_GIT),
            allow_invalid: is_invalid_allowed(matches),
        }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
            && self.name.is_none()
            && self.producers.is_empty()
            && self.dropped_producers.is_empty()
            && self.manifest.is_none()
            && !self.revision_from_git
    }
}

/// Parses `NAME[=VERSION]`.
fn producer(text: &str) -> Result<ProducerArg, String> {
    let (name, version) = text.split_once('=').unwrap_or((text, ""));
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    Ok(ProducerArg { name: name.to_owned(), version: version.to_owned() })
}
