//! Walks archives in place: nothing is extracted, and little is held in memory.
//!
//! Entries without compression (tar, stored zip entries) become ranges of the file and are not read. Compressed entries
//! are streamed. The name of an entry is used only as a label.

mod ar;
mod asar;
mod budget;
mod bytes;
mod checksum;
mod data_sections;
mod entry_path;
mod filters;
mod findings;
mod gzip;
mod hidden;
mod inflate;
mod report;
mod tar;
mod watch;
mod zip;
mod zstd;

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use self::ar::is_ar;
use self::asar::is_asar;
pub(super) use self::budget::Budget;
use self::budget::BufferedDecoder;
use self::bytes::{CountedRange, FileWindow, HeldBytes, TarSource, ZipBytes};
pub(super) use self::entry_path::has_wasm_extension;
use self::entry_path::{EncodingStep, EntryPath, MAX_NAME_LEN, name, stem};
use self::filters::Filter;
use self::findings::ArchiveFindings;
use self::gzip::{GzipFindings, GzipReader, GzipTail};
use self::tar::TarStream;
pub(super) use self::tar::{HeaderBlock, tar_files};
use self::watch::Watch;
pub(super) use self::zip::ZipSign;
use super::file_kind::{FileKind, RUNTIME_PREFIX, TAIL_LEN, ZeroRun};
use super::formats;
use super::options::WalkOptions;
use super::probe::{Probe, ProbeBuffer};
use super::tar_store::{TarStore, store_files};
use crate::blob::{self, BlobLocation, BlobSink, Content, FileState};
use crate::fill::fill;
use sectile::FindingCode;
use sectile::Input;
use sectile::digest::Digest;

/// The walk of one file that may contain others.
pub(super) struct ArchiveWalker<'a> {
    options: &'a WalkOptions,
    sink: &'a mut dyn BlobSink,
    file: &'a ArchiveFile,
    budget: &'a Budget,
    findings: ArchiveFindings,
    /// The names of the layers, if the file is a store of images.
    store: Option<TarStore>,
    /// The last ranges of the file with end records of zips that were read or must not be read.
    zip_ends: VecDeque<Range<u64>>,
    /// Whether to search entries that are not archives for binaries.
    searches: bool,
    /// Number of binaries that were found in such entries.
    hidden_rows: u64,
}

/// A file of a store, or an object, that is an archive.
pub(super) struct ArchiveFile {
    /// Its path or URL. The ending says whether it is compressed WebAssembly.
    pub(super) name: OsString,
    pub(super) state: FileState,
    pub(super) location: BlobLocation,
    /// Whether its name or its store says that it is WebAssembly.
    pub(super) expects_wasm: bool,
    /// Whether it is not in the state that was listed.
    pub(super) is_changed: bool,
    /// Whether it is a file of this system.
    pub(super) is_local: bool,
    /// The digest that its store states.
    pub(super) digest: Option<Digest>,
}

impl ArchiveFile {
    /// A file of this system.
    pub(super) fn local(name: OsString, state: FileState, location: BlobLocation, expects_wasm: bool) -> Self {
        Self { name, state, location, expects_wasm, is_changed: false, is_local: true, digest: None }
    }
}

/// Number of bytes of a stream to detect its type.
const HEAD_LEN: usize = 4 << 10;

/// Number of bytes read at once from an object.
const STREAM_BUFFER_LEN: usize = 64 << 10;

/// Whether a file is of a format that is opened only if its start is sound, and it is.
pub(super) fn opens(name: &OsStr, head: &[u8]) -> bool {
    Filter::detect(name, head).is_some() || is_ar(head) || is_asar(head)
}

/// Inspects a file that begins like an archive or a compressed file; `head` is its start.
pub(super) fn inspect(file: &ArchiveFile, input: &Input, head: &[u8], options: &WalkOptions, sink: &mut dyn BlobSink) {
    let is_tar = FileKind::detect_in(input, 0..input.len(), head) == FileKind::Tar;
    begin(file, input.len(), Searched::Archive, options, sink, |archive, path| {
        archive.budget.read(head.len() as u64);
        let store = if is_tar { store_files(input, head, archive.budget) } else { None };
        archive.store = store.as_ref().map(|files| TarStore::read(&file.name, files));
        archive.part(path, input, 0..input.len(), head, 0);
        if let Some(files) = &store {
            archive.embedded_layers(path, files);
        }
        archive.report_fault(path);
        if input.changed().unwrap_or(true) {
            archive.report(path, FindingCode::Changed, "it changed while it was inspected".to_owned());
        }
    });
}

/// Searches a file that is not an archive for binaries. Without any, it counts as another file.
pub(super) fn search(file: &ArchiveFile, input: &Input, head: &[u8], options: &WalkOptions, sink: &mut dyn BlobSink) {
    begin(file, input.len(), Searched::Other, options, sink, |archive, path| {
        archive.budget.read(head.len() as u64);
        let mut bytes = head.chain(CountedRange::new(input, head.len() as u64..input.len(), archive.budget));
        archive.search(path, &mut bytes, 0, 0);
        archive.report_fault(path);
        if archive.hidden_rows > 0 && input.changed().unwrap_or(true) {
            archive.report(path, FindingCode::Changed, "it changed while it was inspected".to_owned());
        }
    });
}

/// Searches the data sections of a binary for others.
pub(super) fn search_binary(file: &ArchiveFile, input: &Input, options: &WalkOptions, sink: &mut dyn BlobSink) {
    begin(file, input.len(), Searched::Binary, options, sink, |archive, path| {
        archive.search_data_in(path, input, &(0..input.len()), 0);
        archive.report_fault(path);
    });
}

/// Whether [`search`] may find a binary in a file.
pub(super) fn has_candidates(input: &Input, options: &WalkOptions) -> bool {
    let budget = Budget::new(options);
    hidden::has_candidates(&mut CountedRange::new(input, 0..input.len(), &budget), &budget)
}

/// Inspects an object of length `len` that starts with `head`; `rest` streams its other bytes.
pub(super) fn inspect_stream(
    file: &ArchiveFile,
    len: u64,
    head: &[u8],
    rest: &mut dyn Read,
    options: &WalkOptions,
    sink: &mut dyn BlobSink,
) {
    let searched = match FileKind::detect(head) {
        FileKind::Wasm => Searched::Binary,
        FileKind::Other if options.inside.searches(file.is_local) => Searched::Other,
        _ => Searched::Archive,
    };
    begin(file, len, searched, options, sink, |archive, path| {
        archive.budget.read(head.len() as u64);
        let most = if FileKind::detect(head) == FileKind::Zip { options.max_held_bytes } else { options.max_inflated };
        if len > most && len > head.len() as u64 {
            let message = format!("it has more than {most} bytes, the limit for remote archives");
            return archive.report(path, FindingCode::ArchiveLimit, message);
        }
        let rest = BufReader::with_capacity(STREAM_BUFFER_LEN, budget::CountedStream::new(rest, archive.budget));
        let mut whole = head.chain(rest);
        archive.stream(path, &mut whole, 0);
        archive.report_fault(path);
    });
}

/// The type of a file that is inspected for binaries in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Searched {
    Archive,
    /// A binary, which has its own row.
    Binary,
    Other,
}

/// Begins a file. One that is not an archive, and has neither rows nor findings, is not reported as one.
fn begin(
    file: &ArchiveFile,
    len: u64,
    kind: Searched,
    options: &WalkOptions,
    sink: &mut dyn BlobSink,
    within: impl FnOnce(&mut ArchiveWalker<'_>, &EntryPath<'_>),
) {
    let budget = Budget::new(options);
    let findings = ArchiveFindings::default();
    let (store, zip_ends) = (None, VecDeque::new());
    let searches = options.inside.searches(file.is_local);
    let budget = &budget;
    let mut archive =
        ArchiveWalker { options, sink, file, budget, findings, store, zip_ends, searches, hidden_rows: 0 };
    let (name, expects_wasm, is_archive) = (&*file.name, file.expects_wasm, Cell::new(true));
    let path = EntryPath { outer: None, name, expects_wasm, is_archive, encodings: None, is_hidden: false };
    if file.is_changed {
        archive.report(&path, FindingCode::Changed, "it was changed since it was listed".to_owned());
    }
    within(&mut archive, &path);
    archive.report_store_errors();
    if archive.hidden_rows == 0 && archive.findings.is_empty() {
        match kind {
            Searched::Archive => {}
            Searched::Binary => return archive.sink.add_searched(budget.bytes_read()),
            Searched::Other => return archive.sink.skip(budget.bytes_read()),
        }
    }
    let (findings, not_opened) = archive.findings.finish(&file.location);
    // Bytes that were read again count once.
    let (bytes_read, was_read) = (budget.bytes_read().min(len), !budget.is_unreadable());
    let (location, state) = (&file.location, &file.state);
    sink.end_archive(blob::ArchiveReading { location, state, bytes_read, was_read, findings, not_opened });
}

impl ArchiveWalker<'_> {
    /// Inspects a range of the file, at this nesting level.
    fn part(&mut self, path: &EntryPath<'_>, input: &Input, range: Range<u64>, head: &[u8], level: u32) {
        self.check_name(path);
        let kind = FileKind::detect_in(input, range.clone(), head);
        let layer = if path.is_outermost() { self.layer(path) } else { None };
        let expected = layer.as_ref().filter(|layer| layer.expects_wasm).map(|_| path.with_hint(true));
        let path = expected.as_ref().unwrap_or(path);
        if kind == FileKind::Other {
            let mut part = FileWindow::new(input, range.clone(), self.budget);
            if self.opened(path, head, &mut part, level) {
                return;
            }
        }
        let is_blob = !kind.is_container() && (kind == FileKind::Wasm || path.expects_wasm);
        if is_blob {
            let content = Content::Range { input, range: range.clone(), head, probed: 0 };
            self.budget.subtract(head.len() as u64);
            self.add_stored_blob(path, layer.and_then(|layer| layer.digest), content);
            if self.searches && kind == FileKind::Wasm {
                self.search_data_in(path, input, &range, level);
            }
        } else if kind.is_container() {
            if !self.may_enter(path, level) {
                return self.keep_zip_ends(range);
            }
            let mut part = FileWindow::beginning(input, range.clone(), head, self.budget);
            match kind {
                FileKind::Gzip => self.gzip(path, &mut part, level),
                FileKind::Zstd => self.zstd(path, &mut part, level),
                FileKind::Runtime => self.runtime(path, &mut part, level),
                FileKind::Tar => self.tar(path, TarSource::FileWindow(&mut part), level),
                FileKind::Zip => {
                    self.zip(path, ZipBytes::FileWindow(part), ZipSign::Start, level);
                }
                FileKind::Wasm | FileKind::Other => {}
            }
        }
        let mut part = FileWindow::new(input, range.clone(), self.budget);
        let mut buffer = ProbeBuffer::default();
        let Ok(probe) = Probe::read(kind, head, range.end - range.start, &mut buffer, |buffer, offset| {
            part.read_exact_at(buffer, offset)
        }) else {
            return; // reported at the end of the file
        };
        let mut is_archive = kind.is_container();
        if probe.has_archive() && self.may_enter(path, level) {
            if let Some(sign) = probe.zip_sign() {
                let bytes = FileWindow::new(input, range.clone(), self.budget);
                is_archive |= self.zip(path, ZipBytes::FileWindow(bytes), sign, level);
            }
            if let Some(start) = probe.tar {
                let mut tar = FileWindow::new(input, range.start + start..range.end, self.budget);
                self.tar(path, TarSource::FileWindow(&mut tar), level);
                is_archive = true;
            }
        }
        if !is_blob && !is_archive {
            if self.searches {
                let mut rest = CountedRange::new(input, range, self.budget);
                self.search(path, &mut rest, 0, level);
            }
            self.count_other_entry(path, head, probe.format);
        }
    }

    /// Keeps the range of end records of zips, which do not belong to the archive around them.
    fn keep_zip_ends(&mut self, range: Range<u64>) {
        const MAX_END_RECORDS: usize = TAIL_LEN / 22; // no more of them fit into the part of a file that is searched
        self.zip_ends.truncate(MAX_END_RECORDS);
        self.zip_ends.push_front(range);
    }

    /// Counts an entry that is neither WebAssembly nor an archive, unless its format may contain binaries.
    fn count_other_entry(&mut self, path: &EntryPath<'_>, head: &[u8], format: Option<&'static str>) {
        match format.or_else(|| formats::detect_by_name(path.name, head)) {
            _ if path.is_hidden => {} // a part of another entry
            Some(format) => self.not_opened(path, format),
            None => self.sink.skip(0), // these bytes are counted with the archive
        }
    }

    /// Inspects the output of a decoder. Returns whether the caller must read the decoder to its end.
    fn stream(&mut self, path: &EntryPath<'_>, reader: &mut dyn BufRead, level: u32) -> bool {
        self.check_name(path);
        let mut head = [0; HEAD_LEN];
        let Ok(len) = fill(reader, &mut head) else {
            if path.expects_wasm {
                self.add_blob(path, Content::Stream(&mut FailingReader));
            }
            return true; // the next read fails again, and is reported then
        };
        let is_full = len == head.len();
        let head = &head[..len];
        let mut kind = FileKind::detect(head);
        let is_zeros = is_full && head.iter().all(|&byte| byte == 0);
        let zeros = is_zeros.then(|| ZeroRun::read(reader));
        let (zeros_len, next) = zeros.as_ref().map_or((0, &[][..]), |zeros| (zeros.len, zeros.next()));
        if zeros.as_ref().is_some_and(|zeros| zeros.is_before_tar) {
            kind = FileKind::Tar;
        }
        let zeros = BufReader::with_capacity(zeros_len.min(HEAD_LEN as u64) as usize, io::repeat(0).take(zeros_len));
        let mut whole = head.chain(zeros).chain(next).chain(reader);
        if !kind.is_container() {
            if kind == FileKind::Other && self.opened(path, head, &mut whole, level) {
                return true;
            }
            let mut watch = Watch::new(&mut whole, self.budget);
            let is_blob = kind == FileKind::Wasm || path.expects_wasm;
            if is_blob && path.is_hidden {
                self.add_if_framed(path, &mut watch, level);
            } else if is_blob && self.searches && kind == FileKind::Wasm {
                self.add_and_search(path, &mut watch, level);
            } else if is_blob {
                self.add_blob(path, Content::Stream(&mut watch));
            } else if self.searches {
                self.search(path, &mut watch, 0, level);
            }
            self.drain(&mut watch, u64::MAX);
            let probe = watch.probe(kind, head);
            let is_archive = probe.has_archive() && self.watched(path, &watch, probe, level);
            if !is_blob && !is_archive {
                self.count_other_entry(path, head, probe.format);
            }
            return true;
        }
        if !self.may_enter(path, level) {
            return false;
        }
        match kind {
            FileKind::Gzip | FileKind::Zstd | FileKind::Runtime => {
                let mut watch = Watch::new(&mut whole, self.budget);
                match kind {
                    FileKind::Gzip => self.gzip(path, &mut watch, level),
                    FileKind::Zstd => self.zstd(path, &mut watch, level),
                    _ => self.runtime(path, &mut watch, level),
                }
                self.drain(&mut watch, u64::MAX);
                let probe = watch.probe(kind, head);
                if probe.has_archive() {
                    self.watched(path, &watch, probe, level);
                }
            }
            FileKind::Tar => self.tar_stream(path, &mut whole, level),
            FileKind::Zip => self.held_zip(path, &mut whole, level),
            FileKind::Wasm | FileKind::Other => {}
        }
        true
    }

    /// Inspects an archive that a stream contains in addition to its detected format. Returns whether there is one.
    fn watched(&mut self, path: &EntryPath<'_>, watch: &Watch<'_, '_>, probe: Probe, level: u32) -> bool {
        if self.should_stop() || !self.may_enter(path, level) {
            return true;
        }
        let Some(held) = watch.held() else {
            let most = self.budget.available_memory();
            let message = format!("it contains an archive of more than {most} bytes, the limit for data in memory");
            self.report(path, FindingCode::ArchiveLimit, message);
            return true;
        };
        let mut is_archive = false;
        if let Some(sign) = probe.zip_sign() {
            is_archive |= self.zip(path, ZipBytes::Held(held), sign, level);
        }
        if let Some(start) = probe.tar {
            self.tar(path, TarSource::Stream(&mut TarStream::new(&mut held.from(start))), level);
            is_archive = true;
        }
        is_archive
    }

    fn may_enter(&mut self, path: &EntryPath<'_>, level: u32) -> bool {
        let most = self.options.max_nesting.min(WalkOptions::NESTING_LIMIT);
        if level >= most {
            self.report(
                path,
                FindingCode::ArchiveLimit,
                format!("it is nested in {level} archives, and is not opened"),
            );
        }
        path.is_archive.set(path.is_archive.get() || level < most);
        level < most
    }

    /// Inspects data of a format that is opened only if its start is sound. Returns whether it is of one.
    fn opened(&mut self, path: &EntryPath<'_>, head: &[u8], reader: &mut dyn BufRead, level: u32) -> bool {
        let filter = Filter::detect(path.name, head);
        let is_archive = is_ar(head) || is_asar(head);
        if path.is_hidden || !(filter.is_some() || is_archive) || !self.may_enter(path, level) {
            return false;
        }
        match filter {
            Some(filter) => {
                let decoder = filter.reader(&mut *reader, self.budget);
                self.inflated(path, filter.name(), decoder, level);
            }
            None if is_asar(head) => self.asar(path, reader, level),
            None => self.ar(path, reader, level),
        }
        self.drain(reader, u64::MAX);
        self.report_fault(path);
        true
    }

    fn gzip(&mut self, path: &EntryPath<'_>, compressed: &mut dyn BufRead, level: u32) {
        let findings = Cell::new(GzipFindings::default());
        self.inflated(path, "gzip", GzipReader::new(compressed, &findings), level);
        let GzipFindings { tail, member } = findings.get();
        if let Some(what) = member {
            self.dispute(path, what.to_owned());
        }
        match tail {
            Some(GzipTail::Members) => {
                self.dispute(path, "more gzip streams follow after zeros, which some readers ignore".to_owned());
            }
            Some(GzipTail::Garbage) => {
                let why = "bytes that are not gzip follow the last stream".to_owned();
                self.report(path, FindingCode::MalformedArchive, why);
            }
            None => {}
        }
    }

    fn zstd(&mut self, path: &EntryPath<'_>, compressed: &mut dyn BufRead, level: u32) {
        self.inflated(path, "zstd", zstd::ZstdReader::new(compressed, self.budget), level);
    }

    /// Inspects a compressed Substrate runtime.
    fn runtime(&mut self, path: &EntryPath<'_>, compressed: &mut dyn BufRead, level: u32) {
        self.drain(compressed, RUNTIME_PREFIX as u64);
        self.zstd(path, compressed, level);
    }

    /// Inspects the content of a compressed file, which keeps the name of the file.
    fn inflated(&mut self, path: &EntryPath<'_>, compression: &'static str, decoder: impl Read, level: u32) {
        let mut inflating = BufferedDecoder::new(decoder, self.budget);
        let mut head = [0; HEAD_LEN];
        let len = fill(&mut inflating, &mut head).unwrap_or(0); // the next read returns an error again
        // A compressed tar or zip is one archive. A file compressed twice is two.
        let is_archive = matches!(FileKind::detect(&head[..len]), FileKind::Tar | FileKind::Zip);
        let level = if is_archive { level } else { level + 1 };
        let EntryPath { outer, name, is_hidden, .. } = *path;
        let expects_wasm = path.expects_wasm || has_wasm_extension(stem(name));
        let step = EncodingStep { outer: path.encodings, name: compression };
        let (is_archive, encodings) = (Cell::new(true), Some(&step));
        let inner = EntryPath { outer, name, expects_wasm, is_archive, encodings, is_hidden };
        let mut whole = (&head[..len]).chain(&mut inflating);
        if self.stream(&inner, &mut whole, level) {
            self.drain(&mut inflating, u64::MAX);
        }
        self.report_fault(path);
    }

    /// Inspects a zip in the output of a decoder. It is held in memory for random access.
    fn held_zip(&mut self, path: &EntryPath<'_>, reader: &mut dyn Read, level: u32) {
        let most = self.budget.available_memory();
        let mut held = Vec::new();
        // Readers may open the data before the damage.
        _ = reader.take(most.saturating_add(1)).read_to_end(&mut held);
        if held.len() as u64 > most {
            let message = format!("it has more than {most} bytes, the limit for data in memory");
            return self.report(path, FindingCode::ArchiveLimit, message);
        }
        if self.should_stop() {
            return;
        }
        self.budget.reserve(held.len() as u64);
        self.zip(path, ZipBytes::Held(HeldBytes { origin: 0, bytes: &held }), ZipSign::Start, level);
        self.budget.release(held.len() as u64);
    }

    /// Reads and discards up to `most` bytes, to verify the checksum and to reach the next data. Returns their number.
    fn drain(&mut self, reader: &mut dyn BufRead, most: u64) -> u64 {
        let mut passed = 0;
        while passed < most && !self.should_stop() {
            let left = usize::try_from(most - passed).unwrap_or(usize::MAX);
            let len = match reader.fill_buf() {
                Ok([]) => break,
                Ok(bytes) => bytes.len().min(left),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                Err(_) => break, // reported by the reader
            };
            reader.consume(len);
            passed += len as u64;
        }
        passed
    }

    fn should_stop(&self) -> bool {
        self.budget.is_exhausted() || self.sink.should_stop()
    }
}

/// A reader for input that cannot be inflated.
struct FailingReader;

impl Read for FailingReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::InvalidData, "it cannot be inflated"))
    }
}

impl BufRead for FailingReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Err(io::Error::new(io::ErrorKind::InvalidData, "it cannot be inflated"))
    }

    fn consume(&mut self, _: usize) {}
}
