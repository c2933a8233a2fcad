//! TOML and JSON texts as trees whose entries know their lines: what manifests and policies are read from.
//!
//! Internal to Sectile: it changes without notice. The `toml` crate gives spans, but serde-based readers of JSON do
//! not, and messages name the file, line and key of any value in either language. So one small tree serves both.

mod depth;
pub mod file;
mod json;

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};

pub use self::json::{DuplicateKeys, json};

/// A value and its position in the text. Lines are counted from 1; byte offsets in JSON do not count a leading byte
/// order mark.
#[derive(Clone, Debug)]
pub struct Node {
    /// Line of the entry's key, or of the value itself if it has no key.
    pub line: u64,
    /// Byte offset of the entry's key, or of the value itself if it has no key.
    pub key_start: usize,
    /// Byte offset of the value.
    pub start: usize,
    /// The value.
    pub value: Value,
}

/// A value of either language.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of at most 64 bits.
    Integer(i64),
    /// JSON's `null`, which is treated as absent.
    Null,
    /// A list, in order.
    List(Vec<Node>),
    /// A table: keys and values in the order of the text.
    Table(Vec<(String, Node)>),
    /// A date or a time, as written.
    Date(String),
    /// A value of a kind that no key accepts, in words.
    Other(&'static str),
}

impl Node {
    /// The kind of value, in words.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a string",
            Value::Bool(_) => "true or false",
            Value::Integer(_) => "a number",
            Value::Null => "null",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Date(_) => "a date or time",
            Value::Other(kind) => kind,
        }
    }

    /// The entry of a table with this key. The last of several counts.
    pub fn entry(&self, key: &str) -> Option<&Node> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().rev().find(|(found, _)| found == key).map(|(_, node)| node)
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A text is malformed, or nests too deep.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    /// Line, counted from 1.
    pub line: u64,
    /// Byte offset.
    pub start: usize,
    /// The problem.
    pub message: String,
}

/// Parses TOML. Skips a byte order mark, as Cargo and wkg do.
///
/// # Errors
///
/// The text is malformed, or nests too deep.
pub fn toml(text: &str) -> Result<Node, SyntaxError> {
    let lines = Lines::new(text);
    if let Some(offset) = depth::too_deep_in_toml(text) {
        return Err(lines.error(offset, depth::TOO_DEEP));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        lines.error(offset, error.message())
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
    entries.sort_by_key(|(_, node)| node.key_start); // the parser sorts them by key
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

/// The offsets at which lines begin.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { starts: breaks.map(|(offset, _)| offset + 1).collect() }
    }

    /// The line of a byte, counted from 1.
    fn line_of(&self, offset: usize) -> u64 {
        1 + self.starts.partition_point(|start| *start <= offset) as u64
    }

    fn node(&self, key_start: usize, start: usize, value: Value) -> Node {
        Node { line: self.line_of(key_start), key_start, start, value }
    }

    fn error(&self, start: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError { line: self.line_of(start), start, message: message.into() }
    }
}

/// The line and the column of a byte, both counted from 1, the column in characters.
pub fn line_and_column(text: &str, offset: usize) -> (u64, u64) {
    let before = sectile::internal::beginning(text, offset).trim_start_matches('\u{feff}');
    let line = before.rsplit('\n').next().unwrap_or_default();
    (1 + before.bytes().filter(|byte| *byte == b'\n').count() as u64, 1 + line.chars().count() as u64)
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
    }

    #[test]
    fn syntax_errors_have_lines() {
        assert_eq!(toml("a = 1\nb = \n").unwrap_err().line, 2);
        assert_eq!(toml("a = 1\n\na = 2\n").unwrap_err().line, 3);
    }

    #[test]
    fn columns_are_characters() {
        for (text, offset, place) in [
            ("", 0, (1, 1)),
            ("\u{feff}ab", 3, (1, 1)),
            ("a\nüx", 4, (2, 2)),
            ("a\nüx", 3, (2, 1)), // inside the character
            ("a\n", 2, (2, 1)),
            ("a", 99, (1, 2)),
        ] {
            assert_eq!(line_and_column(text, offset), place, "{text:?} {offset}");
        }
    }
}
