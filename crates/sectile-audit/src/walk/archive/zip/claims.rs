//! The byte ranges of a zip that belong to its entries and its directory.

use std::collections::BTreeMap;
use std::ops::Range;

/// Disjoint byte ranges. Ranges that are side by side are merged.
#[derive(Default)]
pub(super) struct ClaimedRanges(BTreeMap<u64, u64>);

/// No entry fits into a gap of this size: it is the length of an entry's header.
pub(super) const GAP: u64 = 30;

impl ClaimedRanges {
    /// Approximate memory of a range in bytes.
    pub(super) const COST: u64 = 32;

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Claims a range, unless it overlaps another.
    pub(super) fn claim(&mut self, range: Range<u64>) -> bool {
        if range.is_empty() {
            return true;
        }
        let before = self.0.range(..=range.start).next_back().map(|(&start, &end)| start..end);
        let after = self.0.range(range.start..).next().map(|(&start, &end)| start..end);
        if before.as_ref().is_some_and(|before| before.end > range.start)
            || after.as_ref().is_some_and(|after| after.start < range.end)
        {
            return false;
        }
        let mut whole = range;
        if let Some(before) = before.filter(|before| whole.start == before.end) {
            whole.start = before.start;
        }
        if let Some(after) = after.filter(|after| after.start == whole.end) {
            self.0.remove(&after.start);
            whole.end = after.end;
        }
        self.0.insert(whole.start, whole.end);
        true
    }

    /// Whether a position is in a claimed range.
    pub(super) fn covers(&self, position: u64) -> bool {
        self.0.range(..=position).next_back().is_some_and(|(_, &end)| position < end)
    }

    /// The first gap in a range that has this many bytes at least.
    pub(super) fn gap(&self, range: Range<u64>, least: u64) -> Option<Range<u64>> {
        let mut start = range.start;
        if let Some((_, &end)) = self.0.range(..=start).next_back() {
            start = start.max(end);
        }
        while start < range.end {
            let next = self.0.range(start..).next();
            let end = next.map_or(range.end, |(&next, _)| next.min(range.end));
            if end - start >= least {
                return Some(start..end);
            }
            start = next.map_or(range.end, |(_, &end)| end);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_merge_and_gaps_are_found() {
        let mut claims = ClaimedRanges::default();
        assert_eq!(claims.gap(0..100, GAP), Some(0..100));
        assert!(claims.claim(40..50) && !claims.claim(45..46) && claims.claim(50..60) && claims.claim(65..70));
        assert_eq!((claims.len(), claims.covers(39), claims.covers(40), claims.covers(70)), (2, false, true, false));
        assert_eq!(claims.gap(0..100, GAP), Some(0..40));
        assert_eq!(claims.gap(45..100, GAP), Some(70..100));
        assert_eq!((claims.gap(45..99, GAP), claims.gap(45..99, 1)), (None, Some(60..65)));
        assert!(claims.claim(100..200) && claims.claim(0..40));
        assert_eq!((claims.gap(0..200, GAP), claims.gap(0..300, GAP)), (Some(70..100), Some(70..100)));
    }
}
