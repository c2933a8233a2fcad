//! How far an audit is, for whoever waits for it, and the way to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Row;

/// How far an audit is. It may be looked at from any thread while the audit runs, and asked to stop.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    rows: AtomicU64,
    refused: AtomicU64,
    bytes_read: AtomicU64,
    stops: Arc<AtomicBool>,
}

impl Progress {
    /// Of an audit that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Files that were looked into, whatever they turned out to be.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Rows so far that the policy refuses.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Bytes that were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Asks the audit to stop: it ends soon, with what is done by then.
    pub fn stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// What asks the audit to stop where it is set: for a handler of signals, which may do little else.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stops)
    }

    /// Whether it was asked to stop.
    pub fn stops(&self) -> bool {
        self.stops.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, done: Done) {
        self.files.fetch_add(done.files, Ordering::Relaxed);
        self.rows.fetch_add(done.rows, Ordering::Relaxed);
        self.refused.fetch_add(done.refused, Ordering::Relaxed);
        self.bytes_read.fetch_add(done.bytes_read, Ordering::Relaxed);
    }
}

/// What one thread has done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    files: u64,
    rows: u64,
    refused: u64,
    bytes_read: u64,
}

impl Done {
    pub(super) fn open(&mut self) {
        self.files += 1;
    }

    pub(super) fn row(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.refused += u64::from(!row.accepted);
        self.read(row.bytes_read);
    }

    pub(super) fn read(&mut self, bytes: u64) {
        self.bytes_read = self.bytes_read.saturating_add(bytes);
    }
}
