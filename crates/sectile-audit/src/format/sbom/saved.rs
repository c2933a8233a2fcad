//! The SBOM of a row of an earlier report.

use crate::baseline::line::RowLine;
use sectile_policy::{JudgedFinding, Packages, Policy, Reading};
use sectile_sbom::Sbom;

/// The items and packages in a row of an earlier report.
pub(super) struct SavedTree {
    reading: Reading<'static>,
    /// Whether the row has all items and packages.
    is_complete: bool,
}

impl SavedTree {
    /// Parses the JSON line of a row; `None` if nothing was read of the binary.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let saved = RowLine::parse(line)?.reading(&Policy::default(), Packages::All);
        let is_complete = saved.items_left_out == 0 && saved.packages_left_out == 0 && saved.has_packages;
        Some(Self { reading: saved.reading?, is_complete })
    }

    /// The SBOM of the items. The findings are those of the row.
    pub(super) fn sbom<'s>(&'s self, findings: &'s [JudgedFinding<'_>]) -> Sbom<'s> {
        let metadata = self.reading.metadata();
        let sbom = Sbom::from_metadata(metadata);
        let sbom = match self.reading.inventory() {
            Some(inventory) => sbom.with_inventory(metadata, inventory),
            None => sbom,
        };
        let sbom = sbom.with_findings(metadata, findings.iter().map(JudgedFinding::finding));
        if self.is_complete { sbom } else { sbom.incomplete() }
    }
}
