//! The width of the output, and text that is fitted into it.

use std::ffi::OsStr;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

use anstream::adapter::strip_str;
use sectile::Escaped;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{BOLD, DIMMED};
use crate::display::escaped;

/// Width of the column of labels.
const LABEL_WIDTH: usize = 19;

/// Columns of a path in a heading, at least.
const MIN_PATH: usize = 16;

/// The width of the output, and whether long lines wrap there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    width: usize,
    is_terminal: bool,
}

impl Layout {
    /// Minimum width of lines, even on narrower terminals.
    const MIN_WIDTH: usize = 40;
    /// The width of files and pipes, unless `COLUMNS` sets another.
    const DEFAULT_WIDTH: usize = 100;

    /// The layout for standard output.
    pub fn for_stdout() -> Self {
        let stdout = io::stdout();
        let size = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        Self::new(columns().or(size), size.is_some() || io::IsTerminal::is_terminal(&stdout))
    }

    /// The layout for a file.
    pub fn for_file() -> Self {
        Self::new(columns(), false)
    }

    fn new(width: Option<usize>, is_terminal: bool) -> Self {
        let width = width.filter(|width| *width > 0).unwrap_or(Self::DEFAULT_WIDTH);
        Self { width: width.max(Self::MIN_WIDTH), is_terminal }
    }

    pub fn width(self) -> usize {
        self.width
    }

    /// A path. On a terminal, its middle is omitted if it exceeds this number of columns.
    pub fn path(self, path: &OsStr, columns: usize) -> String {
        self.escaped_text(escaped(path).to_string(), columns)
    }

    /// Text of the input, shortened like a path.
    pub fn text(self, text: &str, columns: usize) -> String {
        self.escaped_text(Escaped::new(text).to_string(), columns)
    }

    /// Escaped text, shortened like a path.
    pub fn escaped_text(self, text: String, columns: usize) -> String {
        if self.is_terminal { without_middle(text, columns) } else { text }
    }

    /// A note at the end of a line, truncated on a terminal if it exceeds this number of columns.
    pub fn note(self, note: &str, columns: usize) -> String {
        if self.is_terminal && note.width() > columns { cut(note, columns) } else { note.to_owned() }
    }

    /// The heading of a file: its path, and a detail.
    pub fn heading(self, file: &OsStr, detail: &str) -> String {
        let columns = self.width.saturating_sub(detail.width() + 2).max(MIN_PATH);
        format!("{BOLD}{}{BOLD:#}: {detail}", self.path(file, columns))
    }

    /// Writes a line with a label and a value.
    pub fn labeled(self, out: &mut impl Write, label: &str, value: impl Display) -> io::Result<()> {
        let gap = LABEL_WIDTH.saturating_sub(label.width()) + 2;
        let label = format!("  {DIMMED}{label}{DIMMED:#}{:gap$}", "");
        self.hanging(out, &label, LABEL_WIDTH + 4, &value.to_string())
    }

    /// Writes text after the start of a line. On a terminal, the text wraps between words, and
    /// later lines are indented. If a word does not fit there, the text starts on its own line.
    pub fn hanging(self, out: &mut impl Write, start: &str, indent: usize, text: &str) -> io::Result<()> {
        const NARROW_INDENT: usize = 4;
        if !self.is_terminal || shown_width(start) + shown_width(text) <= self.width {
            return writeln!(out, "{start}{text}");
        }
        let longest = text.split(' ').map(shown_width).max().unwrap_or_default();
        if shown_width(start).max(indent) + longest <= self.width {
            return writeln!(out, "{start}{}", Wrapped { text, first: shown_width(start), indent, width: self.width });
        }
        let indent = NARROW_INDENT;
        writeln!(out, "{}", start.trim_end())?;
        writeln!(out, "{:indent$}{}", "", Wrapped { text, first: indent, indent, width: self.width })
    }
}

/// The width from the environment.
fn columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}

/// Number of columns of text without its styles.
fn shown_width(text: &str) -> usize {
    strip_str(text).map(UnicodeWidthStr::width).sum()
}

/// Text wrapped between words at a width.
struct Wrapped<'a> {
    text: &'a str,
    /// Column at which the text starts.
    first: usize,
    /// Column at which other lines start.
    indent: usize,
    width: usize,
}

impl Display for Wrapped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut column = self.first;
        for (nth, word) in self.text.split(' ').enumerate() {
            let width = shown_width(word);
            if nth > 0 && column + 1 + width > self.width {
                write!(f, "\n{:indent$}", "", indent = self.indent)?;
                column = self.indent;
            } else if nth > 0 {
                f.write_char(' ')?;
                column += 1;
            }
            f.write_str(word)?;
            column += width;
        }
        Ok(())
    }
}

/// Text of the input, padded or truncated to this number of columns.
pub fn fitted(text: &str, columns: usize) -> String {
    let mut shown = Escaped::new(text).to_string();
    if shown.width() > columns {
        shown = cut(&shown, columns);
    }
    let gap = columns.saturating_sub(shown.width());
    format!("{shown}{:gap$}", "")
}

/// The start of the text, and an ellipsis.
fn cut(text: &str, columns: usize) -> String {
    format!("{}…", start(text, columns.saturating_sub(1)))
}

/// Text without its middle, if it exceeds this number of columns. Two thirds of the result are the
/// end, which contains the file name.
fn without_middle(text: String, columns: usize) -> String {
    if text.width() <= columns {
        return text;
    }
    let rest = columns.saturating_sub(1);
    let head = start(&text, rest / 3);
    let mut tail = text.len();
    let mut width = head.width();
    for (at, character) in text.char_indices().rev() {
        width += character.width().unwrap_or(0);
        if width > rest {
            break;
        }
        tail = at;
    }
    format!("{head}…{}", &text[tail..])
}

/// The longest start of the text that fits into this number of columns.
fn start(text: &str, columns: usize) -> &str {
    let mut width = 0;
    let end = text.char_indices().find(|(_, character)| {
        width += character.width().unwrap_or(0);
        width > columns
    });
    end.map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Layout = Layout { width: 40, is_terminal: true };

    #[test]
    fn texts_fit() {
        for text in
            ["", "a", "exactly ten", "日本語日本語日本語", "\x1b[31m\u{202e}", "e\u{301}e\u{301}e\u{301}e\u{301}"]
        {
            assert_eq!(fitted(text, 10).width(), 10, "{text:?}");
        }
        assert_eq!(fitted("abc", 2), "a…");
    }

    #[test]
    fn paths_are_shortened_only_on_a_terminal() {
        let path = OsStr::new("/srv/registry/blobs/sha256/app.wasm");
        assert_eq!(TERMINAL.path(path, 20), "/srv/r…a256/app.wasm");
        assert_eq!(TERMINAL.path(path, 35), path.to_str().unwrap());
        assert_eq!(Layout { is_terminal: false, ..TERMINAL }.path(path, 20), path.to_str().unwrap());
        for columns in 1..30 {
            assert!(TERMINAL.text("日本語日本語日本語日本語", columns).width() <= columns, "{columns}");
        }
    }

    #[test]
    fn the_width_is_at_least_40() {
        assert_eq!(Layout::new(Some(3), true).width(), 40);
        assert_eq!(Layout::new(Some(0), true).width(), 100);
        assert_eq!(Layout::new(None, false).width(), 100);
        assert_eq!(Layout::new(Some(61), false).width(), 61);
    }

    #[test]
    fn values_wrap_between_words() {
        let written = |layout: Layout, value: &str| {
            let mut out = Vec::new();
            layout.labeled(&mut out, "label", value).unwrap();
            anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
        };
        let start = format!("  {:<21}", "label");
        assert_eq!(written(TERMINAL, "a short one"), format!("{start}a short one\n"));
        let indent = " ".repeat(23);
        assert_eq!(
            written(TERMINAL, "these are five short words"),
            format!("{start}these are five\n{indent}short words\n")
        );
        let long = "sha256:0123456789abcdef 0123456789abcdef";
        assert_eq!(written(TERMINAL, long), "  label\n    sha256:0123456789abcdef\n    0123456789abcdef\n");
        assert_eq!(written(Layout { is_terminal: false, ..TERMINAL }, long), format!("{start}{long}\n"));
    }
}
