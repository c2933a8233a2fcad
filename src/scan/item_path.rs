//! Paths of items in the tree.

use std::fmt;
use std::str::FromStr;

use smallvec::SmallVec;

/// The path of an item, as child indexes: empty for the root, `3/0` for the first child of the
/// root's fourth child.
///
/// ```
/// use sectile::scan::ItemPath;
///
/// let path: ItemPath = "3/0".parse()?;
/// assert_eq!(path.indexes(), [3, 0]);
/// assert_eq!(path.to_string(), "3/0");
/// assert!("".parse::<ItemPath>()?.is_root());
/// # Ok::<(), sectile::scan::ItemPathError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemPath(SmallVec<[u32; 4]>);

impl ItemPath {
    /// The root item's path.
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether this is the root item's path.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The child indexes, from the root down.
    pub fn indexes(&self) -> &[u32] {
        &self.0
    }

    /// Appends a child index.
    pub fn push(&mut self, index: u32) {
        self.0.push(index);
    }

    /// Removes the last child index and returns it, or `None` for the root.
    pub fn pop(&mut self) -> Option<u32> {
        self.0.pop()
    }
}

impl FromIterator<u32> for ItemPath {
    fn from_iter<I: IntoIterator<Item = u32>>(indexes: I) -> Self {
        Self(indexes.into_iter().collect())
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, index) in self.0.iter().enumerate() {
            let slash = if nth == 0 { "" } else { "/" };
            write!(f, "{slash}{index}")?;
        }
        Ok(())
    }
}

/// The error of parsing an [`ItemPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an item path: expected child indexes separated by `/`, such as `3/0`")]
pub struct ItemPathError(String);

impl FromStr for ItemPath {
    type Err = ItemPathError;

    fn from_str(text: &str) -> Result<Self, ItemPathError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        text.split('/')
            .map(|index| index.parse().ok().filter(|_| !index.starts_with('+')))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| ItemPathError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_paths_are_refused() {
        for text in ["/", "3/", "/0", "a", "-1", "+1", "3//0", "4294967296"] {
            assert!(text.parse::<ItemPath>().is_err(), "{text}");
        }
    }
}
