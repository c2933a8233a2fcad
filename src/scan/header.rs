//! Section headers, and the names of custom sections.

use super::fault::Fault;
use super::leb128::{self, Leb128};

/// A section's id and size, and the bytes that both take.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) id: u8,
    pub(super) size: u64,
    pub(super) len: u64,
}

impl Header {
    /// Bytes that the longest header takes.
    pub(super) const MAX_LEN: usize = 1 + leb128::MAX_LEN;

    /// The header that `bytes` begins with, if there is one to be read. The id may be malformed.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (id, size) = bytes.split_first()?;
        match Leb128::read(size) {
            Leb128 { len: 0, .. } => None,
            Leb128 { value, len } => Some(Self { id: *id, size: value.into(), len: 1 + u64::from(len) }),
        }
    }
}

/// The name that a custom section's payload of `size` bytes begins with, if it is as names are: in the window, of
/// less than 128 bytes, ASCII. `bytes` may hold less than that payload, or more.
#[inline(always)]
pub(super) fn short_name(bytes: &[u8], size: u32, max: u32) -> Option<&[u8]> {
    let (&len, rest) = bytes.split_first()?;
    if u32::from(len) >= size || u32::from(len) > max {
        return None;
    }
    let name = rest.get(..usize::from(len))?;
    (len < 0x80 && is_ascii(name)).then_some(name)
}

/// As the standard library's, for names of a few bytes: two words that overlap instead of a loop.
#[inline(always)]
fn is_ascii(name: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk())
        && name.len() <= 16
    {
        return (u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)) & HIGH == 0;
    }
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk())
        && name.len() <= 8
    {
        return u64::from(u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last)) & HIGH == 0;
    }
    name.is_ascii()
}

/// Any name, by all of the rules, and where in the payload it ends. Takes what [`short_name`] does.
#[inline(never)]
pub(super) fn any_name(bytes: &[u8], size: u32, max: u32) -> Result<(&[u8], usize), NameUnread> {
    let payload = &bytes[..bytes.len().min(size as usize)];
    let Leb128 { value: len, len: len_len } = Leb128::read(payload);
    if len_len == 0 {
        return Err(if size == 0 {
            NameUnread::Malformed(Fault::Unnamed, 0)
        } else if payload.len() < size as usize && Leb128::may_go_on(payload) {
            NameUnread::Incomplete(payload.len() + 1)
        } else {
            NameUnread::Malformed(Fault::NameLength, 0)
        });
    }
    let left = size - u32::from(len_len);
    if len > left {
        return Err(NameUnread::Malformed(Fault::NamePastSection { len, left }, 0));
    }
    if len > max {
        let what = "bytes in a custom section's name";
        return Err(NameUnread::Malformed(Fault::Limit { what, max: u64::from(max) }, 0));
    }
    let len_len = usize::from(len_len);
    let end = len_len + len as usize;
    let Some(name) = payload.get(len_len..end) else {
        return Err(NameUnread::Incomplete(end));
    };
    match std::str::from_utf8(name) {
        Ok(_) => Ok((name, end)),
        Err(error) => Err(NameUnread::Malformed(Fault::NameNotUtf8, len_len + error.valid_up_to())),
    }
}

/// Why a name cannot be read; lengths and offsets count from the beginning of the payload.
#[derive(Clone, Copy)]
pub(super) enum NameUnread {
    /// So many bytes of the payload are needed.
    Incomplete(usize),
    Malformed(Fault, usize),
}
