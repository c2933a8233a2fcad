//! Elements of an array, written one by one.

use std::io::{self, Write};

/// Writes the elements of an array, with separators between them.
pub(crate) struct Elements<'o, W> {
    out: &'o mut W,
    separator: u8,
    is_first: bool,
}

impl<'o, W: Write> Elements<'o, W> {
    pub(crate) fn new(out: &'o mut W, separator: u8) -> Self {
        Self { out, separator, is_first: true }
    }

    /// Begins the next element.
    pub(crate) fn next(&mut self) -> io::Result<&mut W> {
        if !std::mem::take(&mut self.is_first) {
            self.out.write_all(&[self.separator])?;
        }
        Ok(self.out)
    }
}
