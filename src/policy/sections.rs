//! Sections that are refused.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::violations::{Spot, Violations};
use super::{Demand, Items, Policy, Rule, RuleError};
use crate::edit::Glob;
use crate::escape::quoted;
use crate::finding::{Code, Findings};
use crate::scan::{Entry, ItemKind, Path, Section, Visitor, Want, kind_name};

/// Sections that are refused: by the names of custom ones, by kind, by size.
///
/// A section is meant if its name or its kind is (every section, where nothing is said of either) and its name is not
/// excepted. It is refused; where a size is given, only if it is larger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    items: Items,
    names: Vec<Glob>,
    kinds: Vec<SectionKind>,
    except: Vec<Glob>,
    larger_than: Option<u64>,
}

/// What the id of a section means: `code`, `custom`, `core module`; `unknown` is any id that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionKind(&'static str);

impl SectionKind {
    /// All kinds, those of modules first.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |item| (0..0x80).map(move |id| kind_name(item, id));
        let mut names: Vec<&'static str> = Vec::new();
        for name in of(ItemKind::Module).chain(of(ItemKind::Component)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.into_iter().map(Self)
    }

    /// The name, as `sectile sections` gives it.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl FromStr for SectionKind {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::all().find(|kind| kind.0 == text).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(Self::name).collect();
            RuleError::new(format!("{} is no kind of section: the kinds are {}", quoted(text), names.join(", ")))
        })
    }
}

impl Sections {
    /// Every section that these items hold themselves.
    pub fn new(items: Items) -> Self {
        Self { items, names: Vec::new(), kinds: Vec::new(), except: Vec::new(), larger_than: None }
    }

    /// Of the custom ones, those of these names.
    #[must_use]
    pub fn named(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
        self.names.extend(names);
        self
    }

    /// Those of these kinds.
    #[must_use]
    pub fn of_kinds(mut self, kinds: impl IntoIterator<Item = SectionKind>) -> Self {
        self.kinds.extend(kinds);
        self
    }

    /// Not the custom ones of these names.
    #[must_use]
    pub fn except(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
        self.except.extend(names);
        self
    }

    /// Only those of more bytes, their headers included.
    #[must_use]
    pub fn larger_than(mut self, bytes: u64) -> Self {
        self.larger_than = Some(bytes);
        self
    }

    fn refuses(&self, section: &Section<'_>) -> bool {
        let range = section.range();
        if self.larger_than.is_some_and(|most| range.end - range.start <= most) {
            return false;
        }
        let has = |names: &[Glob]| section.is_custom() && names.iter().any(|glob| glob.matches(section.name()));
        let kind = section.kind_name();
        let is_any = self.names.is_empty() && self.kinds.is_empty();
        let is_meant = is_any || self.kinds.iter().any(|meant| meant.0 == kind) || has(&self.names);
        is_meant && !has(&self.except)
    }

    fn why(&self, section: &Section<'_>) -> String {
        let what = if section.is_custom() {
            format!("the custom section {}", quoted(section.name()))
        } else {
            format!("a section of the kind {}", quoted(section.kind_name()))
        };
        let range = section.range();
        match self.larger_than {
            Some(most) => format!("{what} has {} bytes, and more than {most} are refused", range.end - range.start),
            None => format!("{what} is refused"),
        }
    }
}

/// What the rules about sections found while an input was read: a part of a [`Reading`](super::Reading) for a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighted {
    by_rule: Vec<(Arc<Rule>, Findings)>,
}

impl Sighted {
    /// What the n-th of the rules about sections found, if that rule it was.
    pub(super) fn by_rule(&self, place: usize, rule: &Rule) -> Option<&Findings> {
        self.by_rule.get(place).filter(|(of, _)| **of == *rule).map(|(_, findings)| findings)
    }
}

/// Looks at every section for the rules that are about them, and shows all that it is shown to another visitor.
#[derive(Debug)]
pub(super) struct Watched<V> {
    pub(super) inner: V,
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Watch {
    rules: Vec<(Arc<Rule>, Violations)>,
    /// Of the item that the scanner is in.
    path: Path,
}

impl<V> Watched<V> {
    pub(super) fn new(inner: V, policy: &Policy) -> Self {
        let of_sections = policy.rules.iter().filter(|rule| matches!(rule.demand, Demand::Sections(_)));
        let limit = policy.limits.findings;
        let rules: Vec<_> = of_sections.map(|rule| (Arc::clone(rule), Violations::new(limit))).collect();
        let watch = (!rules.is_empty()).then(|| Watch { rules, path: Path::root() });
        Self { inner, watch }
    }

    /// What was found so far.
    #[cfg(feature = "gate")]
    pub(super) fn so_far(&self) -> Option<Sighted> {
        let by_rule = |watch: &Watch| {
            watch.rules.iter().map(|(rule, found)| (Arc::clone(rule), found.clone().findings())).collect()
        };
        self.watch.as_ref().map(|watch| Sighted { by_rule: by_rule(watch) })
    }

    pub(super) fn finish(self) -> (V, Option<Sighted>) {
        let by_rule = |watch: Watch| watch.rules.into_iter().map(|(rule, found)| (rule, found.findings())).collect();
        (self.inner, self.watch.map(|watch| Sighted { by_rule: by_rule(watch) }))
    }
}

impl Watch {
    #[inline(never)]
    fn see(&mut self, section: &Section<'_>) {
        for (rule, violations) in &mut self.rules {
            let Demand::Sections(sections) = &rule.demand else { continue };
            let path = || self.path.clone();
            if sections.refuses(section) && sections.items.has(section.item_kind, self.path.indexes().len(), path) {
                let name = section.is_custom().then(|| section.name());
                let spot = Spot { item: section.item, offset: section.range().start, section: name };
                violations.add(Code::RefusedSection, spot, rule, path, || sections.why(section));
            }
        }
    }
}

impl<'w, V: Visitor<'w>> Visitor<'w> for Watched<V> {
    fn enter(&mut self, entry: &Entry) {
        if let Some(watch) = self.watch.as_mut().filter(|_| entry.parent.is_some()) {
            watch.path.push(entry.index);
        }
        self.inner.enter(entry);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> Want {
        if let Some(watch) = &mut self.watch {
            watch.see(&Section { item: section.item, ..*section }); // a copy: the scanner's stays in registers
        }
        self.inner.section(section)
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> Want {
        self.inner.data(bytes, start)
    }

    fn leave(&mut self, item: u32, end: u64) {
        if let Some(watch) = &mut self.watch {
            watch.path.pop();
        }
        self.inner.leave(item, end);
    }
}
