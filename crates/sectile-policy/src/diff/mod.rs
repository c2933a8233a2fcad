//! Differences between two binaries, or between two reports.
//!
//! [`BinaryFacts`] are the comparable facts of one binary, from its bytes ([`FactsReader`]) or from a line of a report
//! ([`ReportRow`]). [`compare`] lists their differences. [`ReportIndex`] finds the rows of an earlier report by name, and
//! [`compare_reports`] compares two reports row by row. [`compare_edit`] lists what an edit changes.
//!
//! ```
//! use sectile_policy::Policy;
//! use sectile_policy::diff::{Aspect, BinaryFacts, FactsReader, compare};
//!
//! let facts = |bytes: &[u8]| {
//!     let reading = FactsReader::new(&Policy::default()).read_at(bytes, bytes.len() as u64);
//!     BinaryFacts::for_reading("a.wasm".as_ref(), Some(bytes.len() as u64), &reading)
//! };
//! let old = facts(b"\0asm\x01\0\0\0\x00\x0d\x07version0.1.0");
//! let new = facts(b"\0asm\x01\0\0\0\x00\x0d\x07version1.2.0");
//! let comparison = compare(&old, &new);
//! let [difference] = comparison.differences() else { panic!("one difference") };
//! assert_eq!(difference.aspect(), Aspect::Field);
//! assert_eq!(difference.to_string(), "version: 0.1.0 → 1.2.0");
//! ```

mod aspect;
mod comparison;
mod difference;
mod edit;
mod explained;
mod fact;
pub(crate) mod facts;
mod findings;
mod index;
mod json;
mod line;
mod reader;
mod reports;
mod section_list;

pub use self::aspect::Aspect;
pub use self::comparison::{Comparison, compare};
pub use self::difference::Difference;
pub use self::edit::compare_edit;
pub use self::fact::FactValue;
pub use self::facts::BinaryFacts;
pub use self::findings::{FindingChanges, FindingState, SavedAdvisory, SavedFinding};
pub use self::index::{ReportError, ReportIndex};
pub use self::json::write_comparison_json;
pub(crate) use self::json::write_differences;
pub use self::line::ReportRow;
pub use self::reader::{BinaryReading, FactsReader};
pub use self::reports::{ReportCounts, ReportRoots, RowChange, RowState, compare_reports};
pub use self::section_list::{SectionHasher, SectionList};
