//! Walks zips: each entry follows a header of its own, and the directory at the end is authoritative.
//!
//! Source: PKWARE's APPNOTE 6.3.10.

use std::collections::BTreeMap;
use std::ops::Range;

use zip::read::ZipFileEntry;
use zip::result::{ZipError, ZipResult};
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use super::bytes::{FileWindow, ZipBytes};
use super::{ArchiveWalker, Budget, EntryPath, LimitedDecoder, name};
use sectile::FindingCode;

/// Number of bytes of a stored entry to detect its type.
const HEAD_LEN: usize = 4 << 10;

impl ArchiveWalker<'_> {
    pub(super) fn zip(&mut self, path: &EntryPath<'_>, mut bytes: ZipBytes<'_>, level: u32) {
        let mut claimed = ClaimedRanges::default();
        let malformed = match ZipIterable::try_new(bytes.again(self.budget), zip::read::Config::default()) {
            Ok(mut directory) => self.entries(path, &mut directory, &mut bytes, &mut claimed, level).err(),
            Err(error) => Some(error),
        };
        if let Some(error) = malformed {
            self.report_zip_error(path, &error);
        }
    }

    fn entries(
        &mut self,
        path: &EntryPath<'_>,
        directory: &mut ZipIterable<ZipBytes<'_>>,
        bytes: &mut ZipBytes<'_>,
        claimed: &mut ClaimedRanges,
        level: u32,
    ) -> ZipResult<()> {
        let mut end = None;
        for entry in directory.files()? {
            let entry = entry?;
            if !self.budget.entry() {
                return Ok(()); // reported at the end
            }
            let end = *end.get_or_insert(entry.central_header_start());
            if entry.is_symlink() {
                self.count(FindingCode::NotFollowed);
            } else if !entry.is_dir() {
                self.zip_entry(path, entry, bytes, claimed, end, level);
            }
            if self.should_stop() {
                break;
            }
        }
        Ok(())
    }

    /// Inspects one entry of the directory, whose data must end before `end`.
    fn zip_entry(
        &mut self,
        outer: &EntryPath<'_>,
        entry: ZipFileEntry<'static>,
        bytes: &mut ZipBytes<'_>,
        claimed: &mut ClaimedRanges,
        end: u64,
        level: u32,
    ) {
        let raw = entry.name_raw().to_vec();
        let name = name(&raw);
        let path = EntryPath::new(outer, &name);
        let range = match entry_data(&entry, bytes) {
            Ok(range) => range,
            Err(_) if self.budget.has_fault() => return, // reported at the end of the file
            Err(why) => return self.report(&path, FindingCode::MalformedArchive, why.to_owned()),
        };
        if claimed.len() * ClaimedRanges::COST > self.budget.available_memory() {
            return self.budget.exceed("it has too many entries that are not side by side".to_owned());
        }
        if range.end > end || !claimed.claim(entry.header_start()..range.end) {
            let why = "its data lies where another entry's or the directory is".to_owned();
            return self.report(&path, FindingCode::MalformedArchive, why);
        }
        if entry.encrypted() {
            return self.not_opened(&path, "encrypted zip entry");
        }
        match entry.compression() {
            CompressionMethod::Stored if entry.size() != range.end - range.start => {
                let why = "it is stored as it is, and yet is said to have two sizes".to_owned();
                self.report(&path, FindingCode::MalformedArchive, why);
            }
            CompressionMethod::Stored => self.stored(&path, bytes, range, level + 1),
            CompressionMethod::Deflated => self.deflated(&path, entry, bytes, level + 1),
            other => {
                self.not_opened(&path, &format!("zip entry compressed by {other}"));
            }
        }
    }

    fn stored(&mut self, path: &EntryPath<'_>, bytes: &mut ZipBytes<'_>, range: Range<u64>, level: u32) {
        let len = range.end - range.start;
        let head = usize::try_from(len).map_or(HEAD_LEN, |len| len.min(HEAD_LEN));
        let base = match bytes {
            ZipBytes::FileWindow(part) => Some((part.input, part.range.start)),
            ZipBytes::InMemory(_) => None,
        };
        match (base, bytes.peek_at(range.start, head)) {
            (Some((input, base)), Ok(head)) => {
                self.part(path, input, base + range.start..base + range.end, head, level);
            }
            (None, Ok(_)) => {
                if let Ok(mut body) = bytes.peek_at(range.start, len as usize) {
                    self.stream(path, &mut body, level);
                }
            }
            (_, Err(_)) => {} // reported at the end of the file
        }
    }

    fn deflated(&mut self, path: &EntryPath<'_>, entry: ZipFileEntry<'static>, bytes: &mut ZipBytes<'_>, level: u32) {
        let size = entry.size();
        match entry.with_reader(bytes, ZipReadOptions::new()) {
            Ok(decoder) => {
                let mut inflating = LimitedDecoder::new(decoder, self.budget);
                if self.stream(path, &mut inflating, level) {
                    self.drain(&mut inflating, u64::MAX);
                    let len = inflating.len;
                    if self.budget.has_fault() || self.should_stop() {
                        self.report_fault(path);
                    } else if len != size {
                        let why = format!("it inflates to {len} bytes, and is said to have {size}");
                        self.report(path, FindingCode::MalformedArchive, why);
                    }
                }
                self.report_fault(path);
            }
            Err(error) => self.report_zip_error(path, &error),
        }
    }

    fn report_zip_error(&mut self, path: &EntryPath<'_>, error: &ZipError) {
        if self.budget.has_fault() {
            return self.report_fault(path);
        }
        let code = match error {
            ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => FindingCode::Unreadable,
            _ => FindingCode::MalformedArchive,
        };
        self.report(path, code, error.to_string());
    }
}

impl<'b> ZipBytes<'b> {
    /// A second reader of the same bytes, with its own position.
    fn again(&self, budget: &'b Budget) -> ZipBytes<'b> {
        match self {
            Self::FileWindow(part) => ZipBytes::FileWindow(FileWindow::new(part.input, part.range.clone(), budget)),
            Self::InMemory(held) => ZipBytes::InMemory(std::io::Cursor::new(held.get_ref())),
        }
    }
}

/// The range of an entry's data, after its own header, which must agree with the directory.
fn entry_data(entry: &ZipFileEntry<'_>, bytes: &mut ZipBytes<'_>) -> Result<Range<u64>, &'static str> {
    const HEADER: usize = 30;
    let (len, start) = (bytes.len(), entry.header_start());
    let name_len = entry.name_raw().len();
    let header = bytes.peek_at(start.min(len), HEADER + name_len).map_err(|_| "its header cannot be read")?;
    let Some((fixed, name)) =
        header.split_first_chunk::<HEADER>().filter(|(fixed, _)| fixed.starts_with(b"PK\x03\x04"))
    else {
        return Err("its header is not where the directory says");
    };
    let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let long = |at: usize| u64::from(u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]));
    let (flags, method, named) = (short(6), short(8), usize::from(short(26)));
    // Names in two encodings differ legitimately.
    if (named != name_len || name != entry.name_raw()) && name.is_ascii() && entry.name_raw().is_ascii() {
        return Err("its header says that it is called otherwise than the directory says");
    }
    let is_far = |value: u64| value == u64::from(u32::MAX); // the value is in an extra field
    let agrees = |at: usize, value: u64| long(at) == value || is_far(long(at));
    let agree = agrees(18, entry.compressed_size()) && agrees(22, entry.size()) && long(14) == u64::from(entry.crc32());
    let is_said_later = flags & 1 << 3 != 0;
    let is_encrypted = flags & 1 != 0;
    let compression = match entry.compression() {
        CompressionMethod::Stored => 0,
        CompressionMethod::Deflated => 8,
        _ => method,
    };
    if (!agree && !is_said_later) || is_encrypted != entry.encrypted() || compression != method {
        return Err("its header says otherwise than the directory says");
    }
    let data = start + (HEADER + named + usize::from(short(28))) as u64;
    match data.checked_add(entry.compressed_size()) {
        Some(end) if end <= len => Ok(data..end),
        _ => Err("its data goes on behind the end of the archive"),
    }
}

/// The byte ranges of all entries so far, to reject entries that overlap. Adjacent ranges are merged.
#[derive(Default)]
struct ClaimedRanges(BTreeMap<u64, u64>);

/// No entry fits into a gap of this size.
const GAP: u64 = 30;

impl ClaimedRanges {
    /// Approximate memory of a range in bytes.
    const COST: u64 = 32;

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Claims a range, unless it overlaps another.
    fn claim(&mut self, range: Range<u64>) -> bool {
        let before = self.0.range(..=range.start).next_back().map(|(&start, &end)| start..end);
        let after = self.0.range(range.start..).next().map(|(&start, &end)| start..end);
        if before.as_ref().is_some_and(|before| before.end > range.start)
            || after.as_ref().is_some_and(|after| after.start < range.end)
        {
            return false;
        }
        let mut whole = range;
        if let Some(before) = before.filter(|before| whole.start - before.end < GAP) {
            whole.start = before.start;
        }
        if let Some(after) = after.filter(|after| after.start - whole.end < GAP) {
            self.0.remove(&after.start);
            whole.end = after.end;
        }
        self.0.insert(whole.start, whole.end);
        true
    }
}
