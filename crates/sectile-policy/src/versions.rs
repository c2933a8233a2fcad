//! Ranges of versions.

use std::cmp::Ordering;
use std::str::FromStr;

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

use super::RuleError;
use sectile::internal::quoted;

/// Ranges of versions in Cargo's syntax: `<1.70`, `>=1.2, <2`, `1.2.*`, `=1.2.3`. A plain `1.2`
/// means `^1.2`, any compatible version.
///
/// Versions are compared in their sort order, pre-releases included. `1.70.0-nightly` sorts before
/// `1.70.0`, so it is in `<1.70` and in no range that starts at 1.70.0. Cargo excludes pre-releases
/// from most ranges, so a policy with Cargo's rules would never refuse them. A range excludes the
/// pre-releases of the first version after it: `2.0.0-alpha` is not in `^1.2`.
///
/// The versions of tools are parsed leniently. Only the first word counts, without a leading `v` or
/// `go`. It has one to three numbers divided by dots, then an optional pre-release and build.
/// Missing numbers are 0. `1.82.0 (f6e511eec 2024-10-15)` is 1.82.0. Other texts
/// [cannot be compared](Self::contains).
///
/// ```
/// use sectile_policy::Versions;
///
/// let old: Versions = "<1.70".parse()?;
/// assert_eq!(old.contains("1.69.0 (84c898d65 2023-04-16)"), Some(true));
/// assert_eq!(old.contains("1.70.0"), Some(false));
/// assert_eq!(old.contains("nightly"), None);
/// # Ok::<(), sectile_policy::RuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(Vec<VersionReq>);

impl Versions {
    /// The union of both.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Whether a version is in one of the ranges; `None` if it cannot be compared.
    pub fn contains(&self, version: &str) -> Option<bool> {
        let version = lenient(version)?;
        Some(self.0.iter().any(|range| range.comparators.iter().all(|comparator| matches(comparator, &version))))
    }
}

impl FromStr for Versions {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let invalid = |error| RuleError::new(format!("{} is not a range of versions: {error}", quoted(text)));
        Ok(Self(vec![text.parse().map_err(invalid)?]))
    }
}

/// The version at the start of a text.
fn lenient(text: &str) -> Option<Version> {
    let word = text.split_whitespace().next()?;
    let word = word.strip_prefix(['v', 'V']).or_else(|| word.strip_prefix("go")).unwrap_or(word);
    let word = word.split('+').next()?;
    let (numbers, pre) = word.split_once('-').map_or((word, None), |(numbers, pre)| (numbers, Some(pre)));
    let mut parsed = [0; 3];
    for (place, number) in numbers.split('.').enumerate() {
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        *parsed.get_mut(place)? = number.parse().ok().filter(|_| digits)?;
    }
    let [major, minor, patch] = parsed;
    let pre = match pre {
        None => Prerelease::EMPTY,
        Some(pre) => Prerelease::new(pre).ok().filter(|pre| !pre.is_empty())?,
    };
    Some(Version { major, minor, patch, pre, build: BuildMetadata::EMPTY })
}

/// Whether a version satisfies one part of a range.
fn matches(comparator: &Comparator, version: &Version) -> bool {
    let Comparator { op, major, minor, patch, pre } = comparator;
    let first =
        Version { pre: pre.clone(), ..Version::new(*major, minor.unwrap_or_default(), patch.unwrap_or_default()) };
    let order = version.cmp_precedence(&first);
    let from_first = order != Ordering::Less;
    let before = |end: Option<Version>| end.is_none_or(|end| version.cmp_precedence(&end) == Ordering::Less);
    // The first version, pre-releases included, after all versions that the comparator names.
    // `None` if no such version exists.
    let after = || match (minor, patch) {
        (None, _) => start(*major, None, 1),
        (Some(minor), None) => start(*major, Some(*minor), 1),
        (Some(_), Some(_)) => None,
    };
    let is_named = || !before(start(*major, *minor, 0)) && before(after());
    let is_full = patch.is_some();
    match op {
        Op::Exact | Op::Wildcard if is_full => order == Ordering::Equal,
        Op::Exact | Op::Wildcard => is_named(),
        Op::Greater if is_full => order == Ordering::Greater,
        Op::Greater => after().is_some_and(|after| version.cmp_precedence(&after) != Ordering::Less),
        Op::GreaterEq => from_first,
        Op::Less => order == Ordering::Less,
        Op::LessEq if is_full => order != Ordering::Greater,
        Op::LessEq => before(after()),
        Op::Tilde => from_first && before(start(*major, *minor, 1)),
        Op::Caret => from_first && before(incompatible(*major, *minor, *patch)),
        _ => false,
    }
}

/// The lowest version, pre-releases included, of the major or minor version `further` steps after
/// the given one.
fn start(major: u64, minor: Option<u64>, further: u64) -> Option<Version> {
    let (major, minor) = match minor {
        None => (major.checked_add(further)?, 0),
        Some(minor) => (major, minor.checked_add(further)?),
    };
    lowest(major, minor, 0)
}

fn lowest(major: u64, minor: u64, patch: u64) -> Option<Version> {
    Some(Version { pre: Prerelease::new("0").ok()?, ..Version::new(major, minor, patch) })
}

/// The first incompatible version.
fn incompatible(major: u64, minor: Option<u64>, patch: Option<u64>) -> Option<Version> {
    match (major, minor, patch) {
        (0, Some(0), Some(patch)) => lowest(0, 0, patch.checked_add(1)?),
        (0, Some(minor), _) => lowest(0, minor.checked_add(1)?, 0),
        (major, ..) => lowest(major.checked_add(1)?, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, version: &str) -> Option<bool> {
        range.parse::<Versions>().unwrap().contains(version)
    }

    #[test]
    fn ranges_contain_versions() {
        for (range, inside, outside) in [
            ("<1.70", &["1.69.9", "0.0.1", "1.70.0-nightly", "1"][..], &["1.70.0", "1.70", "2"][..]),
            ("<=1.70", &["1.70.9", "1.70.0-a", "1.70"], &["1.71.0", "1.71.0-nightly"]),
            ("<=1.70.1", &["1.70.1", "1.70.1+x"], &["1.70.2", "1.70.2-a"]),
            (">1.70", &["1.71.0", "1.71.0-nightly", "2"], &["1.70.9", "1.70.9-a"]),
            (">1.70.0", &["1.70.1-a", "1.70.1"], &["1.70.0", "1.70.0-b"]),
            (">1", &["2.0.0-a"], &["1.99.0"]),
            (">=1.70", &["1.70.0", "1.70.1-a"], &["1.70.0-nightly", "1.69"]),
            ("1.2", &["1.2.0", "1.99.0", "1.3.0-a"], &["2.0.0-a", "2", "1.1.9", "1.2.0-a"]),
            ("0.2.3", &["0.2.3", "0.2.9"], &["0.3.0-a", "0.3", "0.2.2"]),
            ("0.0.3", &["0.0.3"], &["0.0.4", "0.0.4-a"]),
            ("^0", &["0.0.0", "0.99.0"], &["1.0.0-a"]),
            ("^0.0", &["0.0.9"], &["0.1.0-a"]),
            ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0-a", "1.2.2"]),
            ("~1", &["1.9.0"], &["2.0.0-a"]),
            ("=1.2", &["1.2.0-a", "1.2.9"], &["1.3.0-a", "1.1.9"]),
            ("1.2.*", &["1.2.0-a", "1.2.9"], &["1.3.0-a"]),
            ("=1.2.3", &["1.2.3", "v1.2.3+build"], &["1.2.3-a", "1.2.4"]),
            ("=1.2.3-rc.1", &["1.2.3-rc.1"], &["1.2.3"]),
            (">=1.2, <1.4", &["1.3.9", "1.4.0-a"], &["1.4.0", "1.1"]),
            ("*", &["0.0.0-0", "999999.0.0-a"], &[]),
            ("^18446744073709551615", &["18446744073709551615.1"], &["1.0.0"]),
        ] {
            for version in inside {
                assert_eq!(contains(range, version), Some(true), "{range} {version}");
            }
            for version in outside {
                assert_eq!(contains(range, version), Some(false), "{range} {version}");
            }
        }
        let two = "<1".parse::<Versions>().unwrap().or("=3.1".parse().unwrap());
        assert_eq!(["0.9", "2.0", "3.1.4"].map(|version| two.contains(version)), [Some(true), Some(false), Some(true)]);
    }

    /// Without pre-releases the result equals Cargo's.
    #[test]
    fn releases_compare_as_in_cargo() {
        let numbers = [0u64, 1, 2, 3];
        let ranges =
            ["1", "1.2", "1.2.1", "0.1", "0.0.2", "0", "~1", "~1.2", "~1.2.1", "=1", "=1.2", "1.*", "1.1.*", "*"];
        let ordered =
            ["<", "<=", ">", ">="].iter().flat_map(|op| ["1", "1.2", "1.2.1", "0"].map(|of| format!("{op}{of}")));
        for range in ranges.map(str::to_owned).into_iter().chain(ordered) {
            let oracle: VersionReq = range.parse().unwrap();
            for major in numbers {
                for (minor, patch) in numbers.iter().flat_map(|minor| numbers.map(|patch| (*minor, patch))) {
                    let version = Version::new(major, minor, patch);
                    let found = contains(&range, &version.to_string());
                    assert_eq!(found, Some(oracle.matches(&version)), "{range} {version}");
                }
            }
        }
    }

    #[test]
    fn tool_versions_are_parsed_leniently() {
        for (text, version) in [
            ("1.82.0 (f6e511eec 2024-10-15)", "1.82.0"),
            ("1.81.0-nightly (684b3553f 2024-06-20)", "1.81.0-nightly"),
            ("0.245.1", "0.245.1"),
            ("14.0.6", "14.0.6"),
            ("2021", "2021.0.0"),
            ("go1.22", "1.22.0"),
            ("v3.1.4+a.b", "3.1.4"),
            ("2024.01.05", "2024.1.5"),
            ("  1.2\t3", "1.2.0"),
        ] {
            assert_eq!(lenient(text), Some(version.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            " ",
            "C11",
            "nightly",
            "1.2.3.4",
            "1.",
            ".1",
            "1..2",
            "1.2.3rc1",
            "1.2.3-",
            "1.2.3-a_b",
            "1,2",
            "x1",
            "-1",
            "+1",
            "1.2.3~a",
            "99999999999999999999",
            "١.٢",
            "1.+2.3",
            "v",
            "(1.2.3)",
        ] {
            assert_eq!(contains("*", text), None, "{text}");
        }
        for range in ["", "y", "1.2.3.4", "<1 >2", "<", &"9".repeat(10_000)] {
            assert!(range.parse::<Versions>().is_err(), "{range}");
        }
    }
}
