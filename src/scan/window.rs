use std::ops::Range;

/// Some consecutive bytes of the input, and where they begin.
#[derive(Clone, Copy, Debug)]
pub struct Window<'w> {
    bytes: &'w [u8],
    start: u64,
}

impl<'w> Window<'w> {
    /// The bytes of the input from the absolute offset `start` on.
    pub const fn new(bytes: &'w [u8], start: u64) -> Self {
        Self { bytes, start }
    }

    /// What the window holds from `position` on; empty where that lies outside.
    #[inline]
    pub(super) fn from(&self, position: u64) -> &'w [u8] {
        position
            .checked_sub(self.start)
            .and_then(|skipped| usize::try_from(skipped).ok())
            .and_then(|skipped| self.bytes.get(skipped..))
            .unwrap_or_default()
    }

    /// Exactly this range, if the window holds all of it. An empty range is always held.
    #[inline]
    pub(super) fn range(&self, range: &Range<u64>) -> Option<&'w [u8]> {
        let len = usize::try_from(range.end - range.start).ok()?;
        self.from(range.start).get(..len)
    }
}
