//! Reads the name section: skips from one subsection header to the next and reads the contents of
//! subsection 0 only. Source: the core specification's appendix *Name Section*, and the component
//! model's binary format.

use std::ops::Range;

use super::cursor::Cursor;
use crate::scan::leb128::{self, Leb128};

/// Maximum length in bytes of a subsection's header: its id and size.
const MAX_HEADER: u64 = 1 + leb128::MAX_LEN as u64;

/// Id of the subsection with the item's own name.
const OWN_NAME: u8 = 0;

/// Reads a name section in steps. Each step requests bytes or returns a result.
#[derive(Debug)]
pub(crate) struct NameSectionReader {
    data: Range<u64>,
    at: NamePosition,
}

#[derive(Debug)]
enum NamePosition {
    /// At the subsection header at this offset.
    Header(u64),
    /// At the contents of a subsection 0: their range, and the offset of the subsection's header.
    OwnName(Range<u64>, u64),
}

/// Result of a step.
#[derive(Debug)]
pub(crate) enum NameStep<'w> {
    /// The bytes needed next.
    Request(Range<u64>),
    /// The item's own name. Continue with [`NameSectionReader::next`].
    OwnName(OwnName<'w>),
    /// A name that exceeds the limit. Continue with [`NameSectionReader::next`].
    TooLong(Range<u64>),
    /// Malformed data: the reason and the offset. The rest of the section cannot be read.
    Malformed(&'static str, u64),
    /// End of the section.
    End,
}

/// The item's own name from a subsection 0.
#[derive(Debug)]
pub(crate) struct OwnName<'w> {
    /// The name, which may not be UTF-8.
    pub(crate) bytes: &'w [u8],
    /// Absolute byte range of the name.
    pub(crate) range: Range<u64>,
    /// Absolute byte range of the subsection, including its id and size.
    pub(crate) subsection: Range<u64>,
    /// Absolute offset of the contents, after the size.
    pub(crate) contents: u64,
    /// An error in the subsection after the name.
    pub(crate) error: Option<&'static str>,
}

impl NameSectionReader {
    /// Starts before the first subsection.
    pub(crate) fn new(data: Range<u64>) -> Self {
        let at = NamePosition::Header(data.start);
        Self { data, at }
    }

    /// Returns the bytes needed next, or the end.
    #[inline]
    pub(crate) fn next<'w>(&self) -> NameStep<'w> {
        match &self.at {
            NamePosition::Header(at) if *at == self.data.end => NameStep::End,
            NamePosition::Header(at) => NameStep::Request(*at..(at + MAX_HEADER).min(self.data.end)),
            NamePosition::OwnName(contents, _) => NameStep::Request(contents.clone()),
        }
    }

    /// Processes the requested bytes. A name of more than `max` bytes is skipped.
    #[inline]
    pub(crate) fn step<'w>(&mut self, bytes: &'w [u8], max: u32) -> NameStep<'w> {
        match &self.at {
            NamePosition::Header(at) => self.header(*at, bytes, max),
            NamePosition::OwnName(contents, header) => {
                let (contents, subsection) = (contents.clone(), *header..contents.end);
                self.at = NamePosition::Header(contents.end);
                own_name(bytes, contents.start, subsection)
            }
        }
    }

    #[inline]
    fn header<'w>(&mut self, at: u64, bytes: &[u8], max: u32) -> NameStep<'w> {
        let (&id, size) = bytes.split_first().expect("at least the id byte was requested");
        let Leb128 { value: size, len } = Leb128::read(size);
        if len == 0 {
            return NameStep::Malformed("the size of a subsection is not a LEB128 number of at most 32 bits", at);
        }
        let start = at + 1 + u64::from(len);
        let contents = start..start + u64::from(size);
        if contents.end > self.data.end {
            return NameStep::Malformed("a subsection goes past the end of the section", at);
        }
        if id == OWN_NAME && size <= max {
            self.at = NamePosition::OwnName(contents, at);
        } else {
            self.at = NamePosition::Header(contents.end);
            if id == OWN_NAME {
                return NameStep::TooLong(contents);
            }
        }
        self.next()
    }
}

fn own_name(contents: &[u8], start: u64, subsection: Range<u64>) -> NameStep<'_> {
    let mut cursor = Cursor::new(contents);
    match cursor.bytes() {
        Ok(bytes) => {
            let end = start + cursor.position() as u64;
            let range = end - bytes.len() as u64..end;
            let error = (!cursor.rest().is_empty()).then_some("extra bytes after the name in its subsection");
            NameStep::OwnName(OwnName { bytes, range, subsection, contents: start, error })
        }
        Err(malformed) => NameStep::Malformed(malformed.message(), start),
    }
}
