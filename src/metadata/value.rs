//! Decoded values with their byte ranges.

use std::borrow::Cow;
use std::ops::Range;

/// A value exactly as written, with the byte range it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    data: Data<'a>,
    range: Range<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Data<'a> {
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: Cow<'a, str>, range: Range<u64>) -> Self {
        Self { data: Data::Text(text), range }
    }

    pub(crate) fn bytes(bytes: Cow<'a, [u8]>, range: Range<u64>) -> Self {
        Self { data: Data::Bytes(bytes), range }
    }

    /// Returns the text; `None` if the value is binary or not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            Data::Bytes(_) => None,
        }
    }

    /// Returns the bytes exactly as in the input.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.data {
            Data::Text(text) => text.as_bytes(),
            Data::Bytes(bytes) => bytes,
        }
    }

    /// Returns the absolute byte range in the input.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Sets the range that the value was read from.
    #[cfg(feature = "json")]
    pub(super) fn set_range(&mut self, range: Range<u64>) {
        self.range = range;
    }

    /// Converts to a value that borrows nothing.
    pub fn into_owned(self) -> Value<'static> {
        let data = match self.data {
            Data::Text(text) => Data::Text(text.into_owned().into()),
            Data::Bytes(bytes) => Data::Bytes(bytes.into_owned().into()),
        };
        Value { data, range: self.range }
    }
}

/// Ownership of values: takes data from a window that lives for `'w` into a value that lives for
/// `'v`.
pub(super) trait Ownership<'w, 'v> {
    fn text(text: &'w str) -> Cow<'v, str>;
    fn bytes(bytes: &'w [u8]) -> Cow<'v, [u8]>;
}

/// Values borrow from an input in memory that outlives them.
#[derive(Debug)]
pub(super) enum Borrowed {}

/// Values are copied from a streamed input.
#[derive(Debug)]
pub(super) enum Copied {}

impl<'a> Ownership<'a, 'a> for Borrowed {
    fn text(text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    fn bytes(bytes: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(bytes)
    }
}

impl<'w> Ownership<'w, 'static> for Copied {
    fn text(text: &'w str) -> Cow<'static, str> {
        Cow::Owned(text.to_owned())
    }

    fn bytes(bytes: &'w [u8]) -> Cow<'static, [u8]> {
        Cow::Owned(bytes.to_owned())
    }
}
