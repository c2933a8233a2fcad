//! The changes of an edit.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::splice::Plan;
use sectile_audit::amount::{ByteSize, Grouped};
use sectile_policy::diff::Comparison;

use super::comparison::write_differences;
use super::style::{BOLD, DIMMED};
use crate::display::escaped;

/// Writes the differences that an edit makes, then the change in the file's size.
pub fn write_edit(
    file: &OsStr,
    plan: &Plan,
    comparison: &Comparison,
    is_written: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    if plan.is_identity() {
        let state = if is_written { "copied without changes" } else { "already up to date" };
        return writeln!(out, "{BOLD}{}{BOLD:#}: {state}", escaped(file));
    }
    write_differences(comparison, out)?;
    write_sizes(file, plan, out)
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
