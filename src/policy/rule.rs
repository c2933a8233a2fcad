//! One thing that a policy asks for.

use std::fmt;

#[cfg(feature = "interface")]
use super::Imports;
use super::violations::Broken;
use super::{Dependencies, Licenses, Producers, Required, Sections, Sources};
use crate::finding::{Finding, Severity};
use crate::report::Report;

/// One thing that a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// What it asks for.
    pub demand: Demand,
    /// How bad it is when it is broken; `None` where that is as bad as the policy says of the finding's code.
    pub severity: Option<Severity>,
    /// Why it is asked for, or what to do, in a line for whoever breaks it.
    pub reason: Option<Box<str>>,
}

impl Rule {
    /// A rule without a severity of its own, and without a reason.
    pub fn new(demand: impl Into<Demand>) -> Self {
        Self { demand: demand.into(), severity: None, reason: None }
    }

    /// What the rule is broken by. `section_rules` counts the rules about sections: what they find was found while reading.
    pub(super) fn judge(&self, report: &Report<'_>, section_rules: &mut usize, limit: u32) -> Vec<Finding> {
        let Some(metadata) = report.metadata else { return Vec::new() };
        let mut broken = Broken::new(self, limit);
        match &self.demand {
            Demand::Required(required) => required.judge(metadata, report.is_complete(), &mut broken),
            Demand::Licenses(licenses) => licenses.judge(metadata, report.is_complete(), &mut broken),
            Demand::Sources(sources) => sources.judge(metadata, report.is_complete(), &mut broken),
            Demand::Producers(producers) => producers.judge(metadata, report.is_complete(), &mut broken),
            Demand::Dependencies(dependencies) => dependencies.judge(metadata, report.is_complete(), &mut broken),
            Demand::Sections(_) => {
                let place = *section_rules;
                *section_rules += 1;
                match report.sighted.and_then(|sighted| sighted.by_rule(place, self)) {
                    Some(found) => return found.iter().cloned().collect(),
                    None => broken.not_judged("the sections were not looked at for it"),
                }
            }
            #[cfg(feature = "interface")]
            Demand::Imports(imports) => match report.interface {
                Some(interface) => imports.judge(interface, &mut broken),
                None => broken.not_judged("the imports were not read"),
            },
        }
        broken.findings().into_list()
    }
}

/// What a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// Metadata that must be there.
    Required(Required),
    /// Licences that are allowed or denied.
    Licenses(Licenses),
    /// URLs that are allowed or denied.
    Sources(Sources),
    /// Tools and languages that are refused, or required.
    Producers(Producers),
    /// Packages that are refused, or required to be listed.
    Dependencies(Dependencies),
    /// Sections that are refused.
    Sections(Sections),
    /// Imports of the root item that are refused.
    #[cfg(feature = "interface")]
    Imports(Imports),
}

macro_rules! demands {
    ($($(#[$attribute:meta])* $demand:ident),*) => {
        $($(#[$attribute])* impl From<$demand> for Demand {
            fn from(demand: $demand) -> Self {
                Self::$demand(demand)
            }
        })*
    };
}

demands!(
    Required,
    Licenses,
    Sources,
    Producers,
    Dependencies,
    Sections,
    #[cfg(feature = "interface")]
    Imports
);

/// A text that no rule can be made of. `Display` says why; it may quote the text: escape it before it meets a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError(String);

impl RuleError {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleError {}
