//! Reads asar archives, of Electron's apps. Source: the README of `electron/asar`, *Format*.
//!
//! The header is JSON in a pickle, a format of Chromium: a length before the data, twice. The files follow it without
//! headers of their own. They are read as a stream, in the order of their offsets.

use std::io::{BufRead, Read};
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{ArchiveWalker, EntryPath, MAX_NAME_LEN, name};
use crate::fill::fill;
pub(super) use crate::walk::formats::is_asar;
use sectile::FindingCode;

/// Length of the four numbers before the JSON.
const PREFIX_LEN: usize = 16;

/// Maximum length of a header. That of a large app has a few megabytes.
const MAX_HEADER: u64 = 32 << 20;

/// Memory for each byte of a header: its text, and the files in it.
const MEMORY_PER_BYTE: u64 = 4;

impl ArchiveWalker<'_> {
    /// Inspects the files of an archive.
    pub(super) fn asar(&mut self, path: &EntryPath<'_>, reader: &mut dyn BufRead, level: u32) {
        let mut prefix = [0; PREFIX_LEN];
        if fill(reader, &mut prefix).is_err() {
            return; // reported by the reader
        }
        let Some(header) = Header::read(&prefix) else {
            return self.report_asar(path, "the sizes before its header contradict each other");
        };
        let most = MAX_HEADER.min(self.budget.available_memory() / MEMORY_PER_BYTE);
        if header.json_len > most {
            let message = format!("its header has more than {most} bytes, the limit for data in memory");
            return self.report(path, FindingCode::ArchiveLimit, message);
        }
        let held = header.json_len * MEMORY_PER_BYTE;
        self.budget.reserve(held);
        let mut json = Vec::new();
        _ = reader.take(header.json_len).read_to_end(&mut json); // an error is reported by the reader
        if (json.len() as u64) < header.json_len {
            self.report_asar(path, "it ends in its header");
        } else {
            self.drain(reader, header.padding);
            match Listing::read(&json) {
                Ok(listing) => self.asar_files(path, &listing, reader, level),
                Err(error) => self.report_asar(path, &format!("its header cannot be read: {error}")),
            }
        }
        self.budget.release(held);
    }

    fn asar_files(&mut self, path: &EntryPath<'_>, listing: &Listing, reader: &mut dyn BufRead, level: u32) {
        if listing.malformed > 0 {
            let message = format!("{} entries of its header have no valid offset and size", listing.malformed);
            self.report_asar(path, &message);
        }
        let mut position = 0;
        for file in &listing.files {
            if self.should_stop() || !self.budget.entry() {
                return;
            }
            let entry_name = listing.path(file);
            let entry_name = name(entry_name.as_bytes());
            let entry = EntryPath::new(path, &entry_name);
            if file.range.start < position {
                let message = "its data overlaps that of another entry, and is not read".to_owned();
                self.dispute(&entry, message);
                continue;
            }
            let gap = file.range.start - position;
            if self.drain(reader, gap) < gap {
                self.report_asar(&entry, "its data begins after the end of the archive");
                return;
            }
            let mut body = reader.take(file.range.end - file.range.start);
            self.stream(&entry, &mut body, level + 1);
            let left = body.limit();
            if self.drain(reader, left) < left && !self.should_stop() {
                return self.report_asar(&entry, "its data ends after the end of the archive");
            }
            position = file.range.end;
        }
    }

    fn report_asar(&mut self, path: &EntryPath<'_>, message: &str) {
        if !self.should_stop() {
            self.report(path, FindingCode::MalformedArchive, message.to_owned());
        }
    }
}

/// The lengths before the JSON.
struct Header {
    json_len: u64,
    /// Number of bytes between the JSON and the data.
    padding: u64,
}

impl Header {
    fn read(prefix: &[u8; PREFIX_LEN]) -> Option<Self> {
        let (numbers, _) = prefix.as_chunks::<4>();
        let [four, pickle, payload, json] = [0, 1, 2, 3].map(|nth| u64::from(u32::from_le_bytes(numbers[nth])));
        let padding = pickle.checked_sub(8)?.checked_sub(json)?;
        (four == 4 && payload <= pickle - 4).then_some(Self { json_len: json, padding })
    }
}

/// The files in a header, in the order of their offsets.
#[derive(Debug, Default)]
struct Listing {
    directories: Vec<Directory>,
    files: Vec<AsarFile>,
    /// Number of entries without a valid range.
    malformed: u64,
}

#[derive(Debug)]
struct Directory {
    parent: Option<usize>,
    name: String,
}

#[derive(Debug)]
struct AsarFile {
    directory: Option<usize>,
    name: String,
    /// In the data after the header.
    range: Range<u64>,
}

impl Listing {
    /// Reads a header. The parser limits its depth. Each of several entries with the same name is kept.
    fn read(json: &[u8]) -> serde_json::Result<Self> {
        let mut listing = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let root = EntrySeed { listing: &mut listing, place: None };
        root.deserialize(&mut deserializer)?;
        deserializer.end()?;
        listing.files.sort_by_key(|file| (file.range.start, file.range.end));
        Ok(listing)
    }

    /// The path of a file, up to the length that is shown.
    fn path(&self, file: &AsarFile) -> String {
        let mut parts = vec![&*file.name];
        let mut next = file.directory;
        while let Some(directory) = next.and_then(|at| self.directories.get(at)) {
            parts.push(&directory.name);
            next = directory.parent;
        }
        let mut path = String::new();
        for part in parts.iter().rev() {
            if path.len() > MAX_NAME_LEN {
                break;
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        path
    }
}

/// Reads an entry: a directory, a file or a link. The root has no place.
struct EntrySeed<'l> {
    listing: &'l mut Listing,
    /// The directory and the name.
    place: Option<(Option<usize>, String)>,
}

impl<'de> DeserializeSeed<'de> for EntrySeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { listing, place } = self;
        let (mut offset, mut size, mut has_data) = (None, None, true);
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "files" => {
                    has_data = false;
                    let directory = place.as_ref().map(|(parent, name)| {
                        listing.directories.push(Directory { parent: *parent, name: name.clone() });
                        listing.directories.len() - 1
                    });
                    map.next_value_seed(FilesSeed { listing, directory })?;
                }
                "offset" => offset = number(map.next_value()?),
                "size" => size = number(map.next_value()?),
                "link" => {
                    map.next_value::<IgnoredAny>()?;
                    has_data = false; // its target is another entry
                }
                "unpacked" => has_data &= map.next_value::<&RawValue>()?.get() != "true", // it is beside the archive
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let Some((directory, name)) = place.filter(|_| has_data) else { return Ok(()) };
        let range = offset.zip(size).and_then(|(offset, size)| Some(offset..offset.checked_add(size)?));
        match range {
            Some(range) if range.is_empty() => {}
            Some(range) => listing.files.push(AsarFile { directory, name, range }),
            None if size == Some(0) => {}
            None => listing.malformed += 1,
        }
        Ok(())
    }
}

/// A number. Offsets are numbers in strings, because those of JavaScript are not exact.
fn number(value: &RawValue) -> Option<u64> {
    let text = value.get();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).parse().ok()
}

/// Reads the entries of a directory.
struct FilesSeed<'l> {
    listing: &'l mut Listing,
    directory: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for FilesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FilesSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the entries of a directory")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { listing, directory } = self;
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(EntrySeed { listing, place: Some((directory, name)) })?;
        }
        Ok(())
    }
}
