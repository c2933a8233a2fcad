//! The read buffer of the drivers over byte ranges.

/// Consecutive bytes of the input. The allocation is reused and not cleared between reads.
#[derive(Default)]
pub(super) struct Buffer {
    allocated: Vec<u8>,
    /// Number of valid bytes.
    len: usize,
    /// Absolute offset of the first byte.
    start: u64,
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.allocated[..self.len]
    }

    pub(super) fn end(&self) -> u64 {
        self.start + self.len as u64
    }

    /// Discards the bytes before an absolute offset.
    pub(super) fn advance(&mut self, start: u64) {
        let discarded = (start - self.start).min(self.len as u64) as usize;
        self.allocated.copy_within(discarded..self.len, 0);
        self.len -= discarded;
        self.start = start;
    }

    /// The space for the bytes that follow, up to an absolute offset.
    pub(super) fn spare(&mut self, end: u64) -> &mut [u8] {
        let len = (end - self.start) as usize;
        if self.allocated.len() < len {
            self.allocated.resize(len, 0);
        }
        &mut self.allocated[self.len..len]
    }

    /// Marks this many bytes of the spare space as valid.
    pub(super) fn add_filled(&mut self, len: usize) {
        self.len += len;
    }

    /// Absolute offset of the first byte.
    pub(super) fn start(&self) -> u64 {
        self.start
    }
}
