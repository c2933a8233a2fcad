//! Walks tars: each entry has a header of one block, then its data in whole blocks. A block of zeros ends the tar.
//!
//! The `tar` crate decodes the headers. This module bounds the length of names, and skips the data without reading it.
//!
//! Sources: POSIX `pax`, *pax Header Block* and *ustar Interchange Format*; GNU tar's manual, *Basic Tar Format*.

use std::ffi::OsStr;
use std::io::{self, Read};

use tar::{EntryType, Header};

use super::bytes::TarSource;
use super::{ArchiveWalker, EntryPath, name};
use crate::walk::file_kind::{TAR_BLOCK, is_tar_header};
use sectile::FindingCode;

/// The values of an extended header, for the next entry.
#[derive(Default)]
struct ExtendedHeader {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

/// The reason why a tar is not read further. Errors of the file or the decoder are reported where they occur.
enum TarEnd {
    /// The end of the tar.
    Complete,
    ReadError,
    Malformed(&'static str),
}

impl From<io::Error> for TarEnd {
    fn from(_: io::Error) -> Self {
        Self::ReadError
    }
}

/// Maximum length of an extended header, far above that of a name.
const MAX_EXTENSION: u64 = 1 << 20;

/// Number of bytes of an entry to detect its type.
const HEAD_LEN: usize = 4 << 10;

impl ArchiveWalker<'_> {
    pub(super) fn tar(&mut self, path: &EntryPath<'_>, mut source: TarSource<'_, '_>, level: u32) {
        let mut extension = ExtendedHeader::default();
        loop {
            let end = match self.entry(path, &mut source, &mut extension, level) {
                Ok(()) if self.should_stop() => TarEnd::Complete,
                Ok(()) => continue,
                Err(end) => end,
            };
            return match end {
                TarEnd::Complete | TarEnd::ReadError => {}
                TarEnd::Malformed(what) => self.report(path, FindingCode::MalformedArchive, what.to_owned()),
            };
        }
    }

    /// Reads one header and what follows it.
    fn entry(
        &mut self,
        path: &EntryPath<'_>,
        source: &mut TarSource<'_, '_>,
        extension: &mut ExtendedHeader,
        level: u32,
    ) -> Result<(), TarEnd> {
        let mut block = [0; TAR_BLOCK];
        match source.block(&mut block)? {
            TAR_BLOCK if block == [0; TAR_BLOCK] => return Err(TarEnd::Complete),
            TAR_BLOCK if is_tar_header(&block) => {}
            TAR_BLOCK => return Err(TarEnd::Malformed("what should be an entry's header is none, by its checksum")),
            0 => return Err(TarEnd::Complete), // the closing blocks are missing, but no data
            _ => return Err(TarEnd::Malformed("it ends inside an entry's header")),
        }
        if !self.budget.entry() {
            return Err(TarEnd::Complete);
        }
        let header = Header::from_byte_slice(&block);
        let size = header.entry_size().map_err(|_| TarEnd::Malformed("an entry's size is no number"))?;
        match header.entry_type() {
            EntryType::GNULongName => {
                let mut name = self.extension(source, size)?;
                name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
                extension.name = Some(name);
            }
            EntryType::XHeader => {
                let records = self.extension(source, size)?;
                extension.read(&records).ok_or(TarEnd::Malformed("an extended header cannot be read"))?;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => self.skip(source, padded(size)?)?,
            entry_type => {
                let extension = std::mem::take(extension);
                let size = extension.size.unwrap_or(size);
                let raw_name = extension.name.map_or_else(|| header.path_bytes(), Into::into);
                let is_sparse = extension.is_sparse || entry_type == EntryType::GNUSparse;
                let mut is_extended = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
                while is_extended && entry_type == EntryType::GNUSparse {
                    let mut more = tar::GnuExtSparseHeader::new();
                    if source.block(more.as_mut_bytes())? < TAR_BLOCK {
                        return Err(TarEnd::Malformed("it ends inside an entry's header"));
                    }
                    is_extended = more.is_extended() && !self.should_stop();
                }
                let name = name(&raw_name);
                match entry_type {
                    _ if is_sparse => {
                        let inner = EntryPath::new(path, &name);
                        self.report(
                            &inner,
                            FindingCode::Unreadable,
                            "it is stored with holes, which is not read".to_owned(),
                        );
                        self.skip(source, padded(size)?)?;
                    }
                    EntryType::Regular | EntryType::Continuous if !raw_name.ends_with(b"/") => {
                        self.body(path, source, &name, size, level)?;
                    }
                    _ => {
                        if matches!(entry_type, EntryType::Link | EntryType::Symlink) {
                            self.count(FindingCode::NotFollowed);
                        }
                        self.skip(source, padded(size)?)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Inspects the data of a regular entry.
    fn body(
        &mut self,
        outer: &EntryPath<'_>,
        source: &mut TarSource<'_, '_>,
        name: &OsStr,
        size: u64,
        level: u32,
    ) -> Result<(), TarEnd> {
        let path = EntryPath::new(outer, name);
        let whole = padded(size)?;
        match source {
            TarSource::FileWindow(part) => {
                let input = part.input;
                let range = part.at()..part.at() + size.min(part.left());
                let head = part.peek(usize::try_from(size).map_or(HEAD_LEN, |size| size.min(HEAD_LEN)))?;
                self.part(&path, input, range, head, level + 1);
                self.skip(source, whole)
            }
            TarSource::Stream(reader) => {
                let mut body = reader.take(size);
                self.stream(&path, &mut body, level + 1);
                let left = body.limit();
                self.skip(source, left + (whole - size))
            }
        }
    }

    fn extension(&mut self, source: &mut TarSource<'_, '_>, size: u64) -> Result<Vec<u8>, TarEnd> {
        if size > MAX_EXTENSION {
            return Err(TarEnd::Malformed("the header that extends another one is larger than any name"));
        }
        let mut bytes = Vec::new();
        source.reader().take(size).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < size {
            return Err(TarEnd::Malformed("it ends inside an entry's header"));
        }
        self.skip(source, padded(size)? - size)?;
        Ok(bytes)
    }

    fn skip(&mut self, source: &mut TarSource<'_, '_>, len: u64) -> Result<(), TarEnd> {
        let passed = match source {
            TarSource::FileWindow(part) => {
                let passed = len.min(part.left());
                part.skip(passed);
                passed
            }
            TarSource::Stream(reader) => self.drain(*reader, len),
        };
        match passed == len {
            true => Ok(()),
            false if self.should_stop() => Err(TarEnd::Complete),
            false => Err(TarEnd::Malformed("it ends inside an entry's data")),
        }
    }
}

impl ExtendedHeader {
    /// Parses the records of an extended header: the length of the record, a space, a key, `=`, a value, and a line
    /// feed.
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

/// The size with the padding of its last block.
fn padded(size: u64) -> Result<u64, TarEnd> {
    size.checked_next_multiple_of(TAR_BLOCK as u64).ok_or(TarEnd::Malformed("an entry's size is larger than any file"))
}
