//! The highest-ranked of many values.

use std::cmp::Ordering;
use std::ffi::OsStr;

/// Number of kept values.
pub(super) const MAX_LEN: usize = 20;

/// A value of a row.
///
/// Values of the same rank are ordered by the name of the row, then by everything else that a reader sees of them. The
/// order of the rows takes no part, because each process counts its own.
pub(super) trait Ranked {
    /// The name of the row.
    fn file(&self) -> &OsStr;

    /// Compares everything except the order of the row, the name first.
    fn order(&self, other: &Self) -> Ordering;
}

/// The highest-ranked values, highest first. They do not depend on the order of additions and merges.
#[derive(Clone, Debug)]
pub(super) struct TopList<R, T> {
    list: Vec<(R, T)>,
}

impl<R, T> Default for TopList<R, T> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

impl<R: Ord, T: Ranked> TopList<R, T> {
    /// Adds the value of a row with this name. The value is made only if it may be kept.
    pub(super) fn add(&mut self, rank: R, file: &OsStr, make: impl FnOnce() -> T) {
        if self.list.len() == MAX_LEN
            && self.list.last().is_some_and(|(last, value)| (last, file) > (&rank, value.file()))
        {
            return;
        }
        let value = make();
        let is_before =
            |(other, known): &(R, T)| other.cmp(&rank).then_with(|| value.order(known)) == Ordering::Greater;
        let place = self.list.partition_point(is_before);
        self.list.insert(place, (rank, value));
        self.list.truncate(MAX_LEN);
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (rank, value) in other.list {
            let file = value.file().to_owned();
            self.add(rank, &file, || value);
        }
    }
}

impl<R, T> TopList<R, T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.list.iter().map(|(_, value)| value)
    }
}

impl<R: PartialEq, T: Ranked> PartialEq for TopList<R, T> {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |((own_rank, own), (rank, value)): (&(R, T), &(R, T))| {
            own_rank == rank && own.order(value) == Ordering::Equal
        };
        self.list.len() == other.list.len() && self.list.iter().zip(&other.list).all(is_same)
    }
}
