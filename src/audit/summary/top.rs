//! The few of many that rank highest.

/// How many are kept.
pub(super) const MOST: usize = 20;

/// Those that rank highest, the highest first. Ranks differ, so that no order of adding matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Top<R, T> {
    list: Vec<(R, T)>,
}

impl<R, T> Default for Top<R, T> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

impl<R: Ord, T> Top<R, T> {
    /// Adds one; it is made only if it is among the highest.
    pub(super) fn add(&mut self, rank: R, make: impl FnOnce() -> T) {
        if self.list.len() == MOST && self.list.last().is_some_and(|(last, _)| *last > rank) {
            return;
        }
        let place = self.list.partition_point(|(other, _)| *other > rank);
        self.list.insert(place, (rank, make()));
        self.list.truncate(MOST);
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (rank, value) in other.list {
            self.add(rank, || value);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.list.iter().map(|(_, value)| value)
    }
}
