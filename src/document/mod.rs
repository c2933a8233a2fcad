//! A file's text as a tree whose every entry knows where it stands, whichever language it is written in: what manifests and
//! policies are read from.
#![cfg_attr(not(all(feature = "manifest", feature = "policy")), allow(dead_code))] // each uses its part

mod depth;
pub(crate) mod file;
#[cfg(feature = "manifest")]
mod json;

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};

#[cfg(feature = "manifest")]
pub(crate) use self::json::json;

/// A value, and where it stands: of an entry, that of its key. Lines are counted from 1; bytes of JSON, from behind the byte
/// order mark that it may begin with.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: u64,
    /// The byte of the text where the entry begins that it is the value of; where it begins itself, if it is of none.
    pub(crate) key_start: usize,
    /// The byte of the text where it begins itself.
    pub(crate) start: usize,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Bool(bool),
    /// A whole number, if it has 64 bits at the most.
    Integer(i64),
    /// JSON's `null`: as good as absent.
    #[cfg(feature = "manifest")]
    Null,
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// A date or a time, as it is written.
    Date(String),
    /// Nothing that any key is to be: what it is instead.
    Other(&'static str),
}

impl Node {
    /// What it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a string",
            Value::Bool(_) => "true or false",
            Value::Integer(_) => "a number",
            #[cfg(feature = "manifest")]
            Value::Null => "null",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Date(_) => "a date or time",
            Value::Other(kind) => kind,
        }
    }

    /// The entry of that key, if it is a table that has it. Of several, the last counts.
    #[cfg(feature = "manifest")]
    pub(crate) fn entry(&self, key: &str) -> Option<&Node> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().rev().find(|(found, _)| found == key).map(|(_, node)| node)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What is wrong with a text that cannot be read, and where.
#[derive(Clone, Debug)]
pub(crate) struct Malformed {
    pub(crate) line: u64,
    /// The byte of the text.
    pub(crate) start: usize,
    pub(crate) message: String,
}

/// Reads TOML. A byte order mark is passed over, as Cargo and wkg do.
pub(crate) fn toml(text: &str) -> Result<Node, Malformed> {
    let lines = Lines::of(text);
    if let Some(offset) = depth::too_deep_in_toml(text) {
        return Err(lines.malformed(offset, depth::TOO_DEEP));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        lines.malformed(offset, error.message())
    })?;
    Ok(lines.node(0, 0, toml_table(table.into_inner(), &lines)))
}

fn toml_table(table: DeTable<'_>, lines: &Lines) -> Value {
    let entry = |(key, value): (toml::Spanned<Cow<'_, str>>, toml::Spanned<DeValue<'_>>)| {
        let starts = [key.span().start, value.span().start];
        let value = toml_value(value.into_inner(), lines);
        (key.into_inner().into_owned(), lines.node(starts[0], starts[1], value))
    };
    let mut entries: Vec<_> = table.into_iter().map(entry).collect();
    entries.sort_by_key(|(_, node)| node.key_start); // they come by their keys
    Value::Table(entries)
}

fn toml_value(value: DeValue<'_>, lines: &Lines) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(is) => Value::Bool(is),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Other("a number"), Value::Integer)
        }
        DeValue::Float(_) => Value::Other("a number"),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(list) => {
            let node = |value: toml::Spanned<DeValue<'_>>| {
                let start = value.span().start;
                lines.node(start, start, toml_value(value.into_inner(), lines))
            };
            Value::List(list.into_iter().map(node).collect())
        }
        DeValue::Table(table) => toml_table(table, lines),
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

    fn node(&self, key_start: usize, start: usize, value: Value) -> Node {
        Node { line: self.at(key_start), key_start, start, value }
    }

    fn malformed(&self, start: usize, message: impl Into<String>) -> Malformed {
        Malformed { line: self.at(start), start, message: message.into() }
    }
}

/// The line and the column of a byte, both counted from 1, the column in characters.
#[cfg(feature = "policy")]
pub(crate) fn line_and_column(text: &str, offset: usize) -> (u64, u64) {
    let before = crate::escape::beginning(text, offset).trim_start_matches('\u{feff}');
    let line = before.rsplit('\n').next().unwrap_or_default();
    (1 + before.bytes().filter(|byte| *byte == b'\n').count() as u64, 1 + line.chars().count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "manifest")]
    fn entries_know_their_lines() {
        let node = toml("# x\n[a]\nb = 1\n\"c\" = [\n  \"x\",\n  \"y\"]\n[a.d]\n").unwrap();
        let a = node.entry("a").unwrap();
        let lines = ["b", "c", "d"].map(|key| a.entry(key).unwrap().line);
        assert_eq!((a.line, lines), (2, [3, 4, 7]));
        let Value::List(list) = &a.entry("c").unwrap().value else { panic!() };
        assert_eq!(list.iter().map(|node| node.line).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn what_is_malformed_has_a_line() {
        assert_eq!(toml("a = 1\nb = \n").unwrap_err().line, 2);
        assert_eq!(toml("a = 1\n\na = 2\n").unwrap_err().line, 3);
    }

    #[test]
    #[cfg(feature = "policy")]
    fn columns_are_characters() {
        for (text, offset, place) in [
            ("", 0, (1, 1)),
            ("\u{feff}ab", 3, (1, 1)),
            ("a\nüx", 4, (2, 2)),
            ("a\nüx", 3, (2, 1)), // in the middle of the character
            ("a\n", 2, (2, 1)),
            ("a", 99, (1, 2)),
        ] {
            assert_eq!(line_and_column(text, offset), place, "{text:?} {offset}");
        }
    }
}
