//! The size of the next read. Shared by the drivers for files and for remote sources, and free of
//! I/O.

use std::ops::Range;

/// Chooses the ranges to read. The window grows while the needed ranges are close together, and is
/// reset when they are far apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowSizer {
    /// Cost of one more read, as the number of bytes that transfer in the same time.
    read_cost: u64,
    /// Size of the last window.
    window: u64,
    /// Absolute end of the last window.
    end: u64,
}

impl WindowSizer {
    /// Cost of a file read: a system call takes as long as copying this many bytes from the page
    /// cache.
    pub(crate) const FILE_READ_COST: u64 = 4 << 10;

    /// Creates a sizer for a source where one more read costs as much as this many bytes.
    pub(crate) fn new(read_cost: u64) -> Self {
        Self { read_cost, window: 0, end: 0 }
    }

    /// The first window: cheap compared with the read itself, and enough for a few headers.
    fn smallest(self) -> u64 {
        self.read_cost / 4
    }

    /// The largest window: beyond it, the cost of a read hardly matters.
    fn largest(self) -> u64 {
        self.read_cost.saturating_mul(4)
    }

    /// Returns the range to read: the needed range, extended to the size of a window within the
    /// input of `len` bytes.
    ///
    /// The window doubles if the gap since the last window would have cost less than another read.
    /// Otherwise it is reset to the smallest.
    pub(crate) fn next(&mut self, needed: &Range<u64>, len: u64) -> Range<u64> {
        let gap = needed.start.saturating_sub(self.end);
        let is_far = self.end == 0 || gap > self.read_cost;
        let doubled = self.window.saturating_mul(2).clamp(self.smallest(), self.largest());
        self.window = if is_far { self.smallest() } else { doubled };
        let end = needed.end.max(needed.start.saturating_add(self.window)).min(len);
        self.end = end;
        needed.start.min(end)..end
    }

    /// Corrects the end of the last window, if the source returned fewer bytes.
    pub(crate) fn end_at(&mut self, end: u64) {
        if end < self.end {
            self.window = self.window.saturating_sub(self.end - end);
            self.end = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ_COST: u64 = WindowSizer::FILE_READ_COST;
    const SMALLEST: u64 = READ_COST / 4;

    #[test]
    fn the_window_covers_the_needed_range() {
        let mut sizer = WindowSizer::new(READ_COST);
        let mut start = 0;
        for step in [1, 7, 600, 5_000, 70_000, 3, 3, 3, 1 << 40] {
            for need in [1, 6, 511, 100_000] {
                let len = start + need + step;
                let read = sizer.next(&(start..start + need), len);
                assert!(read.start == start && read.end >= start + need && read.end <= len);
            }
            start += step;
        }
    }

    #[test]
    fn near_ranges_grow_the_window_and_far_ranges_reset_it() {
        let mut sizer = WindowSizer::new(READ_COST);
        let len = 1 << 40;
        let mut read = sizer.next(&(0..8), len);
        assert_eq!(read, 0..SMALLEST);
        for expected in [2, 4, 8, 16, 16].map(|times| SMALLEST * times) {
            read = sizer.next(&(read.end + READ_COST..read.end + READ_COST + 6), len);
            assert_eq!(read.end - read.start, expected);
        }
        read = sizer.next(&(read.end + READ_COST + 1..read.end + READ_COST + 7), len);
        assert_eq!(read.end - read.start, SMALLEST);
    }

    #[test]
    fn a_large_range_is_one_window() {
        let mut sizer = WindowSizer::new(READ_COST);
        assert_eq!(sizer.next(&(10..1_000_000), 2_000_000), 10..1_000_000);
        assert_eq!(sizer.next(&(10..1_000_000), 500), 10..500);
    }

    #[test]
    fn the_cost_of_a_read_scales_the_window() {
        for read_cost in [0, 1, 4, 100, 256 << 10, u64::MAX] {
            let mut sizer = WindowSizer::new(read_cost);
            assert_eq!(sizer.next(&(0..1), u64::MAX), 0..(read_cost / 4).max(1));
            let next = sizer.next(&(1_000..1_001), u64::MAX);
            assert!(next.start == 1_000 && next.end >= 1_001);
        }
    }
}
