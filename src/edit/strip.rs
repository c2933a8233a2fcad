//! What stripping takes, and what it leaves.

use super::Glob;
use crate::metadata::{SectionPurpose, purpose};

/// What is removed by [`Edit::strip`](super::Edit::strip), from an item and from all that it holds.
///
/// By itself: what debugging left, which is `.debug_*`, and the `reloc..debug_*` that belong to these. Everything else
/// stays: what a binary says of itself, the names that tools show, pointers to debugging data kept elsewhere, signatures,
/// and what loading or linking needs.
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
    /// Debugging data, and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of functions, locals and the like as well: of the name sections only the item's own name stays.
    #[must_use]
    pub fn names(mut self) -> Self {
        self.names = true;
        self
    }

    /// Every custom section as well that no convention known here gives a purpose. The program may need it, so each is a
    /// finding of the plan ([`RemovedUnknown`](crate::FindingCode::RemovedUnknown)). (What a known convention is for is not
    /// taken: metadata, names, links to debugging data, loading, linking, hints, signatures, interfaces, core dumps, and
    /// what platforms ask for.)
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Sections whose names match stay.
    #[must_use]
    pub fn keep(mut self, glob: Glob) -> Self {
        self.keep.push(glob);
        self
    }

    /// From the item alone, and from none that it holds.
    #[must_use]
    pub fn this_item_only(mut self) -> Self {
        self.this_item_only = true;
        self
    }

    /// Whether it takes a custom section of this name.
    pub(super) fn takes(&self, name: &str) -> bool {
        // Relocations of a section are of no use without it.
        let target = name.strip_prefix("reloc.").filter(|target| purpose(target) == Some(SectionPurpose::Debug));
        let takes = match purpose(target.unwrap_or(name)) {
            Some(purpose) => purpose == SectionPurpose::Debug,
            None => self.all,
        };
        takes && !self.keeps(name) && !target.is_some_and(|target| self.keeps(target))
    }

    /// Whether it takes the names, other than the item's own, out of a name section of this name.
    pub(super) fn takes_names_of(&self, name: &str) -> bool {
        self.names && !self.keeps(name)
    }

    fn keeps(&self, name: &str) -> bool {
        self.keep.iter().any(|glob| glob.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every purpose that a convention gives is one that somebody would miss, but for debugging data.
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
            assert_eq!(Strip::new().takes(name), by_default, "{name}");
            assert_eq!(Strip::new().all().takes(name), by_all, "{name}");
        }
    }

    #[test]
    fn kept_sections_keep_their_relocations() {
        let strip = Strip::new().all().names().keep(Glob::literal(".debug_line")).keep(Glob::literal("name"));
        assert!(!strip.takes(".debug_line") && !strip.takes("reloc..debug_line") && strip.takes("reloc..debug_info"));
        assert!(!strip.takes_names_of("name") && strip.takes_names_of("component-name"));
    }
}
