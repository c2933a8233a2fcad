//! Policies out of TOML files.

mod error;
mod found;
mod keys;
mod rules;

use std::path::Path;

pub use self::error::PolicyError;
use self::found::{Found, Open, Wrong};
pub use self::keys::{Key, Table, Takes};
use super::Policy;
use crate::document::{self, file};
use crate::finding::Code;

impl Policy {
    /// Reads a policy from a file in TOML: `docs/policy.md` says what may stand in it, by the table of [keys](Key::all).
    ///
    /// ```no_run
    /// let policy = sectile::Policy::read("policy.toml")?;
    /// # Ok::<(), sectile::policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The file cannot be read, is no regular file, is larger than 1 MiB or no UTF-8; or as for [`parse`](Self::parse).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let text = file::read(path).map_err(|unread| PolicyError::unread(path, unread))?;
        Self::parse(path, &text)
    }

    /// Reads the text of a policy that stands, or would stand, at a path.
    ///
    /// ```
    /// use sectile::{Policy, Severity};
    ///
    /// let policy = Policy::parse("policy.toml", "refuse = \"warning\"\n[[licenses]]\nallow = [\"MIT\"]\n")?;
    /// assert_eq!(policy.refuse, Severity::Warning);
    ///
    /// let error = Policy::parse("policy.toml", "[[licenses]]\nallow = [\"MIT\", \"mitt\"]\n").unwrap_err();
    /// let message = "policy.toml:2:17: licenses.allow: `mitt` is no SPDX expression: unknown term, at `mitt`; ";
    /// assert!(error.to_string().starts_with(message));
    /// # Ok::<(), sectile::policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is no TOML, or nests deeper than 100; a key is not known, stands twice, or has a value that is not what it is
    /// to be. The error says where, and what may stand there.
    pub fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, PolicyError> {
        let wrong = |wrong: Wrong| PolicyError::wrong(path.as_ref(), text, wrong);
        let root = document::toml(text).map_err(|malformed| {
            wrong(Wrong { start: malformed.start, key: String::new(), message: malformed.message })
        })?;
        policy(&Found::root(&root)).map_err(wrong)
    }
}

fn policy(root: &Found<'_>) -> Result<Policy, Wrong> {
    let mut policy = Policy::default();
    let top = Open::table(Table::Top, root)?;
    if let Some(refuse) = top.value("refuse") {
        policy.refuse = refuse.severity()?;
    }
    if let Some(limits) = top.value(Table::Limits.name()) {
        for (key, found) in Open::table(Table::Limits, &limits)?.values() {
            key.set_limit(&mut policy.limits, found.number(&key)?);
        }
    }
    if let Some(severities) = top.value(Table::Severity.name()) {
        let open = Open::table(Table::Severity, &severities)?;
        for code in Code::ALL {
            if let Some(found) = open.value(code.name()) {
                policy = policy.weighing(code, found.weight()?);
            }
        }
    }
    for table in Table::RULES {
        for found in top.value(table.name()).map_or_else(|| Ok(Vec::new()), |found| found.each())? {
            policy = policy.with(rules::rule(&Open::table(table, &found)?)?);
        }
    }
    for found in top.value(Table::Exceptions.name()).map_or_else(|| Ok(Vec::new()), |found| found.each())? {
        policy = policy.excepting(rules::exception(&Open::table(Table::Exceptions, &found)?)?);
    }
    Ok(policy)
}
