//! Changes to `producers` sections. Unknown fields, duplicates and the order are preserved.

use std::collections::HashSet;

use super::ProducerEdit;
use crate::finding::FindingCode;
use crate::metadata::{Producers, Value, inspect_producers};
use crate::scan::leb128::encode;

/// The edited sections.
pub(super) struct EditedProducers {
    /// New data of each section: empty if no field is left, `None` if the section is unchanged.
    pub(super) sections: Vec<Option<Vec<u8>>>,
    /// Data of an added section.
    pub(super) added: Option<Vec<u8>>,
}

type Fields = Vec<(String, Vec<(String, String)>)>;

/// Applies the edits to the data of all sections. The error is the index of a malformed section and
/// the reason.
pub(super) fn edit<'d>(
    data: impl Iterator<Item = &'d [u8]>,
    edits: &[ProducerEdit],
) -> Result<EditedProducers, (usize, &'static str)> {
    let old = data.enumerate().map(|(nth, data)| decode(data).ok_or((nth, "it is malformed")));
    let old: Vec<Fields> = old.collect::<Result<_, _>>()?;
    let mut new = old.clone();
    let mut added = Fields::new();
    for edit in last_of_each(edits) {
        let target = if new.is_empty() { std::slice::from_mut(&mut added) } else { &mut new[..] };
        match edit {
            ProducerEdit::Drop { field, name } => drop_producer(target, field, name),
            ProducerEdit::Add { field, name, version } => add_producer(target, field, name, Some(version)),
            ProducerEdit::Ensure { field, name } => add_producer(target, field, name, None),
        }
    }
    let changed = |(old, new): (&Fields, &Fields)| (old != new).then(|| encode_fields(new));
    let sections = old.iter().zip(&new).map(changed).collect();
    Ok(EditedProducers { sections, added: (!added.is_empty()).then(|| encode_fields(&added)) })
}

/// Returns the last edit of each field and name, in order. Because earlier edits are ignored, a
/// name that is dropped and then added again keeps its position.
fn last_of_each(edits: &[ProducerEdit]) -> Vec<&ProducerEdit> {
    let mut seen = HashSet::new();
    let mut last = Vec::new();
    for edit in edits.iter().rev() {
        if seen.insert(edit.subject()) {
            last.push(edit);
        }
    }
    last.reverse();
    last
}

fn decode(data: &[u8]) -> Option<Fields> {
    let mut malformed = false;
    inspect_producers(data, &mut |(code, ..)| malformed |= code == FindingCode::MalformedProducers);
    if malformed {
        return None;
    }
    let mut producers = Producers::default();
    producers.push(Value::bytes(data.into(), 0..data.len() as u64));
    let owned = |(name, version): (&str, &str)| (name.to_owned(), version.to_owned());
    let fields = producers.fields().map(|field| (field.name().to_owned(), field.values().map(owned).collect()));
    Some(fields.collect())
}

/// Removes the producer `name` from every field named `field`. Removes fields that become empty.
fn drop_producer(sections: &mut [Fields], field: &str, name: &str) {
    for fields in sections {
        fields.retain_mut(|(found, values)| {
            let before = values.len();
            if found == field {
                values.retain(|(found, _)| found != name);
            }
            !values.is_empty() || before == 0
        });
    }
}

/// Sets the version of the producer, if a version is given. Adds the producer and the field if they
/// are missing.
fn add_producer(sections: &mut [Fields], field: &str, name: &str, version: Option<&str>) {
    let mut first = None;
    for (_, values) in sections.iter_mut().flatten().filter(|(found, _)| found == field) {
        if let Some((_, found)) = values.iter_mut().find(|(found, _)| found == name) {
            if let Some(version) = version {
                version.clone_into(found);
            }
            return;
        }
        first.get_or_insert(values);
    }
    let value = (name.to_owned(), version.unwrap_or_default().to_owned());
    match first {
        Some(values) => values.push(value),
        None => {
            if let Some(fields) = sections.first_mut() {
                fields.push((field.to_owned(), vec![value]));
            }
        }
    }
}

fn encode_fields(fields: &Fields) -> Vec<u8> {
    let mut data = Vec::new();
    if fields.is_empty() {
        return data;
    }
    let number = |data: &mut Vec<u8>, number: usize| data.extend(encode(number as u32, 0));
    let text = |data: &mut Vec<u8>, text: &str| {
        number(data, text.len());
        data.extend(text.as_bytes());
    };
    number(&mut data, fields.len());
    for (field, values) in fields {
        text(&mut data, field);
        number(&mut data, values.len());
        for (name, version) in values {
            text(&mut data, name);
            text(&mut data, version);
        }
    }
    data
}
