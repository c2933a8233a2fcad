use std::ops::Range;

/// Consecutive bytes of the input, and their absolute offset.
#[derive(Clone, Copy, Debug)]
pub struct Window<'w> {
    bytes: &'w [u8],
    start: u64,
}

impl<'w> Window<'w> {
    /// Creates a window of bytes that start at the absolute offset `start`.
    pub const fn new(bytes: &'w [u8], start: u64) -> Self {
        Self { bytes, start }
    }

    /// The bytes from the absolute offset `position` to the end of the window; empty if `position`
    /// is outside.
    #[inline]
    pub(super) fn from(&self, position: u64) -> &'w [u8] {
        position
            .checked_sub(self.start)
            .and_then(|skipped| usize::try_from(skipped).ok())
            .and_then(|skipped| self.bytes.get(skipped..))
            .unwrap_or_default()
    }

    /// The bytes of this absolute range, if the window holds all of them. An empty range always
    /// succeeds.
    #[inline]
    pub(super) fn range(&self, range: &Range<u64>) -> Option<&'w [u8]> {
        let len = usize::try_from(range.end - range.start).ok()?;
        self.from(range.start).get(..len)
    }
}
