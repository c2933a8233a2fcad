//! Values of the input, escaped, and truncated if they are very long.

use std::fmt::{self, Display};

use sectile::Escaped;
use sectile::metadata::Value;
use sectile_audit::amount::Grouped;

use super::style::DIMMED;

/// A value as text, even if it is not UTF-8.
pub struct ValueText<'a>(pub &'a Value<'a>);

impl Display for ValueText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.as_bytes().is_empty() {
            return write!(f, "{DIMMED}(empty){DIMMED:#}");
        }
        ShortText(self.0.as_bytes()).fmt(f)
    }
}

/// Text, truncated if it is very long; JSON has all of it.
pub struct ShortText<'a>(pub &'a [u8]);

impl Display for ShortText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_BYTES: usize = 1_000;
        let Some(mut begin) = self.0.get(..MAX_BYTES) else { return Escaped::bytes(self.0).fmt(f) };
        if let Some(last) = begin.utf8_chunks().last() {
            begin = &begin[..begin.len() - last.invalid().len()]; // not in the middle of a character
        }
        write!(f, "{}… {DIMMED}({} bytes){DIMMED:#}", Escaped::bytes(begin), Grouped(self.0.len() as u64))
    }
}

/// Bytes in hexadecimal.
pub struct Hex<'a>(pub &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
