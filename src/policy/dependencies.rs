//! What a binary was built from: refused, or required to be said.

use super::Items;
#[cfg(feature = "policy")]
use super::Versions;
#[cfg(feature = "dependencies")]
use super::named::Meant;
use super::named::{Named, tell_named};
use super::violations::{Broken, Spot};
use crate::edit::Glob;
use crate::finding::Code;
#[cfg(feature = "dependencies")]
use crate::metadata::Item;
use crate::metadata::Metadata;
use crate::scan::Path;

/// Packages that are refused, or a list of packages that is required: those of cargo-auditable's `.dep-v0` section.
///
/// - A package is meant if its name is (any, where none is given) and not excepted, its version is in one of the ranges and
///   its source matches one of the patterns, where there are some. The binary's own package has no source in this sense.
/// - Whose version cannot be compared with a range is refused as one that is in it.
/// - Where the list could not be read or is empty, stands more than once, or where decoding is not built in (feature
///   `dependencies`), the rule cannot be judged (`not-judged`). An item without a list is refused only where one is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependencies {
    items: Items,
    named: Named,
    sources: Vec<Glob>,
    required: bool,
}

const SECTION: &str = ".dep-v0";

impl Dependencies {
    /// Refuses the packages that these items list: all of them, unless more is said.
    pub fn refused(items: Items) -> Self {
        Self { items, named: Named::default(), sources: Vec::new(), required: false }
    }

    /// Requires each of these items to list its packages. Where an item is named by its path, it must be there.
    pub fn required(items: Items) -> Self {
        Self { required: true, ..Self::refused(items) }
    }

    tell_named!();

    /// Means those from these sources: `crates.io`, `git`, `local`, `registry`, or something newer.
    #[must_use]
    pub fn from_sources(mut self, sources: impl IntoIterator<Item = Glob>) -> Self {
        self.sources.extend(sources);
        self
    }

    /// Of an item that was not read to its end nobody knows which list counts.
    pub(super) fn judge(&self, metadata: &Metadata<'_>, complete: bool, broken: &mut Broken<'_>) {
        for (number, item) in self.items.of(metadata).filter(|(_, item)| complete || item.is_whole()) {
            let offset = item.dependencies().map_or(item.start(), |dependencies| dependencies.raw.range().start);
            let spot = Spot { item: number, offset, section: Some(SECTION) };
            let path = || metadata.path(item);
            match item.sections_named(SECTION) {
                0 if self.required => {
                    let why = || "a list of dependencies is required here, and is missing".to_owned();
                    broken.add(Code::MissingField, spot, path, why);
                }
                0 => {}
                #[cfg(feature = "dependencies")]
                1 => self.judge_list(item, spot, path, broken),
                #[cfg(not(feature = "dependencies"))]
                1 => broken.not_judged_at(spot, path, "decoding `.dep-v0` is not built in (feature `dependencies`)"),
                _ => broken.not_judged_at(spot, path, "there is more than one list of dependencies"),
            }
        }
        for absent in self.items.absent(metadata).into_iter().filter(|_| self.required && complete) {
            let why = || format!("there is no item {absent}, which is required to list its dependencies");
            broken.add(Code::MissingField, Spot::ROOT, Path::root, why);
        }
    }

    #[cfg(feature = "dependencies")]
    fn judge_list(&self, item: &Item<'_>, spot: Spot<'_>, path: impl Fn() -> Path, broken: &mut Broken<'_>) {
        let packages = item.dependencies().map(|dependencies| &*dependencies.packages).unwrap_or_default();
        if packages.is_empty() {
            broken.not_judged_at(spot, path, "the list of dependencies is empty, or could not be read");
            return;
        }
        let is_from = |source: &str| self.sources.iter().any(|glob| glob.matches(source));
        for package in packages.iter().filter(|_| !self.required) {
            if !self.sources.is_empty() && (package.root || !is_from(&package.source)) {
                continue;
            }
            let meant = self.named.means(&package.name, &package.version);
            if meant != Meant::No {
                let why = || {
                    let from = if self.sources.is_empty() { "" } else { &*package.source };
                    let from = if from.is_empty() { String::new() } else { format!(" (from {from})") };
                    meant.why("the dependency", &package.name, &package.version) + &from
                };
                broken.add_each(Code::RefusedDependency, spot, &path, why);
            }
        }
    }
}
