//! Edits, as plans that the host carries out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use sectile::edit::Strip;
use sectile::splice::{Piece, Plan};
use sectile::{Edit, Field, Glob};
use sectile_policy::diff::compare_edit;
use sectile_policy::report::EditReport;

use crate::failure::Failure;
use crate::inspect::document;
use crate::request::{EditRequest, Request, StripRequest};
use crate::session::{Output, Status};
use crate::source::Source;

/// Plans an edit. The document is that of the editing commands with `--json`.
pub fn edit(request: &Request, source: &Source) -> Result<(Status, Output), Failure> {
    let edit = build(request.edit.as_ref().ok_or_else(|| Failure::argument("`edit` needs the changes in `edit`"))?)?;
    let planned = edit.plan_at(source, source.size())?;
    let comparison = compare_edit(&planned, source)?;
    let is_changed = !planned.plan().is_identity();
    let report = EditReport::new(request.file.as_ref(), &planned, is_changed).with_comparison(Some(&comparison));
    let document = document(|out| report.write_json(out));
    Ok((Status::Done, Output { document, plan: encode(planned.plan()), ..Output::default() }))
}

fn build(request: &EditRequest) -> Result<Edit, Failure> {
    let item = request.item.parse().map_err(|error| Failure::argument(format!("{error}")))?;
    let mut edit = Edit::new().at(item);
    for [field, value] in &request.set {
        let field = find_field(field)?;
        edit = if request.allow_invalid { edit.set_unchecked(field, value) } else { edit.set(field, value) }?;
    }
    for target in &request.unset {
        edit = match &**target {
            "name" => edit.clear_name(),
            "producers" => edit.unset_producers(),
            field => edit.unset(find_field(field)?),
        }?;
    }
    if let Some(name) = &request.name {
        edit = edit.name(name)?;
    }
    // Producers are dropped before others are added, so that one can replace another.
    for [field, name] in &request.drop_producers {
        edit = edit.drop_producer(field, name);
    }
    for [field, name, version] in &request.producers {
        edit = edit.add_producer(field, name, version);
    }
    for [section, data] in &request.put {
        let data = STANDARD.decode(data);
        edit = edit.put(section, data.map_err(|_| Failure::argument("the data in `put` is not valid Base64"))?)?;
    }
    for pattern in &request.remove {
        edit = edit.remove_matching(parse_glob(pattern)?);
    }
    if let Some(strip) = &request.strip {
        edit = edit.strip(build_strip(strip)?);
    }
    Ok(if request.force { edit.force() } else { edit })
}

fn build_strip(request: &StripRequest) -> Result<Strip, Failure> {
    let mut strip = Strip::new();
    if request.names {
        strip = strip.names();
    }
    if request.all {
        strip = strip.all();
    }
    if request.this_item_only {
        strip = strip.this_item_only();
    }
    for pattern in &request.keep {
        strip = strip.keep(parse_glob(pattern)?);
    }
    Ok(strip)
}

fn find_field(name: &str) -> Result<Field, Failure> {
    let found = Field::ALL.into_iter().find(|field| field.section() == name);
    found.ok_or_else(|| Failure::unknown("field", name, Field::ALL.map(Field::section)))
}

fn parse_glob(pattern: &str) -> Result<Glob, Failure> {
    pattern.parse().map_err(|error| Failure::argument(format!("{error}")))
}

/// Bytes of one record of a plan: three numbers of 64 bits, little-endian.
const RECORD: usize = 24;

/// Encodes the pieces: a record for each, then the bytes to insert. A record is 0 and a range of the
/// source to keep, or 1 and a range of these bytes to insert.
fn encode(plan: &Plan) -> Vec<u8> {
    let pieces = plan.pieces();
    let mut inserted = (pieces.len() * RECORD) as u64;
    let mut encoded = Vec::new();
    for piece in pieces {
        let record = match piece {
            Piece::Keep(range) => [0, range.start, range.end],
            Piece::Insert(bytes) => {
                let start = inserted;
                inserted += bytes.len() as u64;
                [1, start, inserted]
            }
        };
        encoded.extend(record.into_iter().flat_map(u64::to_le_bytes));
    }
    for piece in pieces {
        if let Piece::Insert(bytes) = piece {
            encoded.extend(bytes);
        }
    }
    encoded
}
