//! Rules about advisories, and the advisories that affect the packages of a binary.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::dependencies::{SECTION, package_list};
use super::names::{NameFilter, NameMatch, name_filter_methods};
use super::violations::{Position, RuleViolations};
use sectile::Glob;
use sectile::inventory::{Inventory, ListKind};
use sectile::metadata::{Item, Metadata, Package};
use sectile::scan::ItemPath;
use sectile::{Finding, FindingCode, internal};
use sectile_advisories::{Advisories, AdvisoryClass, AdvisoryMatch, Ecosystem, PackageId, PackageOrigin, Rating};

use super::Versions;

/// Refuses packages because of advisories about them.
///
/// - An advisory is refused by the first rule that matches it. Without any rule of this kind, every
///   vulnerability is refused.
/// - A rule without classes matches vulnerabilities and malware.
/// - An advisory without a severity matches any severity.
/// - A package whose version cannot be compared with the affected versions is not judged
///   (`not-judged`), as is a list of packages that cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvisoryRule {
    classes: BTreeSet<AdvisoryClass>,
    least: Option<Rating>,
    filter: NameFilter,
}

impl AdvisoryRule {
    /// Refuses all vulnerabilities and malware. Other methods change that.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a class: only these match. The class of vulnerabilities includes malware.
    #[must_use]
    pub fn with_class(mut self, class: AdvisoryClass) -> Self {
        self.classes.insert(class);
        self
    }

    /// Limits the rule to advisories of this severity or a worse one.
    #[must_use]
    pub fn with_least(self, least: Rating) -> Self {
        Self { least: Some(least), ..self }
    }

    name_filter_methods!();

    /// Whether the rule refuses a match.
    pub(super) fn refuses(&self, found: &AdvisoryMatch) -> bool {
        let advisory = found.advisory();
        let is_vulnerable = matches!(advisory.class, AdvisoryClass::Vulnerability | AdvisoryClass::Malware);
        let of_class = self.classes.contains(&advisory.class)
            || is_vulnerable && (self.classes.is_empty() || self.classes.contains(&AdvisoryClass::Vulnerability));
        let is_severe = self.least.is_none_or(|least| advisory.rating.is_none_or(|rating| rating >= least));
        of_class && is_severe && self.filter.matches(found.affected.package(), &found.version) != NameMatch::No
    }
}

/// An advisory that affects a package of a binary, and where the package is recorded.
#[derive(Clone, Debug)]
pub struct LocatedAdvisory {
    pub(crate) found: Arc<AdvisoryMatch>,
    path: ItemPath,
    offset: u64,
    section: Option<Box<str>>,
}

impl LocatedAdvisory {
    /// A match of an earlier report, with the finding that it was reported by.
    pub(crate) fn from_finding(finding: &Finding, found: Arc<AdvisoryMatch>) -> Self {
        Self {
            found,
            path: finding.path().clone(),
            offset: finding.offset(),
            section: finding.section().map(Into::into),
        }
    }

    /// The finding about it.
    pub(super) fn finding(&self, code: FindingCode, reason: Option<&str>) -> Finding {
        let message = match reason {
            Some(reason) => format!("{} ({reason})", self.found),
            None => self.found.to_string(),
        };
        internal::finding(code, self.path.clone(), self.offset, self.section.as_deref(), message)
    }
}

/// Maximum number of advisories that are listed for a binary. The largest known projects have fewer
/// packages with an advisory.
const MAX_FOUND: usize = 1_000;

/// Finds the advisories that affect the packages of a binary, the most important first. Adds a
/// finding for each list and each package that cannot be judged.
///
/// Skips items that were not read to their ends: a later list might count.
pub(super) fn find(
    advisories: &Advisories,
    metadata: &Metadata<'_>,
    inventory: Option<&Inventory>,
    complete: bool,
    violations: &mut RuleViolations<'_>,
) -> Vec<LocatedAdvisory> {
    let mut found = Vec::new();
    for (item, position) in items(metadata, complete) {
        match package_list(item) {
            Ok(packages) => find_in_list(advisories, item, packages, position, &mut found, violations),
            Err(cause) => violations.not_judged_at(position, || item.path(), cause),
        }
        find_in_toolchains(advisories, item, position.item, &mut found, violations);
    }
    if let Some(inventory) = inventory {
        find_in_inventory(advisories, inventory, metadata, complete, &mut found, violations);
    }
    check_number(found.len(), violations);
    found.truncate(MAX_FOUND);
    found.sort_by_key(|one| std::cmp::Reverse(one.found.advisory().weight()));
    found
}

/// Adds the findings of [`find`] for advisories that an earlier report found.
pub(super) fn check_saved(
    saved: &[LocatedAdvisory],
    metadata: &Metadata<'_>,
    complete: bool,
    violations: &mut RuleViolations<'_>,
) {
    for (item, position) in items(metadata, complete) {
        if let Err(cause) = package_list(item) {
            violations.not_judged_at(position, || item.path(), cause);
        }
    }
    // The earlier report had more, or exactly as many.
    check_number(saved.len() + usize::from(saved.len() == MAX_FOUND), violations);
}

/// The items that are judged, with the positions of their lists.
fn items<'m>(metadata: &'m Metadata<'_>, complete: bool) -> impl Iterator<Item = (Item<'m>, Position<'static>)> {
    let items = (0..).zip(metadata.items()).filter(move |(_, item)| complete || item.is_complete());
    items.map(|(number, item)| {
        let offset = item.dependencies().map_or(item.start(), |dependencies| dependencies.raw().range().start);
        (item, Position { item: number, offset, section: Some(SECTION) })
    })
}

fn check_number(number: usize, violations: &mut RuleViolations<'_>) {
    if number > MAX_FOUND {
        violations.not_judged(&format!("more than {MAX_FOUND} advisories affect its packages"));
    }
}

fn find_in_list(
    advisories: &Advisories,
    item: Item<'_>,
    packages: &[Package],
    position: Position<'_>,
    found: &mut Vec<LocatedAdvisory>,
    violations: &mut RuleViolations<'_>,
) {
    for package in packages {
        let id = PackageId::from_recorded(&package.name, &package.version, &package.source, package.root);
        let Some(id) = id else { continue };
        if found.len() > MAX_FOUND {
            return;
        }
        find_for_package(advisories, id, PackageOrigin::Declared, item, position, found, violations);
    }
}

/// As [`find_in_list`], for the standard libraries of the compilers that the item names.
fn find_in_toolchains(
    advisories: &Advisories,
    item: Item<'_>,
    number: u32,
    found: &mut Vec<LocatedAdvisory>,
    violations: &mut RuleViolations<'_>,
) {
    for (name, version) in compilers(item) {
        let Some(id) = PackageId::from_compiler(name, version) else { continue };
        if found.len() > MAX_FOUND {
            return;
        }
        let offset = item.producers().ranges().next().map_or(item.start(), |range| range.start);
        let position = Position { item: number, offset, section: Some("producers") };
        find_for_package(advisories, id, PackageOrigin::Declared, item, position, found, violations);
    }
}

/// Names and versions of the tools that processed an item.
fn compilers(item: Item<'_>) -> impl Iterator<Item = (&str, &str)> {
    item.producers().fields().filter(|field| field.name() == "processed-by").flat_map(|field| field.values())
}

/// As [`find_in_list`], for the packages that the data names and that no list declares.
fn find_in_inventory(
    advisories: &Advisories,
    inventory: &Inventory,
    metadata: &Metadata<'_>,
    complete: bool,
    found: &mut Vec<LocatedAdvisory>,
    violations: &mut RuleViolations<'_>,
) {
    let items: Vec<Item<'_>> = metadata.items().collect();
    for package in inventory.packages() {
        let Some(item) = items.get(package.item).filter(|item| complete || item.is_complete()) else { continue };
        let id = PackageId::from_found(package.ecosystem.name(), &package.name, &package.version, &package.source);
        let Some(id) = id else { continue };
        if found.len() > MAX_FOUND {
            return;
        }
        // The compiler's own statement counts.
        if id.ecosystem == Ecosystem::Rust && compilers(*item).any(|(name, _)| name == "rustc") {
            continue;
        }
        let origin = match package.evidence.list() {
            ListKind::Declared | ListKind::Embedded => PackageOrigin::Declared,
            ListKind::Recovered => PackageOrigin::Recovered,
        };
        let position = Position { item: package.item as u32, offset: package.offset, section: None };
        find_for_package(advisories, id, origin, *item, position, found, violations);
    }
}

fn find_for_package(
    advisories: &Advisories,
    id: PackageId<'_>,
    origin: PackageOrigin,
    item: Item<'_>,
    position: Position<'_>,
    found: &mut Vec<LocatedAdvisory>,
    violations: &mut RuleViolations<'_>,
) {
    let matches = advisories.matches(id);
    if let Some(cause) = matches.incomparable(id) {
        violations.not_judged_at(position, || item.path(), &cause);
    }
    found.extend(matches.affected.into_iter().map(|affected| {
        let found = AdvisoryMatch::new(Arc::clone(affected), id.version, origin);
        let section = position.section.map(Into::into);
        LocatedAdvisory { found: Arc::new(found), path: item.path(), offset: position.offset, section }
    }));
}
