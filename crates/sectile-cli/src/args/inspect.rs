//! Arguments of the commands that read files: `show`, `sections`, `get`, `check`, `sbom` and
//! `digest`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use sectile::scan::ItemPath;
use sectile::splice::WriteOptions;
use sectile_policy::Packages;
use sectile_sbom::SbomFormat;

use super::matches::optional;
use super::options::{
    MAP, PolicyArgs, ReportArgs, advisories, advisory_paths, any_file, at, color, created, created_time, file, flag,
    force, is_forced, is_mapped, item_path, json, judged_packages, map, messages, packages, platform, policy,
    section_name, section_name_arg, source, sources, vex, vex_paths, which_packages,
};
use super::outputs::{OutputArgs, format, output_files};
use crate::source::InputSource;

const INTERFACE: &str = "interface";
const IMAGE: &str = "image";
const VERIFY: &str = "verify";

pub fn show(command: Command) -> Command {
    command
        .args([
            any_file().num_args(1..),
            packages().help(
                "List the packages that cargo-auditable declared, or all that the data names too [default: count the \
                 declared ones; JSON lists them]",
            ),
            flag(INTERFACE, "Show the imports and exports of the root item too, and the contents of a WIT package"),
            flag(
                IMAGE,
                "Compare the binary with the annotations of its image's manifest: FILE is `oci:DIR[:NAME|@DIGEST]`, or \
             `oci://HOST/REPOSITORY[:TAG|@DIGEST]`",
            )
            .conflicts_with(MAP),
            platform(),
            flag(VERIFY, "Hash the binary too, and compare it with the digest of the layer of its image")
                .requires(IMAGE),
            json(),
            map(),
            color(),
        ])
        .args(messages())
        .after_help(
            "Examples:\n  \
               sectile show app.wasm\n  \
               sectile show --packages all --interface app.wasm\n  \
               sectile show --json dist/*.wasm",
        )
}

#[derive(Clone, Debug)]
pub struct ShowArgs {
    pub sources: Vec<InputSource>,
    /// The packages to list; declared ones are counted if `None`.
    pub packages: Option<Packages>,
    pub interface: bool,
    /// The comparison with the image's manifest, if one is requested.
    pub image: Option<ImageComparison>,
    pub map: bool,
    pub report: ReportArgs,
}

#[derive(Clone, Copy, Debug)]
pub struct ImageComparison {
    /// Whether to hash the layer.
    pub verify: bool,
}

impl ShowArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let comparison = ImageComparison { verify: matches.get_flag(VERIFY) };
        Self {
            sources: sources(matches),
            packages: which_packages(matches),
            interface: matches.get_flag(INTERFACE),
            image: matches.get_flag(IMAGE).then_some(comparison),
            map: is_mapped(matches),
            report: ReportArgs::from_matches(matches),
        }
    }
}

pub fn sections(command: Command) -> Command {
    command
        .args([any_file().num_args(1..), platform(), json(), map(), color()])
        .args(messages())
        .after_help("Examples:\n  sectile sections app.wasm\n  sectile sections --json app.wasm")
}

#[derive(Clone, Debug)]
pub struct SectionsArgs {
    pub sources: Vec<InputSource>,
    pub map: bool,
    pub report: ReportArgs,
}

impl SectionsArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { sources: sources(matches), map: is_mapped(matches), report: ReportArgs::from_matches(matches) }
    }
}

const NTH: &str = "nth";

pub fn get(command: Command) -> Command {
    command
        .args([
            any_file(),
            section_name_arg(),
            Arg::new(NTH)
                .long(NTH)
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("The number of the section among those of this name, from 1 [default: the last]"),
            at("The item to search, as child indexes such as 3/0 [default: the root]"),
            platform(),
            map(),
        ])
        .args(messages())
        .after_help("Examples:\n  sectile get app.wasm licenses\n  sectile get app.wasm name --at 3/0 > name.bin")
}

#[derive(Clone, Debug)]
pub struct GetArgs {
    pub source: InputSource,
    pub section_name: String,
    /// The number of the section, from 1; the last one if `None`.
    pub nth: Option<u64>,
    pub item: ItemPath,
    pub map: bool,
}

impl GetArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            source: source(matches),
            section_name: section_name(matches),
            nth: optional(matches, NTH),
            item: item_path(matches).unwrap_or_else(ItemPath::root),
            map: is_mapped(matches),
        }
    }
}

pub fn check(command: Command) -> Command {
    command
        .arg(any_file().num_args(1..))
        .args(policy())
        .args([platform(), judged_packages(), json(), map(), color()])
        .args(messages())
        .after_help(
            "Examples:\n  sectile check app.wasm\n  sectile check dist/*.wasm --policy policy.toml --refuse warning",
        )
}

#[derive(Clone, Debug)]
pub struct CheckArgs {
    pub sources: Vec<InputSource>,
    pub policy: PolicyArgs,
    /// The packages to read; the policy tells if `None`.
    pub packages: Option<Packages>,
    pub map: bool,
    pub report: ReportArgs,
}

impl CheckArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            sources: sources(matches),
            policy: PolicyArgs::from_matches(matches),
            packages: which_packages(matches),
            map: is_mapped(matches),
            report: ReportArgs::from_matches(matches),
        }
    }
}

pub fn sbom(command: Command) -> Command {
    command
        .args([
            any_file(),
            packages().help("The packages in the document: those that cargo-auditable declared, or all that the data names too [default: all]"),
            format::<SbomFormat>()
                .help("Write this format to standard output, as `-o FORMAT=-` does [default: cyclonedx-1.6]"),
            output_files::<SbomFormat>().help(
                "Write this format to a file, or to standard output if it is `-`; may be repeated. Without FORMAT=, \
                 the extension decides: .cdx.json .spdx.json",
            ),
            force(),
            created(),
            advisories(),
            vex(),
            platform(),
            map(),
        ])
        .args(messages())
        .after_help(
            "Examples:\n  \
               sectile sbom app.wasm > app.cdx.json\n  \
               sectile sbom app.wasm -o cyclonedx-1.7=app.cdx.json -o app.spdx.json\n  \
               sectile sbom --packages declared app.wasm\n  \
               sectile sbom app.wasm --advisories advisory-db > app.cdx.json",
        )
}

#[derive(Clone, Debug)]
pub struct SbomArgs {
    pub source: InputSource,
    pub packages: Packages,
    pub outputs: OutputArgs<SbomFormat>,
    pub write: WriteOptions,
    pub created: Option<String>,
    /// Databases of advisories.
    pub advisories: Vec<PathBuf>,
    /// VEX documents.
    pub vex: Vec<PathBuf>,
    pub map: bool,
}

impl SbomArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self {
            source: source(matches),
            packages: which_packages(matches).unwrap_or(Packages::All),
            outputs: OutputArgs::from_matches(matches),
            write: WriteOptions { force: is_forced(matches), ..WriteOptions::default() },
            created: created_time(matches),
            advisories: advisory_paths(matches),
            vex: vex_paths(matches),
            map: is_mapped(matches),
        }
    }
}

pub fn digest(command: Command) -> Command {
    command
        .args([file().num_args(1..), platform(), json(), map(), color()])
        .args(messages())
        .after_help("Example:\n  sectile digest app.wasm")
}

#[derive(Clone, Debug)]
pub struct DigestArgs {
    pub sources: Vec<InputSource>,
    pub map: bool,
    pub report: ReportArgs,
}

impl DigestArgs {
    pub fn from_matches(matches: &ArgMatches) -> Self {
        Self { sources: sources(matches), map: is_mapped(matches), report: ReportArgs::from_matches(matches) }
    }
}
