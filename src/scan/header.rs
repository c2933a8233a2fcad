//! Section headers, and the names of custom sections.

use super::fault::Fault;
use super::leb128::{self, Leb128};

/// A section header: id and size.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) id: u8,
    /// Byte length of the payload.
    pub(super) size: u64,
    /// Byte length of the header itself.
    pub(super) len: u64,
}

impl Header {
    /// Byte length of the longest header.
    pub(super) const MAX_LEN: usize = 1 + leb128::MAX_LEN;

    /// Reads the header at the start of `bytes`. Returns `None` if it is incomplete or its size is
    /// malformed; the id is not checked.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (id, size) = bytes.split_first()?;
        match Leb128::read(size) {
            Leb128 { len: 0, .. } => None,
            Leb128 { value, len } => Some(Self { id: *id, size: value.into(), len: 1 + u64::from(len) }),
        }
    }
}

/// Fast path: reads the name of a custom section whose payload has `size` bytes, if the name is
/// complete, ASCII and shorter than 128 bytes. `bytes` starts at the payload and may end before or
/// after its end.
#[inline(always)]
pub(super) fn short_ascii_name(bytes: &[u8], size: u32, max: u32) -> Option<&[u8]> {
    let (&len, rest) = bytes.split_first()?;
    if u32::from(len) >= size || u32::from(len) > max {
        return None;
    }
    let name = rest.get(..usize::from(len))?;
    (len < 0x80 && is_ascii(name)).then_some(name)
}

/// As [`slice::is_ascii`], but checks names of 4 to 16 bytes as two overlapping words, without a
/// loop.
#[inline(always)]
fn is_ascii(name: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk())
        && name.len() <= 16
    {
        return (u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)) & HIGH_BITS == 0;
    }
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk())
        && name.len() <= 8
    {
        return u64::from(u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last)) & HIGH_BITS == 0;
    }
    name.is_ascii()
}

/// Reads any name by all of the rules. Returns it and its end, counted from the start of the
/// payload. The arguments are those of [`short_ascii_name`].
#[inline(never)]
pub(super) fn read_name(bytes: &[u8], size: u32, max: u32) -> Result<(&[u8], usize), NameError> {
    let payload = &bytes[..bytes.len().min(size as usize)];
    let Leb128 { value: len, len: len_width } = Leb128::read(payload);
    if len_width == 0 {
        return Err(if size == 0 {
            NameError::Malformed(Fault::Unnamed, 0)
        } else if payload.len() < size as usize && Leb128::may_be_incomplete(payload) {
            NameError::Incomplete(payload.len() + 1)
        } else {
            NameError::Malformed(Fault::NameLength, 0)
        });
    }
    let left = size - u32::from(len_width);
    if len > left {
        return Err(NameError::Malformed(Fault::NamePastSection { len, left }, 0));
    }
    if len > max {
        let what = "bytes in a custom section's name";
        return Err(NameError::Malformed(Fault::Limit { what, max: u64::from(max) }, 0));
    }
    let len_width = usize::from(len_width);
    let end = len_width + len as usize;
    let Some(name) = payload.get(len_width..end) else {
        return Err(NameError::Incomplete(end));
    };
    match std::str::from_utf8(name) {
        Ok(_) => Ok((name, end)),
        Err(error) => Err(NameError::Malformed(Fault::NameNotUtf8, len_width + error.valid_up_to())),
    }
}

/// The reason why a name was not read. Lengths and offsets count from the start of the payload.
#[derive(Clone, Copy)]
pub(super) enum NameError {
    /// This many bytes of the payload are needed.
    Incomplete(usize),
    /// The fault, and its offset.
    Malformed(Fault, usize),
}
