//! Policies out of TOML files.

mod error;
mod found;
mod keys;

use std::path::Path;

pub use self::error::PolicyError;
use self::found::{Found, Open, Wrong};
pub use self::keys::{Key, Table, Takes};
use super::{Imports, Items, Licenses, Policy, Required, RequiredValue, Rule, Sections};
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
    /// assert_eq!(error.to_string(), "policy.toml:2:17: licenses.allow: `mitt` is no SPDX expression: unknown term, at `mitt`");
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
            policy = policy.with(rule(&Open::table(table, &found)?)?);
        }
    }
    Ok(policy)
}

fn rule(open: &Open<'_>) -> Result<Rule, Wrong> {
    let mut rule = match open.table {
        Table::Required => required(open)?,
        Table::Licenses => licenses(open)?,
        Table::Sections => sections(open)?,
        Table::Imports => imports(open)?,
        Table::Top | Table::Limits | Table::Severity => unreachable!("these are no rules"),
    };
    rule.severity = open.value("severity").map(|found| found.severity()).transpose()?;
    rule.reason = open.value("reason").map(|found| found.text().map(Into::into)).transpose()?;
    Ok(rule)
}

fn items(open: &Open<'_>, default: Items) -> Result<Items, Wrong> {
    let Some(found) = open.value("items") else { return Ok(default) };
    let mut items = Items::default();
    for found in found.distinct()? {
        items = items.and(found.parsed()?);
    }
    Ok(items)
}

fn required(open: &Open<'_>) -> Result<Rule, Wrong> {
    let fields = open.value("fields").ok_or_else(|| open.asks_nothing("fields"))?;
    let fields = fields.distinct()?.iter().map(Found::parsed).collect::<Result<Vec<RequiredValue>, _>>()?;
    Ok(Rule::new(Required::new(items(open, Items::root())?, fields)))
}

fn licenses(open: &Open<'_>) -> Result<Rule, Wrong> {
    let mut licenses = Licenses::new(items(open, Items::all())?);
    let (allow, deny) = (open.value("allow"), open.value("deny"));
    if allow.is_none() && deny.is_none() {
        return Err(open.asks_nothing("allow` or `deny"));
    }
    for found in allow.map_or_else(|| Ok(Vec::new()), |found| found.distinct())? {
        licenses = licenses.allow(found.text()?).map_err(|error| found.wrong(error.to_string()))?;
    }
    for found in deny.map_or_else(|| Ok(Vec::new()), |found| found.distinct())? {
        licenses = licenses.deny(found.text()?).map_err(|error| found.wrong(error.to_string()))?;
    }
    Ok(Rule::new(licenses))
}

fn sections(open: &Open<'_>) -> Result<Rule, Wrong> {
    let mut sections = Sections::new(items(open, Items::all())?).except(open.globs("except")?);
    let (names, kinds, larger_than) = (open.value("names"), open.value("kinds"), open.value("larger-than"));
    if names.is_none() && kinds.is_none() && larger_than.is_none() {
        return Err(open.asks_nothing("names`, `kinds` or `larger-than"));
    }
    sections = sections.named(open.globs("names")?);
    if let Some(kinds) = kinds {
        sections = sections.of_kinds(kinds.distinct()?.iter().map(Found::parsed).collect::<Result<Vec<_>, _>>()?);
    }
    if let Some(found) = larger_than {
        sections = sections.larger_than(found.number(&open.key("larger-than"))?);
    }
    Ok(Rule::new(sections))
}

fn imports(open: &Open<'_>) -> Result<Rule, Wrong> {
    if open.value("names").is_none() {
        return Err(open.asks_nothing("names"));
    }
    Ok(Rule::new(Imports::named(open.globs("names")?).except(open.globs("except")?)))
}
