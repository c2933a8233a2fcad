//! State that the threads of an audit share.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Row;
use super::baseline::Baseline;
use super::comparison::RowComparison;
use super::encoder::SpareTexts;
use super::format::Format;
use super::progress::Progress;
use sectile::internal::fingerprint::FileId;
use sectile_policy::{Day, ExceptionUse, Policy};

/// A function that receives each row, on any thread, and says whether to continue.
pub(super) type RowVisitor<'a> = &'a (dyn Fn(&Row<'_>) -> ControlFlow<()> + Sync);

/// State that the threads of an audit share.
pub(super) struct Context<'a> {
    pub(super) policy: &'a Policy,
    pub(super) today: Option<Day>,
    /// Whether to read imports and exports.
    pub(super) with_interface: bool,
    /// Whether to compute the digest of every blob.
    pub(super) hashes: bool,
    /// The earlier report whose rows may be reused.
    pub(super) baseline: Option<&'a Baseline>,
    /// The earlier report that rows are compared with.
    pub(super) comparison: Option<&'a RowComparison<'a>>,
    /// Receives each row on the thread that judges it.
    pub(super) visitor: Option<RowVisitor<'a>>,
    /// The output formats, in the order of their writers.
    pub(super) formats: Vec<Format>,
    /// Buffers for the rows of the workers, which the writer gives back.
    pub(super) spare_texts: SpareTexts,
    pub(super) progress: &'a Progress,
    /// The exceptions of the policy that verdicts name.
    pub(super) exceptions: ExceptionUse<'a>,
    /// The files that the outputs replace.
    pub(super) outputs: &'a [FileId],
    /// Whether the walk met one of them.
    pub(super) met_output: AtomicBool,
    /// Whether the output failed or cannot become complete.
    pub(super) gave_up: AtomicBool,
}

impl Context<'_> {
    /// Whether to stop, on request or because an earlier step failed.
    pub(super) fn should_stop(&self) -> bool {
        self.progress.stop_requested() || self.gave_up.load(Ordering::Relaxed)
    }

    /// Stops if this file is one that an output replaces.
    pub(super) fn check_input(&self, file: Option<FileId>) {
        if file.is_some_and(|file| self.outputs.contains(&file)) {
            self.met_output.store(true, Ordering::Relaxed);
            self.abort();
        }
    }

    /// Stops all threads: the rows can no longer be complete or written.
    pub(super) fn abort(&self) {
        self.gave_up.store(true, Ordering::Relaxed);
    }
}
