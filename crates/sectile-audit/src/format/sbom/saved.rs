//! The items and packages in a row of an earlier report.

use std::borrow::Cow;

use serde::Deserialize;

use crate::baseline::line::RowLine;
use sectile::inventory::{Confidence, Ecosystem, Evidence, ListKind};
use sectile::metadata::Metadata;
use sectile::scan::ItemPath;
use sectile_policy::JudgedFinding;
use sectile_sbom::{FoundPackage, Package, Sbom};

/// The items and packages in a row of an earlier report.
pub(super) struct SavedTree<'l> {
    metadata: Metadata<'static>,
    /// Whether the row has all items and packages.
    is_complete: bool,
    packages: Vec<PackageLine<'l>>,
}

#[derive(Deserialize)]
struct PackagesLine<'l> {
    #[serde(borrow, default)]
    packages: Vec<PackageLine<'l>>,
    #[serde(default)]
    packages_left_out: u64,
}

#[derive(Deserialize)]
struct PackageLine<'l> {
    #[serde(borrow)]
    name: Cow<'l, str>,
    #[serde(borrow)]
    version: Cow<'l, str>,
    #[serde(borrow)]
    ecosystem: Cow<'l, str>,
    #[serde(borrow)]
    source: Cow<'l, str>,
    #[serde(borrow)]
    evidence: Cow<'l, str>,
    #[serde(borrow)]
    confidence: Cow<'l, str>,
    #[serde(borrow)]
    path: Cow<'l, str>,
    offset: u64,
    count: u64,
}

impl<'l> SavedTree<'l> {
    /// Parses the JSON line of a row; `None` if nothing was read of the binary.
    pub(super) fn parse(line: &'l str) -> Option<Self> {
        let row = RowLine::parse(line)?;
        let line: PackagesLine<'_> = serde_json::from_str(line).ok()?;
        let is_complete = row.items_left_out() == 0 && line.packages_left_out == 0;
        Some(Self { metadata: row.metadata()?, is_complete, packages: line.packages })
    }

    /// The SBOM of the items. The findings are those of the row.
    pub(super) fn sbom<'s>(&'s self, findings: &'s [JudgedFinding<'_>]) -> Sbom<'s> {
        let found = self.packages.iter().filter_map(|line| {
            let path: ItemPath = line.path.parse().ok()?;
            Some((self.metadata.item(&path)?.number(), line.to_found()?))
        });
        let findings = findings.iter().map(JudgedFinding::finding);
        let sbom = Sbom::from_metadata(&self.metadata).with_found(found).with_findings(&self.metadata, findings);
        if self.is_complete { sbom } else { sbom.incomplete() }
    }
}

impl PackageLine<'_> {
    /// The package, unless a list declares it: then it is in the metadata.
    fn to_found(&self) -> Option<Package<'_>> {
        let ecosystem = Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.name() == self.ecosystem)?;
        let evidence = Evidence::ALL.into_iter().find(|evidence| evidence.name() == self.evidence)?;
        let confidences = [Confidence::Medium, Confidence::High];
        let confidence = confidences.into_iter().find(|confidence| confidence.name() == self.confidence)?;
        let mut found = FoundPackage::new(ecosystem, evidence, confidence, self.offset);
        found.count = self.count;
        let package = Package::new(&*self.name, &*self.version).with_found(&*self.source, found);
        (evidence.list() != ListKind::Declared).then_some(package)
    }
}
