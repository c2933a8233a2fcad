//! Applies section rules during the read.

use std::sync::Arc;

use super::violations::{Position, Violations};
use super::{Demand, Policy, Rule};
use sectile::internal::copy_section;
use sectile::metadata::Metadata;
use sectile::scan::{DataRequest, ItemPath, ItemStart, Section, Visitor};
use sectile::{FindingCode, Findings};

/// Sections that the section rules refuse: a part of a [`Reading`](super::Reading) for a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionMatches {
    by_rule: Vec<(Arc<Rule>, Findings)>,
}

impl SectionMatches {
    /// The matches among the sections of a saved report, in input order. `None` if the policy has no
    /// section rule.
    pub(crate) fn of_saved(policy: &Policy, metadata: &Metadata<'_>, sections: &[Section<'_>]) -> Option<Self> {
        let mut rules = SectionRules::new(policy)?;
        let mut item = 0;
        for section in sections {
            if std::mem::replace(&mut item, section.item()) != section.item() {
                rules.path = metadata.items().nth(item as usize)?.path();
            }
            rules.inspect(section);
        }
        Some(rules.finish())
    }

    /// The findings of the section rule with this index, if it is the given rule.
    pub(super) fn for_rule(&self, index: usize, rule: &Rule) -> Option<&Findings> {
        self.by_rule.get(index).filter(|(of, _)| **of == *rule).map(|(_, findings)| findings)
    }
}

/// Visitor that applies the section rules and forwards everything to another visitor.
#[derive(Debug)]
pub(super) struct SectionRuleVisitor<V> {
    pub(super) inner: V,
    rules: Option<SectionRules>,
}

#[derive(Debug)]
struct SectionRules {
    rules: Vec<(Arc<Rule>, Violations)>,
    /// Path of the current item.
    path: ItemPath,
}

impl<V> SectionRuleVisitor<V> {
    pub(super) fn new(inner: V, policy: &Policy) -> Self {
        Self { inner, rules: SectionRules::new(policy) }
    }

    /// The matches so far.
    pub(super) fn so_far(&self) -> Option<SectionMatches> {
        let by_rule = |section_rules: &SectionRules| {
            let rules = section_rules.rules.iter();
            rules.map(|(rule, found)| (Arc::clone(rule), found.clone().findings())).collect()
        };
        self.rules.as_ref().map(|rules| SectionMatches { by_rule: by_rule(rules) })
    }

    pub(super) fn finish(self) -> (V, Option<SectionMatches>) {
        (self.inner, self.rules.map(SectionRules::finish))
    }
}

impl SectionRules {
    /// The section rules of a policy; `None` if it has none.
    fn new(policy: &Policy) -> Option<Self> {
        let section_rules = policy.rules.iter().filter(|rule| matches!(rule.demand, Demand::Sections(_)));
        let limit = policy.limits.max_findings_per_code;
        let rules: Vec<_> = section_rules.map(|rule| (Arc::clone(rule), Violations::new(limit))).collect();
        (!rules.is_empty()).then(|| Self { rules, path: ItemPath::root() })
    }

    fn finish(self) -> SectionMatches {
        SectionMatches { by_rule: self.rules.into_iter().map(|(rule, found)| (rule, found.findings())).collect() }
    }

    #[inline(never)]
    fn inspect(&mut self, section: &Section<'_>) {
        for (rule, violations) in &mut self.rules {
            let Demand::Sections(sections) = &rule.demand else { continue };
            let path = || self.path.clone();
            let depth = self.path.indexes().len();
            if sections.refuses(section) && sections.items.contains(section.item_kind(), depth, path) {
                let name = section.is_custom().then(|| section.name());
                let position = Position { item: section.item(), offset: section.range().start, section: name };
                let (code, reason) = (FindingCode::RefusedSection, rule.reason.as_deref());
                violations.add(code, position, reason, path, || sections.message(section));
            }
        }
    }
}

impl<'w, V: Visitor<'w>> Visitor<'w> for SectionRuleVisitor<V> {
    fn enter(&mut self, start: &ItemStart<'_>) {
        if let Some(rules) = self.rules.as_mut().filter(|_| start.parent().is_some()) {
            rules.path.push(start.index());
        }
        self.inner.enter(start);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        if let Some(rules) = &mut self.rules {
            rules.inspect(&copy_section(section));
        }
        self.inner.section(section)
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        self.inner.data(bytes, start)
    }

    fn truncated(&mut self, end: u64) -> DataRequest {
        self.inner.truncated(end)
    }

    fn leave(&mut self, item: u32, end: u64) {
        if let Some(rules) = &mut self.rules {
            rules.path.pop();
        }
        self.inner.leave(item, end);
    }
}
