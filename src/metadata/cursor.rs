//! Decodes numbers and length-prefixed strings from a section's data.

use super::check::is_plain;
use crate::scan::leb128::Leb128;

/// A read position in a section's data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    /// Length of all the data in bytes.
    len: usize,
}

/// A malformed value. The cursor stays at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Number,
    PastEnd,
    NotUtf8,
}

impl Malformed {
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Number => "not a LEB128 number of at most 32 bits",
            Self::PastEnd => "a length that goes past the end",
            Self::NotUtf8 => "not UTF-8",
        }
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, len: data.len() }
    }

    /// Byte offset of the cursor in the data.
    pub(crate) fn position(&self) -> usize {
        self.len - self.rest.len()
    }

    /// The bytes that were not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Result<u32, Malformed> {
        let Leb128 { value, len } = Leb128::read(self.rest);
        if len == 0 {
            return Err(Malformed::Number);
        }
        self.rest = &self.rest[usize::from(len)..];
        Ok(value)
    }

    /// Reads a length-prefixed byte string.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let mut next = *self;
        let len = next.number()?;
        let (bytes, rest) = next.rest.split_at_checked(len as usize).ok_or(Malformed::PastEnd)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Reads a length-prefixed UTF-8 string.
    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let mut next = *self;
        let text = std::str::from_utf8(next.bytes()?).map_err(|_| Malformed::NotUtf8)?;
        *self = next;
        Ok(text)
    }

    /// Reads a length-prefixed UTF-8 string as bytes. The flag says that all of them are printable
    /// ASCII, so the caller can skip further checks.
    #[inline]
    pub(crate) fn plain_text(&mut self) -> Result<(&'a [u8], bool), Malformed> {
        let mut next = *self;
        let text = next.bytes()?;
        let plain = is_plain(text);
        if !plain && std::str::from_utf8(text).is_err() {
            return Err(Malformed::NotUtf8);
        }
        *self = next;
        Ok((text, plain))
    }
}
