//! Searches entries and files that are not archives for binaries in other encodings.
//!
//! The input is read once, in windows. A window grows while a candidate needs more of it, within the limit for data in
//! memory. Decoded data is inspected like an entry: it may be compressed, or a text that contains encoded binaries.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::{self, Read};
use std::ops::Range;

use super::budget::Budget;
use super::bytes::CountedRange;
use super::data_sections::{self, KeptData};
use super::filters::{Filter, is_brotli};
use super::inflate::Inflater;
use super::{ArchiveWalker, EncodingStep, EntryPath};
use crate::blob::Content;
use crate::inside::{Candidate, Encoding, Finder, Framed, Magic, decode, work};
use crate::row_name;
use crate::walk::file_kind::FileKind;
use crate::walk::options::WalkOptions;
use sectile::{FindingCode, Input};

/// The bytes of an input around the position of the search.
struct Window<'r, 'b> {
    reader: &'r mut dyn Read,
    budget: &'b Budget,
    buffer: Vec<u8>,
    /// Number of bytes in the buffer that were read.
    filled: usize,
    /// Position of the first byte in the input.
    base: u64,
    is_last: bool,
    /// Whether all bytes are zero, as in the hole of a sparse file.
    is_zero: bool,
    /// Bytes beyond the usual length, which count as held.
    reserved: u64,
}

/// Number of bytes read at once. They are searched while they are in the processor's cache.
const READ_LEN: usize = 128 << 10;

/// Number of bytes of a buffer beyond which it counts as held in memory, and is not kept.
const USUAL_LEN: usize = 1 << 20;

thread_local! {
    /// The buffer of the last search. Pages of a new one would be filled with zeros first.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl<'r, 'b> Window<'r, 'b> {
    fn new(reader: &'r mut dyn Read, base: u64, budget: &'b Budget) -> Self {
        let buffer = BUFFER.take(); // empty in a search within another
        Self { reader, budget, buffer, filled: 0, base, is_last: false, is_zero: true, reserved: 0 }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    fn end(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// The next candidate in the rest of the input. `None` at its end, or if the audit stops.
    fn next_candidate(&mut self, finder: &mut Finder, should_stop: &dyn Fn() -> bool) -> Option<Candidate> {
        while !should_stop() {
            let found = if self.is_zero { None } else { finder.next(self.bytes(), self.base, self.is_last) };
            if found.is_some() || self.is_last {
                return found;
            }
            self.advance(finder.needed_from(self.end()));
        }
        None
    }

    /// Drops the bytes before a position, and reads as many as were kept, but at least [`READ_LEN`]. Returns `false`
    /// over the limit.
    fn advance(&mut self, from: u64) -> bool {
        let dropped = (from.saturating_sub(self.base) as usize).min(self.filled);
        // Moving fewer bytes than it drops keeps the work linear.
        if dropped >= self.filled - dropped {
            self.buffer.copy_within(dropped..self.filled, 0);
            work::count(self.filled - dropped);
            self.filled -= dropped;
            self.base += dropped as u64;
        }
        let len = self.filled + self.filled.max(READ_LEN);
        let beyond = (len as u64).saturating_sub(USUAL_LEN as u64);
        self.budget.release(std::mem::replace(&mut self.reserved, 0));
        if beyond > self.budget.available_memory() {
            return false;
        }
        self.budget.reserve(beyond);
        self.reserved = beyond;
        if beyond == 0 && self.buffer.len() > USUAL_LEN {
            self.buffer.truncate(len);
            self.buffer.shrink_to_fit();
        }
        // Bytes that were read before are overwritten. Only a longer buffer is filled with zeros.
        self.buffer.resize(self.buffer.len().max(len), 0);
        while self.filled < len {
            match self.reader.read(&mut self.buffer[self.filled..len]) {
                Ok(0) => {
                    self.is_last = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.is_last = true; // reported by the reader
                    break;
                }
            }
        }
        self.is_zero = is_zero(self.bytes());
        true
    }
}

impl Drop for Window<'_, '_> {
    fn drop(&mut self) {
        self.budget.release(self.reserved);
        if self.buffer.len() <= USUAL_LEN {
            BUFFER.replace(std::mem::take(&mut self.buffer));
        }
    }
}

/// Whether all bytes are zero. A vectorized comparison.
fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4 << 10] = [0; 4 << 10];
    bytes.chunks(ZEROS.len()).all(|bytes| *bytes == ZEROS[..bytes.len()])
}

/// Whether an input has a place where an encoding of a binary may begin.
pub(super) fn has_candidates(reader: &mut dyn Read, budget: &Budget) -> bool {
    Window::new(reader, 0, budget).next_candidate(&mut Finder::default(), &|| false).is_some()
}

/// Whether data has an encoding that begins like a binary, a text or a known format.
fn has_encoding(bytes: &[u8]) -> bool {
    let mut finder = Finder::default();
    while let Some(candidate) = finder.next(bytes, 0, true) {
        let before = candidate.at.checked_sub(1).map(|before| bytes[before]);
        let mut len = 0;
        for &encoding in &candidate.encodings {
            let head = decode(encoding, &bytes[candidate.at..], before, SMALL_HEAD_LEN);
            if Magic::detect(&head.bytes) != Magic::Unknown && may_be_binary(&head.bytes, false) {
                return true;
            }
            len = len.max(head.len);
        }
        finder.reject(&candidate, (candidate.at + len) as u64);
    }
    false
}

/// Whether a decoder has output.
fn inflates(decoder: &mut dyn Read) -> bool {
    decoder.read(&mut [0; 64]).is_ok_and(|len| len > 0)
}

/// Whether the first bytes are those of gzip, but the first block has no output. The header has no further fields, and
/// the start of a block is shorter than [`HEAD_LEN`].
fn is_broken_gzip(head: &[u8]) -> bool {
    matches!(head, [0x1f, 0x8b, 8, 0, ..]) && !inflates_gzip(head)
}

fn inflates_gzip(bytes: &[u8]) -> bool {
    let findings = Cell::default();
    inflates(&mut super::GzipReader::new(bytes, &findings))
}

/// The result of inspecting a candidate.
enum Verdict {
    /// It was inspected to its end: it has a binary, or a finding. The length of its text.
    Accepted(usize),
    /// The length of its text that was decoded.
    Rejected(usize),
    /// The window has too little of it.
    NeedsMore,
}

/// Number of bytes that are decoded to detect the type of a candidate.
const HEAD_LEN: usize = 1 << 10;

/// Number of bytes that may be decoded in vain, in addition to [`WASTE_PER_BYTE`].
const MAX_WASTE: u64 = 64 << 20;

/// Number of bytes that may be decoded in vain for each byte of the input. Overlapping candidates exceed it.
const WASTE_PER_BYTE: u64 = 8;

/// Number of bytes that are decoded first.
const SMALL_HEAD_LEN: usize = 64;

/// Whether the first bytes of a candidate do not rule out that it is or contains a binary.
fn may_be_binary(head: &[u8], is_run: bool) -> bool {
    match Magic::detect(head) {
        Magic::Wasm => {
            let framed = Framed::read(head);
            framed.is_truncated || framed.has_sections()
        }
        Magic::Unknown => is_run,
        Magic::Zlib | Magic::Known => true,
    }
}

impl ArchiveWalker<'_> {
    /// Searches an input, which begins at this offset of the entry, to its end.
    pub(super) fn search(&mut self, path: &EntryPath<'_>, reader: &mut dyn Read, start: u64, level: u32) {
        let mut window = Window::new(reader, start, self.budget);
        let mut finder = Finder::default();
        let mut waste = 0_u64;
        while let Some(candidate) = window.next_candidate(&mut finder, &|| self.should_stop()) {
            let at = window.base + candidate.at as u64;
            match self.candidate(path, &window, &candidate, level) {
                Verdict::Accepted(len) => finder.accept(at + len as u64),
                Verdict::Rejected(len) => {
                    waste += len as u64;
                    finder.reject(&candidate, at + len as u64);
                    if waste > MAX_WASTE.saturating_add(window.end().saturating_mul(WASTE_PER_BYTE)) {
                        let message = "it has too many encodings that overlap".to_owned();
                        return self.report(path, FindingCode::ArchiveLimit, message);
                    }
                }
                Verdict::NeedsMore => {
                    if window.advance(at.saturating_sub(crate::inside::LOOKBEHIND as u64)) {
                        finder.retry(&candidate);
                    } else {
                        let most = self.budget.available_memory();
                        let message = format!(
                            "the data that is encoded at byte {at} has more than {most} bytes, the limit for data in memory"
                        );
                        self.report(path, FindingCode::ArchiveLimit, message);
                        let end = window.end();
                        finder.accept(end);
                        window.is_last |= !window.advance(end);
                    }
                }
            }
        }
    }

    fn candidate(
        &mut self,
        path: &EntryPath<'_>,
        window: &Window<'_, '_>,
        candidate: &Candidate,
        level: u32,
    ) -> Verdict {
        let text = &window.bytes()[candidate.at..];
        let before = candidate.at.checked_sub(1).map(|before| window.bytes()[before]);
        let mut examined = 0;
        for &encoding in &candidate.encodings {
            // Most candidates that are not binaries are rejected by a few bytes.
            let mut head = decode(encoding, text, before, SMALL_HEAD_LEN);
            examined += head.len;
            if head.bytes.len() >= SMALL_HEAD_LEN && may_be_binary(&head.bytes, candidate.is_run) {
                head = decode(encoding, text, before, HEAD_LEN);
                examined += head.len;
            }
            if head.is_open && !window.is_last && head.bytes.len() < HEAD_LEN {
                return Verdict::NeedsMore;
            }
            let magic = Magic::detect(&head.bytes);
            let at = window.base + candidate.at as u64;
            let place = CandidatePlace { path, encoding, at, level };
            let verdict = match (magic, encoding) {
                (Magic::Wasm, Encoding::Raw) => self.raw(&place, text, window.is_last),
                (Magic::Wasm, _) => {
                    let framed = Framed::read(&head.bytes);
                    let may_continue = head.bytes.len() >= HEAD_LEN && framed.is_truncated;
                    if may_continue || framed.has_sections() {
                        self.encoded(&place, text, before, window.is_last)
                    } else {
                        if head.is_cut && framed.is_truncated {
                            self.report_cut(&place);
                            return Verdict::Accepted(head.len);
                        }
                        continue;
                    }
                }
                _ if !candidate.is_run && magic == Magic::Unknown => continue,
                _ if is_broken_gzip(&head.bytes) => continue,
                _ => self.other(&place, text, before, window.is_last, magic),
            };
            match verdict {
                Verdict::Rejected(len) => examined += len,
                verdict => return verdict,
            }
        }
        Verdict::Rejected(examined)
    }

    /// A binary that is not encoded.
    fn raw(&mut self, place: &CandidatePlace<'_>, text: &[u8], is_last: bool) -> Verdict {
        let framed = Framed::read(text);
        if framed.is_truncated && !is_last {
            return Verdict::NeedsMore;
        }
        if !framed.has_sections() {
            return Verdict::Rejected(0);
        }
        self.add_hidden(place, &text[..framed.end]);
        Verdict::Accepted(framed.end)
    }

    /// A binary as text.
    fn encoded(&mut self, place: &CandidatePlace<'_>, text: &[u8], before: Option<u8>, is_last: bool) -> Verdict {
        let most = usize::try_from(self.budget.available_memory()).unwrap_or(usize::MAX);
        let decoded = decode(place.encoding, text, before, most);
        if decoded.is_open && !is_last {
            return Verdict::NeedsMore;
        }
        let framed = Framed::read(&decoded.bytes);
        let is_broken_there = |end: usize| decoded.breaks.contains(&end);
        if framed.is_whole || (framed.has_sections() && is_broken_there(framed.end)) {
            self.hold(decoded.bytes.len(), |walker| walker.add_hidden(place, &decoded.bytes[..framed.end]));
            return Verdict::Accepted(decoded.len);
        }
        if decoded.is_cut && framed.is_truncated {
            self.report_cut(place);
            return Verdict::Accepted(decoded.len);
        }
        Verdict::Rejected(decoded.len)
    }

    /// Data that may be compressed, or a text.
    fn other(
        &mut self,
        place: &CandidatePlace<'_>,
        text: &[u8],
        before: Option<u8>,
        is_last: bool,
        magic: Magic,
    ) -> Verdict {
        let most = usize::try_from(self.budget.available_memory()).unwrap_or(usize::MAX);
        let decoded = decode(place.encoding, text, before, most);
        if decoded.is_open && !is_last {
            return Verdict::NeedsMore;
        }
        let bytes = &*decoded.bytes;
        let kind = FileKind::detect(&bytes[..bytes.len().min(super::HEAD_LEN)]);
        let is_compressed = match kind {
            FileKind::Gzip => inflates_gzip(bytes),
            FileKind::Zstd => inflates(&mut super::zstd::ZstdReader::new(bytes, self.budget)),
            _ => false,
        };
        let is_zlib = magic == Magic::Zlib && inflates(&mut Inflater::zlib(bytes));
        let is_brotli = !is_zlib && magic == Magic::Unknown && is_brotli(bytes, self.budget);
        if matches!(kind, FileKind::Gzip | FileKind::Zstd) && !is_compressed {
            return Verdict::Rejected(decoded.len);
        }
        let rows = self.hidden_rows;
        let is_known = is_compressed || is_zlib || is_brotli || kind.is_container();
        let most = self.options.max_nesting.min(WalkOptions::NESTING_LIMIT);
        if place.level + 1 >= most && !is_known {
            let is_reported = self.report_if_too_deep(place.path, bytes, place.at, place.level + 1);
            return if is_reported { Verdict::Accepted(decoded.len) } else { Verdict::Rejected(decoded.len) };
        }
        self.hold(bytes.len(), |walker| {
            place.with_path(|path| {
                if !walker.may_enter(path, place.level + 1) {
                    return;
                }
                if is_zlib {
                    walker.inflated(path, "zlib", Inflater::zlib(bytes), place.level);
                } else if is_brotli {
                    walker.inflated(
                        path,
                        Filter::Brotli.name(),
                        Filter::Brotli.reader(bytes, walker.budget),
                        place.level,
                    );
                } else {
                    walker.stream(path, &mut &*bytes, place.level + 1);
                }
            });
        });
        if self.hidden_rows > rows { Verdict::Accepted(decoded.len) } else { Verdict::Rejected(decoded.len) }
    }

    /// Adds a binary that was found in other data, if its framing is whole.
    pub(super) fn add_if_framed(&mut self, path: &EntryPath<'_>, reader: &mut dyn Read, level: u32) {
        let most = self.budget.available_memory();
        let mut bytes = Vec::new();
        _ = reader.take(most.saturating_add(1)).read_to_end(&mut bytes); // an error is reported by the reader
        if bytes.len() as u64 > most {
            let message = format!("it has more than {most} bytes, the limit for data in memory");
            return self.report(path, FindingCode::ArchiveLimit, message);
        }
        if Framed::read(&bytes).is_whole {
            self.hidden_rows += 1;
            self.hold(bytes.len(), |walker| {
                walker.add_blob(path, Content::Stream(&mut &*bytes));
                walker.search_data(path, &bytes, level);
            });
        }
    }

    fn add_hidden(&mut self, place: &CandidatePlace<'_>, bytes: &[u8]) {
        self.hidden_rows += 1;
        place.with_path(|path| {
            self.add_blob(path, Content::Stream(&mut &*bytes));
            self.search_data(path, bytes, place.level);
        });
    }

    /// Adds a binary of a stream, then searches its data sections.
    pub(super) fn add_and_search(&mut self, path: &EntryPath<'_>, reader: &mut dyn Read, level: u32) {
        let mut kept = KeptData::new(reader, self.budget);
        self.add_blob(path, Content::Stream(&mut kept));
        _ = io::copy(&mut kept, &mut io::sink()); // an error is reported by the reader
        if kept.is_over_limit {
            let most = self.budget.available_memory();
            let message = format!("its data sections have more than {most} bytes, the limit for data in memory");
            self.report(path, FindingCode::ArchiveLimit, message);
        }
        for (start, data) in kept.into_sections() {
            self.search(path, &mut &*data, start, level);
        }
    }

    /// Searches the data sections of the binary in a range of the file.
    pub(super) fn search_data_in(&mut self, path: &EntryPath<'_>, input: &Input, range: &Range<u64>, level: u32) {
        for section in data_sections::in_file(input, range, self.budget) {
            let start = section.start - range.start;
            self.search(path, &mut CountedRange::new(input, section, self.budget), start, level);
        }
    }

    fn search_data(&mut self, path: &EntryPath<'_>, binary: &[u8], level: u32) {
        let may_search = level + 1 < self.options.max_nesting.min(WalkOptions::NESTING_LIMIT);
        for section in data_sections::in_memory(binary) {
            let start = section.start as u64;
            if may_search {
                self.search(path, &mut &binary[section], start, level + 1);
            } else if self.report_if_too_deep(path, &binary[section], start, level + 1) {
                return;
            }
        }
    }

    /// Reports data that is nested too deep to be searched, if an encoding of a binary may begin in it. Returns whether
    /// it did.
    fn report_if_too_deep(&mut self, path: &EntryPath<'_>, bytes: &[u8], at: u64, level: u32) -> bool {
        if !has_encoding(bytes) {
            return false;
        }
        let message = format!("the data at byte {at} is nested in {level} archives, and is not searched");
        self.report(path, FindingCode::ArchiveLimit, message);
        true
    }

    /// Reports an encoding that ends with the file, before its binary ends.
    fn report_cut(&mut self, place: &CandidatePlace<'_>) {
        let CandidatePlace { path, encoding, at, .. } = place;
        let message = format!("the {} text at byte {at} ends before its binary does", encoding.name());
        self.report(path, FindingCode::MalformedArchive, message);
    }

    /// Counts bytes as held in memory during a call.
    fn hold(&mut self, len: usize, within: impl FnOnce(&mut Self)) {
        let len = (len as u64).min(self.budget.available_memory());
        self.budget.reserve(len);
        within(self);
        self.budget.release(len);
    }
}

/// The place of a candidate in its input.
struct CandidatePlace<'c> {
    path: &'c EntryPath<'c>,
    encoding: Encoding,
    at: u64,
    level: u32,
}

impl CandidatePlace<'_> {
    /// Passes the path of the decoded data, which is named by its encoding and its position.
    fn with_path(&self, within: impl FnOnce(&EntryPath<'_>)) {
        let name: OsString = row_name::encoding_step(self.encoding.name(), self.at).into();
        let step = EncodingStep { outer: self.path.encodings, name: self.encoding.name() };
        within(&EntryPath {
            outer: Some(self.path),
            name: &name,
            expects_wasm: false,
            is_archive: Cell::new(false),
            encodings: Some(&step),
            is_hidden: true,
        });
    }
}
