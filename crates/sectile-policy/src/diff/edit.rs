//! The differences that an edit makes.

use std::collections::HashSet;
use std::ffi::OsStr;

use sectile::drive::{self, ReadAt};
use sectile::edit::{ChangeKind, EditPlan};
use sectile::scan::{ItemPath, Visitor};
use sectile::{Error, Limits, internal};

use super::{BinaryFacts, BinaryReading, Comparison, FactsReader, SectionHasher, compare};
use crate::Policy;
use crate::report::Report;

/// Compares a binary with its edited copy, which need not be written. Findings are not compared.
///
/// `source` has the bytes that the edit was planned for.
///
/// # Errors
///
/// If a read fails, or the bytes or the result are not framed as WebAssembly.
pub fn compare_edit<R: ReadAt + ?Sized>(planned: &EditPlan, source: &R) -> Result<Comparison, Error> {
    let plan = planned.plan();
    // Sections of equal size may have other data.
    let replaced: HashSet<(&ItemPath, &str)> = (planned.changes().iter())
        .filter(|change| change.kind() == ChangeKind::Replaced && change.before() == change.after())
        .map(|change| (change.path(), change.section()))
        .collect();
    let old = facts(&source, plan.source_len(), &replaced)?;
    let new = facts(&plan.reader(source), plan.len(), &replaced)?;
    Ok(compare(&old, &new))
}

fn facts(source: &dyn ReadAt, len: u64, replaced: &HashSet<(&ItemPath, &str)>) -> Result<BinaryFacts, Error> {
    let BinaryReading { outcome, mut sections } = FactsReader::new(&Policy::default()).read_at(source, len);
    if !replaced.is_empty() {
        let mut hasher = SectionHasher::new(|path, name| replaced.contains(&(path, name)));
        let visitor: &mut dyn for<'w> Visitor<'w> = &mut hasher;
        drive::scan_at(source, len, visitor, Limits::default()).complete()?;
        sections.add_digests(hasher);
    }
    // A limit may truncate the reading: what was read is compared.
    let (value, error, cost) = outcome.into_parts();
    let outcome = match (value, error) {
        (None, Some(error)) => return Err(error),
        (value, error) => internal::outcome(value, error, cost),
    };
    Ok(BinaryFacts::new(&Report::for_policy(OsStr::new(""), Some(len), &outcome), None, Some(&sections)))
}
