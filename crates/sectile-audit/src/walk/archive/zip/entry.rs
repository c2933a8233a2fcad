//! Inspects the data of a zip's entries in every way in which readers read it.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memmem;

use super::super::budget::{BufferedDecoder, LimitedDecoder};
use super::super::bytes::{RangeReader, ZipBytes};
use super::super::checksum::Checked;
use super::super::inflate::Inflater;
use super::super::{ArchiveWalker, EntryPath, has_wasm_extension, name, zstd};
use super::ZipWalk;
use super::records::{CentralRecord, EntryValues, FileType, LocalHeader};
use crate::fill::fill;
use crate::walk::file_kind::FileKind;
use crate::walk::zip_sign::is_known_method;
use sectile::FindingCode;

/// Number of bytes of an entry to detect its type.
const HEAD_LEN: usize = 4 << 10;

/// Compression methods. Source: APPNOTE 4.4.5.
mod method {
    pub(super) const STORED: u16 = 0;
    pub(super) const DEFLATED: u16 = 8;
    /// Two numbers: the first is deprecated since 2020.
    pub(super) const ZSTD: [u16; 2] = [20, 93];

    /// The name of a method that is not read.
    pub(super) fn name(method: u16) -> String {
        let name = match method {
            1 => "Shrink",
            2..=5 => "Reduce",
            6 => "Implode",
            9 => "Deflate64",
            10 | 18 | 19 => "a method of IBM",
            12 => "bzip2",
            14 => "LZMA",
            94 => "MP3",
            95 => "xz",
            96 => "JPEG",
            97 => "WavPack",
            98 => "PPMd",
            99 => "AES encryption",
            other => return format!("the unknown method {other}"),
        };
        name.to_owned()
    }
}

/// One way to read the data of an entry.
pub(super) struct DataReading<'v> {
    /// Position of the header.
    pub(super) position: u64,
    /// Range of the data. Its end is unknown if the reading is open.
    pub(super) range: Range<u64>,
    pub(super) method: u16,
    values: &'v EntryValues,
    /// Whether the data states its end itself, and its size and checksum follow it.
    is_open: bool,
    /// The values of the header.
    own: &'v EntryValues,
    /// Whether the entry was read in another way before, and the contradiction was reported.
    is_alternative: bool,
}

/// Where the directory says that an entry's header is.
#[derive(Clone, Copy)]
pub(super) struct HeaderPlace {
    position: u64,
    /// Whether the header has its signature, so that no other data is there.
    is_signed: bool,
}

impl HeaderPlace {
    pub(super) fn new(position: u64) -> Self {
        Self { position, is_signed: true }
    }

    pub(super) fn unsigned(position: u64) -> Self {
        Self { position, is_signed: false }
    }
}

impl<'v> DataReading<'v> {
    fn alternative(self) -> Self {
        Self { is_alternative: true, ..self }
    }

    fn new(position: u64, header: &'v LocalHeader, values: &'v EntryValues, is_open: bool) -> Self {
        let end = if is_open { u64::MAX } else { header.data.saturating_add(values.compressed) };
        let (range, method) = (header.data..end, values.method);
        Self { position, range, method, values, is_open, own: &header.values, is_alternative: false }
    }

    /// Whether the header and the directory agree that the data is encrypted.
    fn is_encrypted(&self) -> bool {
        self.values.is_encrypted() && self.own.is_encrypted()
    }
}

/// The type of an entry, by its names and attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryType {
    File,
    /// The reason why some readers treat it as a directory.
    Directory(&'static str),
    Link,
}

impl ArchiveWalker<'_> {
    /// Inspects an entry of the directory whose header is at this position.
    pub(super) fn listed_entry(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        path: &EntryPath<'_>,
        record: &CentralRecord,
        HeaderPlace { position, is_signed }: HeaderPlace,
    ) -> io::Result<()> {
        let Some(header) = LocalHeader::read(&mut walk.entries, position)? else {
            self.report(path, FindingCode::MalformedArchive, "it ends inside an entry's header".to_owned());
            return Ok(());
        };
        let (listed, own) = (&record.values, &header.values);
        let path = path.with_hint(has_wasm_extension(&name(&own.name)));
        if let Some(contradiction) = contradiction(listed, own) {
            self.dispute(&path, format!("its header and the directory state different {contradiction}"));
        }
        if listed.has_two_sizes || own.has_two_sizes {
            self.dispute(&path, "its extra fields state different sizes".to_owned());
        }
        if let Some(why) = disputed_name(listed).or_else(|| disputed_name(own)) {
            self.dispute(&path, why.to_owned());
        }
        let entry_type = entry_type(record, own);
        let reading = DataReading::new(position, &header, listed, false);
        let reading = if is_signed { reading } else { reading.alternative() };
        let mut read = self.entry_reading(walk, &path, reading, entry_type)?;
        for values in [listed, own] {
            self.content_size_reading(walk, &path, (position, &header, values), entry_type)?;
        }
        let is_own_open = own.has_descriptor() && own.compressed == 0;
        let differs = if is_own_open {
            own.method != method::DEFLATED
                && listed.compressed == 0
                && !is_empty_descriptor(&mut walk.entries, header.data)?
        } else {
            own.compressed != listed.compressed
        };
        if differs || own.method != listed.method {
            let reading = DataReading::new(position, &header, own, is_own_open).alternative();
            // Deflated data that was read to its end is the same for any stated size.
            if read.is_some() && own.method == listed.method {
                walk.continuations.extend(after_data(reading.range.end));
            } else {
                read = read.or(self.entry_reading(walk, &path, reading, entry_type)?);
            }
        }
        if read.is_none() {
            let of_listed = if listed.method == method::DEFLATED { listed.compressed } else { 0 };
            let stated = own.compressed.max(of_listed);
            self.open_reading(walk, &path, (position, &header), stated, entry_type)?;
        }
        Ok(())
    }

    /// Inspects deflated data to its end. Some readers inflate it regardless of its stated size.
    fn open_reading(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        path: &EntryPath<'_>,
        (position, header): (u64, &LocalHeader),
        stated: u64,
        entry_type: EntryType,
    ) -> io::Result<()> {
        if header.values.method == method::DEFLATED && self.differs_without_end(walk, header.data, stated)? {
            let reading = DataReading::new(position, header, &header.values, true).alternative();
            self.entry_reading(walk, path, reading, entry_type)?;
        }
        Ok(())
    }

    /// Inspects stored data by the size of its content. Some readers use this size, and some use the compressed one.
    fn content_size_reading(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        path: &EntryPath<'_>,
        (position, header, values): (u64, &LocalHeader, &EntryValues),
        entry_type: EntryType,
    ) -> io::Result<()> {
        if values.method == method::STORED && values.size != values.compressed && values.size > 0 {
            let sized = EntryValues { compressed: values.size, ..values.clone() };
            let reading = DataReading::new(position, header, &sized, false).alternative();
            self.entry_reading(walk, path, reading, entry_type)?;
        }
        Ok(())
    }

    /// Whether deflated data at a position has a different content if it does not end after `len` bytes.
    fn differs_without_end(&mut self, walk: &mut ZipWalk<'_, '_>, start: u64, len: u64) -> io::Result<bool> {
        let end = walk.entries.len();
        // The next record follows an entry without data.
        if walk.entries.peek_at(start, 2)? == b"PK" {
            return Ok(false);
        }
        let listed = self.head(walk, &(start..start.saturating_add(len).min(end)), method::DEFLATED);
        Ok(self.head(walk, &(start..end), method::DEFLATED) != listed)
    }

    /// Inspects an entry that no directory lists, by its own header. Readers that start from the beginning find it.
    pub(super) fn unlisted_entry(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        position: u64,
        has_directory: bool,
    ) -> io::Result<()> {
        if walk.headers.contains_key(&position) {
            return Ok(());
        }
        if !LocalHeader::is_at(&mut walk.entries, position)? {
            return Ok(());
        }
        let Some(header) = LocalHeader::read(&mut walk.entries, position)? else { return Ok(()) };
        let values = &header.values;
        if !self.is_entry(walk, &header) || !self.zip_entry_budget(walk) {
            return Ok(());
        }
        let name = name(&values.name);
        let path = EntryPath::new(walk.path, &name);
        if has_directory {
            self.dispute(&path, "it has a header, and the directory does not list it".to_owned());
        }
        let is_empty = values.size == 0 && values.compressed == 0 && !values.has_descriptor();
        let entry_type = if is_empty { EntryType::Directory("") } else { EntryType::File };
        // Some readers inflate to the end of the data, regardless of its stated size.
        let states_its_end = values.has_descriptor() || values.method == method::DEFLATED;
        let is_open = values.compressed == 0 && states_its_end;
        let read = self.entry_reading(walk, &path, DataReading::new(position, &header, values, is_open), entry_type)?;
        if read.is_none() && !is_open {
            self.open_reading(walk, &path, (position, &header), values.compressed, entry_type)?;
        }
        self.content_size_reading(walk, &path, (position, &header, values), entry_type)
    }

    /// Whether a header without a record in a directory is likely to be one, and not other bytes with its signature.
    fn is_entry(&mut self, walk: &mut ZipWalk<'_, '_>, header: &LocalHeader) -> bool {
        let values = &header.values;
        let fits = values.has_descriptor() || values.compressed <= walk.entries.len() - header.data;
        if !is_known_method(values.method) {
            return false;
        }
        // Some writers fill gaps with headers without a name.
        let is_plausible =
            !values.name.is_empty() && values.flags & 0xd780 == 0 && values.name.iter().all(|&byte| byte >= b' ');
        if is_plausible && fits {
            return true;
        }
        // A reader may take its size from the directory or from deflated data, and not from here.
        let len = walk.entries.len();
        let states_its_end = values.has_descriptor() || values.method == method::DEFLATED;
        let end = if states_its_end { len } else { header.data.saturating_add(values.compressed).min(len) };
        let head = self.head(walk, &(header.data..end), values.method);
        FileKind::detect(&head) != FileKind::Other
    }

    /// Inspects the data of an entry in one way, unless it was inspected in this way before. Returns the length of
    /// deflated data.
    fn entry_reading(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        path: &EntryPath<'_>,
        mut reading: DataReading<'_>,
        entry_type: EntryType,
    ) -> io::Result<Option<u64>> {
        let DataReading { position, range: Range { start, end }, method, values, is_open, .. } = reading;
        let len = walk.entries.len();
        if end > len && !is_open {
            self.dispute(path, "its data continues after the end of the archive".to_owned());
        }
        reading.range.end = end.min(len);
        let is_overlap = reading.is_alternative || !is_open && !walk.claims.claim(position..reading.range.end);
        if is_overlap && !reading.is_alternative {
            walk.is_disputed = true;
            self.dispute(path, "its data is where another entry's or the directory is".to_owned());
        }
        if !walk.is_new(&reading) || is_overlap && !self.may_repeat(walk, &reading) {
            return Ok(None);
        }
        // Readers that start from the beginning find the end of stored data by its descriptor.
        if reading.own.has_descriptor() && method == method::STORED {
            let end = self.descriptor_in(walk, &reading.range)?;
            match end {
                Some(end) if is_open => reading.range.end = end,
                Some(end) if end != reading.range.end => {
                    self.dispute(path, "its data contains a descriptor that ends it for some readers".to_owned());
                    walk.continuations.extend([end + 16, end + 24]);
                }
                _ => {}
            }
        }
        let mut used = None;
        if reading.is_encrypted() {
            self.not_opened(path, "encrypted zip entry");
        } else if let Some(read) = self.data(walk, path, &reading, entry_type)? {
            let data_end = start + read;
            used = Some(read);
            if is_open {
                reading.range.end = data_end;
            } else if data_end < reading.range.end {
                let message = format!("its data ends after {read} of {} bytes", end - start);
                self.dispute(path, message);
                walk.continuations.extend(after_data(data_end));
            }
        }
        if is_open
            && !reading.is_alternative
            && reading.range.end < len
            && !walk.claims.claim(position..reading.range.end)
        {
            walk.is_disputed = true;
            self.dispute(path, "its data is where another entry's or the directory is".to_owned());
        }
        if reading.own.has_descriptor() {
            let end = reading.range.end;
            walk.claims.claim(end..end + descriptor_len(&mut walk.entries, end, values)?);
        }
        if walk.end_of(position) != Some(reading.range.end) || walk.is_directory_read {
            walk.continuations.extend(after_data(reading.range.end));
        }
        Ok(used)
    }

    /// Counts data that is read more than once. Returns whether it may be read.
    fn may_repeat(&mut self, walk: &mut ZipWalk<'_, '_>, reading: &DataReading<'_>) -> bool {
        let left = walk.repeats.checked_sub(reading.range.end - reading.range.start);
        if left.is_none() && !std::mem::replace(&mut walk.repeats_exceeded, true) {
            let message = "its entries overlap too often: the rest are not inspected".to_owned();
            self.report(walk.path, FindingCode::ArchiveLimit, message);
        }
        walk.repeats = left.unwrap_or(walk.repeats);
        left.is_some()
    }

    /// The first position in stored data at which a descriptor states the length of the data before it.
    fn descriptor_in(&mut self, walk: &mut ZipWalk<'_, '_>, range: &Range<u64>) -> io::Result<Option<u64>> {
        const WINDOW: u64 = 64 << 10;
        const LEN: usize = 24;
        let finder = memmem::Finder::new(b"PK\x07\x08");
        let mut start = range.start;
        while start < range.end && !self.should_stop() {
            let len = (range.end - start).min(WINDOW);
            let window = walk.entries.peek_at(start, len as usize + LEN)?;
            for at in finder.find_iter(window) {
                let passed = start - range.start + at as u64;
                let states = |from: usize, to: usize| {
                    let bytes = window.get(at + from..at + to);
                    bytes.is_some_and(|bytes| {
                        let mut value = [0; 8];
                        value[..bytes.len()].copy_from_slice(bytes);
                        u64::from_le_bytes(value) == passed
                    })
                };
                if states(8, 12) && states(12, 16) || states(8, 16) && states(16, 24) {
                    return Ok(Some(start + at as u64));
                }
            }
            start += len;
        }
        Ok(None)
    }

    /// Inspects data. Returns the number of bytes of it that were used, if it is compressed and was read to its end.
    fn data(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        path: &EntryPath<'_>,
        reading: &DataReading<'_>,
        entry_type: EntryType,
    ) -> io::Result<Option<u64>> {
        if entry_type != EntryType::File {
            let head = self.head(walk, &reading.range, reading.method);
            match entry_type {
                EntryType::Link if is_target(&head) => {
                    self.count(FindingCode::NotFollowed);
                    return Ok(None);
                }
                EntryType::Link => {
                    self.dispute(path, "it is a symbolic link, and has the content of a file".to_owned());
                }
                EntryType::Directory(_) if head.is_empty() => return Ok(None),
                EntryType::Directory(why) => self.dispute(path, format!("it has content, and {why}")),
                EntryType::File => {}
            }
        }
        match reading.method {
            method::STORED => {
                self.stored(walk, path, reading)?;
                Ok(None)
            }
            method::DEFLATED => {
                let bytes = RangeReader { bytes: &mut walk.entries, range: reading.range.clone() };
                let mut decoder = Checked::new(Inflater::new(bytes));
                let is_whole = self.inflated_entry(path, &mut decoder, reading, walk.level + 1);
                Ok(is_whole.then(|| decoder.decoder.total_in()))
            }
            method if method::ZSTD.contains(&method) => {
                let budget = self.budget;
                let bytes = RangeReader { bytes: &mut walk.entries, range: reading.range.clone() };
                let mut decoder = Checked::new(zstd::ZstdReader::new(bytes, budget));
                self.inflated_entry(path, &mut decoder, reading, walk.level + 1);
                Ok(None)
            }
            other => {
                self.not_opened(path, &format!("zip entry compressed by {}", method::name(other)));
                Ok(None)
            }
        }
    }

    fn stored(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        path: &EntryPath<'_>,
        reading: &DataReading<'_>,
    ) -> io::Result<()> {
        let DataReading { range, values, .. } = reading;
        let len = range.end - range.start;
        if values.size != len && !reading.is_open {
            self.dispute(path, "it is stored uncompressed, but states two sizes".to_owned());
        }
        let head_len = usize::try_from(len).map_or(HEAD_LEN, |len| len.min(HEAD_LEN));
        let first = walk.entries.peek_at(range.start, head_len)?.to_vec();
        let level = walk.level + 1;
        match &walk.entries {
            ZipBytes::FileWindow(part) => {
                let (input, base) = (part.input, part.range.start);
                self.part(path, input, base + range.start..base + range.end, &first, level);
            }
            ZipBytes::Held(held) => {
                let rest = held.from(range.start);
                self.stream(path, &mut &rest[..rest.len().min(len as usize)], level);
            }
        }
        // Other content is not read, so damage to it is not detected.
        if path.expects_wasm || FileKind::detect(&first) != FileKind::Other {
            let mut crc = crc32fast::Hasher::new();
            let mut at = range.start;
            while at < range.end && !self.should_stop() {
                const WINDOW: u64 = 64 << 10;
                let window = walk.entries.peek_at(at, (range.end - at).min(WINDOW) as usize)?;
                crc.update(window);
                at += window.len() as u64;
            }
            if crc.finalize() != values.crc && !reading.is_open && !self.should_stop() {
                self.report_damage(path, WRONG_CRC);
            }
        }
        Ok(())
    }

    /// Inspects inflated data. Returns whether it was read to its end.
    fn inflated_entry<R: Read>(
        &mut self,
        path: &EntryPath<'_>,
        decoder: &mut Checked<R>,
        reading: &DataReading<'_>,
        level: u32,
    ) -> bool {
        let mut inflating = BufferedDecoder::new(&mut *decoder, self.budget);
        if !self.stream(path, &mut inflating, level) {
            return false;
        }
        self.drain(&mut inflating, u64::MAX);
        let len = inflating.decoded();
        drop(inflating);
        if self.budget.has_fault() || self.should_stop() {
            self.report_fault(path);
            return false;
        }
        let values = reading.values;
        if reading.is_open {
            return true;
        }
        if len != values.size {
            self.report_damage(path, &format!("it inflates to {len} bytes, but its stated size is {}", values.size));
        } else if decoder.sum() != values.crc {
            self.report_damage(path, WRONG_CRC);
        }
        true
    }

    /// The first bytes of data, or fewer if it cannot be inflated.
    fn head(&mut self, walk: &mut ZipWalk<'_, '_>, range: &Range<u64>, method: u16) -> Vec<u8> {
        let mut head = vec![0; HEAD_LEN + 1];
        let mut bytes = RangeReader { bytes: &mut walk.entries, range: range.clone() };
        let len = match method {
            method::DEFLATED => fill(&mut LimitedDecoder::new(Inflater::new(bytes), self.budget), &mut head),
            // Content that its first bytes do not identify is inspected.
            _ => fill(&mut bytes, &mut head),
        };
        self.budget.take_fault(); // the data is read again
        head.truncate(len.unwrap_or(0));
        head
    }

    fn report_damage(&mut self, path: &EntryPath<'_>, message: &str) {
        self.report(path, FindingCode::MalformedArchive, message.to_owned());
    }
}

const WRONG_CRC: &str = "its data does not have the stated checksum";

/// The positions at which a reader of headers may continue: after the data, with or without a descriptor.
pub(super) fn after_data(end: u64) -> [u64; 5] {
    [0, 12, 16, 20, 24].map(|descriptor| end + descriptor)
}

/// The property in which a header and its record in the directory differ.
fn contradiction(listed: &EntryValues, own: &EntryValues) -> Option<&'static str> {
    let is_later = own.has_descriptor();
    // Writers that do not know a value in advance leave it zero, and state the others.
    let differs = |listed: u64, own: u64| listed != own && !(is_later && own == 0);
    // Names in two encodings differ legitimately.
    if listed.name != own.name && listed.name.is_ascii() && own.name.is_ascii() {
        Some("names")
    } else if listed.method != own.method {
        Some("compression methods")
    } else if differs(listed.compressed, own.compressed) || differs(listed.size, own.size) {
        Some("sizes")
    } else if differs(listed.crc.into(), own.crc.into()) {
        Some("checksums")
    } else if listed.is_encrypted() != own.is_encrypted() {
        Some("flags for encryption")
    } else {
        None
    }
}

/// The reason why readers give an entry different names.
fn disputed_name(values: &EntryValues) -> Option<&'static str> {
    let unicode = values.unicode_name.as_ref()?;
    let differs = values.name.is_ascii() && *unicode != values.name;
    differs.then_some("its Unicode name is a different one")
}

fn entry_type(record: &CentralRecord, own: &EntryValues) -> EntryType {
    let listed = &record.values;
    let mut names = [Some(&listed.name), listed.unicode_name.as_ref(), Some(&own.name), own.unicode_name.as_ref()]
        .into_iter()
        .flatten();
    match record.file_type() {
        FileType::Link => EntryType::Link,
        _ if let Some(why) = names.find_map(|name| ends_as_directory(name)) => EntryType::Directory(why),
        FileType::Directory => EntryType::Directory("its attributes are those of a directory"),
        FileType::File => EntryType::File,
    }
}

/// The reason why some readers treat a name as that of a directory.
fn ends_as_directory(name: &[u8]) -> Option<&'static str> {
    let until_nul = name.iter().position(|&byte| byte == 0).map(|end| &name[..end]);
    match [Some(name), until_nul].into_iter().flatten().find_map(|name| name.last()) {
        Some(b'/') => Some("its name ends in a slash"),
        Some(b'\\') => Some("its name ends in a backslash"),
        _ if until_nul.is_some() => Some("its name contains a NUL character"),
        _ => None,
    }
}

/// Whether the content of a link is the path that it leads to.
fn is_target(content: &[u8]) -> bool {
    content.len() <= HEAD_LEN && FileKind::detect(content) == FileKind::Other && !content.contains(&0)
}

/// Whether a descriptor of no data is at a position.
fn is_empty_descriptor(bytes: &mut ZipBytes<'_>, position: u64) -> io::Result<bool> {
    const LEN: usize = 12;
    let window = bytes.peek_at(position, 4 + LEN)?;
    let values = window.strip_prefix(b"PK\x07\x08").unwrap_or(window);
    Ok(values.starts_with(&[0; LEN]))
}

/// The length of the descriptor after data, in one of its forms.
fn descriptor_len(bytes: &mut ZipBytes<'_>, end: u64, values: &EntryValues) -> io::Result<u64> {
    let window = bytes.peek_at(end, 24)?;
    let signature: &[u8] = if window.starts_with(b"PK\x07\x08") { b"PK\x07\x08" } else { b"" };
    let crc = values.crc.to_le_bytes();
    let (compressed, size) = (values.compressed.to_le_bytes(), values.size.to_le_bytes());
    let far = [signature, &crc, &compressed, &size].concat();
    let near = [signature, &crc, &compressed[..4], &size[..4]].concat();
    let found = [far, near].into_iter().find(|descriptor| window.starts_with(descriptor));
    Ok(found.map_or(0, |descriptor| descriptor.len() as u64))
}
