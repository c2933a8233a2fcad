//! Writing JSON piece by piece, with the keys in the order in which they are written.

use std::io::{self, Write};

/// Writes a text as a string.
pub(crate) fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}

/// Writes an array, its values as `write_one` writes each.
pub(crate) fn write_array<W: Write, I: IntoIterator>(
    out: &mut W,
    values: I,
    write_one: impl FnMut(&mut W, I::Item) -> io::Result<()>,
) -> io::Result<()> {
    write_list(out, ["[", "]"], values, write_one)
}

/// As [`write_array`], of what is written as `key:value`.
#[cfg(feature = "json")]
pub(crate) fn write_object<W: Write, I: IntoIterator>(
    out: &mut W,
    values: I,
    write_one: impl FnMut(&mut W, I::Item) -> io::Result<()>,
) -> io::Result<()> {
    write_list(out, ["{", "}"], values, write_one)
}

fn write_list<W: Write, I: IntoIterator>(
    out: &mut W,
    [open, close]: [&str; 2],
    values: I,
    mut write_one: impl FnMut(&mut W, I::Item) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "{open}")?;
    for (nth, value) in values.into_iter().enumerate() {
        if nth > 0 {
            write!(out, ",")?;
        }
        write_one(out, value)?;
    }
    write!(out, "{close}")
}
