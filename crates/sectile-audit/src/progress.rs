//! The progress of an audit, and the way to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Row, RowKind};

/// The progress of a running audit.
///
/// Any thread may read it, and may request that the audit stops.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    rows: AtomicU64,
    binaries: AtomicU64,
    refused: AtomicU64,
    bytes_read: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Creates the progress of an audit that has not started.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of files inspected so far, of any type.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Number of rows so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Number of rows of binaries so far.
    pub fn binaries(&self) -> u64 {
        self.binaries.load(Ordering::Relaxed)
    }

    /// Number of rows so far that are not accepted.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Number of bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Requests that the audit stops. It ends soon, with the rows that are finished by then.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Returns the flag that stops the audit when it is set, for signal handlers.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether a stop was requested.
    pub fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, done: WorkDone) {
        self.files.fetch_add(done.files, Ordering::Relaxed);
        self.rows.fetch_add(done.rows, Ordering::Relaxed);
        self.binaries.fetch_add(done.binaries, Ordering::Relaxed);
        self.refused.fetch_add(done.refused, Ordering::Relaxed);
        self.bytes_read.fetch_add(done.bytes_read, Ordering::Relaxed);
    }
}

/// The work of one thread that is not added to the shared progress yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WorkDone {
    files: u64,
    rows: u64,
    binaries: u64,
    refused: u64,
    bytes_read: u64,
}

impl WorkDone {
    pub(super) fn add_file(&mut self) {
        self.files += 1;
    }

    pub(super) fn add_row(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.binaries += u64::from(row.row_kind == RowKind::Binary);
        self.refused += u64::from(!row.accepted);
        self.add_bytes(row.bytes_read);
    }

    pub(super) fn add_bytes(&mut self, bytes: u64) {
        self.bytes_read = self.bytes_read.saturating_add(bytes);
    }
}
