//! Runs the walk, the workers and the writer on separate threads, and writes the rows in the order of the walk.
//!
//! Each unit of the walk has its own short channel. The receiver goes to the writer in the order of the walk, and the
//! sender goes with the unit to any free worker. The writer drains one channel after the other. The order therefore
//! does not depend on timing, and every queue is bounded.
//!
//! The threads cannot deadlock: the unit that the writer waits for was taken by a worker before all later units. A
//! thread that ends early drops its ends of the channels.

use std::ffi::OsString;
use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::context::Context;
use super::encoder::SpareTexts;
use super::format::{FormatWriter, write_encoded};
use super::info::Stop;
use super::root::Root;
use super::summary::Summary;
use super::walk::{self, Scratch, Unit, WalkOptions};
use super::worker::{RowChunk, Worker};

/// The threads of an audit: one walks, several work, and the calling thread writes.
pub(super) struct Pipeline<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) walk_options: &'a WalkOptions,
    /// Number of workers.
    pub(super) threads: usize,
}

/// A unit to inspect, and the destination of its rows.
struct Job {
    nth: u64,
    unit: Unit,
    rows: SyncSender<RowChunk>,
}

/// Queued units for each worker.
const QUEUED_UNITS: usize = 4;

/// Queued chunks of rows for each unit.
const QUEUED_CHUNKS: usize = 2;

impl Pipeline<'_> {
    /// Audits these roots and writes the rows to a writer for each format. Returns the summary, and where the audit was
    /// stopped.
    pub(super) fn run(&self, roots: &[Root], outputs: &mut [FormatWriter<'_>]) -> io::Result<(Summary, Option<Stop>)> {
        let threads = self.threads;
        let (jobs, waiting) = sync_channel(QUEUED_UNITS * threads);
        let (order, in_order) = sync_channel(QUEUED_UNITS * threads);
        thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, move || self.walk(roots, &jobs, &order))?;
            // The last worker drops the receiver, even in a panic, so the walk does not block on it.
            let waiting = Arc::new(Mutex::new(waiting));
            let mut workers = Vec::with_capacity(threads);
            for _ in 0..threads {
                let waiting = Arc::clone(&waiting);
                match thread::Builder::new().spawn_scoped(scope, move || self.work(&waiting)) {
                    Ok(worker) => workers.push(worker),
                    Err(error) if workers.is_empty() => return Err(error),
                    Err(_) => break, // the workers that exist do all the work
                }
            }
            drop(waiting);
            let written = write(&in_order, outputs, &self.context.spare_texts);
            if written.is_err() {
                self.context.abort();
            }
            drop(in_order); // workers with unsent rows see that the writer has ended
            let mut summary = Summary::default();
            for worker in workers {
                match worker.join() {
                    Ok(of_worker) => summary.merge(of_worker),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            let after = written?;
            Ok((summary, self.context.should_stop().then_some(Stop { after })))
        })
    }

    fn walk(&self, roots: &[Root], jobs: &SyncSender<Job>, order: &SyncSender<Receiver<RowChunk>>) {
        let mut nth = 0;
        walk::walk(roots, self.walk_options, &|| self.context.should_stop(), &mut |unit| {
            let (rows, receiver) = sync_channel(QUEUED_CHUNKS);
            let is_sent = !self.context.should_stop()
                && order.send(receiver).is_ok()
                && jobs.send(Job { nth, unit, rows }).is_ok();
            nth += 1;
            if is_sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }

    fn work(&self, waiting: &Mutex<Receiver<Job>>) -> Summary {
        let _guard = PanicGuard(self.context);
        let should_stop = || self.context.should_stop();
        let mut worker = Worker::new(self.context, &should_stop);
        let mut scratch = Scratch::default();
        loop {
            let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { nth, unit, rows }) = job else { return worker.finish() };
            if self.context.should_stop() {
                continue; // drops the sender of its rows
            }
            worker.begin_unit(nth, rows);
            unit.inspect(self.walk_options, worker.options(), &mut scratch, &mut worker);
            worker.end_unit();
        }
    }
}

/// Writes the rows unit by unit. Returns the file of the last row.
fn write(
    in_order: &Receiver<Receiver<RowChunk>>,
    outputs: &mut [FormatWriter<'_>],
    spare_texts: &SpareTexts,
) -> io::Result<Option<OsString>> {
    let mut after = None;
    for RowChunk { rows, last } in in_order.iter().flatten() {
        after = last.or(after);
        write_encoded(&rows, outputs)?;
        spare_texts.add(rows);
    }
    Ok(after)
}

/// Stops the audit if a worker panics, because its rows are lost.
struct PanicGuard<'a>(&'a Context<'a>);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abort();
        }
    }
}
