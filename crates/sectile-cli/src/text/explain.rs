//! Explanations of the codes of findings.

use std::io::{self, Write};

use sectile::FindingCode;

use super::layout::Layout;
use super::style::{BOLD, severity_style};

/// Maximum width of a line, in columns: longer lines are hard to read.
const MAX_WIDTH: usize = 80;

/// Writes the explanation of each code.
pub fn write_explanations(codes: &[FindingCode], layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let width = layout.width().min(MAX_WIDTH);
    for (nth, code) in codes.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        let style = severity_style(code.severity());
        writeln!(out, "{BOLD}{code}{BOLD:#} ({style}{}{style:#})", code.severity())?;
        for (title, text) in [("Meaning", code.help()), ("Why it matters", code.why()), ("How to fix it", code.fix())] {
            writeln!(out, "\n  {BOLD}{title}{BOLD:#}")?;
            write_wrapped(text, 2, width, out)?;
        }
    }
    Ok(())
}

/// Writes one line for each code: its name, its default severity and its meaning.
pub fn write_code_list(codes: &[FindingCode], layout: Layout, out: &mut impl Write) -> io::Result<()> {
    let width = codes.iter().map(|code| code.name().len()).max().unwrap_or_default();
    for code in codes {
        let style = severity_style(code.severity());
        let start = format!("{code:width$}  {style}{:<7}{style:#}  ", code.severity());
        layout.hanging(out, &start, 4, code.help())?;
    }
    Ok(())
}

/// Writes ASCII words in indented lines of at most this many columns.
fn write_wrapped(text: &str, indent: usize, width: usize, out: &mut impl Write) -> io::Result<()> {
    let mut column = 0;
    for word in text.split(' ') {
        if column > 0 && column + 1 + word.len() > width {
            writeln!(out)?;
            column = 0;
        }
        if column == 0 {
            write!(out, "{:indent$}", "")?;
            column = indent;
        } else {
            write!(out, " ")?;
            column += 1;
        }
        write!(out, "{word}")?;
        column += word.len();
    }
    writeln!(out)
}
