//! Escapes values of the input in markup.

use std::fmt;

use sectile::Escaped;

/// A value of the input, for HTML or XML, in text or a quoted attribute. Markup becomes entities, and deceptive characters are
/// escaped.
#[derive(Clone, Copy)]
pub(crate) struct HtmlText<'a>(Escaped<'a>);

impl<'a> HtmlText<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self(Escaped::new(text))
    }

    pub(crate) fn bytes(bytes: &'a [u8]) -> Self {
        Self(Escaped::bytes(bytes))
    }
}

impl fmt::Display for HtmlText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_fmt(&mut Entities(f), format_args!("{}", self.0))
    }
}

/// Writes markup characters as entities.
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

/// A filter of the table as the fragment of a link, which the script parses.
pub(super) struct FindLink<'a>(pub(super) &'a str, pub(super) &'a str);

impl fmt::Display for FindLink<'_> {
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
    fn text_is_not_markup() {
        assert_eq!(
            HtmlText::new("<a href=\"x\">&'\u{202e}\0").to_string(),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\\u{202e}\\x00"
        );
        assert_eq!(HtmlText::bytes(b"caf\xe9<").to_string(), "caf\\xe9&lt;");
        assert_eq!(FindLink("licenses", "a b/\"é").to_string(), "#find/licenses%3Aa%20b%2F%22%C3%A9");
    }
}
