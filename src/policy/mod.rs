//! What is tolerated, and the one function that judges a reading by it.
//!
//! A [`Policy`] says how bad each kind of finding is, from which severity on a file is refused, and what is asked of a file
//! beyond that: a list of [`Rule`]s. [`Policy::judge`] makes a [`Verdict`] of a [`Report`](crate::report::Report); nothing else
//! judges. What a rule is broken by is a finding like any other, with a code of the one table.
//!
//! Some rules ask for more than metadata, which a [`Reader`] for that policy reads in the same pass; [`read_slice`],
//! [`read_at`] and [`Input::read_for`](crate::Input::read_for) run it. A rule whose question a reading leaves open is broken
//! (`not-judged`), never passed over.
//!
//! A policy may make [`Exception`]s, by where a file lies or by its digest. These are no part of a report:
//! [`Policy::judge_as`] is told them, and the day, by a [`Subject`].
//!
//! A policy is put together in code, or read from a file (feature `policy`): `Policy::read`.
//!
//! ```
//! use sectile::metadata::Field;
//! use sectile::policy::{self, Items, Licenses, Policy, Required, Rule};
//! use sectile::report::Report;
//! use sectile::Code;
//!
//! let policy = Policy::default()
//!     .with(Rule::new(Required::new(Items::root(), [Field::Version.into()])))
//!     .with(Rule::new(Licenses::new(Items::all()).allow("MIT")?));
//!
//! let module = b"\0asm\x01\0\0\0\x00\x1c\x08licensesMIT OR GPL-3.0-only";
//! let reading = policy::read_slice(module, &policy);
//! let report = Report::of_reading("a.wasm".as_ref(), None, &reading);
//! let verdict = policy.judge(&report);
//! assert!(!verdict.is_accepted()); // the licence is one that may be chosen, but the version is missing
//! let codes: Vec<Code> = verdict.judged.iter().map(|judged| judged.finding.code).collect();
//! assert_eq!(codes, [Code::MissingField]);
//! # Ok::<(), sectile::policy::RuleError>(())
//! ```

mod day;
mod dependencies;
mod exceptions;
#[cfg(feature = "policy")]
mod file;
mod fingerprint;
#[cfg(feature = "interface")]
mod imports;
mod items;
mod licenses;
mod named;
mod producers;
mod reading;
mod required;
mod rule;
mod sections;
mod sources;
mod subject;
mod terms;
mod urls;
mod verdict;
#[cfg(feature = "policy")]
mod versions;
mod violations;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::day::Day;
pub use self::dependencies::Dependencies;
pub use self::exceptions::Exception;
#[cfg(feature = "policy")]
pub use self::file::{Key, PolicyError, Table, Takes};
#[cfg(feature = "interface")]
pub use self::imports::Imports;
pub use self::items::{Group, Items};
pub use self::licenses::Licenses;
pub use self::producers::Producers;
pub use self::reading::{Reader, Reading, read_at, read_fetch, read_slice};
pub use self::required::{Required, RequiredValue};
pub use self::rule::{Demand, Rule, RuleError};
pub use self::sections::{SectionKind, Sections, Sighted};
pub use self::sources::Sources;
pub use self::subject::Subject;
pub use self::verdict::{Judged, Verdict};
#[cfg(feature = "policy")]
pub use self::versions::Versions;

use crate::finding::{Code, Severity};
use crate::limits::Limits;

/// What is tolerated in a binary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Findings of this severity, and of worse, are refused.
    pub refuse: Severity,
    /// What reading a file that is to be judged may cost.
    pub limits: Limits,
    /// Of findings that are not as bad as the table of codes says: how bad they are, or `None` where they do not matter.
    severities: BTreeMap<Code, Option<Severity>>,
    rules: Vec<Arc<Rule>>,
    exceptions: Vec<Arc<Exception>>,
}

impl Default for Policy {
    /// Refuses errors, and asks for nothing.
    fn default() -> Self {
        Self {
            refuse: Severity::Error,
            limits: Limits::default(),
            severities: BTreeMap::new(),
            rules: Vec::new(),
            exceptions: Vec::new(),
        }
    }
}

impl Policy {
    /// Adds a rule.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Makes an exception. Where several excuse the same, the first is given beside it.
    #[must_use]
    pub fn excepting(mut self, exception: Exception) -> Self {
        self.exceptions.push(Arc::new(exception));
        self
    }

    /// Says how bad findings of a code are; `None` where they do not matter.
    #[must_use]
    pub fn weighing(mut self, code: Code, severity: Option<Severity>) -> Self {
        self.severities.insert(code, severity);
        self
    }

    /// What is asked beyond the findings, in the order in which it was added.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| &**rule)
    }

    /// The exceptions that are made, in the order in which they were. Where there are none, a [`Subject`] makes no difference.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions.iter().map(|exception| &**exception)
    }

    /// How bad findings of a code are; `None` where they do not matter.
    pub fn severity(&self, code: Code) -> Option<Severity> {
        self.severities.get(&code).copied().unwrap_or(Some(code.severity()))
    }
}
