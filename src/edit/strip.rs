//! Selection of the sections to strip.

use super::Glob;
use crate::metadata::{SectionPurpose, purpose};

/// Sections to remove with [`Edit::strip`](super::Edit::strip) from an item and the items nested in
/// it.
///
/// By default only debug sections: `.debug_*` and their relocations, `reloc..debug_*`. Metadata,
/// names, links to debugging data, signatures, and sections for loading or linking stay.
///
/// ```
/// use sectile::edit::{Edit, Strip};
///
/// let module = b"\0asm\x01\0\0\0\x00\x0b\x0a.debug_str\x00\x0c\x08licensesMIT";
/// let planned = Edit::new().strip(Strip::new()).plan_slice(module)?;
/// assert_eq!(planned.changes()[0].section(), ".debug_str");
/// assert_eq!(planned.plan().dropped().collect::<Vec<_>>(), [8..21]);
/// # Ok::<(), sectile::edit::EditError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strip {
    pub(super) names: bool,
    pub(super) this_item_only: bool,
    all: bool,
    keep: Vec<Glob>,
}

impl Strip {
    /// Strips only debug sections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also strips name sections, except for the item's own name.
    #[must_use]
    pub fn names(mut self) -> Self {
        self.names = true;
        self
    }

    /// Also strips every custom section whose [purpose](crate::metadata::SectionPurpose) is
    /// unknown. The program may need such a section, so the plan has a finding about each
    /// ([`RemovedUnknown`](crate::FindingCode::RemovedUnknown)).
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Keeps sections whose names match the pattern.
    #[must_use]
    pub fn keep(mut self, glob: Glob) -> Self {
        self.keep.push(glob);
        self
    }

    /// Strips only this item, not the items nested in it.
    #[must_use]
    pub fn this_item_only(mut self) -> Self {
        self.this_item_only = true;
        self
    }

    /// Whether a custom section with this name is removed.
    pub(super) fn removes(&self, name: &str) -> bool {
        // Relocations are useless without their section.
        let target = name.strip_prefix("reloc.").filter(|target| purpose(target) == Some(SectionPurpose::Debug));
        let selected = match purpose(target.unwrap_or(name)) {
            Some(purpose) => purpose == SectionPurpose::Debug,
            None => self.all,
        };
        selected && !self.keeps(name) && !target.is_some_and(|target| self.keeps(target))
    }

    /// Whether a section with this name, `name` or `component-name`, is reduced to the item's own
    /// name.
    pub(super) fn removes_names_of(&self, name: &str) -> bool {
        self.names && !self.keeps(name)
    }

    fn keeps(&self, name: &str) -> bool {
        self.keep.iter().any(|glob| glob.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sections with a known purpose other than debugging stay.
    #[test]
    fn strip_selects_sections_by_name() {
        for (name, by_default, by_all) in [
            (".debug_info", true, true),
            (".debug_", true, true),
            ("reloc..debug_info", true, true),
            ("unheard-of", false, true),
            (".debug", false, true),
            ("reloc.CODE", false, false),
            ("name", false, false),
            ("component-name", false, false),
            ("authors", false, false),
            ("version", false, false),
            ("producers", false, false),
            (".dep-v0", false, false),
            ("registry-metadata", false, false),
            ("build_id", false, false),
            ("sourceMappingURL", false, false),
            ("external_debug_info", false, false),
            ("dylink", false, false),
            ("dylink.0", false, false),
            ("linking", false, false),
            ("target_features", false, false),
            ("metadata.code.branch_hint", false, false),
            ("signature", false, false),
            ("signature_delimiter", false, false),
            ("signature_wasmsign", false, false),
            ("jwt", false, false),
            ("wasmcloud_jwt", false, false),
            ("psp-runtime", false, true),
            ("component-type:x", false, false),
            ("package-docs", false, false),
            ("core", false, false),
            ("contractspecv0", false, false),
            ("icp:public candid:service", false, false),
            ("runtime_version", false, false),
        ] {
            assert_eq!(Strip::new().removes(name), by_default, "{name}");
            assert_eq!(Strip::new().all().removes(name), by_all, "{name}");
        }
    }

    #[test]
    fn kept_sections_keep_their_relocations() {
        let strip = Strip::new().all().names().keep(Glob::literal(".debug_line")).keep(Glob::literal("name"));
        assert!(
            !strip.removes(".debug_line") && !strip.removes("reloc..debug_line") && strip.removes("reloc..debug_info")
        );
        assert!(!strip.removes_names_of("name") && strip.removes_names_of("component-name"));
    }
}
