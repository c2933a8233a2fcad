//! Violations of rules, as findings.

use std::borrow::Cow;

use super::Items;
use sectile::metadata::{Field, Metadata, Value};
use sectile::scan::ItemPath;
use sectile::{FindingCode, Findings};

/// The findings of one rule, folded as all findings are.
#[derive(Clone, Debug)]
pub(super) struct Violations(Findings);

/// The position of a violation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position<'s> {
    /// The number of the item.
    pub(super) item: u32,
    pub(super) offset: u64,
    /// The name of the custom section, if the violation is about one.
    pub(super) section: Option<&'s str>,
}

impl Position<'_> {
    pub(super) const ROOT: Self = Self { item: 0, offset: 0, section: None };
}

impl Violations {
    pub(super) fn new(limit: u32) -> Self {
        Self(Findings::with_limit(limit))
    }

    /// Adds a violation with the reason of the rule. Repeated violations of one code in the same
    /// section are folded into one finding with a count; violations without a section stay
    /// separate.
    pub(super) fn add(
        &mut self,
        code: FindingCode,
        position: Position<'_>,
        reason: Option<&str>,
        path: impl FnOnce() -> ItemPath,
        message: impl FnOnce() -> String,
    ) {
        let Position { item, offset, section } = position;
        let describe = || (path(), with_reason(message(), reason));
        if section.is_some() {
            self.0.add(code, item, offset, section, describe);
        } else {
            self.0.add_unfolded(code, item, offset, section, describe);
        }
    }

    pub(super) fn findings(self) -> Findings {
        self.0
    }
}

/// Collects the violations of one rule.
pub(super) struct RuleViolations<'r> {
    /// Why the policy has the rule.
    reason: Option<&'r str>,
    violations: Violations,
}

impl<'r> RuleViolations<'r> {
    pub(super) fn new(reason: Option<&'r str>, limit: u32) -> Self {
        Self { reason, violations: Violations::new(limit) }
    }

    pub(super) fn add(
        &mut self,
        code: FindingCode,
        position: Position<'_>,
        path: impl FnOnce() -> ItemPath,
        message: impl FnOnce() -> String,
    ) {
        self.violations.add(code, position, self.reason, path, message);
    }

    /// As [`add`](Self::add), but never folds.
    pub(super) fn add_each(
        &mut self,
        code: FindingCode,
        position: Position<'_>,
        path: impl FnOnce() -> ItemPath,
        message: impl FnOnce() -> String,
    ) {
        let Position { item, offset, section } = position;
        let describe = || (path(), with_reason(message(), self.reason));
        self.violations.0.add_unfolded(code, item, offset, section, describe);
    }

    /// Adds a finding that the rule could not be judged.
    pub(super) fn not_judged(&mut self, cause: &str) {
        self.not_judged_at(Position::ROOT, ItemPath::root, cause);
    }

    /// Adds a finding that the rule could not be judged for an item.
    pub(super) fn not_judged_at(&mut self, position: Position<'_>, path: impl FnOnce() -> ItemPath, cause: &str) {
        let message = || format!("a rule of the policy cannot be judged: {cause}");
        self.add(FindingCode::NotJudged, position, path, message);
    }

    /// Judges the values of a field in the items that were read to their ends. If an item has the
    /// section several times, the first and the last are judged, because readers disagree on which
    /// one wins. `None` is a value that could not be read.
    pub(super) fn judge_values(
        &mut self,
        items: &Items,
        field: Field,
        code: FindingCode,
        metadata: &Metadata<'_>,
        complete: bool,
        judge: impl Fn(Option<&Value<'_>>) -> Result<(), String>,
    ) {
        for (number, item) in (0..).zip(metadata.items()) {
            let sections = item.section_count(field);
            let path = || item.path();
            let complete = complete || item.is_complete();
            if sections == 0 || !complete || !items.contains(item.kind(), item.depth() as usize, path) {
                continue;
            }
            let (first, last) = (item.first_annotation(field), item.annotation(field));
            for value in [first].into_iter().chain((sections > 1).then_some(last)) {
                if let Err(message) = judge(value) {
                    let offset = value.map_or(item.start(), |value| value.range().start);
                    let position = Position { item: number, offset, section: Some(field.section()) };
                    self.add(code, position, path, || message);
                }
            }
        }
    }

    pub(super) fn findings(self) -> Findings {
        self.violations.findings()
    }
}

fn with_reason(message: String, reason: Option<&str>) -> Cow<'static, str> {
    match reason {
        Some(reason) => format!("{message} ({reason})").into(),
        None => message.into(),
    }
}
