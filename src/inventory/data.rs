//! The data segments of a module, as the text that they put into linear memory.

use super::text::MAX_ZEROS;
use crate::scan::leb128::{self, Leb128};

/// Decodes the headers of a data section's segments, in the order of the section.
///
/// Contents that are adjacent in linear memory are joined. Zeros that a linker dropped between two
/// segments are restored, up to [`MAX_ZEROS`]. Between other segments, [`MAX_ZEROS`] zeros end every
/// match.
#[derive(Debug)]
pub(super) struct DataSection {
    /// Absolute offset of the section's end.
    end: u64,
    /// Absolute offset of the end of the input, if it is inside the section.
    cut: Option<u64>,
    /// Absolute offset of the next header. All contents before it are known.
    position: u64,
    /// Number of segments that follow; `None` before it is read.
    segments_left: Option<u32>,
    /// Memory index and address at the end of the last segment, if they are constant.
    address: Option<(u32, u64)>,
    /// Number of zeros since the last contents, at most [`MAX_ZEROS`]; `None` before the first.
    zeros: Option<u64>,
    /// The segments whose bytes may be needed.
    segments: Vec<Segment>,
    /// Absolute offset of the last segment that is adjacent to the one before it.
    last_joined: u64,
}

/// The headers that were decoded in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadersRead {
    /// All that the window holds.
    All,
    /// Some. More follow after the segments are searched and discarded.
    Some,
    /// All up to a malformed header at an absolute offset. The rest of the section is one segment.
    Malformed(u64),
}

/// The contents of a segment, or the rest of a malformed section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// Absolute offset of the start.
    pub(super) start: u64,
    /// Absolute offset of the end.
    pub(super) end: u64,
    /// Number of zeros between the previous segment and this one, at most [`MAX_ZEROS`].
    pub(super) zeros: u64,
}

/// Maximum number of segments that are kept at once. A context and a line of build information have
/// fewer.
const MAX_SEGMENTS: usize = 8 << 10;

/// Longest header of a segment that is decoded. A longer one has hundreds of instructions.
const MAX_HEADER: usize = 4 << 10;

impl DataSection {
    /// The data section at an absolute range.
    pub(super) fn new(start: u64, end: u64) -> Self {
        Self {
            end,
            cut: None,
            position: start,
            segments_left: None,
            address: None,
            zeros: None,
            segments: Vec::new(),
            last_joined: 0,
        }
    }

    /// Declares that the input ends inside the section.
    pub(super) fn truncate(&mut self, end: u64) {
        self.cut = Some(end.min(self.end));
    }

    /// Absolute offset of the end of the section, or of the input.
    pub(super) fn end(&self) -> u64 {
        self.cut.unwrap_or(self.end)
    }

    /// Absolute offset up to which all contents are known.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether a segment at an absolute offset or after it is adjacent to the one before it.
    pub(super) fn is_joined_after(&self, offset: u64) -> bool {
        self.last_joined > offset
    }

    /// Discards the segments before an absolute offset.
    pub(super) fn discard(&mut self, before: u64) {
        let following = self.segments.partition_point(|segment| segment.end <= before);
        self.segments.drain(..following);
    }

    /// Decodes headers in a window of the section, until it ends or enough segments are kept.
    pub(super) fn read(&mut self, window: &[u8], start: u64) -> HeadersRead {
        let window_end = start + window.len() as u64;
        loop {
            self.read_short_headers(window, start);
            if self.position >= window_end {
                return HeadersRead::All;
            }
            if self.segments.len() >= MAX_SEGMENTS {
                return HeadersRead::Some;
            }
            let rest = &window[(self.position - start) as usize..];
            let header = &rest[..rest.len().min(MAX_HEADER)];
            let result = match self.segments_left {
                Some(left) => self.read_header(header, left),
                None => self.read_count(header),
            };
            match result {
                Ok(()) => {}
                Err(HeaderError::Incomplete) if header.len() < MAX_HEADER && window_end < self.end => {
                    return HeadersRead::All;
                }
                Err(_) => {
                    let malformed = self.position;
                    self.zeros = Some(MAX_ZEROS);
                    self.push(malformed, self.end, 0);
                    return HeadersRead::Malformed(malformed);
                }
            }
        }
    }

    /// Fast path: segments at constant addresses, with numbers of at most four bytes. Measured
    /// (`inventory` bench): a large program has thousands.
    fn read_short_headers(&mut self, window: &[u8], start: u64) {
        let (Some(mut left), Some((0, mut address)), Some(0)) = (self.segments_left, self.address, self.zeros) else {
            return;
        };
        let mut position = self.position;
        while let Some(bytes) = window.get((position - start) as usize..).and_then(<[u8]>::first_chunk)
            && let Some(header) = ShortHeader::read(bytes)
            && left > 0
            && self.segments.len() < MAX_SEGMENTS
        {
            let contents = position + header.len;
            let end = contents + header.contents;
            if end > self.end {
                break;
            }
            // Far apart, or in another order.
            let zeros = header.address.wrapping_sub(address).min(MAX_ZEROS);
            if zeros == 0 {
                self.last_joined = contents;
            }
            self.segments.push(Segment { start: contents, end, zeros });
            (address, position, left) = (header.address + header.contents, end, left - 1);
        }
        (self.address, self.position, self.segments_left) = (Some((0, address)), position, Some(left));
    }

    fn read_count(&mut self, bytes: &[u8]) -> Result<(), HeaderError> {
        let (count, len) = read_number(bytes)?;
        self.segments_left = Some(count);
        self.position += len as u64;
        Ok(())
    }

    fn read_header(&mut self, bytes: &[u8], segments_left: u32) -> Result<(), HeaderError> {
        // Bytes after the last segment are malformed.
        let segments_left = segments_left.checked_sub(1).ok_or(HeaderError::Malformed)?;
        let header = SegmentHeader::read(bytes)?;
        let (start, len) = (self.position + header.len as u64, u64::from(header.contents));
        if len > self.end - start {
            return Err(HeaderError::Malformed);
        }
        let zeros = match (self.address, header.address) {
            (Some((memory, end)), Some((next_memory, start))) if memory == next_memory && start >= end => start - end,
            _ => MAX_ZEROS,
        };
        self.segments_left = Some(segments_left);
        self.address = header.address.and_then(|(memory, start)| Some((memory, start.checked_add(len)?)));
        self.push(start, start + len, zeros);
        Ok(())
    }

    /// Adds a segment, unless it is empty. `zeros` are those after the previous header's segment.
    fn push(&mut self, start: u64, end: u64, zeros: u64) {
        self.position = end;
        self.zeros = self.zeros.map(|earlier| earlier.saturating_add(zeros).min(MAX_ZEROS));
        if start == end {
            return;
        }
        if self.zeros == Some(0) {
            self.last_joined = start;
        }
        self.segments.push(Segment { start, end, zeros: self.zeros.replace(0).unwrap_or(0) });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeaderError {
    /// More bytes may complete it.
    Incomplete,
    Malformed,
}

/// The header of a segment.
struct SegmentHeader {
    /// Memory index and address of an active segment whose address is a constant.
    address: Option<(u32, u64)>,
    /// Byte length of the contents.
    contents: u32,
    /// Byte length of the header.
    len: usize,
}

impl SegmentHeader {
    /// Source: the core specification, *Binary Format / Modules / Data Section*.
    fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        let (flags, mut len) = read_number(bytes)?;
        let mut memory = 0;
        if flags == 2 {
            let (index, index_len) = read_number(&bytes[len..])?;
            memory = index;
            len += index_len;
        }
        let address = match flags {
            0 | 2 => {
                let (address, expression_len) = read_address(&bytes[len..])?;
                len += expression_len;
                address.map(|address| (memory, address))
            }
            1 => None,
            _ => return Err(HeaderError::Malformed),
        };
        let (contents, contents_len) = read_number(&bytes[len..])?;
        Ok(Self { address, contents, len: len + contents_len })
    }
}

/// A header in its most frequent form.
struct ShortHeader {
    address: u64,
    /// Byte length of the contents; not 0.
    contents: u64,
    /// Byte length of the header.
    len: u64,
}

impl ShortHeader {
    #[inline(always)]
    fn read(bytes: &[u8; 16]) -> Option<Self> {
        const START: [u8; 2] = [0, 0x41]; // active in the first memory, i32.const
        const END: u8 = 0x0b;
        let (start, rest) = bytes.split_first_chunk()?;
        let address = Leb128::read_short(*rest.first_chunk()?);
        let (end, rest) = rest.get(usize::from(address.len & 7)..)?.split_first()?;
        let contents = Leb128::read_short(*rest.first_chunk()?);
        // The highest bit of an address is its sign.
        let is_positive = address.value < (1 << (7 * u32::from(address.len))) >> 1;
        (*start == START && *end == END && is_positive && contents.value > 0).then(|| Self {
            address: u64::from(address.value),
            contents: u64::from(contents.value),
            len: START.len() as u64 + 1 + u64::from(address.len + contents.len),
        })
    }
}

/// Reads the expression of an address: its value, if it is one constant, and its byte length.
///
/// Source: the core specification, *Constant Expressions*. Other constant instructions do not yield
/// an address.
fn read_address(bytes: &[u8]) -> Result<(Option<u64>, usize), HeaderError> {
    const END: u8 = 0x0b;
    const GLOBAL_GET: u8 = 0x23;
    const I32_CONST: u8 = 0x41;
    const I64_CONST: u8 = 0x42;
    const I32_ADD: u8 = 0x6a;
    const I32_MUL: u8 = 0x6c;
    const I64_ADD: u8 = 0x7c;
    const I64_MUL: u8 = 0x7e;
    let (mut len, mut instructions, mut address) = (0, 0, None);
    loop {
        let (opcode, rest) = bytes[len..].split_first().ok_or(HeaderError::Incomplete)?;
        let operand = match *opcode {
            END => return Ok((address.filter(|_| instructions == 1), len + 1)),
            GLOBAL_GET => read_number(rest)?.1,
            I32_CONST => {
                let (value, len) = leb128::read_signed(rest, 32).ok_or(HeaderError::Incomplete)?;
                address = i32::try_from(value).ok().map(|value| u64::from(value.cast_unsigned()));
                len
            }
            I64_CONST => {
                let (value, len) = leb128::read_signed(rest, 64).ok_or(HeaderError::Incomplete)?;
                address = Some(value.cast_unsigned());
                len
            }
            I32_ADD..=I32_MUL | I64_ADD..=I64_MUL => 0, // and subtraction
            _ => return Err(HeaderError::Malformed),
        };
        len += 1 + operand;
        instructions += 1;
    }
}

fn read_number(bytes: &[u8]) -> Result<(u32, usize), HeaderError> {
    match Leb128::read(bytes) {
        Leb128 { len: 0, .. } if Leb128::may_be_incomplete(bytes) => Err(HeaderError::Incomplete),
        Leb128 { len: 0, .. } => Err(HeaderError::Malformed),
        Leb128 { value, len } => Ok((value, usize::from(len))),
    }
}
