//! What an audit comes to: counts that do not depend on the order in which rows are added.

use super::Row;

/// What an audit comes to. Summaries of parts can be [merged](Self::merge) in any order: the result is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Rows in all.
    pub rows: u64,
    /// Rows of what the policy has nothing against.
    pub accepted: u64,
    /// Files and archives' entries that are something else than WebAssembly.
    pub passed: u64,
    /// Bytes that were read to tell that.
    pub passed_bytes: u64,
}

impl Summary {
    /// Adds a row.
    pub fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.accepted += u64::from(row.accepted);
    }

    /// Adds what another comes to.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.accepted += other.accepted;
        self.passed += other.passed;
        self.passed_bytes += other.passed_bytes;
    }
}
