//! Walks tars: each entry has a header of one block, then its data in whole blocks. Two blocks of zeros end the tar.
//!
//! A tar is read in one of two ways. While all readers agree about every header, the walk goes from header to header
//! and does not read data. From the first header that readers may read differently, and after the end, a [`Survey`]
//! examines every block. Every block that looks like a header is an entry, with each size that a reader may find.
//!
//! This module decodes the headers itself. The `tar` crate decodes each field in one way and fails on others, and this
//! module needs every value that another reader may find.
//!
//! Sources: POSIX `pax`, *pax Header Block* and *ustar Interchange Format*; GNU tar's manual, *Basic Tar Format*; the
//! behavior of GNU tar 1.34, libarchive 3.6, `BusyBox` 1.35, Python 3.11 and Go 1.26.

mod extension;
mod files;
mod header;
mod member;
mod sparse;
mod stream;
mod survey;

use std::io::{self, BufRead, Read};
use std::rc::Rc;

use self::extension::{Extension, ExtensionType};
pub(in crate::walk) use self::files::tar_files;
pub(in crate::walk) use self::header::HeaderBlock;
use self::member::{Member, MemberKind};
pub(super) use self::stream::TarStream;
use self::survey::{Start, Survey};
use super::bytes::TarSource;
use super::{ArchiveWalker, EntryPath, FailingReader, name};
use crate::walk::file_kind::{FileKind, TAR_BLOCK};
use sectile::FindingCode;

/// Values of earlier headers for the next entries.
#[derive(Default)]
struct Extensions {
    next: Extension,
    /// Shared, as each header of a [`Survey`] has it.
    global: Rc<Extension>,
}

/// The reason why the walk from header to header ends. Errors of the file or the decoder are reported where they occur.
enum TarEnd {
    /// The end of the tar.
    Complete,
    ReadError,
    Malformed(&'static str),
    /// All blocks must be examined from this one on.
    Doubt(Box<[u8; TAR_BLOCK]>, Start),
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

const NOT_A_HEADER: &str = "no header with a correct checksum where an entry is expected";
const ENDS_IN_HEADER: &str = "it ends inside an entry's header";
const ENDS_IN_DATA: &str = "it ends inside an entry's data";
const LARGE_EXTENSION: &str = "an extended header is larger than the limit";

impl ArchiveWalker<'_> {
    /// Walks a tar in a stream to the end of the stream, and the zip that ends there.
    pub(super) fn tar_stream(&mut self, path: &EntryPath<'_>, reader: &mut dyn BufRead, level: u32) {
        let mut stream = TarStream::new(reader);
        self.tar(path, TarSource::Stream(&mut stream), level);
        self.drain(&mut stream, u64::MAX);
        if !self.should_stop() {
            self.zip_at_end(path, stream.tail(), &|range| stream.is_inspected(range), level);
        }
    }

    pub(super) fn tar(&mut self, path: &EntryPath<'_>, mut source: TarSource<'_, '_>, level: u32) {
        let mut extensions = Extensions::default();
        while !self.should_stop() {
            match self.entry(path, &mut source, &mut extensions, level) {
                Ok(()) => {}
                Err(TarEnd::Complete | TarEnd::ReadError) => return,
                Err(TarEnd::Malformed(what)) => {
                    return self.report(path, FindingCode::MalformedArchive, what.to_owned());
                }
                Err(TarEnd::Doubt(block, start)) => {
                    let survey = Survey::new(self, path, &mut source, std::mem::take(&mut extensions), level);
                    match survey.run(&block, start) {
                        Some(resumed) => extensions = resumed,
                        None => return,
                    }
                }
            }
        }
    }

    /// Reads one header and its data.
    fn entry(
        &mut self,
        path: &EntryPath<'_>,
        source: &mut TarSource<'_, '_>,
        extensions: &mut Extensions,
        level: u32,
    ) -> Result<(), TarEnd> {
        let mut block = [0; TAR_BLOCK];
        match source.block(&mut block)? {
            TAR_BLOCK => {}
            0 => return Err(TarEnd::Complete), // the closing blocks are missing, but no data
            _ => return Err(TarEnd::Malformed(ENDS_IN_HEADER)),
        }
        let header = HeaderBlock(&block);
        if block == [0; TAR_BLOCK] {
            return Err(TarEnd::Doubt(Box::new(block), Start::End));
        }
        if !header.has_checksum() {
            self.report(path, FindingCode::MalformedArchive, NOT_A_HEADER.to_owned());
            return Err(TarEnd::Doubt(Box::new(block), Start::Lost));
        }
        let member = Member::new(header, &extensions.next, &extensions.global);
        let is_oversized = padded(member.size).is_none()
            || matches!(member.kind, MemberKind::Extension(_)) && member.size > MAX_EXTENSION;
        if member.doubt.is_some() || member.layout.is_some() || is_oversized {
            return Err(TarEnd::Doubt(Box::new(block), Start::Header));
        }
        if !self.budget.entry() {
            return Err(TarEnd::Complete);
        }
        match member.kind {
            MemberKind::Extension(extension) => self.extension(path, source, extensions, extension, &member, level)?,
            MemberKind::Link => self.count(FindingCode::NotFollowed),
            MemberKind::NoData => {}
            MemberKind::File | MemberKind::Dump => self.body(path, source, &member, level)?,
        }
        if !matches!(member.kind, MemberKind::Extension(_)) {
            extensions.next = Extension::default();
        }
        Ok(())
    }

    /// Inspects the data of a regular entry.
    fn body(
        &mut self,
        outer: &EntryPath<'_>,
        source: &mut TarSource<'_, '_>,
        member: &Member,
        level: u32,
    ) -> Result<(), TarEnd> {
        let name = name(&member.name);
        let path = EntryPath { expects_wasm: member.expects_wasm, ..EntryPath::new(outer, &name) };
        let size = member.size;
        let whole = padded(size).unwrap_or(u64::MAX);
        match source {
            TarSource::FileWindow(part) => {
                let input = part.input;
                let range = part.at()..part.at() + size.min(part.left());
                let head = part.peek(usize::try_from(size).map_or(HEAD_LEN, |size| size.min(HEAD_LEN)))?;
                self.part(&path, input, range, head, level + 1);
                self.skip(source, whole)
            }
            TarSource::Stream(reader) => {
                let start = reader.position();
                reader.add_inspected(start..start.saturating_add(size));
                let mut body = reader.take(size);
                self.stream(&path, &mut body, level + 1);
                let left = body.limit();
                self.skip(source, left + (whole - size))
            }
        }
    }

    /// Reads the data of a header that extends others.
    fn extension(
        &mut self,
        path: &EntryPath<'_>,
        source: &mut TarSource<'_, '_>,
        extensions: &mut Extensions,
        extension: ExtensionType,
        member: &Member,
        level: u32,
    ) -> Result<(), TarEnd> {
        let whole = padded(member.size).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        source.reader().take(whole).read_to_end(&mut bytes)?;
        let Some((data, padding)) = bytes.split_at_checked(member.size as usize) else {
            self.truncated_extension(path, &member.name, &bytes, level);
            return Err(if self.should_stop() { TarEnd::Complete } else { TarEnd::Malformed(ENDS_IN_HEADER) });
        };
        self.extend(path, extensions, extension, (&member.name, data, padding), level);
        let is_whole = bytes.len() as u64 == whole || self.should_stop();
        if is_whole { Ok(()) } else { Err(TarEnd::Malformed(ENDS_IN_DATA)) }
    }

    /// Adds the data of a header that extends others. A binary or an archive in its place is inspected.
    fn extend(
        &mut self,
        path: &EntryPath<'_>,
        extensions: &mut Extensions,
        extension: ExtensionType,
        (raw_name, data, padding): (&[u8], &[u8], &[u8]),
        level: u32,
    ) {
        if is_content(data) {
            let name = name(raw_name);
            self.stream(&EntryPath::new(path, &name), &mut &*data, level + 1);
            extensions.next.doubt = Some("the data of an extended header is a binary or an archive");
        }
        match extension {
            ExtensionType::LongLink => {}
            ExtensionType::LongName => extensions.next.add_long_name(data),
            ExtensionType::Global => {
                if !extensions.next.is_empty() {
                    extensions.next.doubt = Some("a global header separates an entry from its extended header");
                }
                let mut global = Extension::default();
                global.add_records(extension, data, padding);
                Rc::make_mut(&mut extensions.global).merge(global);
            }
            ExtensionType::Local | ExtensionType::Solaris => extensions.next.add_records(extension, data, padding),
        }
        if extensions.next.is_overfull || extensions.global.is_overfull {
            let why = "its headers give an entry more sizes than are inspected".to_owned();
            self.report(path, FindingCode::ArchiveLimit, why);
        }
    }

    /// Inspects a binary or an archive in place of a header's data, which is truncated.
    fn truncated_extension(&mut self, path: &EntryPath<'_>, raw_name: &[u8], bytes: &[u8], level: u32) {
        if is_content(bytes) {
            let name = name(raw_name);
            self.stream(&EntryPath::new(path, &name), &mut bytes.chain(FailingReader), level + 1);
        }
    }

    fn skip(&mut self, source: &mut TarSource<'_, '_>, len: u64) -> Result<(), TarEnd> {
        let passed = match source {
            TarSource::FileWindow(part) => {
                let passed = len.min(part.left());
                part.skip(passed);
                passed
            }
            TarSource::Stream(reader) => self.drain(&mut **reader, len),
        };
        if passed == len {
            Ok(())
        } else {
            Err(if self.should_stop() { TarEnd::Complete } else { TarEnd::Malformed(ENDS_IN_DATA) })
        }
    }
}

/// Whether the data of an extended header is a binary or an archive.
fn is_content(data: &[u8]) -> bool {
    FileKind::detect(&data[..data.len().min(TAR_BLOCK)]) != FileKind::Other
}

/// The size with the padding of its last block.
fn padded(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(TAR_BLOCK as u64)
}
