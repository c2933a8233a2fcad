//! A manifest's text as a tree whose every entry knows its line, whichever language it is written in.

use std::borrow::Cow;
use std::collections::HashSet;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use toml::de::{DeTable, DeValue};

use super::depth;

/// A value, and the line that it stands on: of an entry, that of its key. Lines are counted from 1.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    /// JSON's `null`: as good as absent.
    Null,
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// Nothing that any key of a manifest is to be: what it is instead.
    Other(&'static str),
}

/// A key that stands twice in one table, and the line where it does so again.
pub(super) type Duplicate = (String, u64);

impl Node {
    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a string",
            Value::Bool(_) => "true or false",
            Value::Null => "null",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }

    /// The entry of that key, if it is a table that has it. Of several, the last counts.
    pub(super) fn entry(&self, key: &str) -> Option<&Node> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().rev().find(|(found, _)| found == key).map(|(_, node)| node)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What is wrong with a text that cannot be read, and on which line.
pub(super) type Malformed = (u64, String);

/// Reads TOML. A byte order mark is passed over, as Cargo and wkg do.
pub(super) fn toml(text: &str) -> Result<Node, Malformed> {
    let lines = Lines::of(text);
    if let Some(offset) = depth::too_deep_in_toml(text) {
        return Err((lines.at(offset), depth::TOO_DEEP.to_owned()));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        (lines.at(offset), error.message().to_owned())
    })?;
    let line = lines.at(0);
    Ok(Node { line, value: toml_table(table.into_inner(), &lines) })
}

fn toml_table(table: DeTable<'_>, lines: &Lines) -> Value {
    let entry = |(key, value): (toml::Spanned<Cow<'_, str>>, toml::Spanned<DeValue<'_>>)| {
        let line = lines.at(key.span().start);
        (key.into_inner().into_owned(), Node { line, value: toml_value(value.into_inner(), lines) })
    };
    let mut entries: Vec<_> = table.into_iter().map(entry).collect();
    entries.sort_by_key(|(_, node)| node.line); // they come by their keys
    Value::Table(entries)
}

fn toml_value(value: DeValue<'_>, lines: &Lines) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(is) => Value::Bool(is),
        DeValue::Integer(_) | DeValue::Float(_) => Value::Other("a number"),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(list) => {
            let node = |value: toml::Spanned<DeValue<'_>>| {
                let line = lines.at(value.span().start);
                Node { line, value: toml_value(value.into_inner(), lines) }
            };
            Value::List(list.into_iter().map(node).collect())
        }
        DeValue::Table(table) => toml_table(table, lines),
    }
}

/// JSON and nothing beyond it. Source: RFC 8259.
fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Reads JSON. A byte order mark is passed over, as npm does; what stands twice is told.
pub(super) fn json(text: &str) -> Result<(Node, Vec<Duplicate>), Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::of(text);
    if let Some((offset, what)) = depth::flaw_in_json(text) {
        return Err((lines.at(offset), what.to_owned()));
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict())
        .map_err(|error| (lines.at(error.range().start), error.kind().to_string()))?;
    let root = parsed.value.ok_or_else(|| (1, "it is empty".to_owned()))?;
    let mut duplicates = Vec::new();
    let line = lines.at(root.start());
    let value = json_value(root, &lines, &mut duplicates);
    Ok((Node { line, value }, duplicates))
}

fn json_value(value: ast::Value<'_>, lines: &Lines, duplicates: &mut Vec<Duplicate>) -> Value {
    match value {
        ast::Value::StringLit(text) => Value::Text(text.value.into_owned()),
        ast::Value::BooleanLit(is) => Value::Bool(is.value),
        ast::Value::NumberLit(_) => Value::Other("a number"),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(list) => {
            let mut node = |value: ast::Value<'_>| {
                let line = lines.at(value.start());
                Node { line, value: json_value(value, lines, duplicates) }
            };
            Value::List(list.elements.into_iter().map(&mut node).collect())
        }
        ast::Value::Object(object) => {
            let mut keys = HashSet::new();
            let mut entries = Vec::new();
            for property in object.properties {
                let line = lines.at(property.range.start);
                let key = property.name.into_string();
                if !keys.insert(key.clone()) {
                    duplicates.push((key.clone(), line));
                }
                entries.push((key, Node { line, value: json_value(property.value, lines, duplicates) }));
            }
            Value::Table(entries)
        }
    }
}

/// Where lines begin.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { starts: breaks.map(|(offset, _)| offset + 1).collect() }
    }

    /// The line of a byte, counted from 1.
    fn at(&self, offset: usize) -> u64 {
        1 + self.starts.partition_point(|start| *start <= offset) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_know_their_lines() {
        let node = toml("# x\n[a]\nb = 1\n\"c\" = [\n  \"x\",\n  \"y\"]\n[a.d]\n").unwrap();
        let a = node.entry("a").unwrap();
        let lines = ["b", "c", "d"].map(|key| a.entry(key).unwrap().line);
        assert_eq!((a.line, lines), (2, [3, 4, 7]));
        let Value::List(list) = &a.entry("c").unwrap().value else { panic!() };
        assert_eq!(list.iter().map(|node| node.line).collect::<Vec<_>>(), [5, 6]);

        let (node, duplicates) = json("{\n\"a\":\n 1,\r\n\"b\": {\"c\": null}, \"b\": 2}").unwrap();
        assert_eq!((node.entry("a").unwrap().line, node.entry("b").unwrap().line), (2, 4));
        assert_eq!(duplicates, [("b".to_owned(), 4)]);
    }

    #[test]
    fn what_is_malformed_has_a_line() {
        assert_eq!(toml("a = 1\nb = \n").unwrap_err().0, 2);
        assert_eq!(toml("a = 1\n\na = 2\n").unwrap_err().0, 3);
        assert_eq!(json("{\n\"a\": 1,\n}").unwrap_err().0, 2);
        assert_eq!(json("").unwrap_err(), (1, "it is empty".to_owned()));
    }
}
