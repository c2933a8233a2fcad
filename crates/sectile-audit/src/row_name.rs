//! The names of rows: a path, and the entries of archives that lead from it to a binary.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

/// The name of a row, as parts: a path, and the names of archive entries, from the outermost archive to the innermost.
///
/// A name is written `PATH!ENTRY[!ENTRY…]`. In each part, `!` is written `!!`. A run of `!` is read from its left: each
/// `!!` is one `!` of a part, and a `!` that remains ends the part. An entry whose name is empty or begins with `!` has
/// `./` before it, which still names the same file.
///
/// The row of a file that is not in an archive has the file's path as its name, unchanged. Code that opens a row by its
/// name therefore first looks for a file of the whole name.
///
/// ```
/// use sectile_audit::RowName;
///
/// let name = RowName::parse("dist/app!!.tgz!package/app.wasm".as_ref())?;
/// assert_eq!(name.path(), "dist/app!.tgz");
/// assert_eq!(name.entries(), ["package/app.wasm"]);
///
/// let name = RowName::new("a.zip").with_entry("b.tar").with_entry("!c.wasm");
/// assert_eq!(name.to_os_string(), "a.zip!b.tar!./!!c.wasm");
/// # Ok::<(), sectile_audit::RowNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowName {
    path: OsString,
    entries: Vec<OsString>,
}

/// A name of a row with an empty entry, as after a `!` at its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("empty entry name at byte {at}: write `!` in a name as `!!`")]
#[non_exhaustive]
pub struct RowNameError {
    /// Offset in bytes where the name of the entry should be.
    pub at: usize,
}

impl RowName {
    /// The name of a file at this path, or of an object with this URL.
    pub fn new(path: impl Into<OsString>) -> Self {
        Self { path: path.into(), entries: Vec::new() }
    }

    /// Adds an entry of the innermost archive: the last entry, or the file at the path if the name has no entry.
    #[must_use]
    pub fn with_entry(mut self, entry: impl Into<OsString>) -> Self {
        self.entries.push(entry.into());
        self
    }

    /// Splits a name into its path and its entries.
    ///
    /// # Errors
    ///
    /// Returns an error if an entry is empty: no row has such a name, unless it is the path of a file.
    pub fn parse(name: &OsStr) -> Result<Self, RowNameError> {
        let name = name.as_encoded_bytes();
        let (path, mut end) = parse_part(name, 0);
        let mut parsed = Self::new(path);
        while end < name.len() {
            let start = end + 1;
            let (entry, next) = parse_part(name, start);
            if entry.is_empty() {
                return Err(RowNameError { at: start });
            }
            let is_marked = needs_marker(&entry);
            parsed.entries.push(if is_marked { os_string(&entry.as_encoded_bytes()[MARKER.len()..]) } else { entry });
            end = next;
        }
        Ok(parsed)
    }

    /// The path of the file, or the URL of the object.
    pub fn path(&self) -> &OsStr {
        &self.path
    }

    /// The names of the entries, from the outermost archive to the innermost. Empty if the row is of the file itself.
    pub fn entries(&self) -> &[OsString] {
        &self.entries
    }

    /// The name in the output of an audit.
    pub fn to_os_string(&self) -> OsString {
        if self.entries.is_empty() {
            return self.path.clone();
        }
        let mut text = escaped(&self.path).into_owned();
        for entry in &self.entries {
            text.push(SEPARATOR);
            push_entry(entry, &mut text);
        }
        text
    }
}

/// The text between the parts of a name.
pub(crate) const SEPARATOR: &str = "!";

/// The text before an entry that would otherwise begin with a separator, or be empty.
const MARKER: &str = "./";

/// A path as the first part of a name with entries.
pub(crate) fn escaped(part: &OsStr) -> Cow<'_, OsStr> {
    let bytes = part.as_encoded_bytes();
    if !bytes.contains(&b'!') {
        return Cow::Borrowed(part);
    }
    let is_escaped = |&byte: &u8| std::iter::repeat_n(byte, if byte == b'!' { 2 } else { 1 });
    Cow::Owned(os_string(&bytes.iter().flat_map(is_escaped).collect::<Vec<u8>>()))
}

/// Appends an entry, without the separator before it.
pub(crate) fn push_entry(entry: &OsStr, text: &mut OsString) {
    if needs_marker(entry) {
        text.push(MARKER);
    }
    text.push(escaped(entry));
}

/// The name of data that is encoded at a position of a file, as an entry of the file.
pub(crate) fn encoding_step(encoding: &str, at: u64) -> String {
    format!("{encoding}@{at}")
}

/// Whether a name is that of an entry of the archive at this path.
pub(crate) fn is_entry_of(name: &OsStr, path: &OsStr) -> bool {
    let entry = name.as_encoded_bytes().strip_prefix(escaped(path).as_encoded_bytes());
    matches!(entry, Some([b'!', next, ..]) if *next != b'!')
}

/// Whether a part is written with an additional marker: without its markers, it is empty or begins with `!`.
fn needs_marker(entry: &OsStr) -> bool {
    let mut rest = entry.as_encoded_bytes();
    while let Some(after) = rest.strip_prefix(MARKER.as_bytes()) {
        rest = after;
    }
    matches!(rest, [] | [b'!', ..])
}

/// The part that begins here, and the position of the separator after it, or of the end.
fn parse_part(name: &[u8], start: usize) -> (OsString, usize) {
    let (mut part, mut at) = (Vec::new(), start);
    loop {
        match &name[at..] {
            [b'!', b'!', ..] => at += 1,
            [b'!', ..] | [] => return (os_string(&part), at),
            [..] => {}
        }
        part.push(name[at]);
        at += 1;
    }
}

/// Creates a name from bytes, which are those of a name except for `!`.
///
/// Outside Unix, parts that are not Unicode are replaced; entries do not have such parts.
pub(crate) fn os_string(bytes: &[u8]) -> OsString {
    #[cfg(unix)]
    let name = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    #[cfg(unix)]
    let name: &OsStr = name;
    #[cfg(not(unix))]
    let name = String::from_utf8_lossy(bytes).into_owned();
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All texts of a few different bytes, up to this length.
    fn texts(alphabet: &str, most: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut start = 0;
        for _ in 0..most {
            let end = texts.len();
            for at in start..end {
                texts.extend(alphabet.chars().map(|letter| format!("{}{letter}", texts[at])).collect::<Vec<_>>());
            }
            start = end;
        }
        texts
    }

    #[test]
    fn all_names_round_trip() {
        let parts = texts("!./a", 4);
        for path in texts("!a", 3) {
            for first in &parts {
                let name = RowName::new(&path).with_entry(first);
                assert_eq!(RowName::parse(&name.to_os_string()), Ok(name.clone()), "{name:?}");
                assert!(is_entry_of(&name.to_os_string(), path.as_ref()), "{name:?}");
            }
        }
        for first in &parts {
            for second in &parts {
                let name = RowName::new("p").with_entry(first).with_entry(second);
                assert_eq!(RowName::parse(&name.to_os_string()), Ok(name.clone()), "{name:?}");
            }
        }
    }

    /// No two rows have the same name: every valid text is written as it is read.
    #[test]
    fn all_texts_with_entries_are_written_as_read() {
        for text in texts("!./a", 7) {
            match RowName::parse(text.as_ref()) {
                Ok(name) if name.entries().is_empty() => assert!(!has_odd_run(&text), "{text}"),
                Ok(name) => assert_eq!(name.to_os_string(), *text),
                Err(error) => assert!(text.ends_with('!') && error.at == text.len(), "{text}: {error}"),
            }
        }
    }

    fn has_odd_run(text: &str) -> bool {
        text.split(|letter| letter != '!').any(|run| run.len() % 2 == 1)
    }

    #[test]
    fn only_entries_of_an_archive_are_its_rows() {
        for (name, path, expected) in [
            ("a!b", "a", true),
            ("a!./!!b", "a", true),
            ("a", "a", false),
            ("a!", "a", false),
            ("a!!b", "a", false),
            ("a!!!b", "a", false),
            ("a!!!b", "a!", true),
            ("ab!c", "a", false),
            ("a!b!c", "a!b", false),
        ] {
            assert_eq!(is_entry_of(name.as_ref(), path.as_ref()), expected, "{name} {path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf_8_round_trip() {
        let name = |bytes| os_string(bytes);
        let row = RowName::new(name(b"\xff!\xfe")).with_entry(name(b"!\x80!"));
        assert_eq!(row.to_os_string().as_encoded_bytes(), b"\xff!!\xfe!./!!\x80!!");
        assert_eq!(RowName::parse(&row.to_os_string()), Ok(row));
    }
}
