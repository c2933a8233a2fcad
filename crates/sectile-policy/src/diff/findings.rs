//! Findings of a row, compared with those of an earlier one.

use std::collections::HashMap;

use sectile::scan::ItemPath;

use super::Aspect;
use super::fact::{Fact, FactKey};
use crate::JudgedFinding;

/// A finding as a report has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedFinding {
    /// The code.
    pub code: String,
    /// The severity under the policy.
    pub severity: String,
    /// The item.
    pub path: ItemPath,
    /// The section, if the finding is about one.
    pub section: Option<String>,
    /// The message.
    pub message: String,
    /// The advisory, if the finding is about one.
    pub advisory: Option<SavedAdvisory>,
}

/// The advisory of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedAdvisory {
    /// The identifier.
    pub id: String,
    /// The package.
    pub package: String,
    /// The version of the package.
    pub version: String,
}

impl SavedFinding {
    /// The fact of the finding. Findings with the same key are the same problem, even if their messages differ.
    pub(super) fn fact(&self) -> Fact {
        match &self.advisory {
            Some(SavedAdvisory { id, package, version }) => {
                Fact::new(&self.path, Aspect::Advisory, Some(package), id, &**version)
            }
            None => Fact::new(&self.path, Aspect::Finding, self.section.as_deref(), &self.code, &*self.message),
        }
    }
}

impl From<&JudgedFinding<'_>> for SavedFinding {
    fn from(judged: &JudgedFinding<'_>) -> Self {
        let finding = judged.finding();
        let advisory = judged.advisory().map(|found| SavedAdvisory {
            id: found.advisory().id.to_string(),
            package: found.affected.package().to_owned(),
            version: found.version.to_string(),
        });
        Self {
            code: finding.code().name().to_owned(),
            severity: judged.severity().name().to_owned(),
            path: finding.path().clone(),
            section: finding.section().map(str::to_owned),
            message: finding.message().to_owned(),
            advisory,
        }
    }
}

/// How a finding relates to those of an earlier report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingState {
    /// The earlier report does not have it.
    New,
    /// The earlier report has it with another message.
    Updated,
    /// The earlier report has it.
    Unchanged,
}

impl FindingState {
    /// Name in the output: `new`, `updated` or `unchanged`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The findings of a row, compared with those of an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingChanges {
    states: Vec<FindingState>,
    gone: Vec<SavedFinding>,
}

impl FindingChanges {
    /// The state of each finding, in their order.
    pub fn states(&self) -> &[FindingState] {
        &self.states
    }

    /// The findings that only the earlier row has.
    pub fn gone(&self) -> &[SavedFinding] {
        &self.gone
    }

    /// The positions of the new findings.
    pub fn new_findings(&self) -> impl Iterator<Item = usize> {
        self.states.iter().enumerate().filter(|(_, state)| **state == FindingState::New).map(|(nth, _)| nth)
    }

    pub(super) fn compare(old: Vec<SavedFinding>, new: &[SavedFinding]) -> Self {
        let mut left: Vec<Option<SavedFinding>> = old.into_iter().map(Some).collect();
        let mut by_key = HashMap::<FactKey, Vec<usize>>::new();
        for (nth, finding) in left.iter().enumerate() {
            by_key.entry(finding.as_ref().expect("nothing is taken yet").fact().key).or_default().push(nth);
        }
        let mut states = vec![FindingState::New; new.len()];
        // Equal findings first, so that each remaining pair has different messages.
        for state in [FindingState::Unchanged, FindingState::Updated] {
            for (finding, found) in new.iter().zip(&mut states).filter(|(_, found)| **found == FindingState::New) {
                let fact = finding.fact();
                let Some(candidates) = by_key.get_mut(&fact.key) else { continue };
                let is_alike = |nth: &usize| {
                    let old = left[*nth].as_ref().map(SavedFinding::fact);
                    state == FindingState::Updated || old.is_some_and(|old| old.value == fact.value)
                };
                if let Some(at) = candidates.iter().position(is_alike) {
                    left[candidates.remove(at)] = None;
                    *found = state;
                }
            }
        }
        Self { states, gone: left.into_iter().flatten().collect() }
    }
}
