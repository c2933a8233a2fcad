//! What to read next, given what is needed and what was read before: a pure function, tested with no file.

use std::ops::Range;

/// So many bytes take about as long to copy out of a file's cache as one more read costs beside its bytes.
const READ: u64 = 4 << 10;

/// A window where nothing is known of what follows: cheap beside the read itself, and enough for a few headers.
const SMALLEST: u64 = READ / 4;

/// A window where sections follow one another closely: most of what it costs is its bytes.
const LARGEST: u64 = READ * 4;

/// The size of the windows: grows while needs follow one another closely, falls back where they lie far apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    window: u64,
    /// Where the last window ended.
    end: u64,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { window: SMALLEST, end: 0 }
    }

    /// The range to read for what is needed: all of it, and a window's worth from its beginning where that is more.
    /// After a need so near the last window that reading on would have cost less than reading again, the window
    /// doubles; after one that lies farther off it is the smallest again. `len` is the input's length.
    pub(crate) fn next(&mut self, needed: &Range<u64>, len: u64) -> Range<u64> {
        let gap = needed.start.saturating_sub(self.end);
        self.window = if self.end == 0 || gap > READ { SMALLEST } else { (self.window * 2).min(LARGEST) };
        let end = needed.end.max(needed.start.saturating_add(self.window)).min(len);
        self.end = end;
        needed.start.min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_need_is_always_covered_and_the_end_never_passed() {
        let mut pace = Pace::new();
        let mut start = 0;
        for step in [1, 7, 600, 5_000, 70_000, 3, 3, 3, 1 << 40] {
            for need in [1, 6, 511, 100_000] {
                let len = start + need + step;
                let read = pace.next(&(start..start + need), len);
                assert!(read.start == start && read.end >= start + need && read.end <= len);
            }
            start += step;
        }
    }

    #[test]
    fn near_needs_grow_the_window_and_far_ones_shrink_it() {
        let mut pace = Pace::new();
        let len = 1 << 40;
        let mut read = pace.next(&(0..8), len);
        assert_eq!(read, 0..SMALLEST);
        for expected in [2, 4, 8, 16, 16].map(|times| SMALLEST * times) {
            read = pace.next(&(read.end + READ..read.end + READ + 6), len);
            assert_eq!(read.end - read.start, expected);
        }
        read = pace.next(&(read.end + READ + 1..read.end + READ + 7), len);
        assert_eq!(read.end - read.start, SMALLEST);
    }

    #[test]
    fn a_large_need_is_read_in_one() {
        let mut pace = Pace::new();
        assert_eq!(pace.next(&(10..1_000_000), 2_000_000), 10..1_000_000);
        assert_eq!(pace.next(&(10..1_000_000), 500), 10..500);
    }
}
