//! Text from the input, escaped for display.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write};

/// Displays text from the input safely on a terminal. Characters that could move the cursor,
/// recolor, reorder or hide text are escaped.
///
/// These are control characters (C0, C1, DEL), bidirectional controls, line and paragraph
/// separators, the zero-width space, invisible formatting and annotation characters (U+2060 to
/// U+206F, U+FFF9 to U+FFFB), tags, and the byte order mark. A backslash is not escaped, so that
/// harmless text stays as it is.
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
    /// Escapes text.
    pub const fn new(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    /// Escapes bytes. Those that are not UTF-8 appear as `\xNN`.
    pub const fn bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Escapes a file name or path. Bytes that are not Unicode appear as `\xNN`.
    pub fn file(name: &'a (impl AsRef<OsStr> + ?Sized)) -> Self {
        Self(name.as_ref().as_encoded_bytes())
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

/// Whether a character can deceive the reader of a terminal. Joiners, variation selectors and
/// fillers are invisible too, but are not included: emoji and several scripts need them.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Most characters of a text that a message quotes.
const MAX_QUOTED: usize = 64;

/// Returns the longest prefix of at most `max` bytes that ends at a character boundary.
pub fn beginning(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = (0..=max).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

/// Quotes text from the input for a message: at most 64 characters, then `…`. The result is not
/// escaped.
pub fn quoted(text: &str) -> String {
    let mut indices = text.char_indices();
    let short: Cow<'_, str> = match indices.nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    };
    format!("`{short}`")
}

/// As [`quoted`], for bytes that are valid UTF-8. Examines only the quoted part, so that the cost
/// of a finding does not grow with the text.
pub fn quoted_bytes(text: &[u8]) -> String {
    let beginning = &text[..text.len().min((MAX_QUOTED + 1) * char::MAX.len_utf8())];
    quoted(beginning.utf8_chunks().next().map_or("", |chunk| chunk.valid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deceptive_character_is_escaped() {
        let all: String = ('\0'..=char::MAX).collect();
        let shown = Escaped::new(&all).to_string();
        assert!(!shown.chars().any(is_deceptive));
        assert!(shown.contains("\\x1b") && shown.contains("\\u{9b}") && shown.contains("\\u{2066}"));
        // Source: the Unicode character database, `Bidi_Control` in PropList.txt.
        let bidi = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter().chain('\u{202a}'..='\u{202e}');
        for control in bidi.chain('\u{2066}'..='\u{2069}').chain((0..=0x9f).filter_map(char::from_u32)) {
            assert_eq!(shown.contains(control), matches!(control, ' '..='~'), "{control:?}");
        }
    }

    #[test]
    fn long_quotes_are_truncated() {
        assert_eq!(quoted("ab"), "`ab`");
        assert_eq!(quoted(&"é".repeat(100)), format!("`{}…`", "é".repeat(64)));
    }

    #[test]
    fn only_the_quoted_part_of_long_bytes_is_examined() {
        for character in ["x", "é", "€", "𝄞"] {
            for count in [0, 1, 63, 64, 65, 66, 1000] {
                let text = character.repeat(count);
                assert_eq!(quoted_bytes(text.as_bytes()), quoted(&text));
                assert_eq!(quoted_bytes(format!("x{text}").as_bytes()), quoted(&format!("x{text}")));
            }
        }
        let mut far = vec![b'x'; 1000];
        far.push(0xff);
        assert_eq!(quoted_bytes(&far), format!("`{}…`", "x".repeat(64)), "the last byte was examined");
    }
}
