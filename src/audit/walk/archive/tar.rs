//! Tars: a header of one block, then the data, in whole blocks; and so on, up to a block of zeros.
//!
//! Headers are decoded by the `tar` crate. What it does not bound is walked here: names of any length, and bodies, which are
//! passed over, not read.
//!
//! Sources: POSIX `pax`, *pax Header Block* and *ustar Interchange Format*; GNU tar's manual, *Basic Tar Format*.

use std::ffi::OsStr;
use std::io::{self, Read};

use tar::{EntryType, Header};

use super::bytes::Part;
use super::{Archive, Called, fill, name};
use crate::audit::walk::kind::{BLOCK, is_tar_header};
use crate::finding::Code;

/// Where a tar is read from.
pub(super) enum Source<'s, 'p> {
    /// A file, whose bodies are not read.
    Part(&'s mut Part<'p>),
    /// What a decoder gives.
    Stream(&'s mut dyn Read),
}

/// What is said of the next entry before its header.
#[derive(Default)]
struct Extension {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

/// Why a tar is not read on. (What cannot be inflated, or read from the file, is told elsewhere.)
enum End {
    /// It has come to its end.
    Whole,
    Broken,
    Malformed(&'static str),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// Bytes of one extension header that are held; names are much shorter.
const MOST_EXTENSION: u64 = 1 << 20;

/// Bytes of a body that are looked at to tell what it is.
const HEAD: usize = 4 << 10;

impl Archive<'_> {
    pub(super) fn tar(&mut self, called: &Called<'_>, mut source: Source<'_, '_>, level: u32) {
        let mut extension = Extension::default();
        loop {
            let end = match self.entry(called, &mut source, &mut extension, level) {
                Ok(()) if self.stops() => End::Whole,
                Ok(()) => continue,
                Err(end) => end,
            };
            return match end {
                End::Whole | End::Broken => {}
                End::Malformed(what) => self.tell(called, Code::MalformedArchive, what.to_owned()),
            };
        }
    }

    /// One header, and what stands behind it.
    fn entry(
        &mut self,
        called: &Called<'_>,
        source: &mut Source<'_, '_>,
        extension: &mut Extension,
        level: u32,
    ) -> Result<(), End> {
        let mut block = [0; BLOCK];
        match source.block(&mut block)? {
            BLOCK if block == [0; BLOCK] => return Err(End::Whole),
            BLOCK if is_tar_header(&block) => {}
            BLOCK => return Err(End::Malformed("what should be an entry's header is none, by its checksum")),
            0 => return Err(End::Whole), // without its closing blocks: nothing is missing
            _ => return Err(End::Malformed("it ends inside an entry's header")),
        }
        if !self.budget.entry() {
            return Err(End::Whole);
        }
        let header = Header::from_byte_slice(&block);
        let size = header.entry_size().map_err(|_| End::Malformed("an entry's size is no number"))?;
        match header.entry_type() {
            EntryType::GNULongName => {
                let mut name = self.extension(source, size)?;
                name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
                extension.name = Some(name);
            }
            EntryType::XHeader => {
                let records = self.extension(source, size)?;
                extension.read(&records).ok_or(End::Malformed("an extended header cannot be read"))?;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => self.skip(source, padded(size)?)?,
            entry_type => {
                let extension = std::mem::take(extension);
                let size = extension.size.unwrap_or(size);
                let path = extension.name.map_or_else(|| header.path_bytes(), Into::into);
                let is_sparse = extension.is_sparse || entry_type == EntryType::GNUSparse;
                let mut is_extended = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
                while is_extended && entry_type == EntryType::GNUSparse {
                    let mut more = tar::GnuExtSparseHeader::new();
                    if source.block(more.as_mut_bytes())? < BLOCK {
                        return Err(End::Malformed("it ends inside an entry's header"));
                    }
                    is_extended = more.is_extended() && !self.stops();
                }
                let name = name(&path);
                match entry_type {
                    _ if is_sparse => {
                        let inner = Called::entry(called, &name);
                        self.tell(&inner, Code::Unreadable, "it is stored with holes, which is not read".to_owned());
                        self.skip(source, padded(size)?)?;
                    }
                    EntryType::Regular | EntryType::Continuous if !path.ends_with(b"/") => {
                        self.body(called, source, &name, size, level)?;
                    }
                    _ => {
                        if matches!(entry_type, EntryType::Link | EntryType::Symlink) {
                            self.count(Code::NotFollowed);
                        }
                        self.skip(source, padded(size)?)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A regular entry's data.
    fn body(
        &mut self,
        outer: &Called<'_>,
        source: &mut Source<'_, '_>,
        name: &OsStr,
        size: u64,
        level: u32,
    ) -> Result<(), End> {
        let called = Called::entry(outer, name);
        let whole = padded(size)?;
        match source {
            Source::Part(part) => {
                let input = part.input;
                let range = part.at()..part.at() + size.min(part.left());
                let head = part.peek(usize::try_from(size).map_or(HEAD, |size| size.min(HEAD)))?;
                self.part(&called, input, range, head, level + 1);
                self.skip(source, whole)
            }
            Source::Stream(reader) => {
                let mut body = reader.take(size);
                self.stream(&called, &mut body, level + 1);
                let left = body.limit();
                self.skip(source, left + (whole - size))
            }
        }
    }

    fn extension(&mut self, source: &mut Source<'_, '_>, size: u64) -> Result<Vec<u8>, End> {
        if size > MOST_EXTENSION {
            return Err(End::Malformed("the header that extends another one is larger than any name"));
        }
        let mut bytes = Vec::new();
        source.reader().take(size).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < size {
            return Err(End::Malformed("it ends inside an entry's header"));
        }
        self.skip(source, padded(size)? - size)?;
        Ok(bytes)
    }

    fn skip(&mut self, source: &mut Source<'_, '_>, len: u64) -> Result<(), End> {
        let passed = match source {
            Source::Part(part) => {
                let passed = len.min(part.left());
                part.skip(passed);
                passed
            }
            Source::Stream(reader) => self.drain(*reader, len),
        };
        match passed == len {
            true => Ok(()),
            false if self.stops() => Err(End::Whole),
            false => Err(End::Malformed("it ends inside an entry's data")),
        }
    }
}

impl Source<'_, '_> {
    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::Part(part) => *part,
            Self::Stream(reader) => *reader,
        }
    }

    /// Reads a block; gives how much of it there is.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> io::Result<usize> {
        match self {
            Self::Part(part) => {
                let bytes = part.peek(BLOCK)?;
                let len = bytes.len();
                block[..len].copy_from_slice(bytes);
                part.skip(len as u64);
                Ok(len)
            }
            Self::Stream(reader) => fill(*reader, block),
        }
    }
}

impl Extension {
    /// Reads the records of an extended header: the length of all of it, a space, a key, `=`, a value, and a line feed.
    fn read(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() {
            let space = records.iter().take(20).position(|&byte| byte == b' ')?;
            let len: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
            let record = records.get(space + 1..len)?.strip_suffix(b"\n")?;
            records = &records[len..];
            let equals = record.iter().position(|&byte| byte == b'=')?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
                _ if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
        }
        Some(())
    }
}

/// A size, and what fills its last block.
fn padded(size: u64) -> Result<u64, End> {
    size.checked_next_multiple_of(BLOCK as u64).ok_or(End::Malformed("an entry's size is larger than any file"))
}
