//! Writing JSON piece by piece, with the keys in the order in which they are written.

use std::io::{self, Write};

use crate::scan::Path;

/// Writes pieces of JSON one after another: texts as they stand, numbers in digits. (What `write!` does at several times
/// the cost: an audit writes a million rows.)
macro_rules! put {
    ($out:expr, $piece:expr $(,)?) => { $crate::json::Piece::put(&$piece, &mut *$out) };
    ($out:expr, $piece:expr, $($rest:expr),+ $(,)?) => {
        $crate::json::Piece::put(&$piece, &mut *$out).and_then(|()| $crate::json::put!($out, $($rest),+))
    };
}

pub(crate) use put;

/// What [`put`] writes.
pub(crate) trait Piece {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()>;
}

impl Piece for &str {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(self.as_bytes())
    }
}

impl<P: Piece> Piece for &P {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        (**self).put(out)
    }
}

impl Piece for Path {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        for (nth, index) in self.indexes().iter().enumerate() {
            put!(out, if nth > 0 { "/" } else { "" }, index)?;
        }
        Ok(())
    }
}

impl Piece for u64 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }
}

impl Piece for i64 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }
}

impl Piece for u32 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        u64::from(*self).put(out)
    }
}

impl Piece for u8 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        u64::from(*self).put(out)
    }
}

impl Piece for bool {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        (if *self { "true" } else { "false" }).put(out)
    }
}

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
    put!(out, open)?;
    for (nth, value) in values.into_iter().enumerate() {
        if nth > 0 {
            put!(out, ",")?;
        }
        write_one(out, value)?;
    }
    put!(out, close)
}
