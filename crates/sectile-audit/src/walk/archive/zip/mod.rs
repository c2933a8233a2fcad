//! Walks zips: each entry follows its own header, and a directory at the end lists them.
//!
//! Readers disagree on nearly every rule of the format. Most read the directory, which they find from the end of the
//! file; some read the headers from the start. If the two differ, readers extract different files. The walk therefore
//! collects every position where a reader may find an entry, and inspects each of them:
//!
//! - every end record near the end of the file, and the directories at its offsets, with and without the bytes
//!   before the zip;
//! - all consecutive records of a directory, regardless of the number in its end record;
//! - the data of an entry by its record, and by its header if that differs;
//! - headers in bytes that do not belong to anything else, and at positions where a reader of headers continues.
//!
//! Data is inspected regardless of the type, the flags and the name of its entry. Each contradiction is reported.
//!
//! The zip is parsed here, because libraries choose one reading: `zip` and `rawzip` return the entries of one
//! directory, without the headers that contradict it and without entries that it omits.
//!
//! Source: PKWARE's APPNOTE 6.3.10.

mod claims;
mod entry;
mod records;
mod uncovered;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;

use memchr::memmem;

use self::claims::{ClaimedRanges, GAP};
use self::entry::{DataReading, HeaderPlace, after_data};
use self::records::{CentralRecord, DirectoryStart, END_SIGNATURE, EndRecord, EndValues, LOCAL_SIGNATURE, LocalHeader};
use super::bytes::{HeldBytes, ZipBytes};
use super::{ArchiveWalker, EntryPath, name};
use crate::walk::file_kind::TAIL_LEN;
use crate::walk::zip_sign::has_zip_end;
use sectile::FindingCode;

/// How a reader detects a zip in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::walk) enum ZipSign {
    /// The bytes begin like a zip.
    Start,
    /// The bytes have an end record near their end, and may have another type.
    End,
    /// The bytes do not begin like an archive, and contain records of a zip. Some readers search for those.
    Entries,
}

/// Maximum number of directories of one zip that are read.
const MAX_DIRECTORIES: usize = 16;

/// Maximum number of end records of one zip that are read.
const MAX_END_RECORDS: usize = 256;

/// The walk of one zip.
struct ZipWalk<'p, 'b> {
    path: &'p EntryPath<'p>,
    level: u32,
    /// The bytes, for the directory and for the entries: each reader has its own position.
    directory: ZipBytes<'b>,
    entries: ZipBytes<'b>,
    claims: ClaimedRanges,
    /// Positions at which a directory was read.
    directories: Vec<u64>,
    /// The headers that were read, by their positions, with the first reading of their data.
    headers: HashMap<u64, FirstReading>,
    /// Further readings: the position of the header, the end of the data, and the method.
    readings: HashSet<(u64, u64, u16)>,
    /// Number of bytes that may still be read more than once.
    repeats: u64,
    repeats_exceeded: bool,
    /// Positions where a reader of headers continues, apart from the ends of entries.
    continuations: Vec<u64>,
    /// Whether the directories were read, so that only headers are left.
    is_directory_read: bool,
    /// Whether readers may take another directory.
    is_disputed: bool,
    /// Position up to which gaps were searched for headers.
    searched: u64,
}

/// The end of an entry's data and its compression method.
#[derive(PartialEq, Eq)]
struct FirstReading {
    end: u64,
    method: u16,
}

impl ZipWalk<'_, '_> {
    /// Approximate memory of a header or a reading in bytes.
    const READING_COST: u64 = 40;

    /// Records a reading of data. Returns whether it is new.
    fn is_new(&mut self, reading: &DataReading<'_>) -> bool {
        let (end, method) = (reading.range.end, reading.method);
        let first = FirstReading { end, method };
        match self.headers.entry(reading.position) {
            Entry::Vacant(vacant) => {
                vacant.insert(first);
                true
            }
            Entry::Occupied(occupied) => {
                *occupied.get() != first && self.readings.insert((reading.position, end, method))
            }
        }
    }

    /// The end of the data that follows a header, in its first reading.
    fn end_of(&self, position: u64) -> Option<u64> {
        self.headers.get(&position).map(|first| first.end)
    }

    fn memory(&self) -> u64 {
        let readings = self.headers.len() + self.readings.len();
        self.claims.len().saturating_sub(1) * ClaimedRanges::COST + readings as u64 * Self::READING_COST
    }
}

impl ArchiveWalker<'_> {
    /// Walks a zip. Returns whether the bytes are one.
    pub(super) fn zip(&mut self, path: &EntryPath<'_>, bytes: ZipBytes<'_>, sign: ZipSign, level: u32) -> bool {
        // Overlapping entries that all inflate differently would take quadratic time otherwise.
        let repeats = bytes.len().saturating_mul(4).max(1 << 20);
        let mut walk = ZipWalk {
            path,
            level,
            directory: bytes.again(self.budget),
            entries: bytes,
            claims: ClaimedRanges::default(),
            directories: Vec::new(),
            headers: HashMap::new(),
            readings: HashSet::new(),
            repeats,
            repeats_exceeded: false,
            continuations: Vec::new(),
            is_directory_read: false,
            is_disputed: false,
            searched: 0,
        };
        self.zip_walk(&mut walk, sign).unwrap_or(true) // a failed read is reported at the end of the file
    }

    fn zip_walk(&mut self, walk: &mut ZipWalk<'_, '_>, sign: ZipSign) -> io::Result<bool> {
        let ends = self.end_records(walk, sign)?;
        let mut is_found = false;
        // Most readers take the last end record. If it is sound, one in an entry's data is that of a nested archive.
        for (nth, &position) in ends.iter().enumerate() {
            if self.should_stop() {
                return Ok(true);
            }
            if !walk.is_disputed && walk.claims.covers(position) {
                continue;
            }
            if nth == MAX_END_RECORDS {
                self.report(walk.path, FindingCode::ArchiveLimit, "it has more end records than are read".to_owned());
                break;
            }
            let Some(end) = EndRecord::read(&mut walk.directory, position)? else { continue };
            if self.is_nested_end(&walk.directory, position, sign) {
                continue;
            }
            is_found |= self.zip_end(walk, position, &end, sign, is_found)?;
        }
        if !is_found && sign == ZipSign::End {
            return Ok(false);
        }
        if !is_found && sign == ZipSign::Entries {
            return self.entries_without_directory(walk);
        }
        if !is_found && !self.should_stop() {
            let message = "it has no directory of entries: it ends early or is damaged".to_owned();
            self.report(walk.path, FindingCode::MalformedArchive, message);
        }
        self.unlisted_entries(walk, is_found)?;
        if is_found {
            self.uncovered_bytes(walk, sign)?;
        }
        if sign == ZipSign::Start
            && let Some(position) = self.tar_in_gap(walk)?
        {
            self.uncovered_tar(walk, position);
        }
        Ok(true)
    }

    /// Inspects the zip at the end of a stream of another type, unless it is in data that was inspected. The stream's
    /// last bytes are held.
    pub(super) fn zip_at_end(
        &mut self,
        path: &EntryPath<'_>,
        held: HeldBytes<'_>,
        is_inspected: &dyn Fn(&Range<u64>) -> bool,
        level: u32,
    ) {
        if !has_zip_end(held.bytes) {
            return;
        }
        let ends = memmem::rfind_iter(held.bytes, END_SIGNATURE).map(|at| held.origin + at as u64);
        let zips = ends.take(MAX_END_RECORDS).flat_map(|position| held_zips(held, position));
        if !{ zips }.any(|range| !is_inspected(&range)) {
            return;
        }
        self.dispute(path, "a zip is at its end, which some readers open instead".to_owned());
        if self.may_enter(path, level) {
            self.zip(path, ZipBytes::Held(held), ZipSign::End, level);
        }
    }

    /// Inspects entries in bytes that are not an archive by their beginning or their end. Returns whether an entry
    /// contains a binary.
    fn entries_without_directory(&mut self, walk: &mut ZipWalk<'_, '_>) -> io::Result<bool> {
        let earlier = self.findings.take_has_binary();
        let result = self.unlisted_entries(walk, false);
        let has_binary = self.findings.take_has_binary();
        if has_binary {
            let message = "it contains entries of a zip without a directory, which some readers search for";
            self.zip_dispute(walk, message.to_owned());
        }
        if earlier || has_binary {
            self.findings.set_has_binary();
        }
        result.map(|()| has_binary)
    }

    /// The positions of possible end records, the last one first.
    fn end_records(&mut self, walk: &mut ZipWalk<'_, '_>, sign: ZipSign) -> io::Result<Vec<u64>> {
        let (len, origin) = (walk.directory.len(), walk.directory.origin());
        let mut found = Vec::new();
        let mut end = len;
        let mut size = TAIL_LEN;
        // If there are signs of entries, all bytes are searched: some readers find entries without the end record.
        while end > origin && found.is_empty() && (end == len || sign != ZipSign::End) && !self.should_stop() {
            let start = end.saturating_sub(size as u64).max(origin);
            let overlap = if end == len { 0 } else { END_SIGNATURE.len() - 1 };
            let window = walk.directory.peek_at(start, (end - start) as usize + overlap)?;
            let finder = memmem::FinderRev::new(END_SIGNATURE);
            found.extend(finder.rfind_iter(window).take(4 * MAX_END_RECORDS).map(|at| start + at as u64));
            (end, size) = (start, 1 << 20);
        }
        Ok(found)
    }

    /// Whether an end record near the end of a file is that of an archive in the file, which was read before.
    fn is_nested_end(&self, bytes: &ZipBytes<'_>, position: u64, sign: ZipSign) -> bool {
        let offset = bytes.file_offset().map(|start| start + position);
        sign != ZipSign::Start && offset.is_some_and(|offset| self.zip_ends.iter().any(|read| read.contains(&offset)))
    }

    /// Reads the directories to which an end record leads. Returns whether it is an end record.
    fn zip_end(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        position: u64,
        end: &EndRecord,
        sign: ZipSign,
        is_second: bool,
    ) -> io::Result<bool> {
        let mut starts: Vec<(EndValues, DirectoryStart)> = Vec::new();
        for values in &end.values {
            let found = values.starts(&mut walk.directory)?;
            starts.extend(found.into_iter().map(|start| (*values, start)));
        }
        let is_empty = sign == ZipSign::Start && end.is_empty() && end.fault.is_none();
        if starts.is_empty() && !is_empty {
            return Ok(false);
        }
        if let Some(start) = walk.directory.file_offset() {
            self.keep_zip_ends(start + position..start + position + records::END_LEN);
        }
        if is_second {
            self.zip_dispute(walk, "it has several end records, and readers differ on which one they use".to_owned());
        }
        if let Some(fault) = end.fault {
            self.zip_dispute(walk, fault.to_owned());
        }
        if starts.iter().any(|(_, other)| other.position != starts[0].1.position) {
            let message = "its end record leads to several directories, and readers differ on which one they use";
            self.zip_dispute(walk, message.to_owned());
        }
        walk.claims.claim(position..end.end);
        for (values, start) in starts {
            if walk.directories.contains(&start.position) {
                continue;
            }
            if walk.directories.len() == MAX_DIRECTORIES {
                let message = "it has more directories than are read".to_owned();
                self.report(walk.path, FindingCode::ArchiveLimit, message);
                break;
            }
            walk.directories.push(start.position);
            if start.is_encrypted {
                self.not_opened(walk.path, "encrypted zip directory");
                walk.claims.claim(start.position..values.position.max(start.position));
                continue;
            }
            self.zip_directory(walk, &values, start)?;
        }
        // The records of 64 bits are between the directory and the end record.
        if let Some(far) = end.values.iter().map(|values| values.position).min()
            && far < position
        {
            walk.claims.claim(far..position);
        }
        Ok(true)
    }

    /// Walks the records of a directory, regardless of the number in its end record.
    fn zip_directory(
        &mut self,
        walk: &mut ZipWalk<'_, '_>,
        values: &EndValues,
        start: DirectoryStart,
    ) -> io::Result<()> {
        let (mut position, mut count) = (start.position, 0_u64);
        while let Some(record) = CentralRecord::read(&mut walk.directory, position)? {
            position += record.len;
            count += 1;
            if !self.zip_entry_budget(walk) || self.should_stop() {
                return Ok(()); // reported at the end of the file
            }
            self.zip_record(walk, &record, start.base)?;
        }
        let end = position.min(walk.directory.len());
        if !walk.claims.claim(start.position..end) {
            self.zip_dispute(walk, "its directory is where another entry's data or directory is".to_owned());
        }
        let signature = signature_len(&mut walk.directory, end)?;
        walk.claims.claim(end..end + signature);
        let size = end - start.position;
        // Archives with many entries and without records of 64 bits count modulo 65,536, which every reader accepts.
        if count != values.entries && (values.entries > u64::from(u16::MAX) || count % (1 << 16) != values.entries) {
            let message = format!("its end record counts {} entries, and its directory has {count}", values.entries);
            self.zip_dispute(walk, message);
        } else if size != values.size && size + signature != values.size {
            let message = format!("its end record states a directory of {} bytes, and it has {size}", values.size);
            self.zip_dispute(walk, message);
        }
        Ok(())
    }

    /// Counts an entry. Returns whether it may be inspected.
    fn zip_entry_budget(&self, walk: &ZipWalk<'_, '_>) -> bool {
        if walk.memory() > self.budget.available_memory() {
            self.budget.report_limit("it has more entries than can be held in memory".to_owned());
        }
        !self.budget.is_exhausted() && self.budget.entry()
    }

    /// Reports the reason why readers use different directories.
    fn zip_dispute(&mut self, walk: &mut ZipWalk<'_, '_>, message: String) {
        walk.is_disputed = true;
        self.dispute(walk.path, message);
    }

    /// Inspects the entry that a record of the directory describes.
    fn zip_record(&mut self, walk: &mut ZipWalk<'_, '_>, record: &CentralRecord, base: Option<u64>) -> io::Result<()> {
        let name = name(&record.values.name);
        let path = EntryPath::new(walk.path, &name);
        let mut places: Vec<u64> = Vec::new();
        for base in [base, Some(0)].into_iter().flatten() {
            if let Some(position) = record.offset.checked_add(base)
                && !places.contains(&position)
                && LocalHeader::is_at(&mut walk.entries, position)?
            {
                places.push(position);
            }
        }
        match places[..] {
            [] => {
                let message = "its header is not at the offset in the directory".to_owned();
                self.report(&path, FindingCode::MalformedArchive, message);
                // Some readers do not check the signature of a header.
                let place = record.offset.saturating_add(base.unwrap_or(0));
                if LocalHeader::is_named(&mut walk.entries, place, &record.values.name)? {
                    self.listed_entry(walk, &path, record, HeaderPlace::unsigned(place))?;
                }
            }
            [place] if base.is_some_and(|base| record.offset.checked_add(base) != Some(place)) && !walk.is_disputed => {
                self.zip_dispute(walk, "its end record states a wrong offset of its directory".to_owned());
            }
            [_] => {}
            _ => self.dispute(
                &path,
                "two headers match the offset in the directory, and readers differ on which one they use".to_owned(),
            ),
        }
        for position in places {
            self.listed_entry(walk, &path, record, HeaderPlace::new(position))?;
        }
        Ok(())
    }

    /// Inspects headers that no directory lists: in gaps, and where readers of headers continue.
    fn unlisted_entries(&mut self, walk: &mut ZipWalk<'_, '_>, has_directory: bool) -> io::Result<()> {
        walk.is_directory_read = true;
        // A reader of headers continues at the end of each entry. If that is in other data, entries may hide there.
        let mut hidden = Vec::new();
        for first in walk.headers.values() {
            let next = after_data(first.end);
            if !next.iter().any(|next| walk.headers.contains_key(next)) {
                hidden.extend(next);
            }
        }
        walk.continuations.append(&mut hidden);
        walk.continuations.sort_unstable_by(|one, other| other.cmp(one));
        loop {
            while let Some(position) = walk.continuations.pop() {
                if self.should_stop() {
                    return Ok(());
                }
                self.unlisted_entry(walk, position, has_directory)?;
            }
            let Some(position) = self.header_in_gap(walk)? else { return Ok(()) };
            walk.continuations.push(position);
        }
    }

    /// The position of the next header signature in bytes that no range claims.
    fn header_in_gap(&mut self, walk: &mut ZipWalk<'_, '_>) -> io::Result<Option<u64>> {
        const WINDOW: u64 = 64 << 10;
        let finder = memmem::Finder::new(LOCAL_SIGNATURE);
        let len = walk.entries.len();
        let mut from = walk.searched.max(walk.entries.origin());
        while let Some(gap) = walk.claims.gap(from..len, GAP) {
            let mut start = gap.start;
            while start < gap.end {
                if self.should_stop() {
                    return Ok(None);
                }
                let window = (gap.end - start).min(WINDOW);
                let bytes = walk.entries.peek_at(start, window as usize)?;
                if let Some(at) = finder.find(bytes) {
                    walk.searched = start + (at + LOCAL_SIGNATURE.len()) as u64;
                    return Ok(Some(start + at as u64));
                }
                let is_last = start + window == gap.end;
                start += if is_last { window } else { window - (LOCAL_SIGNATURE.len() as u64 - 1) };
            }
            from = gap.end;
            walk.searched = from;
        }
        Ok(None)
    }
}

/// The ranges of the zips that end with an end record, if the held records agree.
fn held_zips(held: HeldBytes<'_>, position: u64) -> Vec<Range<u64>> {
    let mut bytes = ZipBytes::Held(held);
    let Ok(Some(end)) = EndRecord::read(&mut bytes, position) else { return Vec::new() };
    let range = |values: &EndValues| {
        let starts = values.starts(&mut ZipBytes::Held(held)).unwrap_or_default();
        let directory = values.position.checked_sub(values.size)?;
        let is_before = directory < held.origin && values.has_room() && directory >= values.offset;
        let start = starts.first().map(|start| start.base.unwrap_or(start.position));
        Some(start.or(is_before.then(|| directory - values.offset))?..position)
    };
    end.values.iter().filter_map(range).collect()
}

/// The length of a digital signature of the directory at a position. Readers skip it.
fn signature_len(bytes: &mut ZipBytes<'_>, position: u64) -> io::Result<u64> {
    const LEN: usize = 6;
    let record = bytes.peek_at(position, LEN)?;
    let is_signature = record.len() == LEN && record.starts_with(b"PK\x05\x05");
    Ok(if is_signature { LEN as u64 + u64::from(u16::from_le_bytes([record[4], record[5]])) } else { 0 })
}
