//! Paths of source files in the data of a binary.

/// Whether a byte separates the components of a path.
pub(super) const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Whether each byte is an ASCII letter, a digit or one of these bytes.
const fn alphanumeric_or(others: &[u8]) -> [bool; 256] {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        set[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        set[others[at] as usize] = true;
        at += 1;
    }
    set
}

/// The first component of a path and the rest after its separator. A component has at most 128
/// letters, digits and the characters `-_.+@`.
pub(super) fn component(path: &[u8]) -> Option<(&[u8], &[u8])> {
    const MAX_LEN: usize = 128;
    const PLAIN: [bool; 256] = alphanumeric_or(b"-_.+@");
    let start = &path[..path.len().min(MAX_LEN + 1)];
    let len = start.iter().position(|byte| !PLAIN[usize::from(*byte)])?;
    (len > 0 && is_separator(path[len])).then(|| (&path[..len], &path[len + 1..]))
}

/// Name and version of a directory such as `serde-1.0.219`. A crate's name contains no dot, so the
/// first hyphen before a semantic version ends it.
pub(super) fn name_and_version(directory: &[u8]) -> Option<(&str, &str)> {
    const NAME: [bool; 256] = alphanumeric_or(b"-_");
    let dot = directory.iter().position(|byte| !NAME[usize::from(*byte)])?; // the first of the version
    let digits = directory[..dot].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let directory = std::str::from_utf8(directory).ok()?;
    let (name, version) = (directory[..dot - digits].strip_suffix('-')?, &directory[dot - digits..]);
    (!name.is_empty() && !name.starts_with('-') && is_semver(version)).then_some((name, version))
}

/// Splits the suffix `-<16 hexadecimal digits>` off, which Cargo appends to the directory of a
/// registry or a repository.
pub(super) fn without_hash(directory: &[u8]) -> Option<&[u8]> {
    let (name, hash) = directory.split_at(directory.len().checked_sub(17)?);
    (!name.is_empty() && is_hex(hash.strip_prefix(b"-")?)).then_some(name)
}

/// Whether a text has only lower-case hexadecimal digits.
pub(super) fn is_hex(text: &[u8]) -> bool {
    text.iter().filter(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count() == 0 // all bytes at once
}

/// Whether a text is a version with three numbers, and optionally a pre-release and build metadata.
pub(super) fn is_semver(text: &str) -> bool {
    const MAX_LEN: usize = 64;
    const SUFFIX: [bool; 256] = alphanumeric_or(b"-+.");
    let mut rest = text.as_bytes();
    for nth in 0..3 {
        if nth > 0 {
            let Some((b'.', after)) = rest.split_first() else { return false };
            rest = after;
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=10).contains(&digits) {
            return false;
        }
        rest = &rest[digits..];
    }
    let is_suffix = |suffix: &[u8]| suffix.len() > 1 && suffix.iter().all(|byte| SUFFIX[usize::from(*byte)]);
    text.len() <= MAX_LEN && (rest.is_empty() || matches!(rest[0], b'-' | b'+') && is_suffix(rest))
}

/// The relative path of a Rust source file at the start of a text, up to `.rs`, and the rest of the
/// text. The compiler stores such paths without a terminator, or with a NUL.
pub(super) fn source_file(text: &[u8]) -> Option<(&[u8], &[u8])> {
    const MAX_LEN: usize = 512;
    const EXTENSION: &[u8] = b".rs";
    const PATH: [bool; 256] = alphanumeric_or(b"-_./\\+@=~,#()[] ");
    let window = &text[..text.len().min(MAX_LEN)];
    let at = memchr::memchr_iter(b'.', window).find(|at| window[*at..].starts_with(EXTENSION))?;
    (at > 0 && window[..at].iter().all(|byte| PATH[usize::from(*byte)])).then(|| text.split_at(at + EXTENSION.len()))
}

/// Whether a path is a part of a rendered text, such as a backtrace, a diagnostic, a list of files
/// or a quotation, rather than a string that the compiler stored. `before` ends inside the path,
/// `after` starts after it.
pub(super) fn is_rendered(before: &[u8], after: &[u8]) -> bool {
    const PATH: [bool; 256] = alphanumeric_or(b"-_./\\:+@~$");
    let is_path = |byte: u8| PATH[usize::from(byte)] || !byte.is_ascii();
    let start = before.iter().rposition(|byte| !is_path(*byte)).map_or(0, |at| at + 1);
    let opener = before[..start].last();
    // A URL, or a home directory that a shell would expand.
    let path = &before[start..];
    let is_url = memchr::memchr_iter(b':', path).any(|at| path[at..].starts_with(b"://"));
    if is_url || path.starts_with(b"~") {
        return true;
    }
    match after {
        [b':', digit, ..] if digit.is_ascii_digit() => true, // line and column
        [b':', b'\r' | b'\n', ..] => true,                   // a rule of a makefile
        [b':', b' ', slash, ..] if is_separator(*slash) => true,
        [b' ', slash, ..] if is_separator(*slash) => true, // its list of files
        [closer, ..] => match (opener, closer) {
            (Some(b'"' | b'\'' | b'`'), closer) => Some(closer) == opener,
            (Some(b'('), b')') | (Some(b'['), b']') | (Some(b'<'), b'>') => true,
            // A line or a word of a text.
            (Some(b' ' | b'\t' | b'\n'), closer) => b" \t\r\n,.;:)]}".contains(closer),
            _ => false,
        },
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_split_at_the_version() {
        for (directory, expected) in [
            ("serde-1.0.219", Some(("serde", "1.0.219"))),
            ("a-b-c-0.1.0", Some(("a-b-c", "0.1.0"))),
            ("md-5-0.10.6", Some(("md-5", "0.10.6"))),
            ("x-1.0.0-alpha.1+build-2", Some(("x", "1.0.0-alpha.1+build-2"))),
            ("wasi-0.11.0+wasi-snapshot-preview1", Some(("wasi", "0.11.0+wasi-snapshot-preview1"))),
            ("bzip2-1.0", None),
            ("serde", None),
            ("-1.0.0", None),
            ("a.b-1.0.0", None),
            ("x-1.0.0-", None),
            ("x-1..0", None),
        ] {
            assert_eq!(name_and_version(directory.as_bytes()), expected, "{directory}");
        }
    }

    #[test]
    fn rendered_paths_are_not_stored_paths() {
        for (before, after) in [
            (&b"at /home/u/.cargo/"[..], &b":12:5"[..]),
            (b"\"/home/u/.cargo/", b"\""),
            (b"see https://example.com/", b" "),
            (b"\n/home/u/.cargo/", b"\n"),
            (b"app.d: /home/u/.cargo/", b" /home/u"),
            (b"(/home/u/.cargo/", b")"),
            (b"\0~/.cargo/", b"\0"),
            (b"\n/home/u/.cargo/", b":\n"),
            (b" /home/u/.cargo/", b")"),
        ] {
            assert!(is_rendered(before, after), "{} {}", before.escape_ascii(), after.escape_ascii());
        }
        for (before, after) in [
            (&b"\0/home/u/.cargo/"[..], &b"\0"[..]),
            (b"overflow/home/u/.cargo/", b"Punycode"),
            (b"C:\\Users\\John Doe\\.cargo\\", b"called"),
            (b"", b""),
            (b"(/home/u/.cargo/", b"\0"),
        ] {
            assert!(!is_rendered(before, after), "{} {}", before.escape_ascii(), after.escape_ascii());
        }
    }
}
