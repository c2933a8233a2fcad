//! Rules about packages that a binary was built from.

use super::Items;
use super::Versions;
use super::names::{NameFilter, NameMatch, name_filter_methods};
use super::violations::{Position, RuleViolations};
use sectile::FindingCode;
use sectile::Glob;
use sectile::inventory::Inventory;
use sectile::metadata::{Item, Metadata, Package};
use sectile::scan::ItemPath;

/// Refuses packages, or requires a list of packages.
///
/// - The packages are those that cargo-auditable lists in the `.dep-v0` section, and those that the
///   data names if [these were read](super::Packages::All).
/// - A package matches by name, version and source; a criterion that is not given matches any. The
///   binary's own package has no source, and matches no source pattern.
/// - A package whose version cannot be compared with a range is refused.
/// - If a list of cargo-auditable cannot be read, is empty or occurs more than once, the rule cannot be judged
///   (`not-judged`). A missing list is refused only if one is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependencies {
    items: Items,
    filter: NameFilter,
    sources: Vec<Glob>,
    required: bool,
}

pub(super) const SECTION: &str = ".dep-v0";

impl Dependencies {
    /// Refuses all packages that these items list. Other methods narrow the rule.
    pub fn refused(items: Items) -> Self {
        Self { items, filter: NameFilter::default(), sources: Vec::new(), required: false }
    }

    /// Requires a list of packages in each of these items. An item that is named by its path must
    /// exist.
    pub fn required(items: Items) -> Self {
        Self { required: true, ..Self::refused(items) }
    }

    name_filter_methods!();

    pub(super) fn is_required(&self) -> bool {
        self.required
    }

    /// Adds sources: only packages from these match. Known sources are `crates.io`, `git`, `local`
    /// and `registry`.
    #[must_use]
    pub fn with_sources(mut self, sources: impl IntoIterator<Item = Glob>) -> Self {
        self.sources.extend(sources);
        self
    }

    /// Skips items that were not read to their ends: a later list might count.
    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, violations: &mut RuleViolations<'_>) {
        for (number, item) in self.items.select(metadata).filter(|(_, item)| complete || item.is_complete()) {
            let offset = item.dependencies().map_or(item.start(), |dependencies| dependencies.raw().range().start);
            let position = Position { item: number, offset, section: Some(SECTION) };
            let path = || item.path();
            match item.sections_named(SECTION) {
                0 if self.required => {
                    let message = || "a list of dependencies is required, but is missing".to_owned();
                    violations.add(FindingCode::MissingField, position, path, message);
                }
                _ => match package_list(item) {
                    Ok(packages) => self.judge_list(packages, position, path, violations),
                    Err(cause) => violations.not_judged_at(position, path, cause),
                },
            }
        }
        for absent in self.items.absent(metadata).into_iter().filter(|_| self.required && complete) {
            let message = || format!("item {absent} does not exist, but is required to list its dependencies");
            violations.add(FindingCode::MissingField, Position::ROOT, ItemPath::root, message);
        }
    }

    /// Judges the packages that the data names, of items that were read to their ends. They are no
    /// list that could be required.
    pub(super) fn judge_found(
        &self,
        inventory: &Inventory,
        metadata: &Metadata<'_>,
        complete: bool,
        violations: &mut RuleViolations<'_>,
    ) {
        if self.required {
            return;
        }
        for (number, item) in self.items.select(metadata).filter(|(_, item)| complete || item.is_complete()) {
            for package in inventory.packages_in(number as usize) {
                let position = Position { item: number, offset: package.offset, section: None };
                let what = format!("the {} dependency", package.evidence.list());
                let (name, version, source) = (&package.name, &package.version, &package.source);
                self.judge_package(&what, [name, version, source], position, || item.path(), violations);
            }
        }
    }

    fn judge_list(
        &self,
        packages: &[Package],
        position: Position<'_>,
        path: impl Fn() -> ItemPath,
        violations: &mut RuleViolations<'_>,
    ) {
        for package in packages.iter().filter(|_| !self.required) {
            let source = if package.root { "" } else { &package.source };
            self.judge_package(
                "the dependency",
                [&package.name, &package.version, source],
                position,
                &path,
                violations,
            );
        }
    }

    /// Judges a package by its name, its version and its source, which is empty for the binary's own
    /// package and if it is not known.
    fn judge_package(
        &self,
        what: &str,
        [name, version, source]: [&str; 3],
        position: Position<'_>,
        path: impl FnOnce() -> ItemPath,
        violations: &mut RuleViolations<'_>,
    ) {
        let is_from = |glob: &Glob| !source.is_empty() && glob.matches(source);
        if !(self.sources.is_empty() || self.sources.iter().any(is_from)) {
            return;
        }
        let matched = self.filter.matches(name, version);
        if matched != NameMatch::No {
            let message = || {
                let from = if self.sources.is_empty() { String::new() } else { format!(" (from {source})") };
                matched.message(what, name, version) + &from
            };
            violations.add_each(FindingCode::RefusedDependency, position, path, message);
        }
    }
}

/// The packages that an item lists; none without a list. The error is the reason why a list cannot
/// be judged.
pub(super) fn package_list(item: Item<'_>) -> Result<&[Package], &'static str> {
    let packages = item.dependencies().map(sectile::metadata::Dependencies::packages).unwrap_or_default();
    match item.sections_named(SECTION) {
        0 => Ok(&[]),
        1 if packages.is_empty() => Err("the list of dependencies is empty, or could not be read"),
        1 => Ok(packages),
        _ => Err("there is more than one list of dependencies"),
    }
}
