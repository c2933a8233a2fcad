//! JSON as a tree of [`Node`]s.

use std::collections::HashSet;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Lines, Node, SyntaxError, Value, depth};

/// The duplicate keys of all tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DuplicateKeys {
    /// The first ones, each with the line of the second occurrence.
    pub first: Vec<(String, u64)>,
    /// Number of further ones.
    pub more: u64,
}

/// Maximum number of duplicate keys that are kept.
const MAX_DUPLICATES: usize = 64;

impl DuplicateKeys {
    fn add(&mut self, key: &str, line: impl FnOnce() -> u64) {
        if self.first.len() < MAX_DUPLICATES {
            self.first.push((key.to_owned(), line()));
        } else {
            self.more += 1;
        }
    }
}

/// Strict JSON. Source: RFC 8259.
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

/// Parses JSON. Skips a byte order mark, as npm does, and reports duplicate keys.
///
/// # Errors
///
/// The text is malformed, or nests too deep.
pub fn json(text: &str) -> Result<(Node, DuplicateKeys), SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::new(text);
    if let Some((offset, what)) = depth::find_json_error(text) {
        return Err(lines.error(offset, what));
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict())
        .map_err(|error| lines.error(error.range().start, error.kind().to_string()))?;
    let root = parsed.value.ok_or_else(|| lines.error(0, "it is empty"))?;
    let mut duplicates = DuplicateKeys::default();
    let start = root.start();
    let value = json_value(root, &lines, &mut duplicates);
    Ok((lines.node(start, start, value), duplicates))
}

fn json_value(value: ast::Value<'_>, lines: &Lines, duplicates: &mut DuplicateKeys) -> Value {
    match value {
        ast::Value::StringLit(text) => Value::Text(text.value.into_owned()),
        ast::Value::BooleanLit(is) => Value::Bool(is.value),
        ast::Value::NumberLit(_) => Value::Other("a number"),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(list) => {
            let mut node = |value: ast::Value<'_>| {
                let start = value.start();
                lines.node(start, start, json_value(value, lines, duplicates))
            };
            Value::List(list.elements.into_iter().map(&mut node).collect())
        }
        ast::Value::Object(object) => {
            let mut keys = HashSet::new();
            let mut entries = Vec::new();
            for property in object.properties {
                let (key_start, start) = (property.range.start, property.value.start());
                let key = property.name.into_string();
                if !keys.insert(key.clone()) {
                    duplicates.add(&key, || lines.line_of(key_start));
                }
                let value = json_value(property.value, lines, duplicates);
                entries.push((key, lines.node(key_start, start, value)));
            }
            Value::Table(entries)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_know_their_lines() {
        let (node, duplicates) = json("{\n\"a\":\n 1,\r\n\"b\": {\"c\": null}, \"b\": 2}").unwrap();
        assert_eq!((node.entry("a").unwrap().line, node.entry("b").unwrap().line), (2, 4));
        assert_eq!((&duplicates.first[..], duplicates.more), (&[("b".to_owned(), 4)][..], 0));
    }

    #[test]
    fn duplicates_beyond_the_limit_are_counted() {
        let json_of = |number| format!("{{{}\"a\":1}}", "\"a\":1,".repeat(number));
        let (_, duplicates) = json(&json_of(100_000)).unwrap();
        assert_eq!((duplicates.first.len(), duplicates.more), (MAX_DUPLICATES, 100_000 - MAX_DUPLICATES as u64));
    }

    #[test]
    fn syntax_errors_have_lines() {
        assert_eq!(json("{\n\"a\": 1,\n}").unwrap_err().line, 2);
        let empty = json("").unwrap_err();
        assert_eq!((empty.line, &*empty.message), (1, "it is empty"));
    }
}
