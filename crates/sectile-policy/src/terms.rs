//! Licenses in comparable form: family and version.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use spdx::{AdditionItem, AdditionRef, LicenseId, LicenseItem, LicenseRef, LicenseReq};

/// A license of an expression, with its exception if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LicenseTerm {
    base: LicenseBase,
    version: LicenseVersion,
    /// Whether later versions are included.
    or_later: bool,
    addition: Option<AdditionItem>,
}

/// A license without its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LicenseBase {
    Listed(LicenseFamily),
    Other(Box<LicenseRef>),
}

/// The parts of a license's name before and after the version: `("GPL-", "")`,
/// `("MPL-", "-no-copyleft-exception")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LicenseFamily(&'static str, &'static str);

/// A version as written in a name: `2.0`; empty if the name has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LicenseVersion(&'static str);

impl LicenseVersion {
    fn numbers(self) -> impl Iterator<Item = u64> {
        self.0.split('.').map(|number| number.parse().unwrap_or_default())
    }
}

impl PartialOrd for LicenseVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LicenseVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers().cmp(other.numbers()).then_with(|| self.0.cmp(other.0))
    }
}

/// The versions of each family on the SPDX list.
static VERSIONS: LazyLock<BTreeMap<LicenseFamily, BTreeSet<LicenseVersion>>> = LazyLock::new(|| {
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for license in spdx::identifiers::LICENSES {
        let (family, version, _) = split_name(license.name, license.flags & spdx::flags::IS_GNU != 0);
        versions.entry(family).or_default().insert(version);
    }
    versions
});

/// Splits a license's name into its family, its version, and whether later versions are included.
/// GNU licenses encode that in their names; `GPL-2.0` is the old name of `GPL-2.0-only`.
fn split_name(name: &'static str, is_gnu: bool) -> (LicenseFamily, LicenseVersion, bool) {
    let later = name.strip_suffix('+').or_else(|| name.strip_suffix("-or-later").filter(|_| is_gnu));
    let only = name.strip_suffix("-only").filter(|_| is_gnu);
    let name = later.or(only).unwrap_or(name);
    let mut start = 0;
    for part in name.split('-') {
        let end = start + part.len();
        if !part.is_empty() && part.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) {
            return (LicenseFamily(&name[..start], &name[end..]), LicenseVersion(part), later.is_some());
        }
        start = end + 1;
    }
    (LicenseFamily(name, ""), LicenseVersion(""), later.is_some())
}

impl LicenseTerm {
    pub(super) fn new(license: &LicenseReq) -> Self {
        let addition = license.addition.clone().map(folded_addition);
        match &license.license {
            LicenseItem::Spdx { id, or_later } => {
                let id: LicenseId = *id;
                let (family, version, named_later) = split_name(id.name, id.is_gnu());
                Self { base: LicenseBase::Listed(family), version, or_later: *or_later || named_later, addition }
            }
            LicenseItem::Other(other) => {
                let (doc_ref, lic_ref) = (folded(other.doc_ref.as_deref()), other.lic_ref.to_ascii_lowercase());
                let base = LicenseBase::Other(Box::new(LicenseRef { doc_ref, lic_ref }));
                Self { base, version: LicenseVersion(""), or_later: false, addition }
            }
        }
    }

    /// The license in each version that it permits.
    pub(super) fn versions(&self) -> impl Iterator<Item = Self> {
        let listed = match &self.base {
            LicenseBase::Listed(family) if self.or_later => VERSIONS.get(family),
            _ => None,
        };
        let later = listed.into_iter().flatten().filter(|version| **version > self.version).copied();
        let with_version = |version| Self { version, or_later: false, ..self.clone() };
        [self.version].into_iter().chain(later).map(with_version)
    }

    /// The license without its exception.
    pub(super) fn without_addition(&self) -> Self {
        Self { addition: None, ..self.clone() }
    }
}

/// Names of references are compared without case.
fn folded(name: Option<&str>) -> Option<String> {
    name.map(str::to_ascii_lowercase)
}

fn folded_addition(addition: AdditionItem) -> AdditionItem {
    match addition {
        AdditionItem::Other(other) => {
            let (doc_ref, add_ref) = (folded(other.doc_ref.as_deref()), other.add_ref.to_ascii_lowercase());
            AdditionItem::Other(Box::new(AdditionRef { doc_ref, add_ref }))
        }
        listed @ AdditionItem::Spdx(_) => listed,
    }
}

/// A set of licenses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LicenseSet(BTreeMap<(LicenseBase, Option<AdditionItem>), VersionSet>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct VersionSet {
    exact: BTreeSet<LicenseVersion>,
    /// This version and all later ones.
    from: Option<LicenseVersion>,
}

impl LicenseSet {
    pub(super) fn extend(&mut self, terms: impl IntoIterator<Item = LicenseTerm>) {
        for LicenseTerm { base, version, or_later, addition } in terms {
            let versions = self.0.entry((base, addition)).or_default();
            if or_later {
                versions.from = Some(versions.from.map_or(version, |from| from.min(version)));
            } else {
                versions.exact.insert(version);
            }
        }
    }

    /// Whether the set contains a license in exactly its version.
    pub(super) fn contains(&self, term: &LicenseTerm) -> bool {
        self.0.get(&(term.base.clone(), term.addition.clone())).is_some_and(|versions| {
            versions.exact.contains(&term.version) || versions.from.is_some_and(|from| from <= term.version)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        for (name, is_gnu, expected) in [
            ("GPL-2.0-or-later", true, (LicenseFamily("GPL-", ""), LicenseVersion("2.0"), true)),
            ("GPL-2.0-only", true, (LicenseFamily("GPL-", ""), LicenseVersion("2.0"), false)),
            ("GPL-2.0+", true, (LicenseFamily("GPL-", ""), LicenseVersion("2.0"), true)),
            ("MIT", false, (LicenseFamily("MIT", ""), LicenseVersion(""), false)),
            (
                "MPL-2.0-no-copyleft-exception",
                false,
                (LicenseFamily("MPL-", "-no-copyleft-exception"), LicenseVersion("2.0"), false),
            ),
            ("0BSD", false, (LicenseFamily("0BSD", ""), LicenseVersion(""), false)),
        ] {
            assert_eq!(split_name(name, is_gnu), expected, "{name}");
        }
        assert!(LicenseVersion("10.0") > LicenseVersion("2.0") && LicenseVersion("1.3") < LicenseVersion("1.10"));
    }

    /// A set of one license contains all names of that license, and nothing else.
    #[test]
    fn the_whole_list() {
        let term = |name| LicenseTerm::new(&LicenseReq::from(spdx::license_id(name).unwrap()));
        for license in spdx::identifiers::LICENSES {
            let mut terms = LicenseSet::default();
            terms.extend([term(license.name)]);
            assert!(term(license.name).versions().all(|version| terms.contains(&version)), "{}", license.name);
            assert!(license.name == "MIT" || !terms.contains(&term("MIT")), "{}", license.name);
        }
    }
}
