//! What the arguments want.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use clap::ArgMatches;
use sectile::edit::{Edit, EditError, Glob, Strip};
use sectile::git::Revision;
use sectile::manifest::Manifest;
use sectile::metadata::Field;
use sectile::scan::Path;
use sectile::{Escaped, Input, Limits};

use super::args::{FROM, FROM_GIT, NAME, PRODUCER_FIELDS, PRODUCERS};
use crate::failure::Failure;
use crate::output::escaped;

/// The edit that a command's arguments describe, and what is to be said about it.
pub fn edit(command: &str, matches: &ArgMatches, input: &Input) -> Result<(Edit, Vec<String>), Failure> {
    let path = matches.get_one::<Path>("at").expect("it has a default");
    let edit = Edit::new().at(path.clone());
    let edit = match command {
        "set" => return said(edit, Field::ALL, matches),
        "unset" => unset(edit, matches)?,
        "put" => put(edit, matches)?,
        "remove" => all::<Glob>(matches, "GLOB").cloned().fold(edit, Edit::remove_matching),
        "strip" => edit.strip(strip(matches)),
        "migrate" => return migrate(edit, path, matches, input),
        _ => unreachable!("clap knows no other editing command"),
    };
    Ok((edit, Vec::new()))
}

/// What the binary is to say of itself, by hand in these fields and by manifest; and what of the manifest is dropped.
pub fn said(
    edit: Edit,
    fields: impl IntoIterator<Item = Field>,
    matches: &ArgMatches,
) -> Result<(Edit, Vec<String>), Failure> {
    set_from(set(edit, fields, matches)?, matches)
}

fn set(mut edit: Edit, fields: impl IntoIterator<Item = Field>, matches: &ArgMatches) -> Result<Edit, Failure> {
    let as_is = matches.get_flag("allow-invalid");
    for field in fields {
        if let Some(value) = matches.get_one::<String>(field.section()) {
            edit = if as_is { edit.set_as_is(field, value) } else { edit.set(field, value) }?;
        }
    }
    if let Some(name) = matches.get_one::<String>(NAME) {
        edit = edit.name(name)?;
    }
    // What is dropped goes first, so that a producer can be dropped and another take its place.
    for dropped in all::<String>(matches, "drop-producer") {
        let Some((field, name)) = dropped.split_once(':') else {
            let dropped = Escaped::new(dropped);
            return Err(Failure::Other(format!("--drop-producer asks for FIELD:NAME, and not `{dropped}`")));
        };
        edit = edit.drop_producer(field, name);
    }
    for field in PRODUCER_FIELDS {
        for producer in all::<String>(matches, field) {
            let (name, version) = producer.split_once('=').unwrap_or((producer, ""));
            edit = edit.add_producer(field, name, version);
        }
    }
    Ok(edit)
}

/// Adds what Git and a manifest say, to what is set by hand; and what of the manifest is dropped.
fn set_from(mut edit: Edit, matches: &ArgMatches) -> Result<(Edit, Vec<String>), Failure> {
    let as_is = matches.get_flag("allow-invalid");
    let from = matches.get_one::<PathBuf>(FROM);
    if matches.get_flag(FROM_GIT) {
        let file = matches.get_one::<OsString>("FILE").expect("clap asks for a file");
        let file = if file == "-" { std::path::Path::new(".") } else { file.as_ref() };
        edit = edit.set(Field::Revision, Revision::of(from.map_or(file, PathBuf::as_path))?.to_string())?;
    }
    let Some(from) = from else { return Ok((edit, Vec::new())) };
    let manifest = Manifest::read(from)?;
    let edit = if as_is { edit.manifest_as_is(&manifest) } else { edit.manifest(&manifest) }?;
    Ok((edit, manifest.notices().iter().map(|notice| format!("{}: {notice}", notice.kind.name())).collect()))
}

fn unset(mut edit: Edit, matches: &ArgMatches) -> Result<Edit, EditError> {
    for name in all::<String>(matches, "FIELD") {
        edit = match (&**name, Field::ALL.into_iter().find(|field| field.section() == name)) {
            (_, Some(field)) => edit.unset(field),
            (PRODUCERS, None) => edit.unset_producers(),
            (_, None) => edit.unname(),
        }?;
    }
    Ok(edit)
}

fn put(edit: Edit, matches: &ArgMatches) -> Result<Edit, Failure> {
    let name = matches.get_one::<String>("NAME").expect("clap asks for a name");
    let data = match matches.get_one::<PathBuf>("data-file") {
        Some(path) => data_of(path, matches)?,
        None => matches.get_one::<String>("data").cloned().unwrap_or_default().into_bytes(),
    };
    Ok(if matches.get_flag("append") { edit.append(name, data) } else { edit.put(name, data) }?)
}

/// The bytes of a file, or of standard input.
fn data_of(path: &std::path::Path, matches: &ArgMatches) -> Result<Vec<u8>, Failure> {
    let data = match path.as_os_str() {
        name if name != "-" => std::fs::read(path),
        name if matches.get_one::<OsString>("FILE").is_some_and(|file| file == name) => {
            return Err(Failure::Other("standard input cannot be both FILE and its data".to_owned()));
        }
        _ => {
            let mut data = Vec::new();
            std::io::stdin().lock().read_to_end(&mut data).map(|_| data)
        }
    };
    data.map_err(|error| Failure::Other(format!("{} cannot be read: {error}", escaped(path.as_os_str()))))
}

fn strip(matches: &ArgMatches) -> Strip {
    let mut strip = Strip::new();
    if matches.get_flag("names") {
        strip = strip.names();
    }
    if matches.get_flag("all") {
        strip = strip.all();
    }
    if matches.value_source("at") == Some(clap::parser::ValueSource::CommandLine) {
        strip = strip.this_item_only();
    }
    all::<Glob>(matches, "keep").cloned().fold(strip, Strip::keep)
}

/// Moves what the item's `registry-metadata` says, and says what was not moved.
fn migrate(edit: Edit, path: &Path, matches: &ArgMatches, input: &Input) -> Result<(Edit, Vec<String>), Failure> {
    let metadata = input.read(Limits::default())?.complete()?;
    let item = metadata.item(path).ok_or_else(|| EditError::NoItem(path.clone()))?;
    let as_is = matches.get_flag("allow-invalid");
    let (edit, migration) = if as_is { edit.migrate_as_is(item) } else { edit.migrate(item) }?;
    let left = migration.left.iter().map(|field| format!("{field} is there already, and stays as it is"));
    let dropped = migration.dropped.iter().map(|said| format!("no field can say what was dropped: {said}"));
    Ok((edit, left.chain(dropped).collect()))
}

pub fn all<'m, T: Clone + Send + Sync + 'static>(matches: &'m ArgMatches, id: &str) -> impl Iterator<Item = &'m T> {
    matches.get_many::<T>(id).into_iter().flatten()
}
