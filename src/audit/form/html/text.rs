//! Texts of the input in markup.

use std::fmt;

use crate::escape::Escaped;

/// A text of the input, in markup or in an attribute's quotes: nothing in it is markup, and what deceives is written out.
#[derive(Clone, Copy)]
pub(super) struct Html<'a>(Escaped<'a>);

impl<'a> Html<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(Escaped::new(text))
    }

    pub(super) fn bytes(bytes: &'a [u8]) -> Self {
        Self(Escaped::bytes(bytes))
    }
}

impl fmt::Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_fmt(&mut Entities(f), format_args!("{}", self.0))
    }
}

/// Writes what would be markup as entities.
struct Entities<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl fmt::Write for Entities<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(['<', '>', '&', '"', '\'']) {
            let end = piece.trim_end_matches(['<', '>', '&', '"', '\'']).len();
            self.0.write_str(&piece[..end])?;
            self.0.write_str(match &piece[end..] {
                "<" => "&lt;",
                ">" => "&gt;",
                "&" => "&amp;",
                "\"" => "&quot;",
                "'" => "&#39;",
                _ => "",
            })?;
        }
        Ok(())
    }
}

/// What the table is asked for, as the end of an address: the script reads it.
pub(super) struct Find<'a>(pub(super) &'a str, pub(super) &'a str);

impl fmt::Display for Find<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#find/{}", self.0)?;
        f.write_str(if self.1.is_empty() { "" } else { "%3A" })?;
        for byte in Escaped::new(self.1).to_string().bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            Html::new("<a href=\"x\">&'\u{202e}\0").to_string(),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\\u{202e}\\x00"
        );
        assert_eq!(Html::bytes(b"caf\xe9<").to_string(), "caf\\xe9&lt;");
        assert_eq!(Find("licenses", "a b/\"é").to_string(), "#find/licenses%3Aa%20b%2F%22%C3%A9");
    }
}
