//! The data segments of a module, as the text that they put into linear memory.

use wasmparser::{BinaryReader, ConstExpr};

use super::text::{MAX_ZEROS, Text};
use crate::scan::leb128::Leb128;

/// Reads the headers of a data section's segments, and appends their contents to a text.
///
/// The segments stay in the order of the section. Contents that are adjacent in linear memory are
/// adjacent in the text. Zeros that a linker dropped between two segments are restored, up to
/// [`MAX_ZEROS`]. Between other segments, [`MAX_ZEROS`] zeros end every match.
#[derive(Debug)]
pub(super) struct DataSection {
    /// Absolute offset of the section's end.
    end: u64,
    state: State,
    /// Number of segments that follow the current one.
    segments_left: u32,
    /// Memory index and address at the end of the last segment, if they are constant.
    address: Option<(u32, u64)>,
}

#[derive(Debug)]
enum State {
    /// The number of segments is next.
    Count,
    /// A segment's header is next.
    Header,
    /// The contents of a segment are next, or all other bytes of a malformed section.
    Contents(u64),
}

/// Longest header of a segment that is decoded. A longer one has hundreds of instructions.
const MAX_HEADER: usize = 4 << 10;

/// The result of reading a window.
pub(super) struct WindowReading {
    /// Number of bytes that were read. The next window starts after them.
    pub(super) consumed: usize,
    /// Absolute offset of a malformed header. The bytes after it are read as text.
    pub(super) malformed: Option<u64>,
}

impl DataSection {
    pub(super) fn new(end: u64) -> Self {
        Self { end, state: State::Count, segments_left: 0, address: None }
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Reads a window of the section that starts at an absolute offset.
    pub(super) fn read(&mut self, window: &[u8], start: u64, text: &mut Text) -> WindowReading {
        let (mut at, mut malformed) = (0, None);
        while at < window.len() {
            let (rest, offset) = (&window[at..], start + at as u64);
            let is_last = offset + rest.len() as u64 == self.end;
            let header = match self.state {
                State::Contents(left) => {
                    let len = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    text.push(&rest[..len], offset);
                    at += len;
                    self.state = if left == len as u64 { State::Header } else { State::Contents(left - len as u64) };
                    continue;
                }
                State::Count => self.read_count(rest),
                State::Header => self.read_header(rest, self.end - offset, text),
            };
            match header {
                Ok(len) => at += len,
                Err(HeaderError::Incomplete) if !is_last && rest.len() < MAX_HEADER => break,
                Err(_) => {
                    malformed = Some(offset);
                    text.push_zeros(MAX_ZEROS);
                    self.state = State::Contents(self.end - offset);
                }
            }
        }
        WindowReading { consumed: at, malformed }
    }

    fn read_count(&mut self, bytes: &[u8]) -> Result<usize, HeaderError> {
        let (count, len) = read_number(bytes)?;
        self.segments_left = count;
        self.state = State::Header;
        Ok(len)
    }

    /// Reads a segment's header. `left` is the length of the rest of the section.
    fn read_header(&mut self, bytes: &[u8], left: u64, text: &mut Text) -> Result<usize, HeaderError> {
        if self.segments_left == 0 {
            return Err(HeaderError::Malformed); // bytes after the last segment
        }
        let header = SegmentHeader::read(bytes)?;
        let len = u64::from(header.contents);
        if len > left - header.len as u64 {
            return Err(HeaderError::Malformed);
        }
        self.segments_left -= 1;
        let gap = match (self.address, header.address) {
            (Some((memory, end)), Some((next_memory, start))) if memory == next_memory && start >= end => start - end,
            (None, _) if text.is_empty() => 0,
            _ => MAX_ZEROS,
        };
        text.push_zeros(gap);
        self.address = header.address.and_then(|(memory, start)| Some((memory, start.checked_add(len)?)));
        self.state = if len == 0 { State::Header } else { State::Contents(len) };
        Ok(header.len)
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

/// Reads the expression of an address: its value, if it is one constant, and its byte length.
fn read_address(bytes: &[u8]) -> Result<(Option<u64>, usize), HeaderError> {
    const CONST: [u8; 2] = [0x41, 0x42]; // i32.const, i64.const
    const END: u8 = 0x0b;
    // Fast path: a constant of at most four bytes. Most addresses are.
    if let [opcode, rest @ ..] = bytes
        && CONST.contains(opcode)
    {
        let Leb128 { value, len } = Leb128::read(rest);
        let end = usize::from(len);
        if (1..5).contains(&len) && rest.get(end) == Some(&END) {
            let is_negative = value >> (7 * u32::from(len) - 1) & 1 == 1;
            return Ok(((!is_negative).then_some(u64::from(value)), end + 2));
        }
    }
    let mut reader = BinaryReader::new(bytes, 0);
    match reader.read::<ConstExpr<'_>>() {
        Ok(expression) => {
            let mut operators = expression.get_operators_reader();
            let first = operators.read();
            let is_single = operators.read().is_ok_and(|operator| matches!(operator, wasmparser::Operator::End));
            let address = match first {
                Ok(wasmparser::Operator::I32Const { value }) if is_single => Some(u64::from(value.cast_unsigned())),
                Ok(wasmparser::Operator::I64Const { value }) if is_single => Some(value.cast_unsigned()),
                _ => None,
            };
            Ok((address, bytes.len() - reader.bytes_remaining()))
        }
        // The reader does not tell an incomplete expression from a malformed one.
        Err(_) => Err(HeaderError::Incomplete),
    }
}

fn read_number(bytes: &[u8]) -> Result<(u32, usize), HeaderError> {
    match Leb128::read(bytes) {
        Leb128 { len: 0, .. } if Leb128::may_be_incomplete(bytes) => Err(HeaderError::Incomplete),
        Leb128 { len: 0, .. } => Err(HeaderError::Malformed),
        Leb128 { value, len } => Ok((value, usize::from(len))),
    }
}
