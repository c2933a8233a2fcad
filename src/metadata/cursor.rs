//! Reads numbers and length-prefixed strings out of a section's data.

use super::check::is_plain;
use crate::scan::leb128::Leb128;

/// A place in some data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    /// Of all the data.
    len: usize,
}

/// What could not be read; the cursor stands where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Number,
    PastEnd,
    NotUtf8,
}

impl Malformed {
    pub(crate) const fn what(self) -> &'static str {
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

    /// How many bytes lie before the cursor.
    pub(crate) fn at(&self) -> usize {
        self.len - self.rest.len()
    }

    /// The bytes that lie behind it.
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

    /// A length, and so many bytes.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let mut behind = *self;
        let len = behind.number()?;
        let (bytes, rest) = behind.rest.split_at_checked(len as usize).ok_or(Malformed::PastEnd)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A length, and so many bytes of UTF-8.
    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let mut behind = *self;
        let text = std::str::from_utf8(behind.bytes()?).map_err(|_| Malformed::NotUtf8)?;
        *self = behind;
        Ok(text)
    }

    /// The same, as bytes, and whether all of them are printable ASCII: then nothing more is to be checked.
    #[inline]
    pub(crate) fn plain_text(&mut self) -> Result<(&'a [u8], bool), Malformed> {
        let mut behind = *self;
        let text = behind.bytes()?;
        let plain = is_plain(text);
        if !plain && std::str::from_utf8(text).is_err() {
            return Err(Malformed::NotUtf8);
        }
        *self = behind;
        Ok((text, plain))
    }
}
