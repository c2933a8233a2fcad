//! One requirement of a policy.

use super::{AdvisoryRule, Dependencies, Imports, Licenses, PolicyLocation, Producers, Required, Sections, Sources};
use sectile::{FindingCode, Severity};

/// One requirement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(crate) demand: Demand,
    pub(crate) severity: Option<Severity>,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) location: Option<PolicyLocation>,
}

impl Rule {
    /// A rule without a severity of its own, and without a reason.
    pub fn new(demand: impl Into<Demand>) -> Self {
        Self { demand: demand.into(), severity: None, reason: None, location: None }
    }

    /// Severity of a violation, instead of the severity that the policy gives the finding's code.
    #[must_use]
    pub fn with_severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// Why the rule exists, or what to do about a violation, in one line.
    #[must_use]
    pub fn with_reason(self, reason: impl Into<Box<str>>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// The requirement.
    pub fn demand(&self) -> &Demand {
        &self.demand
    }

    /// Severity of a violation; `None` for the severity that the policy gives the finding's code.
    pub fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// Why the rule exists, if it has a reason.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The location of the rule in the file of its policy; `None` for a rule made in code.
    pub fn location(&self) -> Option<&PolicyLocation> {
        self.location.as_ref()
    }
}

/// The requirement of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// Metadata that must be present.
    Required(Required),
    /// Licenses that are allowed or denied.
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
    Imports(Imports),
    /// Packages that are refused because of advisories about them.
    Advisories(AdvisoryRule),
}

impl Demand {
    /// The code of its violations.
    pub fn code(&self) -> FindingCode {
        match self {
            Self::Required(_) => FindingCode::MissingField,
            Self::Licenses(_) => FindingCode::RefusedLicense,
            Self::Sources(_) => FindingCode::RefusedSource,
            Self::Producers(producers) if producers.is_required() => FindingCode::MissingField,
            Self::Producers(_) => FindingCode::RefusedProducer,
            Self::Dependencies(dependencies) if dependencies.is_required() => FindingCode::MissingField,
            Self::Dependencies(_) => FindingCode::RefusedDependency,
            Self::Sections(_) => FindingCode::RefusedSection,
            Self::Imports(_) => FindingCode::RefusedImport,
            Self::Advisories(_) => FindingCode::RefusedAdvisory,
        }
    }
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

demands!(Required, Licenses, Sources, Producers, Dependencies, Sections, Imports);

impl From<AdvisoryRule> for Demand {
    fn from(demand: AdvisoryRule) -> Self {
        Self::Advisories(demand)
    }
}
