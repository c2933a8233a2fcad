//! The highest-ranked of many values.

/// Number of kept values.
pub(super) const MAX_LEN: usize = 20;

/// The highest-ranked values, highest first. Ranks are unique, so the order of additions does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TopList<R, T> {
    list: Vec<(R, T)>,
}

impl<R, T> Default for TopList<R, T> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

impl<R: Ord, T> TopList<R, T> {
    /// Adds a value, which is made only if it is kept.
    pub(super) fn add(&mut self, rank: R, make: impl FnOnce() -> T) {
        if self.list.len() == MAX_LEN && self.list.last().is_some_and(|(last, _)| *last > rank) {
            return;
        }
        let place = self.list.partition_point(|(other, _)| *other > rank);
        self.list.insert(place, (rank, make()));
        self.list.truncate(MAX_LEN);
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
