//! Many files: a store is walked, every binary in it read and judged, and each has its row.

mod blob;
mod form;
mod row;
#[cfg(test)]
mod sample;
mod summary;

use std::ffi::OsString;

pub use self::form::Form;
pub use self::row::{Drawn, Ended, Largest, Reason, Row, RowShare};
pub use self::summary::{BrokenBlob, CodeCount, KindCount, LargestSection, ProducerCount, Summary, WorstBlob};

/// What an answer says of the audit itself. Nothing in it comes from a clock or from the host, unless whoever asks puts it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// What was audited.
    pub paths: Vec<OsString>,
    /// What the policy is called; `None` where there is none.
    pub policy: Option<OsString>,
    /// What tells one policy from another.
    pub fingerprint: String,
    /// The day, as `2026-01-31`, if somebody said which.
    pub day: Option<String>,
}

/// Where an audit was stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stop {
    /// The last place whose row was written; `None` where there is no row.
    pub behind: Option<OsString>,
}
