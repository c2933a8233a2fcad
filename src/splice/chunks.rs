//! The output of a plan in chunks that share the source's memory.

use std::collections::{VecDeque, vec_deque};
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Piece, Plan};

/// Output of a [`Plan`] for a source in memory, as a [`Buf`] or an iterator of chunks. Kept ranges
/// are not copied.
///
/// ```
/// use bytes::{Buf, Bytes};
/// use sectile::Edit;
///
/// let module = Bytes::from_static(b"\0asm\x01\0\0\0\x00\x05\x04note");
/// let planned = Edit::new().remove("note")?.plan_slice(&module)?;
/// let chunks = planned.plan().chunks(&module).expect("the plan was made for it");
/// assert_eq!(chunks.remaining(), 8);
/// for chunk in chunks {
///     assert_eq!(chunk.as_ptr(), module.as_ptr()); // it is the same memory
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chunks {
    /// None is empty.
    chunks: VecDeque<Bytes>,
    remaining: usize,
}

impl Plan {
    /// Returns the output for a source in memory; `None` if its length differs from the plan's
    /// source.
    pub fn chunks(&self, source: &Bytes) -> Option<Chunks> {
        if source.len() as u64 != self.source_len {
            return None;
        }
        let chunks = self.pieces.iter().map(|piece| match piece {
            Piece::Keep(range) => source.slice(range.start as usize..range.end as usize),
            Piece::Insert(bytes) => Bytes::copy_from_slice(bytes),
        });
        Some(Chunks { chunks: chunks.collect(), remaining: self.len() as usize })
    }
}

impl IntoIterator for Chunks {
    type Item = Bytes;
    type IntoIter = vec_deque::IntoIter<Bytes>;

    /// Iterates over the remaining chunks.
    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter()
    }
}

impl Buf for Chunks {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.chunks.front().map_or(&[], |chunk| chunk)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk);
        }
        slices.len().min(self.chunks.len())
    }

    /// # Panics
    ///
    /// `count` exceeds the remaining bytes.
    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "{count} bytes of {}", self.remaining);
        self.remaining -= count;
        while let Some(first) = self.chunks.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.chunks.pop_front();
        }
    }

    /// Does not copy bytes within one chunk.
    ///
    /// # Panics
    ///
    /// `len` exceeds the remaining bytes.
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        assert!(len <= self.remaining, "{len} bytes of {}", self.remaining);
        let bytes = match self.chunks.front() {
            Some(first) if len <= first.len() => first.slice(..len),
            _ => {
                let mut bytes = BytesMut::with_capacity(len);
                bytes.put(self.take(len));
                return bytes.freeze();
            }
        };
        self.advance(len);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splice::Patch;

    #[test]
    fn all_chunk_readers_agree() {
        let source = Bytes::from_static(b"0123456789");
        let patches = vec![Patch { range: 2..4, bytes: b"ab".to_vec() }, Patch { range: 6..7, bytes: vec![] }];
        let plan = Plan::new(10, patches);
        let whole = plan.to_vec(&source).unwrap();
        let chunks = || plan.chunks(&source).unwrap();
        assert_eq!(chunks().into_iter().flatten().collect::<Vec<_>>(), whole);
        for passed in 0..=whole.len() {
            for taken in 0..=whole.len() - passed {
                let mut chunks = chunks();
                chunks.advance(passed);
                assert_eq!(chunks.copy_to_bytes(taken), whole[passed..passed + taken]);
                assert_eq!(chunks.remaining(), whole.len() - passed - taken);
                let mut slices = [IoSlice::new(&[]); 8];
                let filled = chunks.chunks_vectored(&mut slices);
                assert_eq!(
                    slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>(),
                    whole[passed + taken..]
                );
                assert_eq!(chunks.into_iter().flatten().collect::<Vec<_>>(), whole[passed + taken..]);
            }
        }
        assert!(plan.chunks(&source.slice(1..)).is_none());
    }

    #[test]
    fn bytes_within_a_chunk_are_not_copied() {
        let source = Bytes::from(vec![7; 100]);
        let plan = Plan::new(100, vec![Patch { range: 50..60, bytes: b"ab".to_vec() }]);
        for (passed, taken, is_shared) in [(0, 50, true), (3, 40, true), (52, 40, true), (49, 2, false), (0, 92, false)]
        {
            let mut chunks = plan.chunks(&source).unwrap();
            chunks.advance(passed);
            let bytes = chunks.copy_to_bytes(taken);
            assert_eq!(source.as_ptr_range().contains(&bytes.as_ptr()), is_shared, "{taken} at {passed}");
        }
    }
}
