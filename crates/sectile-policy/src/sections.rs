//! Rules about sections.

use super::suggestion::hint;
use super::{Items, RuleError};
use sectile::Glob;
use sectile::internal::quoted;
use sectile::scan::{ItemKind, Section, SectionKind};

/// Refuses sections: custom sections by name, any section by kind or size.
///
/// A section matches if its name or its kind does; without names and kinds, every section matches.
/// If a size is given, only larger sections are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    pub(super) items: Items,
    names: Vec<Glob>,
    kinds: Vec<SectionKind>,
    excluded: Vec<Glob>,
    size_above: Option<u64>,
}

/// All kinds of sections that a rule can name, those of modules first. [`SectionKind::Other`]
/// represents every unknown id.
pub fn section_kinds() -> impl Iterator<Item = SectionKind> {
    let of = |item| (0..0x80).map(move |id| SectionKind::new(item, id));
    let mut kinds: Vec<SectionKind> = Vec::new();
    for kind in of(ItemKind::Module).chain(of(ItemKind::Component)) {
        if !kinds.iter().any(|other| other.name() == kind.name()) {
            kinds.push(kind);
        }
    }
    kinds.into_iter()
}

/// Parses the name of a kind, as `sectile sections` prints it.
pub(super) fn section_kind(text: &str) -> Result<SectionKind, RuleError> {
    section_kinds().find(|kind| kind.name() == text).ok_or_else(|| {
        let names: Vec<_> = section_kinds().map(SectionKind::name).collect();
        let hint = hint(text, "kinds of sections", &names, "docs/policy.md");
        RuleError::new(format!("{} is not a kind of section{hint}", quoted(text)))
    })
}

impl Sections {
    /// Refuses all sections of these items, but not those of nested items. Other methods narrow the
    /// rule.
    pub fn new(items: Items) -> Self {
        Self { items, names: Vec::new(), kinds: Vec::new(), excluded: Vec::new(), size_above: None }
    }

    /// Adds names of custom sections that match.
    #[must_use]
    pub fn with_names(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
        self.names.extend(names);
        self
    }

    /// Adds kinds of sections that match.
    #[must_use]
    pub fn with_kinds(mut self, kinds: impl IntoIterator<Item = SectionKind>) -> Self {
        self.kinds.extend(kinds);
        self
    }

    /// Adds names of custom sections that do not match.
    #[must_use]
    pub fn with_excluded_names(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
        self.excluded.extend(names);
        self
    }

    /// Refuses a matching section only if it has more bytes than this, its header included.
    #[must_use]
    pub fn with_size_above(mut self, bytes: u64) -> Self {
        self.size_above = Some(bytes);
        self
    }

    pub(super) fn refuses(&self, section: &Section<'_>) -> bool {
        let range = section.range();
        if self.size_above.is_some_and(|limit| range.end - range.start <= limit) {
            return false;
        }
        let matches = |names: &[Glob]| section.is_custom() && names.iter().any(|glob| glob.matches(section.name()));
        let kind = section.kind().name(); // all unknown ids share one name
        let is_any = self.names.is_empty() && self.kinds.is_empty();
        let is_selected = is_any || self.kinds.iter().any(|selected| selected.name() == kind) || matches(&self.names);
        is_selected && !matches(&self.excluded)
    }

    pub(super) fn message(&self, section: &Section<'_>) -> String {
        let what = if section.is_custom() {
            format!("the custom section {}", quoted(section.name()))
        } else {
            format!("a section of the kind {}", quoted(section.kind().name()))
        };
        let range = section.range();
        match self.size_above {
            Some(limit) => format!("{what} has {} bytes, and more than {limit} are refused", range.end - range.start),
            None => format!("{what} is refused"),
        }
    }
}
