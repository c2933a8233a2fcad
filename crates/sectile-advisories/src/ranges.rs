//! Sets of versions.

use std::cmp::Ordering;
use std::ops::Bound;

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

/// Versions between two bounds, in their sort order. Build metadata does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) start: Bound<Version>,
    pub(crate) end: Bound<Version>,
}

impl Interval {
    fn contains(&self, version: &Version) -> bool {
        let is_after_start = match &self.start {
            Bound::Unbounded => true,
            Bound::Included(start) => version.cmp_precedence(start) != Ordering::Less,
            Bound::Excluded(start) => version.cmp_precedence(start) == Ordering::Greater,
        };
        is_after_start
            && match &self.end {
                Bound::Unbounded => true,
                Bound::Included(end) => version.cmp_precedence(end) != Ordering::Greater,
                Bound::Excluded(end) => version.cmp_precedence(end) == Ordering::Less,
            }
    }

    /// Excludes all versions from this one on.
    pub(crate) fn cut(&mut self, limit: &Version) {
        let is_earlier = match &self.end {
            Bound::Unbounded => true,
            Bound::Included(end) => end.cmp_precedence(limit) != Ordering::Less,
            Bound::Excluded(end) => end.cmp_precedence(limit) == Ordering::Greater,
        };
        if is_earlier {
            self.end = Bound::Excluded(limit.clone());
        }
    }

    /// The interval of a requirement in `RustSec`'s database.
    ///
    /// It is compared in the sort order, unlike Cargo's requirements: `<1.2.3` contains
    /// `1.2.3-alpha`. `^1.2` and `~1.2` do not contain the pre-releases of the version after them.
    pub(crate) fn from_requirement(requirement: &VersionReq) -> Result<Self, String> {
        let mut interval = Self { start: Bound::Unbounded, end: Bound::Unbounded };
        for comparator in &requirement.comparators {
            let Self { start, end } = Self::from_comparator(comparator)
                .ok_or_else(|| format!("`{comparator}` is not a supported range of versions"))?;
            for (bound, new) in [(&mut interval.start, start), (&mut interval.end, end)] {
                match (&*bound, &new) {
                    (_, Bound::Unbounded) => {}
                    (Bound::Unbounded, _) => *bound = new,
                    _ => return Err(format!("`{requirement}` has two bounds on one side")),
                }
            }
        }
        Ok(interval)
    }

    fn from_comparator(comparator: &Comparator) -> Option<Self> {
        let Comparator { op, major, minor, patch, pre } = comparator;
        let written = Version { pre: pre.clone(), ..Version::new(*major, minor.unwrap_or(0), patch.unwrap_or(0)) };
        let before = |version: Version| {
            let lowest = Prerelease::new("0").ok()?;
            Some(Bound::Excluded(Version { pre: lowest, ..version }))
        };
        let (start, end) = match op {
            Op::Greater => (Bound::Excluded(written), Bound::Unbounded),
            Op::GreaterEq => (Bound::Included(written), Bound::Unbounded),
            Op::Less => (Bound::Unbounded, Bound::Excluded(written)),
            Op::LessEq => (Bound::Unbounded, Bound::Included(written)),
            Op::Exact => (Bound::Included(written.clone()), Bound::Included(written)),
            Op::Caret => {
                let next = match (major, minor, patch) {
                    (0, Some(0), Some(patch)) => Version::new(0, 0, patch.checked_add(1)?),
                    (0, Some(minor), _) => Version::new(0, minor.checked_add(1)?, 0),
                    (major, ..) => Version::new(major.checked_add(1)?, 0, 0),
                };
                (Bound::Included(written), before(next)?)
            }
            Op::Tilde => {
                let next = match minor {
                    Some(minor) => Version::new(*major, minor.checked_add(1)?, 0),
                    None => Version::new(major.checked_add(1)?, 0, 0),
                };
                (Bound::Included(written), before(next)?)
            }
            _ => return None,
        };
        Some(Self { start, end })
    }
}

/// The affected versions of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VersionSet {
    /// The versions in any of the intervals.
    Inside(Vec<Interval>),
    /// The versions in none of the intervals.
    Outside(Vec<Interval>),
}

impl Default for VersionSet {
    fn default() -> Self {
        Self::Inside(Vec::new())
    }
}

impl VersionSet {
    pub(crate) fn contains(&self, version: &Version) -> bool {
        let is_in = |intervals: &[Interval]| intervals.iter().any(|interval| interval.contains(version));
        match self {
            Self::Inside(intervals) => is_in(intervals),
            Self::Outside(intervals) => !is_in(intervals),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Inside(intervals) if intervals.is_empty())
    }
}
