//! Counts over the rows of an audit that do not depend on the order of the rows.

mod advisories;
mod bounded;
mod counts;
mod json;
mod queries;
mod top;
mod verdict;

pub use self::advisories::AdvisoryCount;
use self::advisories::AdvisoryCounts;
use self::bounded::BoundedCounts;
pub use self::counts::{CodeCount, IncompleteBlob, KindCount, RankedSection, RowCount, UnusedException, WorstBlob};
pub use self::json::SummaryError;
pub use self::queries::ProducerCount;
use self::top::TopList;
pub use self::verdict::{NotOpenedFiles, VerdictLine};
use super::{ComparisonCounts, Completeness, Row, RowKind};
use sectile::internal::beginning;
use sectile::metadata::Field;
use sectile::scan::ItemKind;
use sectile::{FindingCode, Severity};

/// Maximum number of distinct licenses, producers, or versions of producers that are counted separately.
const MAX_KEYS: usize = 4_096;
/// Number of previous producers to compare with. A row that repeats a name further away is counted twice.
const MAX_COMPARED: usize = 64;
/// Separator between the parts of a key.
const SEPARATOR: char = '\0';

/// The counts over all rows of an audit.
///
/// Summaries of parts can be [merged](Self::merge) in any order, with the same result, also across processes: as
/// [JSON](Self::to_json). Every row must be added once.
///
/// Its memory is bounded. If there are more than 4,096 distinct licenses, producers, versions or kinds of sections, the
/// first ones in byte order are counted exactly. The count of the others is the difference to the total. Texts are
/// truncated to 500 bytes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Number of rows of all kinds. [`rows_of`](Self::rows_of) has those of one kind.
    pub rows: u64,
    /// Number of rows that are accepted.
    pub accepted: u64,
    /// Number of rows with a refused finding. Rows that are neither accepted nor refused are
    /// [unjudged](Self::unjudged).
    pub refused: u64,
    /// Number of findings that an exception of the policy excuses.
    pub excepted: u64,
    /// The exceptions of the policy that excuse nothing; `None` before an audit ends.
    unused_exceptions: Option<Vec<UnusedException>>,
    /// Total size of the blobs with a known size, in bytes.
    pub bytes: u64,
    /// Bytes read from the blobs.
    pub bytes_read: u64,
    /// Total size of all inspected files of any type, in bytes.
    pub store_bytes: u64,
    /// Number of files and archive entries that are neither WebAssembly nor an archive.
    pub not_wasm: u64,
    /// Bytes read from them.
    pub not_wasm_bytes_read: u64,
    /// Number of files and archive entries of formats that are not opened.
    pub not_opened_files: u64,
    /// Number of inspected archives and compressed files.
    pub archives: u64,
    /// Bytes read from them to find and inflate their entries.
    pub archive_bytes_read: u64,
    /// The counts of the comparison with an earlier report, if there is one.
    pub comparison: Option<ComparisonCounts>,
    /// Number of further names of blobs.
    pub other_names: u64,
    /// Number of rows whose root is a module.
    pub modules: u64,
    /// Number of rows whose root is a component.
    pub components: u64,
    /// Number of items in all trees.
    pub items: u64,
    /// Number of packages of all binaries.
    pub packages: u64,
    /// Number of sections in all trees, without those that contain items.
    pub sections: u64,
    /// Number of rows with metadata but without a license.
    pub unlicensed: u64,
    /// Number of rows with a license.
    pub licensed: u64,
    by_kind: [RowCount; RowKind::ALL.len()],
    not_opened: BoundedCounts<u64>,
    licenses: BoundedCounts<u64>,
    producers: BoundedCounts<u64>,
    versions: BoundedCounts<u64>,
    kinds: BoundedCounts<KindCount>,
    codes: [CodeCount; FindingCode::ALL.len()],
    advisories: AdvisoryCounts,
    largest: TopList<u64, RankedSection>,
    worst: TopList<(Severity, u64), WorstBlob>,
    incomplete: TopList<(), IncompleteBlob>,
    /// Buffer for composed keys.
    key: KeyBuffer,
}

/// A buffer, which does not take part in comparisons.
#[derive(Clone, Debug, Default)]
struct KeyBuffer(String);

impl PartialEq for KeyBuffer {
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
            excepted: 0,
            unused_exceptions: None,
            bytes: 0,
            bytes_read: 0,
            store_bytes: 0,
            not_wasm: 0,
            not_wasm_bytes_read: 0,
            not_opened_files: 0,
            archives: 0,
            archive_bytes_read: 0,
            comparison: None,
            other_names: 0,
            modules: 0,
            components: 0,
            items: 0,
            packages: 0,
            sections: 0,
            unlicensed: 0,
            licensed: 0,
            by_kind: [RowCount::default(); RowKind::ALL.len()],
            not_opened: BoundedCounts::new(MAX_KEYS),
            licenses: BoundedCounts::new(MAX_KEYS),
            producers: BoundedCounts::new(MAX_KEYS),
            versions: BoundedCounts::new(MAX_KEYS),
            kinds: BoundedCounts::new(MAX_KEYS),
            codes: [CodeCount::default(); FindingCode::ALL.len()],
            advisories: AdvisoryCounts::default(),
            largest: TopList::default(),
            worst: TopList::default(),
            incomplete: TopList::default(),
            key: KeyBuffer::default(),
        }
    }
}

/// Lists the numbers that are added up.
macro_rules! numbers {
    ($number:literal: $($name:ident)*) => {
        impl Summary {
            fn numbers(&self) -> [(&'static str, u64); $number] {
                [$((stringify!($name), self.$name)),*]
            }

            fn numbers_mut(&mut self) -> [(&'static str, &mut u64); $number] {
                [$((stringify!($name), &mut self.$name)),*]
            }
        }
    };
}

numbers! {
    20: rows accepted refused excepted bytes bytes_read store_bytes not_wasm not_wasm_bytes_read not_opened_files archives
    archive_bytes_read other_names modules components items packages sections unlicensed licensed
}

impl Summary {
    /// Sets the exceptions of the policy that excuse nothing in the whole audit.
    pub(super) fn set_unused_exceptions(&mut self, unused: impl IntoIterator<Item = UnusedException>) {
        self.unused_exceptions = Some(unused.into_iter().collect());
    }

    /// Adds a row.
    pub fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.accepted += u64::from(row.accepted);
        let of_kind = &mut self.by_kind[row.row_kind as usize];
        of_kind.rows += 1;
        of_kind.accepted += u64::from(row.accepted);
        of_kind.by_completeness[row.completeness as usize] += 1;
        for (format, count) in &row.not_opened {
            self.add_not_opened(format, *count);
        }
        // Saturates, here and below: archives and earlier reports may claim any size.
        self.bytes = self.bytes.saturating_add(row.size.unwrap_or_default());
        self.bytes_read = self.bytes_read.saturating_add(row.bytes_read);
        self.other_names += row.other_names.len() as u64;
        self.items = self.items.saturating_add(row.items);
        self.packages = self.packages.saturating_add(row.package_count);
        match row.kind {
            Some(ItemKind::Module) => self.modules += 1,
            Some(ItemKind::Component) => self.components += 1,
            None => {}
        }
        self.add_license(row);
        self.add_producers(row);
        self.add_sections(row);
        if !row.findings.is_empty() {
            self.add_findings(row);
            self.advisories.add(row);
        }
        if let Some(change) = &row.change {
            self.comparison.get_or_insert_default().add(row, change);
        }
        if matches!(row.completeness, Completeness::Partial | Completeness::Unread) {
            self.incomplete.add((), &row.file, || IncompleteBlob::for_row(row));
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
            self.key.0.push(SEPARATOR);
            push_part(&mut self.key.0, name, 200);
            // A producer counts once for each version, but its name once for each row. Most rows have few.
            let previous = &row.producers[nth.saturating_sub(MAX_COMPARED)..nth];
            if !previous.iter().any(|[of, other, _]| of == field && other == name) {
                self.producers.add(&self.key.0, 1);
            }
            self.key.0.push(SEPARATOR);
            push_part(&mut self.key.0, version, 200);
            self.versions.add(&self.key.0, 1);
        }
    }

    fn add_sections(&mut self, row: &Row<'_>) {
        for total in &row.section_totals {
            self.sections = self.sections.saturating_add(total.sections);
            self.kinds.add(&total.kind, KindCount { sections: total.sections, bytes: total.bytes, rows: 1 });
        }
        if let Some(largest) = &row.largest {
            self.largest.add(largest.bytes, &row.file, || RankedSection::for_row(row, largest));
        }
    }

    fn add_findings(&mut self, row: &Row<'_>) {
        let mut seen = Codes::default();
        let mut refused = 0_u64;
        for judged in &row.findings {
            let (code, count) = (judged.finding().code(), judged.finding().count());
            let of_code = &mut self.codes[code as usize];
            if judged.exception().is_some() {
                self.excepted = self.excepted.saturating_add(count);
                of_code.excepted += u64::from(seen.excepted.insert(code));
            } else {
                let findings = &mut of_code.findings[judged.severity() as usize];
                *findings = findings.saturating_add(count);
            }
            of_code.rows += u64::from(seen.found.insert(code));
            if judged.is_refused() {
                of_code.refused += u64::from(seen.refused.insert(code));
                refused = refused.saturating_add(count);
            }
        }
        self.refused += u64::from(refused > 0);
        self.by_kind[row.row_kind as usize].refused += u64::from(refused > 0);
        let worst = row.findings.iter().filter(|judged| judged.is_refused()).max_by_key(|judged| judged.severity());
        if let Some(worst) = worst {
            let rank = (worst.severity(), refused);
            self.worst.add(rank, &row.file, || WorstBlob::for_row(row, worst.severity(), refused));
        }
    }

    /// Adds an inspected file of this length, of any type.
    pub fn add_file(&mut self, bytes: u64) {
        self.store_bytes = self.store_bytes.saturating_add(bytes);
    }

    /// Adds files or archive entries of a format that is not opened, which have no row.
    pub fn add_not_opened(&mut self, format: &str, files: u64) {
        self.not_opened_files = self.not_opened_files.saturating_add(files);
        self.not_opened.add(format, files);
    }

    /// Adds an inspected archive, with the bytes read to find and inflate its entries.
    pub fn add_archive(&mut self, bytes_read: u64) {
        self.archives += 1;
        self.archive_bytes_read = self.archive_bytes_read.saturating_add(bytes_read);
    }

    /// Adds another summary. The result is that of one audit of the rows of both.
    pub fn merge(&mut self, other: Self) {
        for ((_, own), (_, other)) in self.numbers_mut().into_iter().zip(other.numbers()) {
            *own = own.saturating_add(other);
        }
        self.unused_exceptions = match (self.unused_exceptions.take(), other.unused_exceptions) {
            (Some(own), Some(other)) => Some(own.into_iter().filter(|unused| other.contains(unused)).collect()),
            (own, other) => own.or(other),
        };
        if let Some(counts) = other.comparison {
            self.comparison.get_or_insert_default().merge(counts);
        }
        self.by_kind.iter_mut().zip(other.by_kind).for_each(|(own, other)| own.merge(other));
        self.not_opened.merge(&other.not_opened);
        self.codes.iter_mut().zip(other.codes).for_each(|(own, other)| own.merge(other));
        self.advisories.merge(other.advisories);
        self.licenses.merge(&other.licenses);
        self.producers.merge(&other.producers);
        self.versions.merge(&other.versions);
        self.kinds.merge(&other.kinds);
        self.largest.merge(other.largest);
        self.worst.merge(other.worst);
        self.incomplete.merge(other.incomplete);
    }
}

/// The codes of the findings of a row.
#[derive(Default)]
struct Codes {
    found: CodeSet,
    refused: CodeSet,
    excepted: CodeSet,
}

/// A set of codes.
#[derive(Default)]
struct CodeSet(u128);

const _: () = assert!(FindingCode::ALL.len() <= 128, "a set of codes has one bit for each");

impl CodeSet {
    /// Inserts a code. Returns whether it is new.
    fn insert(&mut self, code: FindingCode) -> bool {
        let before = self.0;
        self.0 |= 1 << (code as u32);
        self.0 != before
    }
}

/// Appends a truncated part of a key, with separators in it escaped.
fn push_part(key: &mut String, part: &str, most: usize) {
    for (nth, piece) in beginning(part, most).split(SEPARATOR).enumerate() {
        key.push_str(if nth > 0 { "\\x00" } else { "" });
        key.push_str(piece);
    }
}

#[cfg(test)]
mod tests;
