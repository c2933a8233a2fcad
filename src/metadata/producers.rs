//! The `producers` section: the languages, tools and SDKs that produced the binary.
//! Source: the tool conventions' `ProducersSection.md`.

use std::collections::HashSet;
use std::ops::Range;

use smallvec::SmallVec;

use super::check::has_controls;
use super::cursor::{Cursor, Malformed};
use super::value::Value;
use crate::escape::quoted_bytes;
use crate::finding::FindingCode;

/// The fields that the convention defines.
pub const KNOWN_FIELDS: [&str; 3] = ["language", "processed-by", "sdk"];

/// Contents of an item's `producers` sections in input order, with unknown fields, duplicate fields
/// and duplicate names. Decoded on access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Producers<'a> {
    /// Stored inline, since items rarely have more than one section.
    first: Option<Value<'a>>,
    more: Vec<Value<'a>>,
}

impl<'a> Producers<'a> {
    pub(crate) fn push(&mut self, section: Value<'a>) {
        match &mut self.first {
            first @ None => *first = Some(section),
            Some(_) => self.more.push(section),
        }
    }

    /// The data of the first section.
    #[cfg(feature = "json")]
    pub(super) fn first_mut(&mut self) -> Option<&mut Value<'a>> {
        self.first.as_mut()
    }

    /// The fields of all sections; of a malformed section, those before the error.
    pub fn fields(&self) -> impl Iterator<Item = ProducersField<'_>> {
        self.sections().flat_map(|section| Fields::new(section.as_bytes()))
    }

    /// Absolute byte range of each section's data.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> {
        self.sections().map(Value::range)
    }

    /// Whether there are no fields, with or without a section.
    pub fn is_empty(&self) -> bool {
        self.fields().next().is_none()
    }

    /// Whether every section is well-formed.
    pub fn is_complete(&self) -> bool {
        let mut complete = true;
        for section in self.sections() {
            inspect(section.as_bytes(), &mut |(code, ..)| complete &= code != FindingCode::MalformedProducers);
        }
        complete
    }

    /// Converts to producers that borrow nothing.
    pub fn into_owned(self) -> Producers<'static> {
        Producers {
            first: self.first.map(Value::into_owned),
            more: self.more.into_iter().map(Value::into_owned).collect(),
        }
    }

    fn sections(&self) -> impl Iterator<Item = &Value<'a>> {
        self.first.iter().chain(&self.more)
    }
}

/// A field of a `producers` section, such as `processed-by`.
#[derive(Clone, Copy, Debug)]
pub struct ProducersField<'a> {
    name: &'a str,
    count: u32,
    values: Cursor<'a>,
}

impl<'a> ProducersField<'a> {
    /// The field's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The names and versions. A version may be empty.
    pub fn values(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut cursor = self.values;
        (0..self.count).map_while(move |_| value(&mut cursor).ok())
    }
}

fn value<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, &'a str), Malformed> {
    Ok((cursor.text()?, cursor.text()?))
}

/// The fields of one section's data.
struct Fields<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Fields<'a> {
    fn new(data: &'a [u8]) -> Self {
        let mut cursor = Cursor::new(data);
        let left = cursor.number().unwrap_or(0);
        Self { cursor, left }
    }

    fn field(&mut self) -> Result<ProducersField<'a>, Malformed> {
        let name = self.cursor.text()?;
        let count = self.cursor.number()?;
        Ok(ProducersField { name, count, values: self.cursor })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = ProducersField<'a>;

    fn next(&mut self) -> Option<ProducersField<'a>> {
        self.left = self.left.checked_sub(1)?;
        let Ok(field) = self.field() else {
            self.left = 0;
            return None;
        };
        for _ in 0..field.count {
            if value(&mut self.cursor).is_err() {
                self.left = 0; // the values before the error are still returned
                break;
            }
        }
        Some(field)
    }
}

/// An error in a section's data: code, byte offset in the data, and message.
pub(crate) type DataError = (FindingCode, usize, String);

/// Checks a section's data and passes each error to `report`.
#[inline(never)] // inlining slows down this function and the reader: measured (`metadata` bench)
pub(crate) fn inspect(data: &[u8], report: &mut dyn FnMut(DataError)) {
    let mut cursor = Cursor::new(data);
    if let Err(malformed) = inspect_fields(&mut cursor, report) {
        report((FindingCode::MalformedProducers, cursor.position(), malformed.message().to_owned()));
    } else if !cursor.rest().is_empty() {
        let message = format!("{} extra bytes after the last field", cursor.rest().len());
        report((FindingCode::MalformedProducers, cursor.position(), message));
    }
}

fn inspect_fields(cursor: &mut Cursor<'_>, report: &mut dyn FnMut(DataError)) -> Result<(), Malformed> {
    let fields = cursor.number()?;
    if fields == 0 {
        report((FindingCode::EmptyValue, 0, "no fields".to_owned()));
    }
    let mut field_names = NameSet::default();
    for _ in 0..fields {
        let at = cursor.position();
        let (field, plain) = cursor.plain_text()?;
        if !KNOWN_FIELDS.iter().any(|known| known.as_bytes() == field) {
            report((FindingCode::UnknownProducersField, at, format!("unknown field {}", quoted_bytes(field))));
        }
        if !field_names.insert(field) {
            report((FindingCode::DuplicateProducersField, at, format!("a second field {}", quoted_bytes(field))));
        }
        if !plain && is_deceptive(field) {
            let message = format!("control or bidirectional characters in the field's name {}", quoted_bytes(field));
            report((FindingCode::ControlCharacters, at, message));
        }
        let mut names = NameSet::default();
        for _ in 0..cursor.number()? {
            let at = cursor.position();
            let ((name, name_is_plain), (version, version_is_plain)) = (cursor.plain_text()?, cursor.plain_text()?);
            if !names.insert(name) {
                report((
                    FindingCode::DuplicateProducer,
                    at,
                    format!("a second {} in {}", quoted_bytes(name), quoted_bytes(field)),
                ));
            }
            if !(name_is_plain && version_is_plain) && (is_deceptive(name) || is_deceptive(version)) {
                let message = format!("control or bidirectional characters in {}", quoted_bytes(field));
                report((FindingCode::ControlCharacters, at, message));
            }
        }
    }
    Ok(())
}

#[cold]
fn is_deceptive(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| has_controls(text, false))
}

/// A set of names. Compares up to eight directly and hashes more, so that time stays linear.
#[derive(Default)]
struct NameSet<'a> {
    few: SmallVec<[&'a [u8]; 8]>,
    many: Option<HashSet<&'a [u8]>>,
}

impl<'a> NameSet<'a> {
    /// Returns whether the name is new.
    fn insert(&mut self, name: &'a [u8]) -> bool {
        if self.few.len() < self.few.inline_size() {
            let new = !self.few.contains(&name);
            if new {
                self.few.push(name);
            }
            return new;
        }
        self.many.get_or_insert_with(|| self.few.iter().copied().collect()).insert(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(data: &[u8]) -> Vec<(FindingCode, usize)> {
        let mut errors = Vec::new();
        inspect(data, &mut |(code, at, _)| errors.push((code, at)));
        errors
    }

    fn read(data: &[u8]) -> Vec<(String, Vec<(String, String)>)> {
        let mut producers = Producers::default();
        producers.push(Value::bytes(data.into(), 0..data.len() as u64));
        producers
            .fields()
            .map(|field| {
                let values = field.values().map(|(name, version)| (name.into(), version.into()));
                (field.name().to_owned(), values.collect())
            })
            .collect()
    }

    #[test]
    fn values_before_malformed_bytes_are_kept() {
        let data = b"\x02\x03sdk\x02\x01a\x011\x01b\x05";
        assert_eq!(read(data), [("sdk".into(), vec![("a".into(), "1".into())])]);
        assert_eq!(errors(data), [(FindingCode::MalformedProducers, 12)]);
    }

    #[test]
    fn duplicates_and_unknown_fields_are_kept_and_reported() {
        let data = b"\x03\x03sdk\x02\x01a\x00\x01a\x00\x03sdk\x00\x01x\x00";
        assert_eq!(read(data).len(), 3);
        assert_eq!(
            errors(data),
            [
                (FindingCode::DuplicateProducer, 9),
                (FindingCode::DuplicateProducersField, 12),
                (FindingCode::UnknownProducersField, 17)
            ]
        );
    }

    #[test]
    fn declared_counts_do_not_allocate() {
        let data = b"\xff\xff\xff\xff\x0f";
        assert_eq!(read(data), []);
        assert_eq!(errors(data), [(FindingCode::MalformedProducers, 5)]);
        let mut producers = b"\x01\x03sdk\xff\xff\xff\xff\x0f".to_vec();
        producers.extend(b"\x01a\x00");
        assert_eq!(read(&producers).len(), 1);
    }

    #[test]
    fn many_names_take_linear_time() {
        let mut data = b"\x01\x03sdk\xa0\x8d\x06".to_vec(); // 100,000
        for n in 0..100_000u32 {
            data.extend([4]);
            data.extend(n.to_le_bytes().map(|byte| byte & 0x7f));
            data.extend([0]);
        }
        let duplicates = errors(&data).iter().filter(|(code, _)| *code == FindingCode::DuplicateProducer).count();
        let distinct: HashSet<_> = (0..100_000u32).map(|n| n.to_le_bytes().map(|byte| byte & 0x7f)).collect();
        assert_eq!(duplicates, 100_000 - distinct.len());
    }
}
