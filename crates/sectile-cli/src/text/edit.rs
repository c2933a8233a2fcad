//! The changes of an edit.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use sectile::Escaped;
use sectile::edit::{ChangeKind, EditPlan};
use sectile::splice::Plan;
use sectile_audit::amount::{ByteSize, Grouped};

use super::style::{BOLD, DIMMED};
use crate::display::{ShortPath, escaped};
use crate::edit_diff::{Difference, DifferentValue, Side};

/// Writes each changed section, then the change in the file's size.
pub fn write_edit(file: &OsStr, planned: &EditPlan, is_written: bool, out: &mut impl Write) -> io::Result<()> {
    let shown = escaped(file);
    if planned.plan().is_identity() {
        let state = if is_written { "copied without changes" } else { "already up to date" };
        return writeln!(out, "{BOLD}{shown}{BOLD:#}: {state}");
    }
    for change in planned.changes() {
        let (kind, before, after) = (change.kind().name(), change.before(), change.after());
        write!(out, "  {kind:<8} {BOLD}{}{BOLD:#}{DIMMED}", Escaped::new(change.section()))?;
        if !change.path().is_root() {
            write!(out, " in item {}", ShortPath(change.path()))?;
        }
        match change.kind() {
            ChangeKind::Replaced => writeln!(out, ", {} → {} bytes{DIMMED:#}", Grouped(before), Grouped(after))?,
            _ => writeln!(out, ", {} bytes{DIMMED:#}", Grouped(before + after))?,
        }
    }
    write_sizes(file, planned.plan(), out)
}

/// Writes the differences that a dry run found, then the change in the file's size.
pub fn write_edit_diff(
    file: &OsStr,
    planned: &EditPlan,
    differences: &[Difference],
    out: &mut impl Write,
) -> io::Result<()> {
    if planned.plan().is_identity() {
        return writeln!(out, "{BOLD}{}{BOLD:#}: already up to date", escaped(file));
    }
    for Difference { side, path, section, value } in differences {
        let (sign, style) = match side {
            Side::Old => ('-', OLD),
            Side::New => ('+', NEW),
        };
        write!(out, "  {style}{sign} {} ", Escaped::new(section))?;
        match value {
            DifferentValue::Text(text) => write!(out, "{}", Quoted(text))?,
            DifferentValue::Data(len) => write!(out, "({} bytes)", Grouped(*len))?,
            DifferentValue::Producer([field, name, version]) => {
                write!(out, "{} {}", Escaped::new(field), Quoted(name))?;
                if !version.is_empty() {
                    write!(out, " {}", Quoted(version))?;
                }
            }
        }
        write!(out, "{style:#}")?;
        if path.is_root() { writeln!(out)? } else { writeln!(out, "{DIMMED} in item {}{DIMMED:#}", ShortPath(path))? }
    }
    write_sizes(file, planned.plan(), out)
}

fn write_sizes(file: &OsStr, plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let (kept, inserted) = (Grouped(plan.kept()), Grouped(plan.inserted()));
    let dropped = Grouped(plan.source_len() - plan.kept());
    let (old, new) = (plan.source_len(), plan.len());
    write!(out, "{BOLD}{}{BOLD:#}: {} → {} bytes", escaped(file), Grouped(old), Grouped(new))?;
    match new.cmp(&old) {
        Ordering::Less => write!(out, ", {} saved", ByteSize(old - new).short())?,
        Ordering::Greater => write!(out, ", {} more", ByteSize(new - old).short())?,
        Ordering::Equal => {}
    }
    writeln!(out, " {DIMMED}({kept} kept, {inserted} inserted, {dropped} dropped){DIMMED:#}")
}

const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();

/// A text in quotation marks, escaped.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "\"{}\"", Escaped::new(&escaped))
    }
}
