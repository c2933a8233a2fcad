//! The policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use sectile::{FindingCode, Limits, Severity};

use sectile_advisories::Advisories;

use super::{Exception, Packages, Rule};

/// Decides which findings a binary may have, and what it must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Findings of at least this severity are refused.
    pub refuse: Severity,
    /// Limits for reading a file that is to be judged.
    pub limits: Limits,
    /// Which packages are read of a file that is to be judged. An upload gate reads only declared
    /// ones unless this is set.
    pub packages: Packages,
    /// Severities that differ from the table of codes; `None` for findings that are ignored.
    pub(crate) severities: BTreeMap<FindingCode, Option<Severity>>,
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) exceptions: Vec<Arc<Exception>>,
    pub(crate) advisories: Option<Arc<Advisories>>,
}

impl Default for Policy {
    /// Refuses errors, and has no rules.
    fn default() -> Self {
        Self {
            refuse: Severity::Error,
            limits: Limits::default(),
            packages: Packages::default(),
            severities: BTreeMap::new(),
            rules: Vec::new(),
            exceptions: Vec::new(),
            advisories: None,
        }
    }
}

impl Policy {
    /// The codes of findings on archives and files that may hide binaries from an audit. The key
    /// `severity.hidden` of a policy's file sets the severity of both.
    pub const HIDDEN: [FindingCode; 2] = [FindingCode::DisputedArchive, FindingCode::NotOpened];

    /// Adds a rule.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Adds an exception. If several exceptions excuse a finding, the verdict names the first.
    #[must_use]
    pub fn with_exception(mut self, exception: Exception) -> Self {
        self.exceptions.push(Arc::new(exception));
        self
    }

    /// Sets the severity of findings of a code; `None` ignores them.
    #[must_use]
    pub fn with_severity(mut self, code: FindingCode, severity: Option<Severity>) -> Self {
        self.severities.insert(code, severity);
        self
    }

    /// Judges the packages of binaries by these advisories. Without advisories, a rule about them
    /// cannot be judged.
    #[cfg(feature = "advisories")]
    #[must_use]
    pub fn with_advisories(self, advisories: impl Into<Arc<Advisories>>) -> Self {
        Self { advisories: Some(advisories.into()), ..self }
    }

    /// The advisories that packages are judged by.
    pub fn advisories(&self) -> Option<&Advisories> {
        self.advisories.as_deref()
    }

    /// The rules, in the order in which they were added.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| &**rule)
    }

    /// The exceptions, in the order in which they were added. Without exceptions a
    /// [`JudgeContext`](super::JudgeContext) makes no difference.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.exceptions.iter().map(|exception| &**exception)
    }

    /// Severity of findings of a code; `None` if they are ignored.
    pub fn severity(&self, code: FindingCode) -> Option<Severity> {
        self.severities.get(&code).copied().unwrap_or(Some(code.severity()))
    }

    /// Whether a judgment inspects the values of the metadata.
    pub(crate) fn inspects_values(&self) -> bool {
        !self.rules.is_empty() || self.advisories.is_some()
    }
}
