//! What breaks a rule, as findings.

use std::borrow::Cow;

use super::{Items, Rule};
use crate::finding::{Code, Findings};
use crate::metadata::{Field, Metadata, Value};
use crate::scan::Path;

/// The findings of one rule, folded as all findings are.
#[derive(Clone, Debug)]
pub(super) struct Violations(Findings);

/// Where something breaks a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'s> {
    /// The number of the item.
    pub(super) item: u32,
    pub(super) offset: u64,
    /// The name of the custom section, if it is about one.
    pub(super) section: Option<&'s str>,
}

impl Spot<'_> {
    pub(super) const ROOT: Self = Self { item: 0, offset: 0, section: None };
}

impl Violations {
    pub(super) fn new(limit: u32) -> Self {
        Self(Findings::new(limit))
    }

    /// Adds one, with the reason of the rule. The same code in the same section of the same item, again, only counts; where
    /// there is no section, each stands for itself.
    pub(super) fn add(
        &mut self,
        code: Code,
        spot: Spot<'_>,
        rule: &Rule,
        path: impl FnOnce() -> Path,
        why: impl FnOnce() -> String,
    ) {
        let Spot { item, offset, section } = spot;
        let describe = || (path(), because(why(), rule.reason.as_deref()));
        if section.is_some() {
            self.0.add(code, item, offset, section, describe);
        } else {
            self.0.add_apart(code, item, offset, section, describe);
        }
    }

    pub(super) fn findings(self) -> Findings {
        self.0
    }
}

/// A rule that is being judged, and what it is broken by so far.
pub(super) struct Broken<'r> {
    rule: &'r Rule,
    violations: Violations,
}

impl<'r> Broken<'r> {
    pub(super) fn new(rule: &'r Rule, limit: u32) -> Self {
        Self { rule, violations: Violations::new(limit) }
    }

    pub(super) fn add(
        &mut self,
        code: Code,
        spot: Spot<'_>,
        path: impl FnOnce() -> Path,
        why: impl FnOnce() -> String,
    ) {
        self.violations.add(code, spot, self.rule, path, why);
    }

    /// As [`add`](Self::add), but each in the same section stands for itself, too.
    pub(super) fn add_each(
        &mut self,
        code: Code,
        spot: Spot<'_>,
        path: impl FnOnce() -> Path,
        why: impl FnOnce() -> String,
    ) {
        let Spot { item, offset, section } = spot;
        let describe = || (path(), because(why(), self.rule.reason.as_deref()));
        self.violations.0.add_apart(code, item, offset, section, describe);
    }

    /// Nobody can say whether the rule holds.
    pub(super) fn not_judged(&mut self, why: &str) {
        self.not_judged_at(Spot::ROOT, Path::root, why);
    }

    /// Nobody can say whether the rule holds of an item.
    pub(super) fn not_judged_at(&mut self, spot: Spot<'_>, path: impl FnOnce() -> Path, why: &str) {
        let why = || format!("a rule of the policy cannot be judged: {why}");
        self.add(Code::NotJudged, spot, path, why);
    }

    /// Judges the values of a field, of the items that were read to their ends: of others nobody knows which value counts.
    /// Where an item has the section more than once, the first and the last are judged, as readers differ on which counts;
    /// `None` is one that could not be read.
    pub(super) fn by_values(
        &mut self,
        items: &Items,
        field: Field,
        code: Code,
        metadata: &Metadata<'_>,
        complete: bool,
        judge: impl Fn(Option<&Value<'_>>) -> Result<(), String>,
    ) {
        for (number, item) in (0..).zip(metadata.items()) {
            let sections = item.sections_of(field);
            let path = || metadata.path(item);
            let whole = complete || item.is_whole();
            if sections == 0 || !whole || !items.has(item.kind(), item.depth() as usize, path) {
                continue;
            }
            let (first, last) = (item.first_annotation(field), item.annotation(field));
            for value in [first].into_iter().chain((sections > 1).then_some(last)) {
                if let Err(why) = judge(value) {
                    let offset = value.map_or(item.start(), |value| value.range().start);
                    let spot = Spot { item: number, offset, section: Some(field.section()) };
                    self.add(code, spot, path, || why);
                }
            }
        }
    }

    pub(super) fn findings(self) -> Findings {
        self.violations.findings()
    }
}

fn because(why: String, reason: Option<&str>) -> Cow<'static, str> {
    match reason {
        Some(reason) => format!("{why} ({reason})").into(),
        None => why.into(),
    }
}
