//! What was found in a policy's file, and how it is read.

use std::collections::HashSet;
use std::str::FromStr;

use super::keys::{Key, Table, Takes};
use crate::document::{Node, Value};
use crate::edit::Glob;
use crate::escape::quoted;
use crate::finding::{Code, Severity};
use crate::policy::{Day, RuleError};

/// What is wrong, at which byte, with which key.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) start: usize,
    pub(super) key: String,
    pub(super) message: String,
}

/// A value, and its key.
#[derive(Clone, Debug)]
pub(super) struct Found<'n> {
    key: String,
    node: &'n Node,
}

impl<'n> Found<'n> {
    pub(super) fn root(node: &'n Node) -> Self {
        Self { key: String::new(), node }
    }

    pub(super) fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong { start: self.node.start, key: self.key.clone(), message: message.into() }
    }

    fn expected(&self, expected: &str) -> Wrong {
        self.wrong(format!("it is to be {expected}, and is {}", self.node.kind()))
    }

    fn element(&self, node: &'n Node) -> Self {
        Self { key: self.key.clone(), node }
    }

    /// The tables of a list of tables, or the one that it is.
    pub(super) fn each(&self) -> Result<Vec<Self>, Wrong> {
        match &self.node.value {
            Value::Table(_) => Ok(vec![self.clone()]),
            Value::List(list) => Ok(list.iter().map(|node| self.element(node)).collect()),
            _ => Err(self.expected("a table, or a list of tables")),
        }
    }

    /// The strings of a list, or the one that it is: at least one, and none twice.
    pub(super) fn distinct(&self) -> Result<Vec<Self>, Wrong> {
        let list = match &self.node.value {
            Value::Text(_) => return Ok(vec![self.clone()]),
            Value::List(list) if list.is_empty() => {
                return Err(self.wrong("it lists nothing: leave it out, or fill it"));
            }
            Value::List(list) => list,
            _ => return Err(self.expected("a string, or a list of strings")),
        };
        let mut seen = HashSet::new();
        let element = |node| {
            let found = self.element(node);
            let text = node.text().ok_or_else(|| found.expected("a string"))?;
            if seen.insert(text) { Ok(found) } else { Err(found.wrong(format!("{} stands twice", quoted(text)))) }
        };
        list.iter().map(element).collect()
    }

    pub(super) fn text(&self) -> Result<&'n str, Wrong> {
        self.node.text().ok_or_else(|| self.expected("a string"))
    }

    /// What its text says.
    pub(super) fn parsed<T: FromStr>(&self) -> Result<T, Wrong>
    where
        T::Err: ToString,
    {
        self.text()?.parse().map_err(|error: T::Err| self.wrong(error.to_string()))
    }

    pub(super) fn severity(&self) -> Result<Severity, Wrong> {
        let text = self.text()?;
        let found = Severity::ALL.into_iter().find(|severity| severity.name() == text);
        found.ok_or_else(|| self.no_severity(text, Takes::Severity))
    }

    /// A severity, or that it does not matter.
    pub(super) fn weight(&self) -> Result<Option<Severity>, Wrong> {
        match self.text()? {
            "ignore" => Ok(None),
            text => self.severity().map(Some).map_err(|_| self.no_severity(text, Takes::Weight)),
        }
    }

    fn no_severity(&self, text: &str, takes: Takes) -> Wrong {
        self.wrong(format!("{} is no severity: it is to be {}", quoted(text), takes.name()))
    }

    pub(super) fn flag(&self) -> Result<bool, Wrong> {
        match self.node.value {
            Value::Bool(is) => Ok(is),
            _ => Err(self.expected(Takes::Flag.name())),
        }
    }

    /// A day, as TOML writes it or as a string.
    pub(super) fn day(&self) -> Result<Day, Wrong> {
        match &self.node.value {
            Value::Date(text) | Value::Text(text) => {
                text.parse().map_err(|error: RuleError| self.wrong(error.to_string()))
            }
            _ => Err(self.expected("a day such as 2026-12-31")),
        }
    }

    pub(super) fn code(&self) -> Result<Code, Wrong> {
        let text = self.text()?;
        let found = Code::ALL.into_iter().find(|code| code.name() == text);
        found.ok_or_else(|| {
            let codes = Code::ALL.map(Code::name).join(", ");
            self.wrong(format!("{} is no code of a finding: there are {codes}", quoted(text)))
        })
    }

    /// A number as the table asks for it.
    pub(super) fn number(&self, key: &Key) -> Result<u64, Wrong> {
        let Takes::Number { least, most } = key.takes else { unreachable!("the table says that it is a number") };
        let expected = format!("a whole number from {least} to {most}");
        match self.node.value {
            Value::Integer(number) => u64::try_from(number)
                .ok()
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| self.wrong(format!("it is to be {expected}, and is {number}"))),
            Value::Other("a number") => Err(self.wrong(format!("it is to be {expected}"))),
            _ => Err(self.expected(&expected)),
        }
    }
}

/// A table of the file, every key of which is known.
#[derive(Debug)]
pub(super) struct Open<'n> {
    pub(super) table: Table,
    found: Found<'n>,
    entries: &'n [(String, Node)],
}

impl<'n> Open<'n> {
    pub(super) fn table(table: Table, found: &Found<'n>) -> Result<Self, Wrong> {
        let Value::Table(entries) = &found.node.value else { return Err(found.expected("a table")) };
        let mut known: Vec<&str> = Key::all().filter(|key| key.table == table).map(|key| key.name).collect();
        if table == Table::Top {
            known.extend(Table::ALL[1..].iter().map(|table| table.name()));
        }
        let open = Self { table, found: found.clone(), entries };
        match entries.iter().find(|(key, _)| !known.contains(&&**key)) {
            None => Ok(open),
            Some((key, node)) => {
                let what = if table == Table::Severity { "code of a finding" } else { "key" };
                let message = format!("there is no such {what} here: there are {}", known.join(", "));
                Err(Wrong { start: node.key_start, key: open.name_of(key), message })
            }
        }
    }

    fn name_of(&self, key: &str) -> String {
        if self.found.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.found.key) }
    }

    /// The row of the table of keys.
    pub(super) fn key(&self, name: &str) -> Key {
        let row = Key::all().find(|key| key.table == self.table && key.name == name);
        row.unwrap_or_else(|| unreachable!("`{name}` is in the table of keys"))
    }

    /// The value of a key.
    pub(super) fn value(&self, name: &str) -> Option<Found<'n>> {
        let (key, node) = self.entries.iter().find(|(key, _)| key == name)?;
        Some(Found { key: self.name_of(key), node })
    }

    /// All keys that stand there, with their values.
    pub(super) fn values(&self) -> impl Iterator<Item = (Key, Found<'n>)> {
        self.entries.iter().map(|(name, node)| (self.key(name), Found { key: self.name_of(name), node }))
    }

    /// Each of the strings of a key, read; none where it does not stand.
    pub(super) fn list<T>(&self, name: &str, read: impl Fn(&Found<'n>) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
        let Some(found) = self.value(name) else { return Ok(Vec::new()) };
        found.distinct()?.iter().map(read).collect()
    }

    /// The patterns of a key.
    pub(super) fn globs(&self, name: &str) -> Result<Vec<Glob>, Wrong> {
        self.list(name, Found::parsed)
    }

    /// Adds each of the strings of a key to a rule, as `add` does.
    pub(super) fn fold<R>(
        &self,
        name: &str,
        rule: R,
        add: impl Fn(R, &str) -> Result<R, RuleError>,
    ) -> Result<R, Wrong> {
        let Some(found) = self.value(name) else { return Ok(rule) };
        let each = |rule, found: Found<'n>| add(rule, found.text()?).map_err(|error| found.wrong(error.to_string()));
        found.distinct()?.into_iter().try_fold(rule, each)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Wrong> {
        self.value(name).map_or(Ok(false), |found| found.flag())
    }

    /// That what must stand there does.
    pub(super) fn is_asked(&self) -> Result<(), Wrong> {
        let stands = |key: &&str| self.entries.iter().any(|(name, _)| name == key);
        let missing = self.table.asks().iter().find(|group| !group.iter().any(stands));
        missing.map_or(Ok(()), |group| Err(self.lacks(group)))
    }

    /// That one of these keys must stand there.
    pub(super) fn lacks(&self, group: &[&str]) -> Wrong {
        let (last, rest) = group.split_last().expect("a group has keys");
        let rest = rest.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let or = if rest.is_empty() { "" } else { " or " };
        let what =
            if self.table == Table::Exceptions { "the exception lacks something" } else { "the rule asks for nothing" };
        self.found.wrong(format!("{what}: give {rest}{or}`{last}`"))
    }

    /// That keys stand together that cannot.
    pub(super) fn wrong(&self, message: &str) -> Wrong {
        self.found.wrong(message)
    }
}
