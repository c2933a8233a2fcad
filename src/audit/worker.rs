//! One thread's part: blobs are read and judged, and become rows.

use std::ffi::{OsStr, OsString};
use std::sync::mpsc::SyncSender;

use super::blob::{Archive, Blob, Content, Look, Place, State, Trouble};
use super::form::Form;
use super::pipeline::Shared;
use super::progress::Done;
use super::reading::{Asked, Looked};
use super::row::{Ended, Reason, Row};
use super::summary::Summary;
use crate::digest::Digest;
use crate::drive::Cost;
use crate::finding::{Code, Finding};
use crate::policy::Subject;
use crate::report::Report;
use crate::scan::Path;

/// Rows as a form writes them, some that follow one another.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) bytes: Vec<u8>,
    /// The place of the last of them.
    pub(super) last: Option<OsString>,
}

/// Reads, judges and writes what it is shown, on one thread.
pub(super) struct Worker<'a> {
    shared: &'a Shared<'a>,
    asked: Asked<'a>,
    summary: Summary,
    /// Room for what passes by.
    buffer: Vec<u8>,
    part: Part,
    /// Where the rows of the unit that is looked into go.
    rows: Option<SyncSender<Part>>,
    /// The place of the next row among all rows.
    nth: u64,
    /// Rows of the file that is looked into.
    of_file: u64,
    /// What the progress does not say yet: it is shared with all threads, and told of many rows at once.
    unsaid: Done,
}

/// A part is handed on from so many bytes on.
const PART: usize = 256 << 10;

/// Bytes that are read at a time of what passes by.
const BUFFER: usize = 64 << 10;

/// Rows that a unit has place for in the order: so many that no store has more.
const ROWS_OF_A_UNIT: u64 = 1 << 32;

impl<'a> Worker<'a> {
    pub(super) fn new(shared: &'a Shared<'a>, stops: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self {
            shared,
            asked: Asked {
                policy: &shared.audit.policy,
                draws: shared.form.is_some_and(Form::draws),
                hashes: shared.audit.about.hashed,
                stops,
            },
            summary: Summary::default(),
            buffer: vec![0; BUFFER],
            part: Part::default(),
            rows: None,
            nth: 0,
            of_file: 0,
            unsaid: Done::default(),
        }
    }

    /// Begins the n-th unit, whose rows go here.
    pub(super) fn begin(&mut self, nth: u64, rows: SyncSender<Part>) {
        self.nth = nth * ROWS_OF_A_UNIT;
        self.rows = Some(rows);
    }

    /// Ends the unit: what is left of its rows is handed on.
    pub(super) fn end(&mut self) {
        self.hand_on();
        self.rows = None;
    }

    /// What is asked of a blob, for what is read before its turn.
    pub(super) fn asked(&self) -> Asked<'a> {
        self.asked
    }

    pub(super) fn finish(self) -> Summary {
        self.summary
    }

    fn hand_on(&mut self) {
        self.shared.progress.add(std::mem::take(&mut self.unsaid));
        if self.part.bytes.is_empty() && self.part.last.is_none() {
            return;
        }
        // The next will be about as large.
        let room = (self.part.bytes.len() + self.part.bytes.len() / 8).min(2 * PART);
        let next = Part { bytes: Vec::with_capacity(room), last: None };
        let part = std::mem::replace(&mut self.part, next);
        if self.rows.as_ref().is_none_or(|rows| rows.send(part).is_err()) {
            self.shared.give_up(); // nobody writes any more
        }
    }

    fn write(&mut self, row: &Row<'_>) {
        self.summary.add(row);
        self.unsaid.row(row);
        if let Some(form) = self.shared.form {
            let bytes = &mut self.part.bytes;
            let before = bytes.len();
            if before > 0 {
                bytes.extend_from_slice(form.between().as_bytes());
            }
            let begin = bytes.len();
            form.row(row, bytes);
            if bytes.len() == begin {
                bytes.truncate(before); // the form says nothing of it
            }
        }
        let last = self.part.last.get_or_insert_default();
        last.clear();
        last.push(&row.file);
        self.nth += 1;
        self.of_file += 1;
        if self.part.bytes.len() >= PART {
            self.hand_on();
        }
    }

    /// Judges what was found, and writes its row.
    fn judge(
        &mut self,
        report: Report<'_>,
        place: &Place,
        digest: Option<Hashed>,
        complete: impl FnOnce(&mut Row<'_>),
    ) {
        let policy = self.asked.policy;
        let verdict = if policy.exceptions().next().is_none() {
            policy.judge(&report)
        } else {
            let locations: Vec<&OsStr> = place.names().collect();
            let digest = digest.map(|hashed| (hashed.digest.to_string(), hashed.verified));
            let subject = Subject { today: self.shared.audit.today, ..Subject::new().at(&locations) };
            policy.judge_as(
                &report,
                &match &digest {
                    Some((digest, true)) => subject.verified(digest),
                    Some((digest, false)) => subject.named(digest),
                    None => subject,
                },
            )
        };
        let mut row = Row::of(self.nth, place, report, verdict);
        if let Some(hashed) = digest {
            row.digest = Some(hashed.digest.to_string().into());
            row.verified = hashed.verified;
        }
        complete(&mut row);
        self.write(&row);
    }
}

impl Look for Worker<'_> {
    fn knows(&mut self, place: &Place, state: &State) -> bool {
        let Some(lines) = self.shared.earlier.and_then(|earlier| earlier.lines(place, state)) else { return false };
        for row in lines.rows() {
            self.write(&Row { nth: self.nth, ..row });
        }
        if let (Some(archive), Some(Form::Jsonl)) = (lines.archive(), self.shared.form) {
            self.part.bytes.extend_from_slice(archive.as_bytes());
        }
        true
    }

    #[cfg(feature = "remote")]
    fn will_know(&self, place: &Place, state: &State) -> bool {
        self.shared.earlier.is_some_and(|earlier| earlier.lines(place, state).is_some())
    }

    fn open(&mut self, bytes: u64) {
        self.summary.open(bytes);
        self.unsaid.open();
        self.of_file = 0;
    }

    fn see(&mut self, blob: Blob<'_>) {
        let Blob { place, state, digest: named, content } = blob;
        // What is on its way is counted with its archive.
        let is_counted = !matches!(content, Content::Stream(_));
        let Some(looked) = self.asked.look(content, &mut self.buffer) else { return };
        let around = around(&looked, named);
        let report = Report { around: &around, ..Report::of_reading(&place.file, looked.size, &looked.reading) };
        let digest = looked.digest.or(named).map(|digest| Hashed { digest, verified: looked.digest.is_some() });
        self.judge(report, &place, digest, |row| {
            row.state = state.map(|state| state.0.into());
            row.bytes_read = if is_counted { looked.bytes_read } else { 0 };
            row.outline(looked.largest, looked.drawn);
        });
    }

    fn trouble(&mut self, trouble: Trouble) {
        let Trouble { place, state, code, message } = trouble;
        let around = [found(code, message.clone())];
        let report = Report { around: &around, ..Report::of(&place.file, None, None, None, Cost::default()) };
        self.judge(report, &place, None, |row| {
            if !code.is_passed_over() {
                row.ended = Ended::Unread;
                row.reason = Some(Reason { message: message.into(), offset: None });
                row.accepted = false;
            }
            row.state = state.map(|state| state.0.into());
        });
    }

    fn archive(&mut self, archive: Archive<'_>) {
        self.summary.archive(archive.bytes_read);
        self.unsaid.read(archive.bytes_read);
        let rows = self.of_file;
        // Of one that was not looked into to its end nobody may believe that these are all rows.
        if let Some(form) = self.shared.form.filter(|_| archive.was_read && !self.stops()) {
            form.archive(&archive, rows, &mut self.part.bytes);
        }
    }

    fn pass(&mut self, bytes_read: u64) {
        self.summary.passed += 1;
        self.summary.passed_bytes += bytes_read;
        self.unsaid.read(bytes_read);
    }

    fn stops(&self) -> bool {
        self.shared.stops()
    }
}

/// A digest, and whether it was computed.
#[derive(Clone, Copy)]
struct Hashed {
    digest: Digest,
    verified: bool,
}

/// What is wrong with a blob's place, rather than with its bytes.
fn around(looked: &Looked<'_>, named: Option<Digest>) -> Vec<Finding> {
    let mut around = Vec::new();
    if looked.changed {
        around.push(found(Code::Changed, crate::read::CHANGED));
    }
    if let (Some(named), Some(is)) = (named, looked.digest)
        && named != is
    {
        around.push(found(Code::DigestMismatch, format!("it is called {named}, and has the digest {is}")));
    }
    around
}

fn found(code: Code, message: impl Into<std::borrow::Cow<'static, str>>) -> Finding {
    Finding { code, path: Path::root(), offset: 0, section: None, message: message.into(), count: 1 }
}
