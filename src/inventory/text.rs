//! Texts of a data section, and the offsets of their bytes in the input.

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

/// Maximum number of zeros that are restored between two segments. No match spans more.
pub(super) const MAX_ZEROS: u64 = 16;

/// Consecutive bytes of linear memory: a part of the input, or parts with zeros between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Text<'w> {
    bytes: Cow<'w, [u8]>,
    /// Index of each part in `bytes`, and its absolute offset in the input.
    parts: SmallVec<[(usize, u64); 8]>,
}

impl<'w> Text<'w> {
    /// A part of the input at an absolute offset.
    pub(super) fn part(bytes: &'w [u8], offset: u64) -> Self {
        Self { bytes: Cow::Borrowed(bytes), parts: smallvec![(0, offset)] }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// No bytes, with space for this many.
    pub(super) fn with_capacity(len: usize) -> Self {
        Self { bytes: Cow::Owned(Vec::with_capacity(len)), parts: SmallVec::new() }
    }

    /// Appends a part of the input at an absolute offset.
    pub(super) fn push(&mut self, bytes: &[u8], offset: u64) {
        self.parts.push((self.bytes.len(), offset));
        self.bytes.to_mut().extend_from_slice(bytes);
    }

    /// Appends zeros that the input does not contain, at most [`MAX_ZEROS`].
    pub(super) fn push_zeros(&mut self, len: u64) {
        self.bytes.to_mut().extend_from_slice(&[0; MAX_ZEROS as usize][..len.min(MAX_ZEROS) as usize]);
    }

    /// Absolute offset of the byte at an index, or of the input's byte before it for a restored
    /// zero, plus the distance.
    pub(super) fn offset(&self, at: usize) -> u64 {
        let following = self.parts.partition_point(|(start, _)| *start <= at);
        self.parts[..following].last().map_or(0, |(start, offset)| offset + (at - start) as u64)
    }

    /// Index of the first byte at an absolute offset or after it.
    pub(super) fn index(&self, offset: u64) -> usize {
        let following = self.parts.partition_point(|(_, start)| *start <= offset);
        let next = self.parts.get(following).map_or(self.bytes.len(), |(at, _)| *at);
        let of_part = |(at, start): &(usize, u64)| (*at as u64).saturating_add(offset - start);
        self.parts[..following].last().map_or(next, |part| of_part(part).min(next as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_its_offset() {
        let mut text = Text::default();
        text.push(b"abc", 100);
        text.push(b"def", 110);
        text.push_zeros(2);
        text.push(b"ghi", 120);
        assert_eq!(text.bytes(), b"abcdef\0\0ghi");
        for (at, offset) in [(0, 100), (2, 102), (3, 110), (5, 112), (8, 120), (10, 122)] {
            assert_eq!((text.offset(at), text.index(offset)), (offset, at));
        }
        assert_eq!([0, 100, 103, 109, 123, 1000].map(|offset| text.index(offset)), [0, 0, 3, 3, 11, 11]);
        let text = Text::part(b"abc", 100);
        assert_eq!((text.offset(2), text.index(101), text.index(200)), (102, 1, 3));
    }
}
