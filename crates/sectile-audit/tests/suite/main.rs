//! Audits: every binary of a store has one row, in the order of the walk, for any number of
//! threads.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod baseline;
mod bounds;
#[cfg(feature = "parquet")]
mod columns;
mod file_format;
mod fuzz;
#[cfg(unix)] // links, FIFOs, names that are not UTF-8
mod hostile;
mod image_shapes;
#[cfg(feature = "remote")]
mod objects;
#[cfg(feature = "parquet")]
mod parquet_reports;
mod parts;
#[cfg(feature = "registry")]
mod registry_parts;
mod row_kinds;
mod row_names;
mod rows;
mod stopped;
mod store;
mod tars;
mod visits;
mod zips;

use sectile_audit::{Audit, AuditOutcome, Format, Progress, Root};
use sectile_policy::Policy;
use serde_json::Value;

use self::store::Store;

/// The output of an audit as JSON lines.
struct Answer {
    text: String,
    outcome: AuditOutcome,
    progress: Progress,
}

impl Answer {
    /// Runs an audit of these roots.
    #[track_caller]
    fn run(audit: &Audit, roots: &[Root]) -> Self {
        let (mut out, progress) = (Vec::new(), Progress::new());
        let outcome = audit.run(roots, Some(Format::Jsonl), &mut out, &progress).unwrap();
        let answer = Self { text: String::from_utf8(out).unwrap(), outcome, progress };
        assert_eq!(answer.rows().len() as u64, answer.outcome.summary.rows);
        answer
    }

    /// All lines but the last, which includes the bytes read.
    fn body(&self) -> &str {
        let end = self.text.trim_end().rfind('\n').unwrap();
        &self.text[..end]
    }

    /// Asserts that another output has the same lines, except the last.
    #[track_caller]
    fn assert_same(&self, other: &Self) {
        let mut lines = self.body().lines().zip(other.body().lines());
        let first = lines.find(|(own, others)| own != others);
        assert!(first.is_none() && self.body().len() == other.body().len(), "{first:#?}");
    }

    /// The rows.
    fn rows(&self) -> Vec<Value> {
        let lines = self.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line.get("file").is_some()).collect()
    }

    /// The row of the file with this path suffix.
    #[track_caller]
    fn row(&self, end: &str) -> Value {
        let is_meant = |row: &Value| row["file"].as_str().is_some_and(|file| file.ends_with(end));
        let mut rows = self.rows().into_iter().filter(is_meant);
        let row = rows.next().unwrap_or_else(|| panic!("no row of {end} in {}", self.text));
        assert!(rows.next().is_none(), "several rows of {end}");
        row
    }
}

/// The codes of the findings of a row.
fn codes(row: &Value) -> Vec<&str> {
    row["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

/// Audits a store by the default policy on two threads.
#[track_caller]
fn audit_store(store: &Store) -> Answer {
    Answer::run(&default_audit(), &store.paths())
}

fn default_audit() -> Audit {
    Audit::new(Policy::default()).with_threads(2)
}

#[track_caller]
fn with_policy(policy: &str) -> Audit {
    Audit::new(Policy::parse("policy.toml", policy).unwrap_or_else(|error| panic!("{error}"))).with_threads(2)
}
