//! Declared lists of packages, and their differences from what the data names.

use std::collections::{HashMap, HashSet};

use super::list::Inventory;
use super::package::{Confidence, Ecosystem, Evidence, Package};
use crate::escape::quoted;
use crate::finding::FindingCode;
use crate::metadata::{Item, Metadata};

/// The packages that the `.dep-v0` sections of all items declare, in the order of the items and of
/// their lists.
pub fn declared_packages<'a>(metadata: &'a Metadata<'_>) -> impl Iterator<Item = Package> + use<'a> {
    metadata.items().filter_map(|item| Some((item, item.dependencies()?))).flat_map(|(item, declared)| {
        let offset = declared.raw().range().start;
        declared.packages().iter().map(move |package| Package {
            name: package.name.clone(),
            version: package.version.clone(),
            ecosystem: Ecosystem::Cargo,
            source: package.source.clone(),
            evidence: Evidence::DepV0,
            confidence: Confidence::High,
            item: item.number(),
            path: item.path(),
            offset,
            count: 1,
            checksum: None,
            replaces: None,
        })
    })
}

impl Inventory {
    /// Compares the packages with the declared lists of the same binary. A crate that the list of
    /// its item or of an enclosing item declares is removed. Another crate is a finding
    /// (`undeclared-package`), unless it may belong to Rust's standard library, which declared lists
    /// omit.
    pub fn reconcile(&mut self, metadata: &Metadata<'_>) {
        let lists: HashMap<usize, DeclaredList<'_>> =
            metadata.items().filter_map(|item| Some((item.number(), versions_by_name(item)?))).collect();
        if lists.is_empty() {
            return;
        }
        let items: Vec<Item<'_>> = metadata.items().collect();
        let findings = &mut self.findings;
        self.packages.retain(|package| {
            if package.ecosystem != Ecosystem::Cargo {
                return true;
            }
            let mut enclosing = std::iter::successors(items.get(package.item).copied(), |item| item.parent());
            let mut has_list = false;
            let is_declared = enclosing.any(|item| {
                lists.get(&item.number()).is_some_and(|list| {
                    has_list = true;
                    // The version of a Git checkout is a revision, which lists omit.
                    let is_revision = package.evidence == Evidence::CheckoutPath;
                    let versions = list.get(&*package.name);
                    versions.is_some_and(|versions| is_revision || versions.contains(&*package.version))
                })
            });
            if has_list && !is_declared && package.evidence != Evidence::StdPath {
                let message = || {
                    let name = quoted(&package.name);
                    let message =
                        format!("{name} {} is not in the declared list, but the data names it", package.version);
                    (package.path.clone(), message.into())
                };
                findings.add(FindingCode::UndeclaredPackage, package.item as u32, package.offset, None, message);
            }
            !is_declared
        });
    }
}

/// The versions of each name.
type DeclaredList<'a> = HashMap<&'a str, HashSet<&'a str>>;

fn versions_by_name(item: Item<'_>) -> Option<DeclaredList<'_>> {
    let mut list = DeclaredList::new();
    for package in item.dependencies()?.packages() {
        list.entry(&package.name).or_default().insert(&package.version);
    }
    Some(list)
}
