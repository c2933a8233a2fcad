//! What to read next, given what is needed and what was read before: a pure function, tested with no file.

use std::ops::Range;

/// The size of the windows: grows while needs follow one another closely, falls back where they lie far apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowSizer {
    /// So many bytes take as long as one more read costs beside its bytes.
    read: u64,
    window: u64,
    /// Where the last window ended.
    end: u64,
}

impl WindowSizer {
    /// What a read of a file costs: as long as it takes to copy so many bytes out of the system's cache.
    pub(crate) const FILE: u64 = 4 << 10;

    /// A pace where one more read costs as much as so many bytes do.
    pub(crate) fn new(read: u64) -> Self {
        Self { read, window: 0, end: 0 }
    }

    /// A window where nothing is known of what follows: cheap beside the read itself, and enough for a few headers.
    fn smallest(self) -> u64 {
        self.read / 4
    }

    /// A window where sections follow one another closely: most of what it costs is its bytes.
    fn largest(self) -> u64 {
        self.read.saturating_mul(4)
    }

    /// The range to read for what is needed: all of it, and a window's worth from its beginning where that is more.
    /// After a need so near the last window that reading on would have cost less than reading again, the window
    /// doubles; after one that lies farther off it is the smallest again. `len` is the input's length.
    pub(crate) fn next(&mut self, needed: &Range<u64>, len: u64) -> Range<u64> {
        let gap = needed.start.saturating_sub(self.end);
        let is_far = self.end == 0 || gap > self.read;
        self.window = if is_far { self.smallest() } else { self.window.saturating_mul(2).min(self.largest()) };
        let end = needed.end.max(needed.start.saturating_add(self.window)).min(len);
        self.end = end;
        needed.start.min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: u64 = WindowSizer::FILE;
    const SMALLEST: u64 = READ / 4;

    #[test]
    fn the_window_covers_the_need_within_the_input() {
        let mut pace = WindowSizer::new(READ);
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
    fn near_needs_grow_the_window_and_far_needs_reset_it() {
        let mut pace = WindowSizer::new(READ);
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
    fn a_large_need_is_one_window() {
        let mut pace = WindowSizer::new(READ);
        assert_eq!(pace.next(&(10..1_000_000), 2_000_000), 10..1_000_000);
        assert_eq!(pace.next(&(10..1_000_000), 500), 10..500);
    }

    #[test]
    fn the_cost_of_a_read_scales_the_window() {
        for read in [0, 1, 4, 100, 256 << 10, u64::MAX] {
            let mut pace = WindowSizer::new(read);
            assert_eq!(pace.next(&(0..1), u64::MAX), 0..(read / 4).max(1));
            let next = pace.next(&(1_000..1_001), u64::MAX);
            assert!(next.start == 1_000 && next.end >= 1_001);
        }
    }
}
