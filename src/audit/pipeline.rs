//! Walking, looking, writing, each on threads of its own. What comes out has the order of the walk.
//!
//! For every unit of the walk a short channel is made. Its receiver goes to the writer, in the order of the walk; its sender
//! goes with the unit to whatever thread is free. The writer empties one channel after another. So the order does not depend on
//! who is done first, all that waits is bounded, and nobody waits for ever: the unit that the writer waits for was taken before
//! all that wait for it, and where a thread ends too early, its ends of the channels are gone.

use std::ffi::OsString;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::earlier::Earlier;
use super::form::Form;
use super::progress::Progress;
use super::summary::Summary;
use super::walk::{self, Scratch, Unit};
use super::worker::{Part, Worker};
use super::{Audit, Root, Stop};

/// What the threads share.
pub(super) struct Shared<'a> {
    pub(super) audit: &'a Audit,
    /// The report whose rows may be taken.
    pub(super) earlier: Option<&'a Earlier>,
    pub(super) form: Option<Form>,
    pub(super) progress: &'a Progress,
    /// Whether nobody writes any more, or not all that there is to write will come.
    gave_up: AtomicBool,
}

/// A unit to be looked into, and where its rows go.
struct Job {
    nth: u64,
    unit: Unit,
    rows: SyncSender<Part>,
}

/// Units that wait for a thread, for each thread.
const WAITING: usize = 4;

/// Parts of a unit that wait to be written.
const PARTS: usize = 2;

impl<'a> Shared<'a> {
    pub(super) fn new(audit: &'a Audit, form: Option<Form>, progress: &'a Progress) -> Self {
        let earlier = audit.earlier.as_ref().filter(|earlier| earlier.check(&audit.about).is_ok());
        Self { audit, earlier, form, progress, gave_up: AtomicBool::new(false) }
    }

    /// Whether somebody asked to stop, or there is no use in going on.
    pub(super) fn stops(&self) -> bool {
        self.progress.stops() || self.gave_up.load(Ordering::Relaxed)
    }

    /// Says that there is no use in going on.
    pub(super) fn give_up(&self) {
        self.gave_up.store(true, Ordering::Relaxed);
    }

    /// Audits what lies at these roots, and writes the rows; gives what they come to, and whether it was stopped.
    pub(super) fn run(&self, roots: &[Root], out: &mut dyn Write) -> io::Result<(Summary, Option<Stop>)> {
        let threads = self.audit.threads;
        let (jobs, waiting) = sync_channel(WAITING * threads);
        let (order, in_order) = sync_channel(WAITING * threads);
        thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, move || self.walk(roots, &jobs, &order))?;
            // It is gone with the last worker, however that ends: then nobody waits for the jobs in it.
            let waiting = Arc::new(Mutex::new(waiting));
            let mut workers = Vec::with_capacity(threads);
            for _ in 0..threads {
                let waiting = Arc::clone(&waiting);
                match thread::Builder::new().spawn_scoped(scope, move || self.work(&waiting)) {
                    Ok(worker) => workers.push(worker),
                    Err(error) if workers.is_empty() => return Err(error),
                    Err(_) => break, // those that there are do it all
                }
            }
            drop(waiting);
            let written = self.write(&in_order, out);
            if written.is_err() {
                self.give_up();
            }
            drop(in_order); // who still has rows for it learns that nobody waits
            let mut summary = Summary::default();
            for worker in workers {
                match worker.join() {
                    Ok(of_worker) => summary.merge(of_worker),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            let behind = written?;
            Ok((summary, self.stops().then_some(Stop { behind })))
        })
    }

    fn walk(&self, roots: &[Root], jobs: &SyncSender<Job>, order: &SyncSender<Receiver<Part>>) {
        let mut nth = 0;
        walk::walk(roots, &self.audit.walking, &|| self.stops(), &mut |unit| {
            let (rows, receiver) = sync_channel(PARTS);
            let is_sent = !self.stops() && order.send(receiver).is_ok() && jobs.send(Job { nth, unit, rows }).is_ok();
            nth += 1;
            if is_sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }

    fn work(&self, waiting: &Mutex<Receiver<Job>>) -> Summary {
        let _alarm = Alarm(self);
        let stops = || self.stops();
        let mut worker = Worker::new(self, &stops);
        let mut scratch = Scratch::default();
        loop {
            let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { nth, unit, rows }) = job else { return worker.finish() };
            if self.stops() {
                continue; // its rows end here
            }
            worker.begin(nth, rows);
            unit.look_into(&self.audit.walking, worker.asked(), &mut scratch, &mut worker);
            worker.end();
        }
    }

    /// Writes what comes, unit by unit; gives the place of the last row.
    fn write(&self, in_order: &Receiver<Receiver<Part>>, out: &mut dyn Write) -> io::Result<Option<OsString>> {
        let (mut behind, mut is_first) = (None, true);
        for unit in in_order {
            for Part { bytes, last } in unit {
                behind = last.or(behind);
                if bytes.is_empty() {
                    continue; // the form says nothing of these rows
                }
                if let Some(form) = self.form.filter(|_| !is_first) {
                    out.write_all(form.between().as_bytes())?;
                }
                out.write_all(&bytes)?;
                is_first = false;
            }
        }
        Ok(behind)
    }
}

/// Ends the audit where a worker panics: not all rows will come.
struct Alarm<'s, 'a>(&'s Shared<'a>);

impl Drop for Alarm<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.give_up();
        }
    }
}
