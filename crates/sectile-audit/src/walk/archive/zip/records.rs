//! The records of a zip: end records, records of the directory, and headers of entries.
//!
//! Source: PKWARE's APPNOTE 6.3.10, 4.3.7 to 4.3.16, 4.4 and 4.5.3; Info-ZIP's `extrafld.txt` for the Unicode path.

use std::io;

use super::super::bytes::ZipBytes;

pub(super) const LOCAL_SIGNATURE: &[u8; 4] = b"PK\x03\x04";
const CENTRAL_SIGNATURE: &[u8; 4] = b"PK\x01\x02";
pub(super) const END_SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const END64_SIGNATURE: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_SIGNATURE: &[u8; 4] = b"PK\x06\x07";
/// Precedes an encrypted directory.
const EXTRA_DATA_SIGNATURE: &[u8; 4] = b"PK\x06\x08";

const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
pub(super) const END_LEN: u64 = 22;
const END64_LEN: u64 = 56;
const LOCATOR_LEN: u64 = 20;

/// A field of 32 bits that is too small for its value has this one. The value is in another record or field.
const ZIP64: u64 = u32::MAX as u64;

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn quad(bytes: &[u8], at: usize) -> u64 {
    u64::from(long(bytes, at)) | u64::from(long(bytes, at + 4)) << 32
}

/// The values that an entry's header and its record in the directory have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryValues {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    pub(super) name: Vec<u8>,
    /// The name in the extra field for Unicode.
    pub(super) unicode_name: Option<Vec<u8>>,
    /// Whether its extra fields state different sizes.
    pub(super) has_two_sizes: bool,
}

impl EntryValues {
    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether the sizes and the checksum follow the data.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & 1 << 3 != 0
    }

    /// Applies the extra fields. A malformed field ends them, as it does for most readers.
    fn read_extra(&mut self, mut extra: &[u8], offset: &mut u64) {
        let mut first: Option<&[u8]> = None;
        while extra.len() >= 4 {
            let (id, len) = (short(extra, 0), usize::from(short(extra, 2)));
            let Some(value) = extra.get(4..4 + len) else { return };
            extra = &extra[4 + len..];
            match (id, first) {
                (1, None) => {
                    first = Some(value);
                    let mut rest = value;
                    for field in [&mut self.size, &mut self.compressed, &mut *offset] {
                        if *field == ZIP64
                            && let Some((value, after)) = rest.split_first_chunk()
                        {
                            (*field, rest) = (u64::from_le_bytes(*value), after);
                        }
                    }
                }
                (1, Some(first)) => self.has_two_sizes |= first != value,
                // Readers ignore the field if its checksum is that of another name.
                (0x7075, _)
                    if value.first() == Some(&1)
                        && value.len() > 5
                        && crc32fast::hash(&self.name) == long(value, 1) =>
                {
                    self.unicode_name = Some(value[5..].to_vec());
                }
                _ => {}
            }
        }
    }
}

/// A record of the directory.
pub(super) struct CentralRecord {
    pub(super) values: EntryValues,
    /// Offset of the entry's header, from wherever the zip begins.
    pub(super) offset: u64,
    /// Length of the record.
    pub(super) len: u64,
    attributes: u32,
}

impl CentralRecord {
    /// Reads the record at a position, or returns `None` if there is none.
    pub(super) fn read(bytes: &mut ZipBytes<'_>, position: u64) -> io::Result<Option<Self>> {
        let fixed = bytes.peek_at(position, CENTRAL_LEN)?;
        if fixed.len() < CENTRAL_LEN || !fixed.starts_with(CENTRAL_SIGNATURE) {
            return Ok(None);
        }
        let (name, extra, comment) = (short(fixed, 28), short(fixed, 30), short(fixed, 32));
        let (name, extra) = (usize::from(name), usize::from(extra));
        let record = bytes.peek_at(position, CENTRAL_LEN + name + extra)?;
        if record.len() < CENTRAL_LEN + name + extra {
            return Ok(None);
        }
        let mut offset = u64::from(long(record, 42));
        let mut values = EntryValues {
            flags: short(record, 8),
            method: short(record, 10),
            crc: long(record, 16),
            compressed: u64::from(long(record, 20)),
            size: u64::from(long(record, 24)),
            name: record[CENTRAL_LEN..CENTRAL_LEN + name].to_vec(),
            unicode_name: None,
            has_two_sizes: false,
        };
        values.read_extra(&record[CENTRAL_LEN + name..], &mut offset);
        let attributes = long(record, 38);
        let len = (CENTRAL_LEN + name + extra) as u64 + u64::from(comment);
        Ok(Some(Self { values, offset, len, attributes }))
    }

    /// The type of file that the attributes state.
    ///
    /// Readers differ on whether the system that wrote the record decides which half of the attributes counts.
    pub(super) fn file_type(&self) -> FileType {
        match self.attributes >> 16 & 0o170_000 {
            0o120_000 => FileType::Link,
            0o040_000 => FileType::Directory,
            _ if self.attributes & 0x10 != 0 => FileType::Directory,
            _ => FileType::File,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileType {
    File,
    Directory,
    Link,
}

/// The header of an entry.
pub(super) struct LocalHeader {
    pub(super) values: EntryValues,
    /// Position of the data.
    pub(super) data: u64,
}

impl LocalHeader {
    /// Whether a header begins at a position.
    pub(super) fn is_at(bytes: &mut ZipBytes<'_>, position: u64) -> io::Result<bool> {
        Ok(bytes.peek_at(position, 4)? == LOCAL_SIGNATURE)
    }

    /// Whether a possible header at a position has this name, regardless of its signature.
    pub(super) fn is_named(bytes: &mut ZipBytes<'_>, position: u64, name: &[u8]) -> io::Result<bool> {
        let header = bytes.peek_at(position, LOCAL_LEN + name.len())?;
        let len = header.get(26..28).map(|len| usize::from(short(len, 0)));
        Ok(len == Some(name.len()) && header.get(LOCAL_LEN..) == Some(name))
    }

    /// Reads the header at a position, regardless of its signature. Returns `None` if it is truncated.
    pub(super) fn read(bytes: &mut ZipBytes<'_>, position: u64) -> io::Result<Option<Self>> {
        let fixed = bytes.peek_at(position, LOCAL_LEN)?;
        if fixed.len() < LOCAL_LEN {
            return Ok(None);
        }
        let (name, extra) = (usize::from(short(fixed, 26)), usize::from(short(fixed, 28)));
        let header = bytes.peek_at(position, LOCAL_LEN + name + extra)?;
        if header.len() < LOCAL_LEN + name + extra {
            return Ok(None);
        }
        let mut values = EntryValues {
            flags: short(header, 6),
            method: short(header, 8),
            crc: long(header, 14),
            compressed: u64::from(long(header, 18)),
            size: u64::from(long(header, 22)),
            name: header[LOCAL_LEN..LOCAL_LEN + name].to_vec(),
            unicode_name: None,
            has_two_sizes: false,
        };
        values.read_extra(&header[LOCAL_LEN + name..], &mut 0);
        Ok(Some(Self { values, data: position + header.len() as u64 }))
    }
}

/// The values of an end record, of 32 or 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndValues {
    pub(super) entries: u64,
    /// Length of the directory.
    pub(super) size: u64,
    /// Offset of the directory, from wherever the zip begins.
    pub(super) offset: u64,
    /// Position of the record, which ends the directory.
    pub(super) position: u64,
}

/// An end record, with those of 64 bits that belong to it.
#[derive(Debug)]
pub(super) struct EndRecord {
    /// The values that readers may use. Most readers use the first.
    pub(super) values: Vec<EndValues>,
    /// Position after the record and its comment, at most the end of the bytes.
    pub(super) end: u64,
    /// The first contradiction in it.
    pub(super) fault: Option<&'static str>,
}

impl EndRecord {
    /// Reads the record at a position, or returns `None` if there is none.
    pub(super) fn read(bytes: &mut ZipBytes<'_>, position: u64) -> io::Result<Option<Self>> {
        let len = bytes.len();
        let record = bytes.peek_at(position, END_LEN as usize)?;
        if (record.len() as u64) < END_LEN || !record.starts_with(END_SIGNATURE) {
            return Ok(None);
        }
        let [disk, directory_disk] = [short(record, 4), short(record, 6)];
        let [here, entries] = [short(record, 8), short(record, 10)];
        let stated = EndValues {
            entries: u64::from(entries),
            size: u64::from(long(record, 12)),
            offset: u64::from(long(record, 16)),
            position,
        };
        let end = position + END_LEN + u64::from(short(record, 20));
        let mut read = Self { values: Vec::new(), end: end.min(len), fault: None };
        if end > len {
            read.fault = Some("its end record states a comment that exceeds the file");
        }
        let is_far = here == u16::MAX || entries == u16::MAX || stated.size == ZIP64 || stated.offset == ZIP64;
        if !is_far && (here != entries || disk != directory_disk) {
            read.fault.get_or_insert("its end record states two numbers of entries or parts");
        }
        read.read_far(bytes, &stated)?;
        let is_far_only = read.values.first().is_some_and(|far| stated.agrees_with(far));
        if !is_far_only {
            if !read.values.is_empty() {
                read.fault.get_or_insert("its end records of 32 and of 64 bits contradict each other");
            }
            // Some readers ignore the records of 64 bits unless they are needed.
            if is_far { read.values.push(stated) } else { read.values.insert(0, stated) }
        }
        Ok(Some(read))
    }

    /// Reads the records of 64 bits: where the locator says, and before it, where some readers expect them.
    fn read_far(&mut self, bytes: &mut ZipBytes<'_>, stated: &EndValues) -> io::Result<()> {
        let Some(locator) = stated.position.checked_sub(LOCATOR_LEN) else { return Ok(()) };
        let record = bytes.peek_at(locator, LOCATOR_LEN as usize)?;
        if (record.len() as u64) < LOCATOR_LEN || !record.starts_with(LOCATOR_SIGNATURE) {
            return Ok(());
        }
        let located = quad(record, 8);
        // The offset may not count the bytes before the zip.
        let before = locator.checked_sub(END64_LEN);
        let nearest = last_zip64_record(bytes, locator)?;
        for position in [before, Some(located), nearest].into_iter().flatten() {
            if self.values.iter().any(|values| values.position == position) {
                continue;
            }
            let record = bytes.peek_at(position, END64_LEN as usize)?;
            if (record.len() as u64) < END64_LEN || !record.starts_with(END64_SIGNATURE) {
                continue;
            }
            let (here, entries) = (quad(record, 24), quad(record, 32));
            let values = EndValues { entries, size: quad(record, 40), offset: quad(record, 48), position };
            if here != entries {
                self.fault.get_or_insert("its end record states two numbers of entries or parts");
            }
            if self.values.first().is_some_and(|first| !first.is_same(&values)) {
                self.fault.get_or_insert("it has two end records of 64 bits");
            }
            self.values.push(values);
        }
        // The locator may not count the bytes before the zip, as the record may not.
        let is_located = self.values.iter().any(|far| {
            let base = far.position.checked_sub(far.size).and_then(|start| start.checked_sub(far.offset));
            far.position == located || base.and_then(|base| base.checked_add(located)) == Some(far.position)
        });
        if !is_located {
            self.fault.get_or_insert("its locator does not lead to an end record of 64 bits");
        }
        Ok(())
    }

    /// Whether it states that the zip is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|values| values.entries == 0 && values.size == 0)
    }
}

/// The position of the last end record of 64 bits before its locator. It may have data of any length after it.
fn last_zip64_record(bytes: &mut ZipBytes<'_>, locator: u64) -> io::Result<Option<u64>> {
    const MAX_SEARCHED: u64 = 4 << 10;
    let start = locator.saturating_sub(MAX_SEARCHED).max(bytes.origin());
    let before = bytes.peek_at(start, locator.saturating_sub(start) as usize)?;
    Ok(memchr::memmem::rfind(before, END64_SIGNATURE).map(|at| start + at as u64))
}

impl EndValues {
    fn is_same(&self, other: &Self) -> bool {
        (self.entries, self.size, self.offset) == (other.entries, other.size, other.offset)
    }

    /// Whether a directory of this length has room for this number of entries.
    pub(super) fn has_room(&self) -> bool {
        self.entries > 0 && self.size / CENTRAL_LEN as u64 >= self.entries
    }

    /// Whether each value of 32 bits that differs from that of 64 bits refers to it.
    fn agrees_with(&self, far: &Self) -> bool {
        (self.entries == far.entries || self.entries == u64::from(u16::MAX))
            && (self.size == far.size || self.size == ZIP64)
            && (self.offset == far.offset || self.offset == ZIP64)
    }

    /// The positions where a directory with these values may begin: before the record, and at the stated offset.
    pub(super) fn starts(&self, bytes: &mut ZipBytes<'_>) -> io::Result<Vec<DirectoryStart>> {
        let mut starts: Vec<DirectoryStart> = Vec::new();
        for position in [self.position.checked_sub(self.size), Some(self.offset)].into_iter().flatten() {
            if starts.iter().any(|other| other.position == position) {
                continue;
            }
            let signature = bytes.peek_at(position, 4)?;
            let is_encrypted = signature == EXTRA_DATA_SIGNATURE;
            if signature == CENTRAL_SIGNATURE || is_encrypted {
                starts.push(DirectoryStart { position, base: position.checked_sub(self.offset), is_encrypted });
            }
        }
        Ok(starts)
    }
}

/// Where a directory begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirectoryStart {
    pub(super) position: u64,
    /// Length of the data before the zip, if offsets do not count it.
    pub(super) base: Option<u64>,
    pub(super) is_encrypted: bool,
}
