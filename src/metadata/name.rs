//! The name section: a hopper that goes from one subsection header to the next, and reads subsection 0 alone.
//! Source: the core specification's appendix *Name Section*, and the component model's binary format.

use std::ops::Range;

use super::cursor::Cursor;
use crate::scan::leb128::{self, Leb128};

/// The most bytes that a subsection's header takes: its id, and its size.
const MAX_HEADER: u64 = 1 + leb128::MAX_LEN as u64;

/// The subsection that holds the item's own name.
const OWN_NAME: u8 = 0;

/// A place in a name section.
#[derive(Debug)]
pub(crate) struct NameSectionReader {
    data: Range<u64>,
    at: NamePosition,
}

#[derive(Debug)]
enum NamePosition {
    /// Before a subsection's header.
    Header(u64),
    /// Before the contents of subsection 0, whose header begins there.
    OwnName(Range<u64>, u64),
}

/// What the bytes that were wanted say.
#[derive(Debug)]
pub(crate) enum NameStep<'w> {
    /// These are wanted next.
    DataRequest(Range<u64>),
    /// The item's own name. Go on with [`NameSectionReader::next`].
    OwnName(OwnName<'w>),
    /// So many bytes of a name are too many. Go on with [`NameSectionReader::next`].
    TooLong(Range<u64>),
    /// The section cannot be read from this offset on.
    Malformed(&'static str, u64),
    /// The section's end.
    End,
}

/// The item's own name, as a subsection 0 has it.
#[derive(Debug)]
pub(crate) struct OwnName<'w> {
    /// The name; UTF-8, if it is well-formed.
    pub(crate) bytes: &'w [u8],
    /// Where it stands.
    pub(crate) range: Range<u64>,
    /// The whole subsection, from its id on.
    pub(crate) subsection: Range<u64>,
    /// Where its contents begin, behind its size.
    pub(crate) contents: u64,
    /// What is wrong with the subsection.
    pub(crate) flaw: Option<&'static str>,
}

impl NameSectionReader {
    /// Before the first subsection.
    pub(crate) fn new(data: Range<u64>) -> Self {
        let at = NamePosition::Header(data.start);
        Self { data, at }
    }

    /// What is wanted at this place.
    #[inline]
    pub(crate) fn next<'w>(&self) -> NameStep<'w> {
        match &self.at {
            NamePosition::Header(at) if *at == self.data.end => NameStep::End,
            NamePosition::Header(at) => NameStep::DataRequest(*at..(at + MAX_HEADER).min(self.data.end)),
            NamePosition::OwnName(contents, _) => NameStep::DataRequest(contents.clone()),
        }
    }

    /// Goes on with the bytes that were wanted. A name of more than `max` bytes is passed over.
    #[inline]
    pub(crate) fn hop<'w>(&mut self, bytes: &'w [u8], max: u32) -> NameStep<'w> {
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
        let (&id, size) = bytes.split_first().expect("at least the id byte is wanted");
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
            let end = start + cursor.at() as u64;
            let range = end - bytes.len() as u64..end;
            let flaw = (!cursor.rest().is_empty()).then_some("bytes behind the name in its subsection");
            NameStep::OwnName(OwnName { bytes, range, subsection, contents: start, flaw })
        }
        Err(malformed) => NameStep::Malformed(malformed.what(), start),
    }
}
