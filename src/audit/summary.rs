//! What an audit comes to: counts that do not depend on the order in which rows are added.

mod bounded;
mod shown;
mod top;

use std::cmp::Reverse;

use self::bounded::Bounded;
pub use self::shown::{BrokenBlob, CodeCount, KindCount, LargestSection, ProducerCount, WorstBlob};
use self::top::Top;
use super::{Ended, Row};
use crate::escape::beginning;
use crate::finding::{Code, Severity};
use crate::metadata::Field;
use crate::scan::ItemKind;

/// Distinct licences, producers and versions of them that are counted each by itself; more is no store of this world.
const MOST_KEYS: usize = 4_096;
/// Producers of a row that one more is compared with; a row that says the same name again further on is counted once more.
const MOST_COMPARED: usize = 64;
/// Stands between the parts of a key.
const BETWEEN: char = '\0';

/// What an audit comes to. Summaries of parts can be [merged](Self::merge) in any order: the result is the same, as long as
/// every row is added once, under a number of its own.
///
/// Its memory is bounded, whatever a store says: of more than 4,096 distinct licences, producers, versions of these or kinds of
/// sections, those count that come first by their bytes, exactly; what the others come to is the difference to the total. Of a text
/// of more than 500 bytes, the beginning counts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Rows in all.
    pub rows: u64,
    /// Rows that are accepted.
    pub accepted: u64,
    /// Rows with a finding that the policy refuses. (What is neither this nor accepted was not read to its end.)
    pub refused: u64,
    /// Bytes of all blobs whose size is known.
    pub bytes: u64,
    /// Bytes that were read of them.
    pub bytes_read: u64,
    /// Bytes of all files that were looked into, whatever they turned out to be.
    pub store_bytes: u64,
    /// Files and archives' entries that are something else than WebAssembly.
    pub passed: u64,
    /// Bytes that were read to tell that.
    pub passed_bytes: u64,
    /// Archives, and compressed files, that were looked into.
    pub archives: u64,
    /// Bytes that were read of their files to find their entries, and to inflate them.
    pub archives_bytes: u64,
    /// Names under which blobs are found again.
    pub others: u64,
    /// Rows whose root is a module.
    pub modules: u64,
    /// Rows whose root is a component.
    pub components: u64,
    /// Items in all trees.
    pub items: u64,
    /// Packages in all lists of dependencies.
    pub packages: u64,
    /// Sections in all trees, without those that hold items.
    pub sections: u64,
    /// Rows of which something was read, and which name no licence.
    pub unlicensed: u64,
    /// Rows that name a licence.
    pub licensed: u64,
    ended: [u64; Ended::ALL.len()],
    licenses: Bounded<u64>,
    producers: Bounded<u64>,
    versions: Bounded<u64>,
    kinds: Bounded<KindCount>,
    codes: [CodeCount; Code::ALL.len()],
    largest: Top<(u64, Reverse<u64>), LargestSection>,
    worst: Top<(Severity, u64, Reverse<u64>), WorstBlob>,
    broken: Top<Reverse<u64>, BrokenBlob>,
    /// Where keys are put together.
    key: Key,
}

/// A buffer, which is equal to every other.
#[derive(Clone, Debug, Default)]
struct Key(String);

impl PartialEq for Key {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            rows: 0,
            accepted: 0,
            refused: 0,
            bytes: 0,
            bytes_read: 0,
            store_bytes: 0,
            passed: 0,
            passed_bytes: 0,
            archives: 0,
            archives_bytes: 0,
            others: 0,
            modules: 0,
            components: 0,
            items: 0,
            packages: 0,
            sections: 0,
            unlicensed: 0,
            licensed: 0,
            ended: [0; Ended::ALL.len()],
            licenses: Bounded::new(MOST_KEYS),
            producers: Bounded::new(MOST_KEYS),
            versions: Bounded::new(MOST_KEYS),
            kinds: Bounded::new(MOST_KEYS),
            codes: [CodeCount::default(); Code::ALL.len()],
            largest: Top::default(),
            worst: Top::default(),
            broken: Top::default(),
            key: Key::default(),
        }
    }
}

impl Summary {
    /// Adds a row.
    pub fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.accepted += u64::from(row.accepted);
        self.ended[row.ended as usize] += 1;
        // Saturating, here and below: what an archive or an earlier report says of itself may be anything.
        self.bytes = self.bytes.saturating_add(row.size.unwrap_or_default());
        self.bytes_read = self.bytes_read.saturating_add(row.bytes_read);
        self.others += row.others.len() as u64;
        self.items = self.items.saturating_add(row.items);
        self.packages = self.packages.saturating_add(row.packages);
        match row.kind {
            Some(ItemKind::Module) => self.modules += 1,
            Some(ItemKind::Component) => self.components += 1,
            None => {}
        }
        self.add_license(row);
        self.add_producers(row);
        self.add_sections(row);
        if !row.judged.is_empty() {
            self.add_findings(row);
        }
        if matches!(row.ended, Ended::Partial | Ended::Unread) {
            self.broken.add(Reverse(row.nth), || BrokenBlob::of(row));
        }
    }

    fn add_license(&mut self, row: &Row<'_>) {
        match row.annotations.iter().find(|(field, _)| *field == Field::Licenses) {
            Some((_, license)) => {
                self.licensed += 1;
                self.licenses.add(license, 1);
            }
            None => self.unlicensed += u64::from(row.kind.is_some()),
        }
    }

    fn add_producers(&mut self, row: &Row<'_>) {
        for (nth, [field, name, version]) in row.producers.iter().enumerate() {
            self.key.0.clear();
            push_part(&mut self.key.0, field, 80);
            self.key.0.push(BETWEEN);
            push_part(&mut self.key.0, name, 200);
            // Versions of one name are counted each, the name itself once a row. (Most rows have a handful.)
            let earlier = &row.producers[nth.saturating_sub(MOST_COMPARED)..nth];
            if !earlier.iter().any(|[of, other, _]| of == field && other == name) {
                self.producers.add(&self.key.0, 1);
            }
            self.key.0.push(BETWEEN);
            push_part(&mut self.key.0, version, 200);
            self.versions.add(&self.key.0, 1);
        }
    }

    fn add_sections(&mut self, row: &Row<'_>) {
        for share in &row.shares {
            self.sections = self.sections.saturating_add(share.sections);
            self.kinds.add(&share.kind, KindCount { sections: share.sections, bytes: share.bytes, rows: 1 });
        }
        if let Some(largest) = &row.largest {
            self.largest.add((largest.bytes, Reverse(row.nth)), || LargestSection::of(row, largest));
        }
    }

    fn add_findings(&mut self, row: &Row<'_>) {
        let mut seen = Codes::default();
        let mut refused = 0_u64;
        for judged in &row.judged {
            let (code, count) = (judged.finding.code, judged.finding.count);
            let of_code = &mut self.codes[code as usize];
            let findings = &mut of_code.findings[judged.severity as usize];
            *findings = findings.saturating_add(count);
            of_code.rows += u64::from(seen.found.insert(code));
            if judged.refused {
                of_code.refused += u64::from(seen.refused.insert(code));
                refused = refused.saturating_add(count);
            }
        }
        self.refused += u64::from(refused > 0);
        let worst = row.judged.iter().filter(|judged| judged.refused).max_by_key(|judged| judged.severity);
        if let Some(worst) = worst {
            let rank = (worst.severity, refused, Reverse(row.nth));
            self.worst.add(rank, || WorstBlob::of(row, worst.severity, refused));
        }
    }

    /// Adds a file of so many bytes that was looked into, whatever it turned out to be.
    pub fn open(&mut self, bytes: u64) {
        self.store_bytes = self.store_bytes.saturating_add(bytes);
    }

    /// Adds an archive that was looked into, of whose file so many bytes were read to find its entries and to inflate them.
    pub fn archive(&mut self, bytes_read: u64) {
        self.archives += 1;
        self.archives_bytes = self.archives_bytes.saturating_add(bytes_read);
    }

    /// Adds what another comes to.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.bytes_read = self.bytes_read.saturating_add(other.bytes_read);
        self.store_bytes = self.store_bytes.saturating_add(other.store_bytes);
        self.passed += other.passed;
        self.passed_bytes = self.passed_bytes.saturating_add(other.passed_bytes);
        self.archives += other.archives;
        self.archives_bytes = self.archives_bytes.saturating_add(other.archives_bytes);
        self.others += other.others;
        self.modules += other.modules;
        self.components += other.components;
        self.items = self.items.saturating_add(other.items);
        self.packages = self.packages.saturating_add(other.packages);
        self.sections = self.sections.saturating_add(other.sections);
        self.unlicensed += other.unlicensed;
        self.licensed += other.licensed;
        self.ended.iter_mut().zip(other.ended).for_each(|(own, other)| *own += other);
        self.codes.iter_mut().zip(other.codes).for_each(|(own, other)| own.merge(other));
        self.licenses.merge(&other.licenses);
        self.producers.merge(&other.producers);
        self.versions.merge(&other.versions);
        self.kinds.merge(&other.kinds);
        self.largest.merge(other.largest);
        self.worst.merge(other.worst);
        self.broken.merge(other.broken);
    }
}

/// The codes that a row has findings of.
#[derive(Default)]
struct Codes {
    found: CodeSet,
    refused: CodeSet,
}

/// A set of codes.
#[derive(Default)]
struct CodeSet(u128);

const _: () = assert!(Code::ALL.len() <= 128, "a set of codes has one bit for each");

impl CodeSet {
    /// Whether it was not there before.
    fn insert(&mut self, code: Code) -> bool {
        let before = self.0;
        self.0 |= 1 << (code as u32);
        self.0 != before
    }
}

/// Appends the beginning of a part of a key, which may not look like two parts: what parts them is written as it is shown.
fn push_part(key: &mut String, part: &str, most: usize) {
    for (nth, piece) in beginning(part, most).split(BETWEEN).enumerate() {
        key.push_str(if nth > 0 { "\\x00" } else { "" });
        key.push_str(piece);
    }
}

#[cfg(test)]
mod tests;
