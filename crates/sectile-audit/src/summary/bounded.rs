//! Counts by texts of the input, in bounded memory.

use std::collections::HashMap;
use std::sync::Arc;

use sectile::internal::beginning;

/// Maximum length of a key in bytes; longer ones are truncated.
const MAX_KEY_LEN: usize = 500;
/// Number of slots of the cache in front of the map.
const SLOTS: usize = 64;

/// Counts by texts of the input. A hostile store may have any number of texts.
///
/// Keeps the `most` smallest keys. Their counts are exact in any order of additions and merges: a key that is among the
/// smallest of all is among the smallest of every part. The count of the other keys is the difference to a total.
#[derive(Clone, Debug)]
pub(super) struct BoundedCounts<V> {
    /// Up to twice as many as are kept, so that dropping the largest is cheap.
    entries: Vec<(Arc<str>, V)>,
    places: HashMap<Arc<str>, u32>,
    /// The last position of similar keys, because most rows are similar.
    recent: [u32; SLOTS],
    most: usize,
    /// This key and larger ones are not among the smallest.
    bound: Option<Arc<str>>,
}

/// A count.
pub(super) trait Tally: Copy + Default + PartialEq {
    fn merge(&mut self, other: Self);
}

impl Tally for u64 {
    fn merge(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

impl<V: Tally> BoundedCounts<V> {
    pub(super) fn new(most: usize) -> Self {
        Self { entries: Vec::new(), places: HashMap::new(), recent: [0; SLOTS], most, bound: None }
    }

    /// Adds to the count of a key. Allocates nothing for a known key.
    pub(super) fn add(&mut self, key: &str, value: V) {
        let key = beginning(key, MAX_KEY_LEN);
        let slot = slot(key);
        if let Some((known, sum)) = self.entries.get_mut(self.recent[slot] as usize)
            && &**known == key
        {
            return sum.merge(value);
        }
        if let Some(&place) = self.places.get(key) {
            self.recent[slot] = place;
            return self.entries[place as usize].1.merge(value);
        }
        if self.bound.as_deref().is_some_and(|bound| key >= bound) {
            return;
        }
        let (key, place) = (Arc::<str>::from(key), self.entries.len() as u32);
        self.recent[slot] = place;
        self.places.insert(Arc::clone(&key), place);
        self.entries.push((key, value));
        if self.entries.len() > self.most * 2 {
            self.drop_largest();
        }
    }

    #[cold]
    fn drop_largest(&mut self) {
        self.entries.select_nth_unstable_by(self.most, |(a, _), (b, _)| a.cmp(b));
        self.bound = Some(Arc::clone(&self.entries[self.most].0));
        self.entries.truncate(self.most);
        self.places = (0..).zip(&self.entries).map(|(place, (key, _))| (Arc::clone(key), place)).collect();
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (key, value) in &other.entries {
            self.add(key, *value);
        }
    }

    /// The kept counts, sorted by key.
    pub(super) fn kept(&self) -> Vec<(&str, V)> {
        let mut kept: Vec<(&str, V)> = self.entries.iter().map(|(key, value)| (&**key, *value)).collect();
        kept.sort_unstable_by_key(|(key, _)| *key);
        kept.truncate(self.most);
        kept
    }
}

impl<V: Tally> PartialEq for BoundedCounts<V> {
    fn eq(&self, other: &Self) -> bool {
        self.kept() == other.kept()
    }
}

fn slot(key: &str) -> usize {
    let bytes = key.as_bytes();
    let (Some(last), middle) = (bytes.last(), bytes.get(bytes.len() / 2)) else { return 0 };
    let mixed = bytes.len() * 7 + usize::from(*last) * 13 + usize::from(middle.copied().unwrap_or(0)) * 31;
    mixed % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_keys_are_exact_in_any_order() {
        let keys: Vec<String> =
            (0..5_000_u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761) % 997)).collect();
        let mut ahead = BoundedCounts::new(16);
        for key in &keys {
            ahead.add(key, 1_u64);
        }
        let mut parts = vec![BoundedCounts::new(16); 7];
        for (nth, key) in keys.iter().rev().enumerate() {
            parts[nth * nth % 7].add(key, 1);
        }
        let mut merged = BoundedCounts::new(16);
        parts.iter().rev().for_each(|part| merged.merge(part));
        assert_eq!(merged, ahead);
        let kept = ahead.kept();
        assert_eq!(kept.len(), 16);
        for (key, count) in kept {
            assert_eq!(count, keys.iter().filter(|other| *other == key).count() as u64, "{key}");
        }
        assert!(merged.entries.len() <= 32);
    }

    #[test]
    fn long_keys_are_truncated_between_characters() {
        let mut counts = BoundedCounts::new(2);
        counts.add(&"é".repeat(1_000_000), 1_u64);
        counts.add(&format!("{}x", "é".repeat(250)), 1);
        assert_eq!(counts.kept(), [(&*"é".repeat(250), 2)]);
    }
}
