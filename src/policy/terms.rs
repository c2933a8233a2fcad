//! Licences as a policy compares them: what family each is of, and in which version.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use spdx::{AdditionItem, LicenseId, LicenseItem, LicenseRef, LicenseReq};

/// A licence of an expression, with its exception if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    base: Base,
    version: Version,
    /// Whether later versions are meant, too.
    or_later: bool,
    addition: Option<AdditionItem>,
}

/// A licence without its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Base {
    Listed(Family),
    Other(Box<LicenseRef>),
}

/// What stands in a licence's name before and behind the version: `("GPL-", "")`, `("MPL-", "-no-copyleft-exception")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Family(&'static str, &'static str);

/// As it is written in the name: `2.0`; empty where the name has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version(&'static str);

impl Version {
    fn numbers(self) -> impl Iterator<Item = u64> {
        self.0.split('.').map(|number| number.parse().unwrap_or_default())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers().cmp(other.numbers()).then_with(|| self.0.cmp(other.0))
    }
}

/// The versions of each family on the SPDX list.
static VERSIONS: LazyLock<BTreeMap<Family, BTreeSet<Version>>> = LazyLock::new(|| {
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for license in spdx::identifiers::LICENSES {
        let (family, version, _) = taken_apart(license.name, license.flags & spdx::flags::IS_GNU != 0);
        versions.entry(family).or_default().insert(version);
    }
    versions
});

/// A licence's name as its family, its version, and whether later ones are meant. Those of GNU say so in their names, and
/// `GPL-2.0` is what is `GPL-2.0-only` today.
fn taken_apart(name: &'static str, is_gnu: bool) -> (Family, Version, bool) {
    let later = name.strip_suffix('+').or_else(|| name.strip_suffix("-or-later").filter(|_| is_gnu));
    let only = name.strip_suffix("-only").filter(|_| is_gnu);
    let name = later.or(only).unwrap_or(name);
    let mut start = 0;
    for part in name.split('-') {
        let end = start + part.len();
        if !part.is_empty() && part.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) {
            return (Family(&name[..start], &name[end..]), Version(part), later.is_some());
        }
        start = end + 1;
    }
    (Family(name, ""), Version(""), later.is_some())
}

impl Term {
    pub(super) fn of(license: &LicenseReq) -> Self {
        let addition = license.addition.clone();
        match &license.license {
            LicenseItem::Spdx { id, or_later } => {
                let id: LicenseId = *id;
                let (family, version, named_later) = taken_apart(id.name, id.is_gnu());
                Self { base: Base::Listed(family), version, or_later: *or_later || named_later, addition }
            }
            LicenseItem::Other(other) => {
                Self { base: Base::Other(other.clone()), version: Version(""), or_later: false, addition }
            }
        }
    }

    /// Itself in each version that may be chosen.
    pub(super) fn versions(&self) -> impl Iterator<Item = Self> {
        let listed = match &self.base {
            Base::Listed(family) if self.or_later => VERSIONS.get(family),
            _ => None,
        };
        let later = listed.into_iter().flatten().filter(|version| **version > self.version).copied();
        let of_version = |version| Self { version, or_later: false, ..self.clone() };
        [self.version].into_iter().chain(later).map(of_version)
    }

    /// Without an exception.
    pub(super) fn without_addition(&self) -> Self {
        Self { addition: None, ..self.clone() }
    }
}

/// A set of licences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms(BTreeMap<(Base, Option<AdditionItem>), Versions>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Versions {
    exact: BTreeSet<Version>,
    /// This one and all later ones.
    from: Option<Version>,
}

impl Terms {
    pub(super) fn extend(&mut self, terms: impl IntoIterator<Item = Term>) {
        for Term { base, version, or_later, addition } in terms {
            let versions = self.0.entry((base, addition)).or_default();
            if or_later {
                versions.from = Some(versions.from.map_or(version, |from| from.min(version)));
            } else {
                versions.exact.insert(version);
            }
        }
    }

    /// Whether a licence is in the set, of whose version alone is spoken.
    pub(super) fn have(&self, term: &Term) -> bool {
        self.0.get(&(term.base.clone(), term.addition.clone())).is_some_and(|versions| {
            versions.exact.contains(&term.version) || versions.from.is_some_and(|from| from <= term.version)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, is_gnu, expected) in [
            ("GPL-2.0-or-later", true, (Family("GPL-", ""), Version("2.0"), true)),
            ("GPL-2.0-only", true, (Family("GPL-", ""), Version("2.0"), false)),
            ("GPL-2.0+", true, (Family("GPL-", ""), Version("2.0"), true)),
            ("MIT", false, (Family("MIT", ""), Version(""), false)),
            ("MPL-2.0-no-copyleft-exception", false, (Family("MPL-", "-no-copyleft-exception"), Version("2.0"), false)),
            ("0BSD", false, (Family("0BSD", ""), Version(""), false)),
        ] {
            assert_eq!(taken_apart(name, is_gnu), expected, "{name}");
        }
        assert!(Version("10.0") > Version("2.0") && Version("1.3") < Version("1.10"));
    }

    /// Every licence of the list is in a set of itself, and nothing else is but other names of it.
    #[test]
    fn the_whole_list() {
        let term = |name| Term::of(&LicenseReq::from(spdx::license_id(name).unwrap()));
        for license in spdx::identifiers::LICENSES {
            let mut terms = Terms::default();
            terms.extend([term(license.name)]);
            assert!(term(license.name).versions().all(|version| terms.have(&version)), "{}", license.name);
            assert!(license.name == "MIT" || !terms.have(&term("MIT")), "{}", license.name);
        }
    }
}
