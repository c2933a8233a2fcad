//! Turns arguments into an edit.

use std::io::Read;
use std::path::Path;

use sectile::edit::{EditError, Strip};
use sectile::scan::ItemPath;
use sectile::{Edit, Escaped, Field, Input};
use sectile_manifest::Manifest;

use crate::args::{EditArgs, EditOperation, MetadataArgs, PutArgs, PutData, StripArgs, UnsetTarget};
use crate::display::escaped;
use crate::failure::Failure;
use crate::git::Revision;
use crate::source::InputSource;

/// The data for a section, if the command puts data. It is read once for all files.
pub fn read_section_data(args: &EditArgs) -> Result<Option<Vec<u8>>, Failure> {
    match &args.operation {
        EditOperation::Put(PutArgs { data: PutData::Text(text), .. }) => Ok(Some(text.clone().into_bytes())),
        EditOperation::Put(PutArgs { data: PutData::File(path), .. }) => read_data(path, &args.sources).map(Some),
        _ => Ok(None),
    }
}

/// The edit of one source that an editing command's arguments describe, and notes for the user.
pub fn build_edit(
    args: &EditArgs,
    source: &InputSource,
    section_data: Option<&[u8]>,
    input: &Input,
) -> Result<(Edit, Vec<String>), Failure> {
    let item = args.item.clone().unwrap_or_else(ItemPath::root);
    let edit = Edit::new().at(item.clone());
    let edit = match &args.operation {
        EditOperation::Set(metadata) => return apply_metadata(edit, metadata, source),
        EditOperation::Unset(targets) => unset(edit, targets)?,
        EditOperation::Put(put) => apply_put(edit, put, section_data.unwrap_or_default())?,
        EditOperation::Remove(globs) => globs.iter().cloned().fold(edit, Edit::remove_matching),
        EditOperation::Strip(strip) => edit.strip(build_strip(strip, args.item.is_some())),
        EditOperation::Migrate { allow_invalid } => return migrate(edit, &item, *allow_invalid, input),
    };
    Ok((edit, Vec::new()))
}

/// Adds metadata given by options, by Git and by a manifest to an edit; also returns notes about
/// the manifest.
///
/// Git and the manifest come last: values given by options take precedence.
pub fn apply_metadata(edit: Edit, args: &MetadataArgs, source: &InputSource) -> Result<(Edit, Vec<String>), Failure> {
    let mut edit = apply_options(edit, args)?;
    let manifest = args.manifest.as_deref();
    if args.revision_from_git {
        let file = if source.is_stdin() { Path::new(".") } else { Path::new(source.argument()) };
        edit = edit.set(Field::Revision, Revision::for_path(manifest.unwrap_or(file))?.to_string())?;
    }
    let Some(manifest) = manifest else { return Ok((edit, Vec::new())) };
    let manifest = Manifest::read(manifest)?;
    let edit = if args.allow_invalid { manifest.add_unchecked_to(edit) } else { manifest.add_to(edit) }?;
    Ok((edit, manifest.notices().iter().map(|notice| format!("{}: {notice}", notice.kind.name())).collect()))
}

/// Adds metadata given by options to an edit.
pub fn apply_options(mut edit: Edit, args: &MetadataArgs) -> Result<Edit, Failure> {
    for (field, value) in &args.fields {
        edit = if args.allow_invalid { edit.set_unchecked(*field, value) } else { edit.set(*field, value) }?;
    }
    if let Some(name) = &args.name {
        edit = edit.name(name)?;
    }
    // Producers are dropped before others are added, so that one can replace another.
    for dropped in &args.dropped_producers {
        let Some((field, name)) = dropped.split_once(':') else {
            let dropped = Escaped::new(dropped);
            return Err(Failure::Other(format!("--drop-producer needs FIELD:NAME, not `{dropped}`")));
        };
        edit = edit.drop_producer(field, name);
    }
    for (field, producer) in &args.producers {
        edit = edit.add_producer(*field, &producer.name, &producer.version);
    }
    Ok(edit)
}

fn unset(mut edit: Edit, targets: &[UnsetTarget]) -> Result<Edit, EditError> {
    for target in targets {
        edit = match target {
            UnsetTarget::Field(field) => edit.unset(*field),
            UnsetTarget::Producers => edit.unset_producers(),
            UnsetTarget::Name => edit.clear_name(),
        }?;
    }
    Ok(edit)
}

fn apply_put(edit: Edit, args: &PutArgs, data: &[u8]) -> Result<Edit, EditError> {
    if args.append { edit.append(&args.section_name, data) } else { edit.put(&args.section_name, data) }
}

/// Reads a file, or standard input for `-`.
fn read_data(path: &Path, sources: &[InputSource]) -> Result<Vec<u8>, Failure> {
    let data = if path.as_os_str() != "-" {
        std::fs::read(path)
    } else if sources.iter().any(InputSource::is_stdin) {
        return Err(Failure::Other("standard input cannot be both FILE and its data".to_owned()));
    } else {
        let mut data = Vec::new();
        std::io::stdin().lock().read_to_end(&mut data).map(|_| data)
    };
    data.map_err(|error| Failure::Other(format!("{} cannot be read: {error}", escaped(path.as_os_str()))))
}

fn build_strip(args: &StripArgs, this_item_only: bool) -> Strip {
    let mut strip = Strip::new();
    if args.names {
        strip = strip.names();
    }
    if args.all {
        strip = strip.all();
    }
    if this_item_only {
        strip = strip.this_item_only();
    }
    args.keep.iter().cloned().fold(strip, Strip::keep)
}

/// Moves the values of the item's `registry-metadata`, and adds a note for each value that stays.
fn migrate(edit: Edit, item: &ItemPath, allow_invalid: bool, input: &Input) -> Result<(Edit, Vec<String>), Failure> {
    let metadata = input.read()?;
    let item = metadata.item(item).ok_or_else(|| EditError::NoItem(item.clone()))?;
    let (edit, migration) = if allow_invalid { edit.migrate_unchecked(item) } else { edit.migrate(item) }?;
    let left = migration.left().iter().map(|field| format!("{field} already has a value, which is kept"));
    let dropped = migration.dropped().iter().map(|value| format!("dropped, because no field matches: {value}"));
    Ok((edit, left.chain(dropped).collect()))
}
