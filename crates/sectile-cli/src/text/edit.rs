//! The changes of an edit.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::Escaped;
use sectile::edit::{ChangeKind, EditPlan};
use sectile_audit::amount::{ByteSize, Grouped};

use super::style::{FAINT, STRONG};
use crate::display::{ShortPath, escaped};

/// Writes each changed section, then the change in the file's size.
pub fn write_edit(file: &OsStr, planned: &EditPlan, is_written: bool, out: &mut impl Write) -> io::Result<()> {
    let (plan, file) = (planned.plan(), escaped(file));
    if plan.is_identity() {
        return writeln!(out, "{STRONG}{file}{STRONG:#}: nothing would change, and nothing is written");
    }
    let verb = if is_written { "" } else { "would be " };
    for change in planned.changes() {
        let (kind, before, after) = (change.kind().name(), change.before(), change.after());
        write!(out, "  {verb}{kind:<8} {STRONG}{}{STRONG:#}{FAINT}", Escaped::new(change.section()))?;
        if !change.path().is_root() {
            write!(out, " in item {}", ShortPath(change.path()))?;
        }
        match change.kind() {
            ChangeKind::Replaced => writeln!(out, ", {} → {} bytes{FAINT:#}", Grouped(before), Grouped(after))?,
            _ => writeln!(out, ", {} bytes{FAINT:#}", Grouped(before + after))?,
        }
    }
    let (kept, inserted) = (Grouped(plan.kept()), Grouped(plan.inserted()));
    let dropped = Grouped(plan.source_len() - plan.kept());
    let (old, new) = (plan.source_len(), plan.len());
    write!(out, "{STRONG}{file}{STRONG:#}: {} → {} bytes", Grouped(old), Grouped(new))?;
    match new.cmp(&old) {
        Ordering::Less => write!(out, ", {} saved", ByteSize(old - new).short())?,
        Ordering::Greater => write!(out, ", {} more", ByteSize(new - old).short())?,
        Ordering::Equal => {}
    }
    writeln!(out, " {FAINT}({kept} kept, {inserted} inserted, {dropped} dropped){FAINT:#}")
}
