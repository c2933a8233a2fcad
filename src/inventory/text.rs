//! A text that moves along the data, and the offsets of its bytes in the input.

/// Maximum number of zeros that are appended at once. No match spans more.
pub(super) const MAX_ZEROS: u64 = 16;

/// The bytes that are searched, in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    /// Index of each piece in `bytes`, and its absolute offset in the input.
    pieces: Vec<(usize, u64)>,
}

impl Text {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends bytes at an absolute offset of the input.
    pub(super) fn push(&mut self, bytes: &[u8], offset: u64) {
        let at = self.bytes.len();
        let continues = self.pieces.last().is_some_and(|(start, first)| first + (at - start) as u64 == offset);
        if !continues {
            self.pieces.push((at, offset));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends zeros that the input does not contain, at most [`MAX_ZEROS`].
    pub(super) fn push_zeros(&mut self, len: u64) {
        let len = self.bytes.len() + len.min(MAX_ZEROS) as usize;
        self.bytes.extend_from_slice(&[0; MAX_ZEROS as usize]); // faster than a variable number
        self.bytes.truncate(len);
    }

    /// Absolute offset of the byte at an index.
    pub(super) fn offset(&self, at: usize) -> u64 {
        let following = self.pieces.partition_point(|(start, _)| *start <= at);
        self.pieces[..following].last().map_or(0, |(start, offset)| offset + (at - start) as u64)
    }

    /// Discards the bytes before an index.
    pub(super) fn discard(&mut self, before: usize) {
        self.bytes.drain(..before);
        let following = self.pieces.partition_point(|(start, _)| *start <= before);
        self.pieces.drain(..following.saturating_sub(1));
        for (start, offset) in &mut self.pieces {
            let cut = before.saturating_sub(*start);
            *offset += cut as u64;
            *start = (*start + cut) - before;
        }
    }

    /// Discards everything.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_survive_discards() {
        let mut text = Text::default();
        text.push(b"abc", 100);
        text.push(b"def", 103); // continues
        text.push_zeros(2);
        text.push(b"ghi", 120);
        let offsets = |text: &Text, from: usize| -> Vec<u64> {
            let letters = (from..text.bytes().len()).filter(|at| text.bytes()[*at] != 0);
            letters.map(|at| text.offset(at)).collect()
        };
        assert_eq!(text.bytes(), b"abcdef\0\0ghi");
        assert_eq!(offsets(&text, 0), [100, 101, 102, 103, 104, 105, 120, 121, 122]);
        for _ in 0..3 {
            text.discard(2);
            let expected = [100, 101, 102, 103, 104, 105, 120, 121, 122];
            let found = offsets(&text, 0);
            assert_eq!(found, expected[expected.len() - found.len()..]);
        }
        text.clear();
        text.push(b"x", 7);
        assert_eq!(text.offset(0), 7);
    }
}
