//! Zips: entries, each behind a header of its own, and at the end a directory of them, which is what counts.
//!
//! Source: PKWARE's APPNOTE 6.3.10.

use std::collections::BTreeMap;
use std::ops::Range;

use zip::read::ZipFileEntry;
use zip::result::{ZipError, ZipResult};
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use super::bytes::{Bytes, Part};
use super::{Archive, Budget, Called, Inflating, name};
use crate::finding::Code;

/// Bytes of a stored entry that are looked at to tell what it is.
const HEAD: usize = 4 << 10;

impl Archive<'_> {
    pub(super) fn zip(&mut self, called: &Called<'_>, mut bytes: Bytes<'_>, level: u32) {
        let mut taken = Taken::default();
        let malformed = match ZipIterable::try_new(bytes.again(self.budget), zip::read::Config::default()) {
            Ok(mut directory) => self.entries(called, &mut directory, &mut bytes, &mut taken, level).err(),
            Err(error) => Some(error),
        };
        if let Some(error) = malformed {
            self.tell_error(called, &error);
        }
    }

    fn entries(
        &mut self,
        called: &Called<'_>,
        directory: &mut ZipIterable<Bytes<'_>>,
        bytes: &mut Bytes<'_>,
        taken: &mut Taken,
        level: u32,
    ) -> ZipResult<()> {
        let mut end = None;
        for entry in directory.files()? {
            let entry = entry?;
            if !self.budget.entry() {
                return Ok(()); // told at the end
            }
            let end = *end.get_or_insert(entry.central_header_start());
            if entry.is_symlink() {
                self.count(Code::NotFollowed);
            } else if !entry.is_dir() {
                self.zip_entry(called, entry, bytes, taken, end, level);
            }
            if self.stops() {
                break;
            }
        }
        Ok(())
    }

    /// One entry of the directory; its data lies before `end`.
    fn zip_entry(
        &mut self,
        outer: &Called<'_>,
        entry: ZipFileEntry<'static>,
        bytes: &mut Bytes<'_>,
        taken: &mut Taken,
        end: u64,
        level: u32,
    ) {
        let raw = entry.name_raw().to_vec();
        let name = name(&raw);
        let called = Called::entry(outer, &name);
        let range = match data_of(&entry, bytes) {
            Ok(range) => range,
            Err(_) if self.budget.has_fault() => return, // told at the end of the file
            Err(why) => return self.tell(&called, Code::MalformedArchive, why.to_owned()),
        };
        if taken.len() * Taken::COST > self.budget.holdable() {
            return self.budget.exceed("it has too many entries that are not side by side".to_owned());
        }
        if range.end > end || !taken.take(entry.header_start()..range.end) {
            let why = "its data lies where another entry's or the directory is".to_owned();
            return self.tell(&called, Code::MalformedArchive, why);
        }
        if entry.encrypted() {
            return self.tell(&called, Code::Unreadable, "it is encrypted".to_owned());
        }
        match entry.compression() {
            CompressionMethod::Stored if entry.size() != range.end - range.start => {
                let why = "it is stored as it is, and yet is said to have two sizes".to_owned();
                self.tell(&called, Code::MalformedArchive, why);
            }
            CompressionMethod::Stored => self.stored(&called, bytes, range, level + 1),
            CompressionMethod::Deflated => self.deflated(&called, entry, bytes, level + 1),
            other => self.tell(&called, Code::Unreadable, format!("it is compressed by {other}, which is not read")),
        }
    }

    fn stored(&mut self, called: &Called<'_>, bytes: &mut Bytes<'_>, range: Range<u64>, level: u32) {
        let len = range.end - range.start;
        let head = usize::try_from(len).map_or(HEAD, |len| len.min(HEAD));
        let base = match bytes {
            Bytes::Part(part) => Some((part.input, part.range.start)),
            Bytes::Held(_) => None,
        };
        match (base, bytes.peek_at(range.start, head)) {
            (Some((input, base)), Ok(head)) => {
                self.part(called, input, base + range.start..base + range.end, head, level);
            }
            (None, Ok(_)) => {
                if let Ok(mut body) = bytes.peek_at(range.start, len as usize) {
                    self.stream(called, &mut body, level);
                }
            }
            (_, Err(_)) => {} // told at the end of the file
        }
    }

    fn deflated(&mut self, called: &Called<'_>, entry: ZipFileEntry<'static>, bytes: &mut Bytes<'_>, level: u32) {
        let size = entry.size();
        match entry.with_reader(bytes, ZipReadOptions::new()) {
            Ok(decoder) => {
                let mut inflating = Inflating::new(decoder, self.budget);
                if self.stream(called, &mut inflating, level) {
                    self.drain(&mut inflating, u64::MAX);
                    let len = inflating.len;
                    if self.budget.has_fault() || self.stops() {
                        self.tell_fault(called);
                    } else if len != size {
                        let why = format!("it inflates to {len} bytes, and is said to have {size}");
                        self.tell(called, Code::MalformedArchive, why);
                    }
                }
                self.tell_fault(called);
            }
            Err(error) => self.tell_error(called, &error),
        }
    }

    fn tell_error(&mut self, called: &Called<'_>, error: &ZipError) {
        if self.budget.has_fault() {
            return self.tell_fault(called);
        }
        let code = match error {
            ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => Code::Unreadable,
            _ => Code::MalformedArchive,
        };
        self.tell(called, code, error.to_string());
    }
}

impl<'b> Bytes<'b> {
    /// The same bytes, to be read at other positions at the same time.
    fn again(&self, budget: &'b Budget) -> Bytes<'b> {
        match self {
            Self::Part(part) => Bytes::Part(Part::new(part.input, part.range.clone(), budget)),
            Self::Held(held) => Bytes::Held(std::io::Cursor::new(held.get_ref())),
        }
    }
}

/// Where an entry's data lies: behind its own header, which must say what the directory says.
fn data_of(entry: &ZipFileEntry<'_>, bytes: &mut Bytes<'_>) -> Result<Range<u64>, &'static str> {
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
    // A name that is written in another way, too, need not be the directory's.
    if (named != name_len || name != entry.name_raw()) && name.is_ascii() && entry.name_raw().is_ascii() {
        return Err("its header says that it is called otherwise than the directory says");
    }
    let is_far = |value: u64| value == u64::from(u32::MAX); // said in an extra field
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

/// Which bytes entries have taken, so that none has those of another. Neighbours are kept as one range.
#[derive(Default)]
struct Taken(BTreeMap<u64, u64>);

/// No entry fits into so many bytes.
const GAP: u64 = 30;

impl Taken {
    /// Bytes that a range costs, about.
    const COST: u64 = 32;

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Takes bytes, if nobody has.
    fn take(&mut self, range: Range<u64>) -> bool {
        let before = self.0.range(..=range.start).next_back().map(|(&start, &end)| start..end);
        let behind = self.0.range(range.start..).next().map(|(&start, &end)| start..end);
        if before.as_ref().is_some_and(|before| before.end > range.start)
            || behind.as_ref().is_some_and(|behind| behind.start < range.end)
        {
            return false;
        }
        let mut whole = range;
        if let Some(before) = before.filter(|before| whole.start - before.end < GAP) {
            whole.start = before.start;
        }
        if let Some(behind) = behind.filter(|behind| behind.start - whole.end < GAP) {
            self.0.remove(&behind.start);
            whole.end = behind.end;
        }
        self.0.insert(whole.start, whole.end);
        true
    }
}
