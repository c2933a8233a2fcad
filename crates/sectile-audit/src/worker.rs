//! One worker thread: reads blobs, judges them and writes their rows.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::sync::mpsc::SyncSender;

use super::blob::{
    ArchiveFinding, ArchiveReading, Blob, BlobLocation, BlobReading, BlobSink, Content, FileState, NotOpened,
    WalkError, not_opened_message,
};
use super::context::Context;
use super::encoder::{EncodedRows, RowEncoder};
use super::format::Format;
use super::outline::OutlineParts;
use super::progress::WorkDone;
use super::reading::ReadOptions;
use super::row::{Completeness, Row, RowKind};
use super::summary::Summary;
use sectile::digest::Digest;
use sectile::internal::fingerprint::FileId;
use sectile::internal::quoted;
use sectile::scan::ItemPath;
use sectile::{Finding, FindingCode, Severity};
use sectile_policy::JudgeContext;
use sectile_policy::report::Report;

/// A batch of consecutive rows.
#[derive(Debug, Default)]
pub(super) struct RowChunk {
    pub(super) rows: EncodedRows,
    /// The file of the last row.
    pub(super) last: Option<OsString>,
}

/// Reads and judges the blobs of a walk and writes their rows, on one thread.
pub(super) struct Worker<'a> {
    context: &'a Context<'a>,
    options: ReadOptions<'a>,
    summary: Summary,
    /// Buffer for streams.
    buffer: Vec<u8>,
    /// Buffer for the JSON of a row that is compared.
    line: Vec<u8>,
    encoder: RowEncoder,
    /// The file of the last row that is not sent yet.
    last: Option<OsString>,
    /// The destination of the rows of the current unit.
    rows: Option<SyncSender<RowChunk>>,
    /// Number of the next row, which orders the rows of all units.
    nth: u64,
    /// Number of rows of the current file.
    file_rows: u64,
    /// Text length of these rows in bytes.
    file_row_bytes: u64,
    /// Number of non-WebAssembly files counted before the current file.
    not_wasm_before: u64,
    /// Work not yet added to the shared progress. It is added once per chunk.
    pending: WorkDone,
}

/// Minimum length in bytes at which a chunk is sent.
const CHUNK_LEN: usize = 256 << 10;

/// Size in bytes of one read from a stream.
const BUFFER_LEN: usize = 64 << 10;

/// Format name under which the summary counts archives that the options do not open.
const SKIPPED_ARCHIVE: &str = "archive";

/// Count of row numbers reserved for each unit. No store needs more.
const MAX_UNIT_ROWS: u64 = 1 << 32;

impl<'a> Worker<'a> {
    pub(super) fn new(context: &'a Context<'a>, should_stop: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self {
            context,
            options: ReadOptions {
                policy: context.policy,
                outline: OutlineParts {
                    spans: context.formats.contains(&Format::Html),
                    sections: context.formats.iter().any(|format| format.saves_rows()) || context.comparison.is_some(),
                },
                with_interface: context.with_interface,
                hashes: context.hashes,
                should_stop,
            },
            summary: Summary::default(),
            buffer: vec![0; BUFFER_LEN],
            line: Vec::new(),
            encoder: RowEncoder::new(&context.formats),
            last: None,
            rows: None,
            nth: 0,
            file_rows: 0,
            file_row_bytes: 0,
            not_wasm_before: 0,
            pending: WorkDone::default(),
        }
    }

    /// Begins the n-th unit and sends its rows to `rows`.
    pub(super) fn begin_unit(&mut self, nth: u64, rows: SyncSender<RowChunk>) {
        self.nth = nth * MAX_UNIT_ROWS;
        self.rows = Some(rows);
    }

    /// Ends the unit and sends the rest of its rows.
    pub(super) fn end_unit(&mut self) {
        self.flush();
        self.rows = None;
    }

    /// Returns the options for reading blobs. The prefetch of objects uses them.
    pub(super) fn options(&self) -> ReadOptions<'a> {
        self.options
    }

    pub(super) fn finish(self) -> Summary {
        self.summary
    }

    fn flush(&mut self) {
        self.context.progress.add(std::mem::take(&mut self.pending));
        if self.encoder.len() == 0 && self.last.is_none() {
            return;
        }
        let chunk = RowChunk { rows: self.encoder.take(&self.context.spare_texts), last: self.last.take() };
        if self.rows.as_ref().is_none_or(|rows| rows.send(chunk).is_err()) {
            self.context.abort(); // the writer has ended
        }
    }

    fn write(&mut self, mut row: Row<'_>) {
        if let Some(comparison) = self.context.comparison {
            row.change = comparison.compare(&row, &mut self.line);
            if row.change.is_none() {
                self.context.abort();
            }
        }
        let row = &row;
        self.summary.add(row);
        if let Some(visit) = self.context.visitor
            && visit(row).is_break()
        {
            self.context.abort();
        }
        self.context.exceptions.add(&row.findings);
        self.pending.add_row(row);
        self.encoder.add(row);
        let last = self.last.get_or_insert_default();
        last.clear();
        last.push(&row.file);
        self.nth += 1;
        self.file_rows += 1;
        self.file_row_bytes += row.text_len() as u64;
        if self.encoder.len() >= CHUNK_LEN {
            self.flush();
        }
    }

    /// Judges a report and writes its row.
    fn judge(
        &mut self,
        report: Report<'_>,
        location: &BlobLocation,
        digest: Option<KnownDigest>,
        complete: impl FnOnce(&mut Row<'_>),
    ) {
        let policy = self.options.policy;
        let verdict = if policy.exceptions().next().is_none() {
            policy.judge(&report)
        } else {
            let locations: Vec<&OsStr> = location.names().filter(|_| !location.omits_names).collect();
            let digest = digest.map(|known| (known.digest.to_string(), known.verified));
            let context = JudgeContext::new().with_locations(&locations).with_day(self.context.today);
            policy.judge_with_context(
                &report,
                &match &digest {
                    Some((digest, true)) => context.with_verified_digest(digest),
                    Some((digest, false)) => context.with_digest(digest),
                    None => context,
                },
            )
        };
        let mut row = Row::for_report(self.nth, location, report, verdict);
        if let Some(known) = digest {
            row.digest = Some(known.digest.to_string().into());
            row.verified = known.verified;
        }
        complete(&mut row);
        self.write(row);
    }
}

impl BlobSink for Worker<'_> {
    fn reuse_rows(&mut self, location: &BlobLocation, state: &FileState) -> bool {
        if location.omits_names {
            return false; // the omitted names may have changed
        }
        let Some(rows) = self.context.baseline.and_then(|baseline| baseline.rows_of(location, state)) else {
            return false;
        };
        for row in rows.rows() {
            self.write(Row { nth: self.nth, ..row });
        }
        if let Some(archive) = rows.archive() {
            self.summary.add_archive(0);
            self.summary.not_wasm = self.summary.not_wasm.saturating_add(archive.not_wasm);
            self.encoder.add_text(|format, text| format.reused_archive(archive.text, text));
        }
        true
    }

    #[cfg(any(feature = "registry", feature = "remote"))]
    fn can_reuse_rows(&self, location: &BlobLocation, state: &FileState) -> bool {
        self.context.baseline.is_some_and(|baseline| baseline.rows_of(location, state).is_some())
    }

    fn open_file(&mut self, file: Option<FileId>) {
        self.context.check_input(file);
    }

    fn begin_file(&mut self, bytes: u64) {
        self.summary.add_file(bytes);
        self.pending.add_file();
        self.file_rows = 0;
        self.file_row_bytes = 0;
        self.not_wasm_before = self.summary.not_wasm;
    }

    fn add_blob(&mut self, blob: Blob<'_>) {
        let Blob { location, state, digest: expected, encodings, content } = blob;
        // Streamed bytes are counted with their archive.
        let is_counted = !matches!(content, Content::Stream(_));
        let options = self.options.for_blob(expected);
        let Some(reading) = options.read(content, &mut self.buffer) else { return };
        let context_findings = context_findings(&reading, expected);
        let report =
            Report::for_policy(&location.file, reading.size, &reading.outcome).with_context_findings(&context_findings);
        let digest =
            reading.digest.or(expected).map(|digest| KnownDigest { digest, verified: reading.digest.is_some() });
        self.judge(report, &location, digest, |row| {
            row.state = reusable(state);
            row.bytes_read = if is_counted { reading.bytes_read } else { 0 };
            row.encoding = encodings.into_iter().map(Cow::Borrowed).collect();
            row.set_outline(reading.outline);
        });
    }

    fn add_error(&mut self, error: WalkError) {
        let WalkError { location, state, row_kind, code, message } = error;
        let context_findings = [root_finding(code, message.clone())];
        let report = Report::unread(&location.file).with_context_findings(&context_findings);
        self.judge(report, &location, None, |row| {
            row.row_kind = row_kind;
            if code.severity() > Severity::Note {
                row.set_incomplete(Completeness::Unread, message);
            }
            row.state = reusable(state);
        });
    }

    fn add_not_opened(&mut self, file: NotOpened) {
        let NotOpened { location, state, format, expects_wasm, bytes_read } = file;
        let message = not_opened_message(&format);
        let context_findings = [root_finding(FindingCode::NotOpened, message.clone())];
        let report = Report::unread(&location.file).with_context_findings(&context_findings);
        self.judge(report, &location, None, |row| {
            if expects_wasm {
                row.set_incomplete(Completeness::Unread, message);
            } else {
                row.row_kind = RowKind::File;
            }
            row.not_opened = vec![(format.into(), 1)];
            row.bytes_read = bytes_read;
            row.state = reusable(state);
        });
    }

    fn end_archive(&mut self, archive: ArchiveReading<'_>) {
        self.summary.add_archive(archive.bytes_read);
        self.pending.add_bytes(archive.bytes_read);
        if !self.should_stop() {
            self.write_archive_rows(&archive);
        }
        let rows = self.file_rows;
        // A later audit must not reuse the rows of an archive that was not inspected to its end.
        let is_reusable = archive.was_read && archive.state.is_settled() && !self.should_stop();
        if is_reusable {
            let not_wasm = self.summary.not_wasm - self.not_wasm_before;
            self.encoder.add_text(|format, text| format.archive(&archive, rows, not_wasm, text));
        }
    }

    fn skip(&mut self, bytes_read: u64) {
        self.summary.not_wasm += 1;
        self.summary.not_wasm_bytes_read += bytes_read;
        self.pending.add_bytes(bytes_read);
    }

    fn add_searched(&mut self, bytes_read: u64) {
        self.summary.not_wasm_bytes_read += bytes_read;
        self.pending.add_bytes(bytes_read);
    }

    fn skip_archive(&mut self, bytes_read: u64) {
        self.skip(bytes_read);
        self.summary.add_not_opened(SKIPPED_ARCHIVE, 1);
    }

    fn row_bytes(&self) -> u64 {
        self.file_row_bytes
    }

    fn should_stop(&self) -> bool {
        self.context.should_stop()
    }
}

impl Worker<'_> {
    /// Writes a row for each archive with findings.
    fn write_archive_rows(&mut self, archive: &ArchiveReading<'_>) {
        let mut archives: Vec<(&BlobLocation, Vec<&ArchiveFinding>)> = Vec::new();
        for finding in &archive.findings {
            match archives.iter_mut().find(|(location, _)| **location == finding.archive) {
                Some((_, of_archive)) => of_archive.push(finding),
                None => archives.push((&finding.archive, vec![finding])),
            }
        }
        for (location, findings) in archives {
            let context_findings: Vec<_> = findings.iter().map(|finding| archive_finding(finding)).collect();
            let report = Report::unread(&location.file).with_context_findings(&context_findings);
            // The contents of the archive have rows of their own. This row is incomplete only if a
            // limit, a failed read or a change of the file stopped the inspection.
            let stop = findings.iter().position(|finding| {
                matches!(finding.code, FindingCode::ArchiveLimit | FindingCode::Unreadable | FindingCode::Changed)
            });
            self.judge(report, location, None, |row| {
                row.row_kind = RowKind::Archive;
                row.completeness = Completeness::Complete;
                if let Some(nth) = stop {
                    row.set_incomplete(Completeness::Partial, context_findings[nth].message().to_owned());
                }
                if location == archive.location {
                    row.not_opened =
                        archive.not_opened.iter().map(|(format, count)| (format.clone().into(), *count)).collect();
                }
                row.state = Some(archive.state.0.clone().into());
            });
        }
    }
}

/// Returns a finding about an archive. The message names the affected entry, if there is one.
fn archive_finding(finding: &ArchiveFinding) -> Finding {
    let ArchiveFinding { entry, code, message, .. } = finding;
    match entry {
        Some(entry) => root_finding(*code, format!("entry {}: {message}", quoted(&entry.to_string_lossy()))),
        None => root_finding(*code, message.clone()),
    }
}

/// A digest, and whether it was computed from the bytes.
#[derive(Clone, Copy)]
struct KnownDigest {
    digest: Digest,
    verified: bool,
}

/// Returns findings that the bytes alone do not show: a change during the read, and a digest
/// mismatch.
fn context_findings(reading: &BlobReading<'_>, expected: Option<Digest>) -> Vec<Finding> {
    let mut context_findings = Vec::new();
    if reading.changed {
        context_findings.push(root_finding(FindingCode::Changed, sectile::internal::CHANGED));
    }
    if let (Some(expected), Some(is)) = (expected, reading.digest)
        && expected != is
    {
        context_findings.push(root_finding(
            FindingCode::DigestMismatch,
            format!("its digest is {is}, but it is named by the digest {expected}"),
        ));
    }
    context_findings
}

fn root_finding(code: FindingCode, message: impl Into<std::borrow::Cow<'static, str>>) -> Finding {
    sectile::internal::finding(code, ItemPath::root(), 0, None, message)
}

/// Returns the file's state for a row, if a later audit may reuse the row.
fn reusable<'r>(state: Option<FileState>) -> Option<Cow<'r, str>> {
    state.filter(FileState::is_settled).map(|state| state.0.into())
}
