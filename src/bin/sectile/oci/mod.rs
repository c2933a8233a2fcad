//! `sectile oci …`: a binary as a Wasm OCI artifact.

pub mod args;
mod progress;
mod push;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::ArgMatches;
use sectile::edit::Edit;
use sectile::metadata::Field;
use sectile::oci::{self, AnnotationOptions, Draft, Duplicates, Image, ImageOptions, Layout, LayoutError, RefName};
use sectile::report::LayoutReport;
use sectile::splice::Plan;
use sectile::{Escaped, Input, Limits};

use crate::edit::wanted::{all, said};
use crate::edit::{check_settled, options};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::{created, human, input};

pub use self::push::run as push;

/// `sectile oci annotations`.
pub fn annotations(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let source = Source::open(file, matches, output)?;
    let options = annotation_options(matches)?;
    let reading = sectile::read_at(&source.plan.reader(&source.input), source.plan.len(), Limits::default());
    let annotations = oci::annotations(reading?.complete()?.root(), &options)?;
    oci::write_annotations_json(&annotations, output.out())?;
    Ok(Exit::Done)
}

/// `sectile oci config`.
pub fn config(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let source = Source::open(file, matches, output)?;
    let image = Image::of(&source.input, &source.plan, &image_options(matches)?, Limits::default())?;
    output.out().write_all(image.config())?;
    Ok(Exit::Done)
}

/// `sectile oci layout`.
pub fn layout(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let directory = matches.get_one::<PathBuf>("output").expect("clap asks for it");
    if directory.as_os_str() == "-" {
        return Err(Failure::Other(
            "a layout is a directory, and standard output is none: give one with -o".to_owned(),
        ));
    }
    let name = matches.get_one::<String>("ref").map(|name| name.parse::<RefName>()).transpose()?;
    let source = Source::open(file, matches, output)?;
    let image_options = image_options(matches)?;
    // What cannot be an image is found before a directory is made for it.
    Draft::read(&source.input, &source.plan, &image_options, Limits::default())?;
    let layout = Layout::open_or_create(directory, options(matches)).map_err(|error| match error {
        LayoutError::NotLayout(_) => {
            Failure::Other(format!("{error}; give an empty directory, or one that is not there"))
        }
        error => error.into(),
    })?;
    let added = layout.add(&source.input, &source.plan, name.as_ref(), &image_options, Limits::default())?;
    let report = LayoutReport::new(file, directory, name.as_ref(), &added);
    let said =
        if matches.get_flag("json") { report.write_json(output.out()) } else { human::layout(&report, output.out()) };
    output.told("the image is in the layout", said.map_err(Failure::Output))?;
    Ok(Exit::Done)
}

/// A binary, and what the options make of it on its way into the image.
pub struct Source {
    pub input: Input,
    pub plan: Plan,
}

impl Source {
    /// Opens what a FILE argument names. What is notable about what is made of it is said.
    pub fn open(file: &OsString, matches: &ArgMatches, output: &mut Output) -> Result<Self, Failure> {
        let input = input::named(file)?;
        check_settled(file)?;
        let (edit, notes) = said(Edit::new(), args::fields_of_binary(), matches)?;
        let planned = edit.plan(&input, Limits::default())?;
        for finding in &planned.findings {
            let (severity, place) = (finding.code.severity(), human::Place(finding));
            output.complain(Some(file), &format_args!("{severity}: {}{place}", finding.message));
        }
        for note in notes {
            output.complain(Some(file), &note);
        }
        Ok(Self { input, plan: planned.plan })
    }
}

/// What the arguments ask for of an image.
pub fn image_options(matches: &ArgMatches) -> Result<ImageOptions, Failure> {
    let text = |name| matches.get_one::<String>(name).cloned();
    Ok(ImageOptions {
        annotations: annotation_options(matches)?,
        author: text("author"),
        os: text("os"),
        target: text("target"),
        file_name: text("file-name"),
    })
}

fn annotation_options(matches: &ArgMatches) -> Result<AnnotationOptions, Failure> {
    let mut options = AnnotationOptions::new();
    let mut is_dated = false;
    for annotation in all::<String>(matches, "annotation") {
        let Some((key, value)) = annotation.split_once('=') else {
            let annotation = Escaped::new(annotation);
            return Err(Failure::Other(format!("--annotation asks for KEY=VALUE, and not `{annotation}`")));
        };
        is_dated |= key == Field::Created.oci_key();
        options = options.set(key, value)?;
    }
    // The variable is for where nobody says anything.
    let is_given = matches.get_one::<String>("created").is_some();
    if let Some(created) = created::given(matches)?.filter(|_| is_given || !is_dated) {
        options = options.set(Field::Created.oci_key(), created)?;
    }
    options = options.duplicates(match matches.get_one::<String>("duplicates").map(|which| &**which) {
        Some("first") => Duplicates::First,
        Some("last") => Duplicates::Last,
        _ => Duplicates::Refuse,
    });
    Ok(if matches.get_flag("allow-invalid") { options.allow_invalid() } else { options })
}
