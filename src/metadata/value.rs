//! Values, and where they come from.

use std::borrow::Cow;
use std::ops::Range;

/// What a section says, as it was written, and the range of bytes that it was read from.
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

    /// The text; `None` where the bytes are not UTF-8, or not meant to be.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            Data::Bytes(_) => None,
        }
    }

    /// The bytes, exactly as they stand in the input.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.data {
            Data::Text(text) => text.as_bytes(),
            Data::Bytes(bytes) => bytes,
        }
    }

    /// Where the bytes stand: absolute byte offsets.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        let data = match self.data {
            Data::Text(text) => Data::Text(text.into_owned().into()),
            Data::Bytes(bytes) => Data::Bytes(bytes.into_owned().into()),
        };
        Value { data, range: self.range }
    }
}

/// How a value is taken from a window that lives for `'w`, to live for `'v`.
pub(super) trait Keep<'w, 'v> {
    fn text(text: &'w str) -> Cow<'v, str>;
    fn bytes(bytes: &'w [u8]) -> Cow<'v, [u8]>;
}

/// Values borrow from the input, which must outlive them: for bytes in memory.
#[derive(Debug)]
pub(super) enum Borrowed {}

/// Values are copied: for input that passes by.
#[derive(Debug)]
pub(super) enum Copied {}

impl<'a> Keep<'a, 'a> for Borrowed {
    fn text(text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    fn bytes(bytes: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(bytes)
    }
}

impl<'w> Keep<'w, 'static> for Copied {
    fn text(text: &'w str) -> Cow<'static, str> {
        Cow::Owned(text.to_owned())
    }

    fn bytes(bytes: &'w [u8]) -> Cow<'static, [u8]> {
        Cow::Owned(bytes.to_owned())
    }
}
