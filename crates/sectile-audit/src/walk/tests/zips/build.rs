//! Zips made of parts, each with values that may be wrong.

use super::*;

/// One entry: its header, its data and its record in the directory, each with values that may be wrong.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) own_name: Option<Vec<u8>>,
    pub(super) data: Vec<u8>,
    pub(super) method: u16,
    pub(super) own_method: Option<u16>,
    pub(super) flags: u16,
    pub(super) own_flags: Option<u16>,
    pub(super) crc: u32,
    pub(super) compressed: u32,
    pub(super) size: u32,
    /// The sizes in the header.
    pub(super) own_sizes: Option<(u32, u32)>,
    pub(super) attributes: u32,
    pub(super) extra: Vec<u8>,
    pub(super) descriptor: Vec<u8>,
    pub(super) offset: Option<u32>,
    pub(super) is_listed: bool,
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn crc(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

pub(super) fn shorts(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(super) fn u32_bytes(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

impl Entry {
    pub(super) fn stored(name: &str, content: &[u8]) -> Self {
        Self::compressed(name, content, content.to_vec(), 0)
    }

    pub(super) fn deflated(name: &str, content: &[u8]) -> Self {
        Self::compressed(name, content, deflate(content), 8)
    }

    pub(super) fn compressed(name: &str, content: &[u8], data: Vec<u8>, method: u16) -> Self {
        Self {
            name: name.into(),
            own_name: None,
            method,
            own_method: None,
            flags: 0,
            own_flags: None,
            crc: crc(content),
            compressed: data.len() as u32,
            size: content.len() as u32,
            own_sizes: None,
            data,
            attributes: 0o100_644 << 16,
            extra: Vec::new(),
            descriptor: Vec::new(),
            offset: None,
            is_listed: true,
        }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Its sizes and its checksum follow the data.
    pub(super) fn streamed(self) -> Self {
        self.with(|entry| {
            entry.flags |= 8;
            entry.own_sizes = Some((0, 0));
            entry.descriptor = [&b"PK\x07\x08"[..], &u32_bytes(&[entry.crc, entry.compressed, entry.size])].concat();
        })
    }

    pub(super) fn unlisted(self) -> Self {
        self.with(|entry| entry.is_listed = false)
    }

    pub(super) fn local(&self) -> Vec<u8> {
        let (compressed, size) = self.own_sizes.unwrap_or((self.compressed, self.size));
        let name = self.own_name.as_ref().unwrap_or(&self.name);
        let (flags, method) = (self.own_flags.unwrap_or(self.flags), self.own_method.unwrap_or(self.method));
        let crc = if compressed == 0 { 0 } else { self.crc };
        [
            &b"PK\x03\x04"[..],
            &shorts(&[20, flags, method, 0, 0x21]),
            &u32_bytes(&[crc, compressed, size]),
            &shorts(&[name.len() as u16, self.extra.len() as u16]),
            name,
            &self.extra,
            &self.data,
            &self.descriptor,
        ]
        .concat()
    }

    pub(super) fn central(&self, offset: u32) -> Vec<u8> {
        [
            &b"PK\x01\x02"[..],
            &shorts(&[0x314, 20, self.flags, self.method, 0, 0x21]),
            &u32_bytes(&[self.crc, self.compressed, self.size]),
            &shorts(&[self.name.len() as u16, self.extra.len() as u16, 0, 0, 0]),
            &u32_bytes(&[self.attributes, self.offset.unwrap_or(offset)]),
            &self.name,
            &self.extra,
        ]
        .concat()
    }
}

pub(super) fn end(entries: u16, size: usize, offset: usize, comment: &[u8]) -> Vec<u8> {
    [
        &b"PK\x05\x06"[..],
        &shorts(&[0, 0, entries, entries]),
        &u32_bytes(&[size as u32, offset as u32]),
        &shorts(&[comment.len() as u16]),
        comment,
    ]
    .concat()
}

/// The parts of a zip whose entries begin at an offset: entries and directory.
pub(super) fn parts(entries: &[Entry], at: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        if entry.is_listed {
            directory.extend(entry.central((at + body.len()) as u32));
        }
        body.extend(entry.local());
    }
    (body, directory)
}

pub(super) fn build(entries: &[Entry]) -> Vec<u8> {
    let (body, directory) = parts(entries, 0);
    let count = entries.iter().filter(|entry| entry.is_listed).count();
    [&*body, &directory, &end(count as u16, directory.len(), body.len(), b"")].concat()
}

/// A zip with a wrong end record.
pub(super) fn build_with_end(entries: &[Entry], end: impl FnOnce(usize, usize) -> Vec<u8>) -> Vec<u8> {
    let (body, directory) = parts(entries, 0);
    [&*body, &directory, &end(directory.len(), body.len())].concat()
}

pub(super) fn module_entry() -> Entry {
    Entry::deflated("a.wasm", MODULE)
}

pub(super) fn text_entry() -> Entry {
    Entry::stored("t.txt", TEXT)
}
