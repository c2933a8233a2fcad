//! Policies from TOML files.

mod error;
mod keys;
mod rules;
mod settings;
mod table;

use std::io::Read;
use std::path::Path;

pub use self::error::PolicyError;
pub use self::keys::{PolicyKey, PolicyTable, PolicyValueType};
pub use self::settings::PolicySettings;
use self::table::{InvalidEntry, PolicyEntry, TableReader};
use super::{Policy, PolicyLocation, Rule};
use sectile::FindingCode;
use sectile_document::file::FileError;
use sectile_document::{self, Node, file};

impl Policy {
    /// A policy to start with, as a commented TOML file. `sectile policy init` writes it.
    pub const STARTER: &'static str = include_str!("starter.toml");

    /// Loads a policy from a TOML file. Its format is the table of [keys](PolicyKey::all),
    /// documented in `docs/policy.md`.
    ///
    /// ```no_run
    /// let policy = sectile_policy::Policy::read("policy.toml")?;
    /// # Ok::<(), sectile_policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not a regular file, is larger than 1 MiB or not UTF-8; or as for
    /// [`parse`](Self::parse).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        Self::parse(path, &text(path, file::read(path))?)
    }

    /// Loads a policy from a stream, such as standard input. The name appears in errors and in the
    /// locations of rules.
    ///
    /// # Errors
    ///
    /// The stream cannot be read, is larger than 1 MiB or not UTF-8; or as for
    /// [`parse`](Self::parse).
    pub fn read_from(name: impl AsRef<Path>, stream: impl Read) -> Result<Self, PolicyError> {
        let name = name.as_ref();
        Self::parse(name, &text(name, file::read_from(stream))?)
    }

    /// Parses the text of a policy. The path appears in errors.
    ///
    /// ```
    /// use sectile::Severity;
    /// use sectile_policy::Policy;
    ///
    /// let policy = Policy::parse("policy.toml", "refuse = \"warning\"\n[[licenses]]\nallow = [\"MIT\"]\n")?;
    /// assert_eq!(policy.refuse, Severity::Warning);
    ///
    /// let error = Policy::parse("policy.toml", "[[licenses]]\nallow = [\"MIT\", \"mitt\"]\n").unwrap_err();
    /// let message = "policy.toml:2:17: licenses.allow: `mitt` is not an SPDX expression: unknown term, at `mitt`; ";
    /// assert!(error.to_string().starts_with(message));
    /// # Ok::<(), sectile_policy::PolicyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text is not TOML, or nests deeper than 100; a key is unknown, duplicate, or has an
    /// invalid value. The error says where, and what is valid there.
    pub fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        policy_of(&document(path, text)?, path, text)
    }
}

/// The text that was read from a file or a stream of this name.
fn text(name: &Path, read: Result<String, FileError>) -> Result<String, PolicyError> {
    read.map_err(|error| PolicyError::from_file_error(name, error))
}

/// The policy in a document, which was parsed from this text.
fn policy_of(root: &Node, path: &Path, text: &str) -> Result<Policy, PolicyError> {
    policy(&PolicyEntry::root(root), path).map_err(|entry| PolicyError::invalid(path, text, entry))
}

/// Parses the text as TOML.
fn document(path: &Path, text: &str) -> Result<Node, PolicyError> {
    sectile_document::toml(text).map_err(|error| {
        let entry = InvalidEntry { start: error.start, key: String::new(), message: error.message };
        PolicyError::invalid(path, text, entry)
    })
}

fn policy(root: &PolicyEntry<'_>, file: &Path) -> Result<Policy, InvalidEntry> {
    let start = PolicyLocation::new(file, 1);
    let mut policy = Policy::default();
    let top = TableReader::new(PolicyTable::Top, root)?;
    if let Some(refuse) = top.entry("refuse") {
        policy.refuse = refuse.severity()?;
    }
    if let Some(packages) = top.entry("packages") {
        policy.packages = packages.packages()?;
    }
    if let Some(limits) = top.entry(PolicyTable::Limits.name()) {
        for (key, entry) in TableReader::new(PolicyTable::Limits, &limits)?.numbers() {
            key.set_limit(&mut policy.limits, entry.number(&key)?);
        }
    }
    if let Some(severities) = top.entry(PolicyTable::Severity.name()) {
        let table = TableReader::new(PolicyTable::Severity, &severities)?;
        if let Some(hidden) = table.entry("hidden") {
            let severity = hidden.severity_or_ignore()?;
            policy = Policy::HIDDEN.into_iter().fold(policy, |policy, code| policy.with_severity(code, severity));
        }
        for code in FindingCode::ALL {
            if let Some(entry) = table.entry(code.name()) {
                policy = policy.with_severity(code, entry.severity_or_ignore()?);
            }
        }
    }
    for table in PolicyTable::RULES {
        for entry in top.entry(table.name()).map_or_else(|| Ok(Vec::new()), |entry| entry.tables())? {
            let rule = rules::rule(&TableReader::new(table, &entry)?)?;
            policy = policy.with_rule(Rule { location: Some(start.at_line(entry.line())), ..rule });
        }
    }
    for entry in top.entry(PolicyTable::Exceptions.name()).map_or_else(|| Ok(Vec::new()), |entry| entry.tables())? {
        let exception = rules::exception(&TableReader::new(PolicyTable::Exceptions, &entry)?)?;
        policy = policy.with_exception(exception.with_location(Some(start.at_line(entry.line()))));
    }
    Ok(policy)
}
