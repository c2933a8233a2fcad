//! What a driver of ranges has read and not passed.

/// The bytes at hand. What was allocated stays so, and is not cleared before it is read into again.
#[derive(Default)]
pub(super) struct Buffer {
    allocated: Vec<u8>,
    /// How many of them are at hand.
    len: usize,
    /// Absolute offset of the first.
    start: u64,
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.allocated[..self.len]
    }

    pub(super) fn end(&self) -> u64 {
        self.start + self.len as u64
    }

    /// Lets go of what lies before an offset.
    pub(super) fn advance(&mut self, start: u64) {
        let passed = (start - self.start).min(self.len as u64) as usize;
        self.allocated.copy_within(passed..self.len, 0);
        self.len -= passed;
        self.start = start;
    }

    /// Room for what follows, up to an offset.
    pub(super) fn spare(&mut self, end: u64) -> &mut [u8] {
        let len = (end - self.start) as usize;
        if self.allocated.len() < len {
            self.allocated.resize(len, 0);
        }
        &mut self.allocated[self.len..len]
    }

    /// So many bytes of the room are at hand now.
    pub(super) fn filled(&mut self, len: usize) {
        self.len += len;
    }

    /// Absolute offset of the first byte.
    pub(super) fn start(&self) -> u64 {
        self.start
    }
}
