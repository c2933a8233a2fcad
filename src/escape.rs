//! Texts of the input, made safe to show.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Shows a text of the input on a terminal: what could move the cursor, recolour, reorder or hide is written out as an
/// escape. Control characters (C0, C1, DEL), bidirectional controls, line and paragraph separators, zero-width
/// characters, tags, and the byte order mark are; a backslash is not, so that what is harmless looks as it was
/// written.
///
/// ```
/// use sectile::Escaped;
///
/// assert_eq!(Escaped::new("\x1b[31mred\u{202e}").to_string(), r"\x1b[31mred\u{202e}");
/// assert_eq!(Escaped::new("grüße").to_string(), "grüße");
/// assert_eq!(Escaped::bytes(b"caf\xe9").to_string(), r"caf\xe9");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(&'a [u8]);

impl<'a> Escaped<'a> {
    /// A text.
    pub const fn new(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    /// Bytes that may be a text: those that are not UTF-8 are written out.
    pub const fn bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    _ if !is_deceptive(character) => f.write_char(character)?,
                    '\0'..='\x7f' => write!(f, "\\x{:02x}", u32::from(character))?,
                    _ => write!(f, "\\u{{{:x}}}", u32::from(character))?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Whether a character can deceive who reads it on a terminal. (Joiners, U+200C and U+200D, cannot: emoji and several
/// scripts need them.)
pub(crate) fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// So many bytes of a text, or fewer, so that no character is cut.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// Quotes a text of the input in a message: its beginning, if it is long.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 64;
    let mut indices = text.char_indices();
    let short: Cow<'_, str> = match indices.nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    };
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_deceptive_is_left() {
        let all: String = ('\0'..=char::MAX).collect();
        let shown = Escaped::new(&all).to_string();
        assert!(!shown.chars().any(is_deceptive));
        assert!(shown.contains("\\x1b") && shown.contains("\\u{9b}") && shown.contains("\\u{2066}"));
    }

    #[test]
    fn long_quotes_are_cut() {
        assert_eq!(quoted("ab"), "`ab`");
        assert_eq!(quoted(&"é".repeat(100)), format!("`{}…`", "é".repeat(64)));
    }
}
