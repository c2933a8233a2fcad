//! Rules about packages that a binary was built from.

use super::Items;
use super::Versions;
use super::names::{NameFilter, NameMatch, name_filter_methods};
use super::violations::{Position, RuleViolations};
use sectile::FindingCode;
use sectile::Glob;
use sectile::metadata::{Item, Metadata, Package};
use sectile::scan::ItemPath;

/// Refuses packages in cargo-auditable's `.dep-v0` section, or requires a list of packages.
///
/// - A package matches by name, version and source; a criterion that is not given matches any. The
///   binary's own package has no source, and matches no source pattern.
/// - A package whose version cannot be compared with a range is refused.
/// - If the list cannot be read, is empty or occurs more than once, the rule cannot be judged
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

    fn judge_list(
        &self,
        packages: &[Package],
        position: Position<'_>,
        path: impl Fn() -> ItemPath,
        violations: &mut RuleViolations<'_>,
    ) {
        let is_from = |source: &str| self.sources.iter().any(|glob| glob.matches(source));
        for package in packages.iter().filter(|_| !self.required) {
            if !self.sources.is_empty() && (package.root || !is_from(&package.source)) {
                continue;
            }
            let matched = self.filter.matches(&package.name, &package.version);
            if matched != NameMatch::No {
                let message = || {
                    let from = if self.sources.is_empty() { "" } else { &*package.source };
                    let from = if from.is_empty() { String::new() } else { format!(" (from {from})") };
                    matched.message("the dependency", &package.name, &package.version) + &from
                };
                violations.add_each(FindingCode::RefusedDependency, position, &path, message);
            }
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
