//! Writing JSON piece by piece, with the keys in the order in which they are written.
#![allow(clippy::missing_errors_doc, reason = "the only errors are the writer's")]

use std::ffi::OsStr;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::scan::ItemPath;

/// Writes pieces of JSON one after another: texts as they stand, numbers in digits. (What `write!` does at several times
/// the cost: an audit writes a million rows.)
#[doc(hidden)]
#[macro_export]
macro_rules! __put_json {
    ($out:expr, $piece:expr $(,)?) => { $crate::internal::json::WriteJson::put(&$piece, &mut *$out) };
    ($out:expr, $piece:expr, $($rest:expr),+ $(,)?) => {
        $crate::internal::json::WriteJson::put(&$piece, &mut *$out).and_then(|()| $crate::__put_json!($out, $($rest),+))
    };
}

pub use crate::__put_json as put;

/// What [`put`] writes.
pub trait WriteJson {
    /// Writes the piece.
    ///
    /// # Errors
    ///
    /// The writer's.
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()>;
}

impl WriteJson for &str {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(self.as_bytes())
    }
}

impl<P: WriteJson> WriteJson for &P {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        (**self).put(out)
    }
}

impl WriteJson for ItemPath {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        for (nth, index) in self.indexes().iter().enumerate() {
            put!(out, if nth > 0 { "/" } else { "" }, index)?;
        }
        Ok(())
    }
}

impl WriteJson for u64 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }
}

impl WriteJson for i64 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }
}

impl WriteJson for u32 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        u64::from(*self).put(out)
    }
}

impl WriteJson for u8 {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        u64::from(*self).put(out)
    }
}

impl WriteJson for bool {
    fn put<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        (if *self { "true" } else { "false" }).put(out)
    }
}

/// The version of the JSON that the library and the command write. It changes when something that scripts rely on does.
pub const SCHEMA: u32 = 1;

/// Writes the name of a file: a string, or base64 of its bytes if it is not Unicode.
pub fn write_os(out: &mut impl Write, name: &OsStr) -> io::Result<()> {
    match name.to_str() {
        Some(name) => write_text(out, name),
        None => write_base64(out, name.as_encoded_bytes()),
    }
}

/// Writes bytes as `{"base64":…}`.
pub fn write_base64(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    put!(out, "{\"base64\":\"", STANDARD.encode(bytes).as_str(), "\"}")
}

/// Writes a text as a string.
pub fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}

/// Writes an array, its values as `write_one` writes each.
pub fn write_array<W: Write, I: IntoIterator>(
    out: &mut W,
    values: I,
    write_one: impl FnMut(&mut W, I::Item) -> io::Result<()>,
) -> io::Result<()> {
    write_list(out, ["[", "]"], values, write_one)
}

/// As [`write_array`], of what is written as `key:value`.
pub fn write_object<W: Write, I: IntoIterator>(
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
