//! The text around an anchor.

use std::ops::Range;

/// The text around an anchor: a byte string of fixed form that starts an extraction.
#[derive(Clone, Debug)]
pub(super) struct Context<'t> {
    text: &'t [u8],
    anchor: Range<usize>,
}

impl<'t> Context<'t> {
    /// Maximum number of bytes before the anchor.
    pub(super) const BEFORE: usize = 256;
    /// Maximum number of bytes after the anchor.
    pub(super) const AFTER: usize = 1024;
    /// Longest path between an anchor and the end of the path.
    pub(super) const PATH: usize = 784;

    /// The context of an anchor at a range of a text.
    pub(super) fn new(text: &'t [u8], anchor: Range<usize>) -> Self {
        let start = anchor.start.saturating_sub(Self::BEFORE);
        let end = text.len().min(anchor.end + Self::AFTER);
        Self { text: &text[start..end], anchor: anchor.start - start..anchor.end - start }
    }

    /// The text before the anchor.
    pub(super) fn before(&self) -> &'t [u8] {
        &self.text[..self.anchor.start]
    }

    /// The text after the anchor.
    pub(super) fn after(&self) -> &'t [u8] {
        &self.text[self.anchor.end..]
    }

    /// The text from this many bytes before the anchor on.
    pub(super) fn from(&self, lead: usize) -> &'t [u8] {
        &self.text[self.anchor.start.saturating_sub(lead)..]
    }
}
