//! Reads the entries and tables of a policy's file.

use sectile::scan::SectionKind;

use crate::sections::section_kind;
use crate::suggestion::{finding_code, hint};
use std::collections::HashSet;
use std::str::FromStr;

use super::keys::{PolicyKey, PolicyTable, PolicyValueType};
use crate::{Day, Packages, RuleError};
use sectile::Glob;
use sectile::internal::quoted;
use sectile::{FindingCode, Severity};
use sectile_advisories::{AdvisoryClass, Rating};
use sectile_document::{Node, Value};

/// An invalid entry: its byte offset, its key, and the problem.
#[derive(Debug)]
pub(super) struct InvalidEntry {
    pub(super) start: usize,
    pub(super) key: String,
    pub(super) message: String,
}

/// A value of the file, and its key.
#[derive(Clone, Debug)]
pub(super) struct PolicyEntry<'n> {
    key: String,
    node: &'n Node,
}

impl<'n> PolicyEntry<'n> {
    pub(super) fn root(node: &'n Node) -> Self {
        Self { key: String::new(), node }
    }

    /// The line of the key, or of the table in a list.
    pub(super) fn line(&self) -> u64 {
        self.node.line
    }

    /// The value.
    pub(super) fn node(&self) -> &'n Node {
        self.node
    }

    /// The entry of a table with this key.
    pub(super) fn member(&self, key: &str) -> Option<Self> {
        Some(Self { key: key.to_owned(), node: self.node.entry(key)? })
    }

    pub(super) fn invalid(&self, message: impl Into<String>) -> InvalidEntry {
        InvalidEntry { start: self.node.start, key: self.key.clone(), message: message.into() }
    }

    fn expected(&self, expected: &str) -> InvalidEntry {
        self.invalid(format!("expected {expected}, found {}", self.node.kind()))
    }

    fn element(&self, node: &'n Node) -> Self {
        Self { key: self.key.clone(), node }
    }

    /// The tables of a list of tables; a single table is a list of one.
    pub(super) fn tables(&self) -> Result<Vec<Self>, InvalidEntry> {
        match &self.node.value {
            Value::Table(_) => Ok(vec![self.clone()]),
            Value::List(list) => Ok(list.iter().map(|node| self.element(node)).collect()),
            _ => Err(self.expected("a table, or a list of tables")),
        }
    }

    /// The strings of a non-empty list without duplicates; a single string is a list of one.
    pub(super) fn strings(&self) -> Result<Vec<Self>, InvalidEntry> {
        let list = match &self.node.value {
            Value::Text(_) => return Ok(vec![self.clone()]),
            Value::List(list) if list.is_empty() => {
                return Err(self.invalid("empty list: add a value or remove the key"));
            }
            Value::List(list) => list,
            _ => return Err(self.expected("a string, or a list of strings")),
        };
        let mut seen = HashSet::new();
        let element = |node| {
            let entry = self.element(node);
            let text = node.text().ok_or_else(|| entry.expected("a string"))?;
            if seen.insert(text) { Ok(entry) } else { Err(entry.invalid(format!("{} occurs twice", quoted(text)))) }
        };
        list.iter().map(element).collect()
    }

    pub(super) fn text(&self) -> Result<&'n str, InvalidEntry> {
        self.node.text().ok_or_else(|| self.expected("a string"))
    }

    /// Parses the text.
    pub(super) fn parsed<T: FromStr>(&self) -> Result<T, InvalidEntry>
    where
        T::Err: ToString,
    {
        self.text()?.parse().map_err(|error: T::Err| self.invalid(error.to_string()))
    }

    /// The kind of section that the text names.
    pub(super) fn section_kind(&self) -> Result<SectionKind, InvalidEntry> {
        section_kind(self.text()?).map_err(|error| self.invalid(error.to_string()))
    }

    pub(super) fn severity(&self) -> Result<Severity, InvalidEntry> {
        let text = self.text()?;
        let severity = Severity::ALL.into_iter().find(|severity| severity.name() == text);
        severity.ok_or_else(|| self.not_a_severity(text, &Severity::ALL.map(Severity::name)))
    }

    /// A severity, or `None` for `ignore`.
    pub(super) fn severity_or_ignore(&self) -> Result<Option<Severity>, InvalidEntry> {
        match self.text()? {
            "ignore" => Ok(None),
            text => {
                let severity = self.severity().map(Some);
                severity.map_err(|_| self.not_a_severity(text, &["note", "warning", "error", "ignore"]))
            }
        }
    }

    /// The class of advisories that the text names.
    pub(super) fn advisory_class(&self) -> Result<AdvisoryClass, InvalidEntry> {
        self.choice(AdvisoryClass::ALL.map(|class| (class.name(), class)), "class of advisories", "classes")
    }

    /// The severity of advisories that the text names.
    pub(super) fn rating(&self) -> Result<Rating, InvalidEntry> {
        self.choice(Rating::ALL.map(|rating| (rating.name(), rating)), "severity of an advisory", "severities")
    }

    /// The choice of packages that the text names.
    pub(super) fn packages(&self) -> Result<Packages, InvalidEntry> {
        self.choice(Packages::ALL.map(|packages| (packages.name(), packages)), "choice of packages", "choices")
    }

    fn choice<T, const N: usize>(
        &self,
        choices: [(&'static str, T); N],
        singular: &str,
        plural: &str,
    ) -> Result<T, InvalidEntry> {
        let text = self.text()?;
        let names = choices.each_ref().map(|(name, _)| *name);
        let chosen = choices.into_iter().find(|(name, _)| *name == text).map(|(_, value)| value);
        chosen.ok_or_else(|| {
            let hint = hint(text, plural, &names, "docs/policy.md");
            self.invalid(format!("{} is not a {singular}{hint}", quoted(text)))
        })
    }

    fn not_a_severity(&self, text: &str, valid: &[&str]) -> InvalidEntry {
        let hint = hint(text, "severities", valid, "docs/policy.md");
        self.invalid(format!("{} is not a severity{hint}", quoted(text)))
    }

    pub(super) fn boolean(&self) -> Result<bool, InvalidEntry> {
        match self.node.value {
            Value::Bool(value) => Ok(value),
            _ => Err(self.expected(PolicyValueType::Boolean.name())),
        }
    }

    /// A day, as a TOML date or as a string.
    pub(super) fn day(&self) -> Result<Day, InvalidEntry> {
        match &self.node.value {
            Value::Date(text) | Value::Text(text) => {
                text.parse().map_err(|error: RuleError| self.invalid(error.to_string()))
            }
            _ => Err(self.expected("a day such as 2026-12-31")),
        }
    }

    pub(super) fn code(&self) -> Result<FindingCode, InvalidEntry> {
        finding_code(self.text()?).map_err(|error| self.invalid(error.to_string()))
    }

    /// A number in the range of its key.
    pub(super) fn number(&self, key: &PolicyKey) -> Result<u64, InvalidEntry> {
        let PolicyValueType::Number { min, max } = key.value_type else {
            unreachable!("the table of keys says that it is a number")
        };
        let expected = format!("a whole number from {min} to {max}");
        match self.node.value {
            Value::Integer(number) => u64::try_from(number)
                .ok()
                .filter(|number| (min..=max).contains(number))
                .ok_or_else(|| self.invalid(format!("expected {expected}, found {number}"))),
            Value::Other("a number") => Err(self.invalid(format!("expected {expected}"))),
            _ => Err(self.expected(&expected)),
        }
    }
}

/// A table of the file in which every key is known.
#[derive(Debug)]
pub(super) struct TableReader<'n> {
    pub(super) table: PolicyTable,
    entry: PolicyEntry<'n>,
    entries: &'n [(String, Node)],
}

impl<'n> TableReader<'n> {
    pub(super) fn new(table: PolicyTable, entry: &PolicyEntry<'n>) -> Result<Self, InvalidEntry> {
        let Value::Table(entries) = &entry.node.value else { return Err(entry.expected("a table")) };
        let mut known = PolicyKey::names(table);
        if table == PolicyTable::Top {
            known.extend(PolicyTable::ALL[1..].iter().map(|table| table.name()));
        }
        let reader = Self { table, entry: entry.clone(), entries };
        match entries.iter().find(|(key, _)| !known.contains(&&**key)) {
            None => Ok(reader),
            Some((key, node)) => {
                let (singular, plural, place) = match table {
                    PolicyTable::Severity => ("code of a finding", "codes", "`sectile explain --list`"),
                    _ => ("key", "keys", "docs/policy.md"),
                };
                let message = format!("unknown {singular}{}", hint(key, plural, &known, place));
                Err(InvalidEntry { start: node.key_start, key: reader.full_name(key), message })
            }
        }
    }

    fn full_name(&self, key: &str) -> String {
        if self.entry.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.entry.key) }
    }

    /// The key of a number in the table of keys.
    pub(super) fn number_key(&self, name: &str) -> PolicyKey {
        PolicyKey::number(self.table, name).unwrap_or_else(|| unreachable!("`{name}` is in the table of keys"))
    }

    /// The entry of a key.
    pub(super) fn entry(&self, name: &str) -> Option<PolicyEntry<'n>> {
        let (key, node) = self.entries.iter().find(|(key, _)| key == name)?;
        Some(PolicyEntry { key: self.full_name(key), node })
    }

    /// All entries of a table of numbers, with their keys.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (PolicyKey, PolicyEntry<'n>)> {
        self.entries.iter().map(|(name, node)| (self.number_key(name), PolicyEntry { key: self.full_name(name), node }))
    }

    /// Reads each string of a key; empty if the key is absent.
    pub(super) fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&PolicyEntry<'n>) -> Result<T, InvalidEntry>,
    ) -> Result<Vec<T>, InvalidEntry> {
        let Some(entry) = self.entry(name) else { return Ok(Vec::new()) };
        entry.strings()?.iter().map(read).collect()
    }

    /// The patterns of a key.
    pub(super) fn globs(&self, name: &str) -> Result<Vec<Glob>, InvalidEntry> {
        self.list(name, PolicyEntry::parsed)
    }

    /// Adds each string of a key to a rule.
    pub(super) fn add_each<R>(
        &self,
        name: &str,
        rule: R,
        add: impl Fn(R, &str) -> Result<R, RuleError>,
    ) -> Result<R, InvalidEntry> {
        let mut changed = Some(rule);
        self.for_each(name, &mut |text| {
            changed = changed.take().map(|rule| add(rule, text)).transpose()?;
            Ok(())
        })?;
        Ok(changed.expect("an error ends the loop"))
    }

    fn for_each(&self, name: &str, add: &mut dyn FnMut(&str) -> Result<(), RuleError>) -> Result<(), InvalidEntry> {
        let Some(entry) = self.entry(name) else { return Ok(()) };
        for entry in entry.strings()? {
            add(entry.text()?).map_err(|error| entry.invalid(error.to_string()))?;
        }
        Ok(())
    }

    /// The boolean of a key; `false` if the key is absent.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, InvalidEntry> {
        self.entry(name).map_or(Ok(false), |entry| entry.boolean())
    }

    /// Checks that the required keys are present.
    pub(super) fn check_required_keys(&self) -> Result<(), InvalidEntry> {
        let is_present = |key: &&str| self.entries.iter().any(|(name, _)| name == key);
        let missing = self.table.required_keys().iter().find(|group| !group.iter().any(is_present));
        missing.map_or(Ok(()), |group| Err(self.missing(group)))
    }

    /// The error that a key of this group is required.
    pub(super) fn missing(&self, group: &[&str]) -> InvalidEntry {
        let (last, rest) = group.split_last().expect("a group has keys");
        let rest = rest.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let or = if rest.is_empty() { "" } else { " or " };
        let what = if self.table == PolicyTable::Exceptions { "incomplete exception" } else { "empty rule" };
        self.entry.invalid(format!("{what}: add {rest}{or}`{last}`"))
    }

    /// An error about the table as a whole.
    pub(super) fn invalid(&self, message: &str) -> InvalidEntry {
        self.entry.invalid(message)
    }
}
