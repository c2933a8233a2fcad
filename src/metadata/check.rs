//! Checks of values. Checks never change a value, and each examines a bounded number of bytes.

use iri_string::types::IriStr;

use super::field::{Expects, Field};
use super::license;
use crate::escape::{is_deceptive, quoted};
use crate::finding::{FindingCode, Severity};

/// Maximum length in bytes of a license, URL or date that is parsed.
pub const MAX_PARSED: usize = 8 << 10;

/// A violation of a [`Field`]'s rules by a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    pub(crate) code: FindingCode,
    pub(crate) message: String,
}

impl ValueError {
    /// The code of the finding that readers report for this error.
    pub fn code(&self) -> FindingCode {
        self.code
    }

    /// One-line description, with a correction if there is an obvious one. May quote the value:
    /// escape it before printing it to a terminal.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The severity of its [code](Self::code).
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Whether edits refuse a value with this error by default. Deprecated license ids are
    /// accepted.
    pub fn is_refused(&self) -> bool {
        self.code != FindingCode::DeprecatedLicense
    }
}

impl Field {
    /// Returns the errors of a value for this field; empty if the value is valid.
    ///
    /// ```
    /// use sectile::{FindingCode, metadata::Field};
    ///
    /// assert!(Field::Licenses.check("MIT OR Apache-2.0").is_empty());
    /// let errors = Field::Licenses.check("MIT/Apache-2.0");
    /// assert_eq!(errors[0].code(), FindingCode::ImpreciseLicense);
    /// assert_eq!(errors[0].message(), "`MIT/Apache-2.0` is not an SPDX expression; did you mean `MIT OR Apache-2.0`?");
    /// ```
    pub fn check(self, value: &str) -> Vec<ValueError> {
        let mut errors = Vec::new();
        if value.is_empty() {
            errors.push(ValueError::new(FindingCode::EmptyValue, "the value is empty"));
            return errors;
        }
        let expects = self.expects();
        errors.extend(controls(value, expects == Expects::Text));
        if expects != Expects::Text && value.len() > MAX_PARSED {
            let message = format!("{} bytes; more than {MAX_PARSED} are not parsed", value.len());
            errors.push(ValueError::new(FindingCode::TooLarge, message));
            return errors;
        }
        match expects {
            Expects::Text => {}
            Expects::DateTime => errors.extend(date_time(value)),
            Expects::License => errors.extend(license::check(value)),
            Expects::Url => url(value, false, &mut errors),
            Expects::Repository => url(value, true, &mut errors),
        }
        errors
    }
}

/// Whether a text is printable ASCII, the most common case. Checks eight bytes at a time; the last
/// chunk may overlap.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    // Sets the high bit of each byte that is not printable ASCII: it is set already, or by
    // subtracting 0x20 (control characters), or by adding 1 (0x7f). Only such bytes can carry into
    // a neighbor.
    let unusual = |word: u64| word | word.wrapping_sub(HIGH_BITS >> 2) | word.wrapping_add(HIGH_BITS >> 7);
    if let Some(last) = text.last_chunk() {
        let words = text.as_chunks().0.iter().chain([last]);
        return words.fold(0, |found, word| found | unusual(u64::from_ne_bytes(*word))) & HIGH_BITS == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let halves = [u32::from_ne_bytes(*first), u32::from_ne_bytes(*last)].map(u64::from);
        return unusual(halves[0] << 32 | halves[1]) & HIGH_BITS == 0;
    }
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Returns an error if a text contains deceptive characters. Multiline text may contain line breaks
/// and tabs.
pub fn controls(text: &str, multiline: bool) -> Option<ValueError> {
    has_controls(text, multiline).then(|| {
        let message = format!("control or bidirectional characters in {}", quoted(text));
        ValueError::new(FindingCode::ControlCharacters, message)
    })
}

/// Whether a text contains deceptive characters. Multiline text may contain line breaks and tabs.
pub(crate) fn has_controls(text: &str, multiline: bool) -> bool {
    if is_plain(text.as_bytes()) {
        return false;
    }
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let breaks_line = match character {
            '\n' | '\t' => true,
            '\r' => characters.peek() == Some(&'\n'),
            _ => false,
        };
        if is_deceptive(character) && !(multiline && breaks_line) {
            return true;
        }
    }
    false
}

fn url(value: &str, repository: bool, errors: &mut Vec<ValueError>) {
    let Ok(url) = IriStr::new(value) else {
        errors.push(if repository && is_scp_like(value) {
            let message = format!("{} is a Git address, not a URL; use an https URL", quoted(value));
            ValueError::new(FindingCode::VcsUrl, message)
        } else {
            ValueError::new(
                FindingCode::NotUrl,
                format!("{} is not an absolute URL{}", quoted(value), url_advice(value)),
            )
        });
        return;
    };
    let scheme = url.scheme_str();
    let authority = url.authority_components();
    if ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http)) {
        if authority.is_none_or(|authority| authority.host().is_empty()) {
            errors.push(ValueError::new(FindingCode::NotUrl, format!("{} has no host", quoted(value))));
        }
    } else if repository && is_vcs(scheme) {
        let message = format!("{} is a version control URL that browsers cannot open; use an https URL", quoted(value));
        errors.push(ValueError::new(FindingCode::VcsUrl, message));
    } else {
        errors.push(ValueError::new(FindingCode::NotHttp, format!("{} is not an http or https URL", quoted(value))));
    }
    // `git@` is the usual user name in repository URLs; anything else may be a secret.
    let user = authority.and_then(|authority| authority.userinfo());
    if user.is_some_and(|user| !(is_vcs(scheme) && user == "git")) {
        errors.push(ValueError::new(FindingCode::UrlCredentials, "the URL contains a user name or password"));
    }
}

fn url_advice(value: &str) -> &'static str {
    if value.contains("://") || value.contains(char::is_whitespace) || !value.contains('.') {
        ""
    } else {
        "; add a scheme such as https://"
    }
}

/// Whether a value has the `user@host:path` form of SSH and Git.
pub fn is_scp_like(value: &str) -> bool {
    let Some((user, (host, path))) = value.split_once('@').and_then(|(user, rest)| Some((user, rest.split_once(':')?)))
    else {
        return false;
    };
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    is_name(user) && is_name(host) && !path.is_empty() && !path.contains(char::is_whitespace)
}

fn is_vcs(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    let vcs = scheme.split_once('+').map_or(&*scheme, |(vcs, _)| vcs);
    ["git", "hg", "svn", "bzr"].contains(&vcs) || scheme == "ssh"
}

fn date_time(value: &str) -> Option<ValueError> {
    if is_rfc3339(value.as_bytes()) == Some(true) {
        return None;
    }
    let message = format!("{} is not an RFC 3339 date-time such as 2026-01-31T12:00:00Z", quoted(value));
    Some(ValueError::new(FindingCode::NotRfc3339, message))
}

/// Checks the RFC 3339 grammar, which date libraries apply leniently. `jiff` checks the day of the
/// month.
fn is_rfc3339(text: &[u8]) -> Option<bool> {
    let number = |at: usize, len: usize| {
        let digits = text.get(at..at + len).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        Some(digits.iter().fold(0i16, |number, digit| number * 10 + i16::from(digit - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let marks = [text[4], text[7], text[13], text[16]] == *b"--::" && b"Tt ".contains(&text[10]);

    let fraction = match text.get(19) {
        Some(b'.') => 1 + text[20..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let zone = 19 + fraction;
    let zone_is_right = match text.get(zone..)? {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', _, _, b':', _, _] => number(zone + 1, 2)? < 24 && number(zone + 4, 2)? < 60,
        _ => false,
    };
    let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    // Any minute may have a leap second: they are not known in advance.
    Some(marks && fraction != 1 && zone_is_right && date.is_ok() && hour < 24 && minute < 60 && second <= 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(field: Field, value: &str) -> Vec<FindingCode> {
        field.check(value).into_iter().map(|error| error.code).collect()
    }

    #[test]
    fn licenses_are_bounded() {
        let huge = "MIT OR ".repeat(1_000_000);
        assert_eq!(codes(Field::Licenses, &huge), [FindingCode::TooLarge]);
        let deep = "(".repeat(4_000) + "MIT" + &")".repeat(4_000);
        assert_eq!(codes(Field::Licenses, &deep), []);
        let longest = format!("MIT{}", " ".repeat(MAX_PARSED - 3));
        assert_eq!(codes(Field::Licenses, &longest), []);
        assert_eq!(codes(Field::Licenses, &format!("{longest} ")), [FindingCode::TooLarge]);
    }

    #[test]
    fn urls() {
        use FindingCode::{ControlCharacters, NotHttp, NotUrl, TooLarge, UrlCredentials, VcsUrl};
        for (field, value, expected) in [
            (Field::Homepage, "https://example.com", &[][..]),
            (Field::Homepage, "HTTPS://Example.com:443/a/../b", &[]),
            (Field::Homepage, "https://example.com/grüße?q=1#top", &[]),
            (Field::Homepage, "https://[::1]:8080/", &[]),
            (Field::Homepage, "example.com", &[NotUrl]),
            (Field::Homepage, "https://", &[NotUrl]),
            (Field::Homepage, "https:example.com", &[NotUrl]),
            (Field::Homepage, "https:///path", &[NotUrl]),
            (Field::Homepage, "https://a b", &[NotUrl]),
            (Field::Homepage, "//example.com", &[NotUrl]),
            (Field::Homepage, "javascript:alert(1)", &[NotHttp]),
            (Field::Homepage, "data:text/html,x", &[NotHttp]),
            (Field::Homepage, "git@github.com:a/b.git", &[NotUrl]),
            (Field::Homepage, "https://user:secret@example.com/", &[UrlCredentials]),
            (Field::Homepage, "https://example.com/\x1b[0m", &[ControlCharacters, NotUrl]),
            (Field::Source, "https://github.com/a/b", &[]),
            (Field::Source, "git@github.com:a/b.git", &[VcsUrl]),
            (Field::Source, "ssh://git@github.com/a/b.git", &[VcsUrl]),
            (Field::Source, "git+https://github.com/a/b.git", &[VcsUrl]),
            (Field::Source, "ssh://me:secret@host/a", &[VcsUrl, UrlCredentials]),
            (Field::Source, "javascript:alert(1)", &[NotHttp]),
            (Field::Source, "file:///etc/passwd", &[NotHttp]),
            (Field::Source, "a b@c:d", &[NotUrl]),
        ] {
            assert_eq!(codes(field, value), expected, "{value}");
        }
        let huge = format!("https://example.com/{}", "a".repeat(1 << 20));
        assert_eq!(codes(Field::Homepage, &huge), [TooLarge]);
    }

    #[test]
    fn a_url_without_a_scheme_is_a_finding() {
        for (value, missed) in [
            ("example.com/a", true),
            ("//example.com", true),
            ("nowhere", false),
            ("my site.example", false),
            ("://example.com", false),
        ] {
            let message = &Field::Homepage.check(value)[0].message;
            assert!(message.starts_with(&format!("`{value}` is not an absolute URL")), "{message}");
            assert_eq!(message.ends_with("; add a scheme such as https://"), missed, "{message}");
        }
    }

    #[test]
    fn dates() {
        for right in [
            "2026-01-31T12:00:00Z",
            "2024-02-29t23:59:60z",
            "1970-01-01 00:00:00.000000000001+23:59",
            "0000-01-01T00:00:00-00:00",
        ] {
            assert_eq!(codes(Field::Created, right), [], "{right}");
        }
        for wrong in [
            "2026-01-31",
            "2026-01-31T12:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00+0100",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00+01:60",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:61Z",
            "2026-01-31_12:00:00Z",
            "2026/01/31T12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2026-00-01T12:00:00Z",
            "2026-01-31T12:00:00Zjunk",
            "+2026-01-31T12:00:00Z",
            "12 May 2026",
            "1",
        ] {
            assert_eq!(codes(Field::Created, wrong), [FindingCode::NotRfc3339], "{wrong}");
        }
    }

    #[test]
    fn plain_texts() {
        for len in 0..40 {
            let text = vec![b'a'; len];
            assert!(is_plain(&text));
            for place in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = text.clone();
                    text[place] = byte;
                    assert_eq!(is_plain(&text), matches!(byte, b' '..=b'~'), "{text:x?}");
                }
            }
        }
    }

    #[test]
    fn texts() {
        assert_eq!(codes(Field::Description, "two\nlines\tand\r\nmore, grüße 🦀"), []);
        assert_eq!(codes(Field::Description, ""), [FindingCode::EmptyValue]);
        for deceptive in ["\x1b[2J", "over\rwritten", "\u{202e}gnp.exe", "\u{9b}31m", "nul\0"] {
            assert_eq!(codes(Field::Description, deceptive), [FindingCode::ControlCharacters], "{deceptive:?}");
        }
        assert_eq!(codes(Field::Licenses, "MIT\n")[0], FindingCode::ControlCharacters);
    }
}
