//! Sparse entries: a map says where each part of the data belongs in the content. The rest of the content is zeros.
//!
//! Sources: GNU tar's manual, *Storing Sparse Files* (old GNU format, PAX formats 0.0, 0.1 and 1.0).

use std::io::{self, Read};

use super::header::{HeaderBlock, Number, number};
use crate::fill::fill;
use crate::walk::archive::budget::Budget;
use crate::walk::file_kind::TAR_BLOCK;

/// The parts of a sparse entry's content, in the order of its data.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseMap {
    /// Offset in the content and length of each part.
    parts: Vec<(u64, u64)>,
    /// Length of the content.
    pub(super) size: u64,
    /// Whether a number in it is malformed.
    is_odd: bool,
}

/// The map of an entry, or the part of it in the headers.
#[derive(Clone, Debug)]
pub(super) enum SparseLayout {
    /// The old GNU format, whose map further blocks may continue.
    Old { map: SparseMap, is_continued: bool },
    /// The map is in an extended header.
    Listed(SparseMap),
    /// The data starts with the map. The content has this size, or ends with the last part.
    InData(Option<u64>),
}

impl SparseLayout {
    /// The map, unless it is in the data.
    pub(super) fn map(&self) -> Option<&SparseMap> {
        match self {
            Self::Old { map, .. } | Self::Listed(map) => Some(map),
            Self::InData(_) => None,
        }
    }
}

/// Where the data of a part starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// After the data of the previous part.
    Adjacent,
    /// In the next block, as GNU tar expects.
    InBlocks,
}

impl Parts {
    /// Number of bytes between the data of a part and that of the next one.
    fn padding(self, len: u64) -> u64 {
        match self {
            Self::Adjacent => 0,
            Self::InBlocks => len.wrapping_neg() % TAR_BLOCK as u64,
        }
    }
}

/// Maximum number of parts.
const MAX_PARTS: usize = 1 << 16;

impl SparseMap {
    pub(super) fn new(numbers: &[u64], size: u64) -> Self {
        let parts = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).take(MAX_PARTS).collect();
        Self { parts, size, is_odd: !numbers.len().is_multiple_of(2) || numbers.len() > 2 * MAX_PARTS }
    }

    /// The map in a header of the old GNU format. Returns whether it continues in the next block, too.
    pub(super) fn from_header(header: HeaderBlock<'_>) -> (Self, bool) {
        let block = header.0;
        let mut map = Self::default();
        map.size = map.number(&block[483..495]);
        map.add_parts(&block[386..482]);
        (map, block[482] != 0)
    }

    /// Adds the parts of a block that continues the map. Returns whether another one does, too.
    pub(super) fn add_block(&mut self, block: &[u8; TAR_BLOCK]) -> bool {
        self.add_parts(&block[..504]);
        self.is_odd |= self.parts.len() > MAX_PARTS;
        self.parts.truncate(MAX_PARTS);
        block[504] != 0
    }

    fn add_parts(&mut self, fields: &[u8]) {
        for pair in fields.chunks_exact(24) {
            if pair[0] == 0 || pair[12] == 0 {
                break;
            }
            let part = (self.number(&pair[..12]), self.number(&pair[12..]));
            self.parts.push(part);
        }
    }

    fn number(&mut self, field: &[u8]) -> u64 {
        match number(field) {
            Number::Plain(number) => number,
            Number::Odd(readings) => {
                self.is_odd = true;
                readings.first().copied().unwrap_or(0)
            }
        }
    }

    /// Whether all readers agree: the parts are in order, are all data, and fill blocks, except the last.
    pub(super) fn is_plain(&self, data_len: u64) -> bool {
        let mut end = Some(0);
        for &(offset, len) in &self.parts {
            end = end.filter(|&end| offset >= end).and_then(|_| offset.checked_add(len));
        }
        let sum = self.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.1));
        let mut parts = self.parts.iter().rev().skip_while(|part| part.1 == 0).skip(1);
        let fills_blocks = parts.all(|part| part.1.is_multiple_of(TAR_BLOCK as u64));
        fills_blocks && !self.is_odd && end.is_some_and(|end| end <= self.size) && sum == Some(data_len)
    }

    /// Number of bytes of all parts, with the padding of those that are read from blocks.
    pub(super) fn data_len(&self) -> u64 {
        let whole = |len: u64| len.saturating_add(Parts::InBlocks.padding(len));
        let sum = self.parts.iter().fold(0_u64, |sum, part| sum.saturating_add(whole(part.1)));
        let last = self.parts.iter().rev().find(|part| part.1 > 0);
        sum - last.map_or(0, |part| Parts::InBlocks.padding(part.1))
    }

    /// Whether the content is the data.
    pub(super) fn is_identity(&self, data_len: u64) -> bool {
        let end = self.parts.iter().try_fold(0_u64, |end, &(offset, len)| {
            (len == 0 || offset == end).then(|| end.saturating_add(len)) // an empty part marks the end
        });
        !self.is_odd && self.size == data_len && end == Some(data_len)
    }

    /// Whether each part begins after the one before it.
    pub(super) fn is_in_order(&self) -> bool {
        let mut end = 0_u64;
        self.parts.iter().all(|&(offset, len)| {
            let is_after = offset >= end;
            end = offset.saturating_add(len);
            is_after
        })
    }
}

/// Reads the map at the start of the data: the number of parts and their numbers, one a line, in whole blocks.
///
/// Returns `None` if it is malformed.
pub(super) fn read_map(data: &mut dyn Read, size: Option<u64>) -> io::Result<Option<(SparseMap, u64)>> {
    let (mut numbers, mut wanted, mut current, mut len) = (Vec::new(), None, None::<u64>, 0);
    let mut block = [0; TAR_BLOCK];
    loop {
        if fill(data, &mut block)? < TAR_BLOCK {
            return Ok(None);
        }
        len += TAR_BLOCK as u64;
        for &byte in &block {
            match byte {
                b'0'..=b'9' => {
                    let digit = u64::from(byte - b'0');
                    let value = current.unwrap_or(0).checked_mul(10).and_then(|value| value.checked_add(digit));
                    let Some(value) = value else { return Ok(None) };
                    current = Some(value);
                }
                b'\n' => {
                    let Some(value) = current.take() else { return Ok(None) };
                    match wanted {
                        None if value as usize <= MAX_PARTS => wanted = Some(2 * value as usize),
                        None => return Ok(None),
                        Some(_) => numbers.push(value),
                    }
                    if wanted == Some(numbers.len()) {
                        let end = || numbers.chunks_exact(2).map(|part| part[0].saturating_add(part[1])).max();
                        let size = size.or_else(end).unwrap_or(0);
                        return Ok(Some((SparseMap::new(&numbers, size), len)));
                    }
                }
                _ => return Ok(None),
            }
        }
    }
}

/// How much of a hole is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holes {
    /// All of it. A larger one than is allowed is an error.
    Whole,
    /// All of it between data, and some zeros after the last data.
    WholeBeforeData,
    /// Some zeros, so that the alignment to blocks is kept.
    Short,
}

/// Number of bytes at the start of the content whose holes are read whole.
const EXACT_START: u64 = 64 << 10;

/// Number of zeros after the last data of an archive. A zip's end record is not found before more of them.
const ZEROS_AFTER_DATA: u64 = 128 << 10;

/// The content of a sparse entry.
pub(super) struct SparseReader<'b, R> {
    data: R,
    budget: &'b Budget,
    parts: std::vec::IntoIter<(u64, u64)>,
    layout: Parts,
    /// `None` while the head is read.
    holes: Option<Holes>,
    /// Bytes left in the current part.
    part: u64,
    /// Bytes between the current part and the next one.
    padding: u64,
    /// Zeros left before the current part.
    hole: u64,
    /// Whether all data was read.
    is_after_data: bool,
    at: u64,
    size: u64,
    /// Length of the output so far.
    len: u64,
    /// Whether a part of a hole between data was omitted.
    pub(super) is_shortened: bool,
}

impl<'b, R: Read> SparseReader<'b, R> {
    /// Creates a reader for parts that are in order. It reads all of each hole until the caller limits that.
    pub(super) fn new(data: R, map: SparseMap, layout: Parts, budget: &'b Budget) -> Self {
        let SparseMap { mut parts, size, .. } = map;
        parts.retain(|part| part.1 > 0);
        Self {
            data,
            budget,
            parts: parts.into_iter(),
            layout,
            holes: None,
            part: 0,
            padding: 0,
            hole: 0,
            is_after_data: false,
            at: 0,
            size,
            len: 0,
            is_shortened: false,
        }
    }

    /// Sets how much of the further holes is read.
    pub(super) fn set_holes(&mut self, holes: Holes) {
        self.holes = Some(holes);
    }

    /// Omits a part of the current hole.
    fn shorten_hole(&mut self, holes: Holes) {
        const BLOCK: u64 = TAR_BLOCK as u64;
        let kept = match holes {
            Holes::WholeBeforeData if self.is_after_data => ZEROS_AFTER_DATA,
            Holes::Short if self.is_after_data => BLOCK,
            Holes::Short => EXACT_START.saturating_sub(self.len).max(BLOCK),
            Holes::Whole | Holes::WholeBeforeData => return,
        };
        if self.hole >= kept + 2 * BLOCK {
            let short = kept + (self.hole - kept) % BLOCK;
            self.at += self.hole - short;
            self.hole = short;
            self.is_shortened |= !self.is_after_data;
        }
    }

    fn read_hole(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(holes) = self.holes {
            self.shorten_hole(holes);
            if self.hole > self.budget.available_zeros() {
                let message = "its sparse entries have larger holes than are read";
                return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
            }
        }
        let len = usize::try_from(self.hole).map_or(buffer.len(), |hole| hole.min(buffer.len()));
        buffer[..len].fill(0);
        self.budget.take_zeros(len as u64);
        self.hole -= len as u64;
        self.advance(len as u64);
        Ok(len)
    }

    fn advance(&mut self, len: u64) {
        self.at += len;
        self.len += len;
    }
}

impl<R: Read> Read for SparseReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part == 0 && self.hole == 0 && self.at < self.size {
            if let Some((offset, len)) = self.parts.next() {
                io::copy(&mut (&mut self.data).take(self.padding), &mut io::sink())?;
                self.hole = offset.min(self.size).saturating_sub(self.at);
                self.part = len;
                self.padding = self.layout.padding(len);
            } else {
                self.hole = self.size - self.at;
                self.is_after_data = true;
            }
        }
        if self.hole > 0 {
            return self.read_hole(buffer);
        }
        let most = self.part.min(self.size - self.at);
        let len = usize::try_from(most).map_or(buffer.len(), |most| most.min(buffer.len()));
        let read = self.data.read(&mut buffer[..len])?;
        if read == 0 && len > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the data of a sparse entry ends early"));
        }
        self.budget.add_sparse_data(read as u64);
        self.part -= read as u64;
        self.advance(read as u64);
        Ok(read)
    }
}

/// The content for parts in any order, where a later part overwrites an earlier one, of up to `most` bytes.
pub(super) fn assemble(data: &mut dyn Read, map: &SparseMap, layout: Parts, most: u64) -> Option<Vec<u8>> {
    let ends = map.parts.iter().map(|part| part.0.checked_add(part.1));
    let len = ends.max().flatten().unwrap_or(0).max(map.size);
    if len > most || map.parts.iter().any(|part| part.0.checked_add(part.1).is_none()) {
        return None;
    }
    let sum = map.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.1));
    sum.filter(|&sum| sum <= most.saturating_mul(2))?;
    let mut content = vec![0; usize::try_from(len).ok()?];
    for &(offset, len) in &map.parts {
        let part = &mut content[offset as usize..(offset + len) as usize];
        if fill(data, part).ok()? < part.len() {
            break;
        }
        io::copy(&mut (&mut *data).take(layout.padding(len)), &mut io::sink()).ok()?;
    }
    content.truncate(map.size as usize);
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::options::WalkOptions;

    fn expand(numbers: &[u64], size: u64, data: &[u8]) -> Vec<u8> {
        read(SparseMap::new(numbers, size), Parts::Adjacent, Holes::Short, data).unwrap()
    }

    fn read(map: SparseMap, parts: Parts, holes: Holes, data: &[u8]) -> io::Result<Vec<u8>> {
        let budget = Budget::new(&WalkOptions::default());
        let mut reader = SparseReader::new(data, map, parts, &budget);
        reader.set_holes(holes);
        let mut content = Vec::new();
        reader.read_to_end(&mut content).map(|_| content)
    }

    #[test]
    fn large_holes_are_shortened() {
        let gib = 1 << 30;
        let whole = |numbers: &[u64], size, holes| {
            read(SparseMap::new(numbers, size), Parts::Adjacent, holes, b"ab").map(|content| content.len())
        };
        assert_eq!(
            whole(&[gib + 3, 1, 2 * gib, 1], 3 * gib, Holes::Short).unwrap(),
            (64 << 10) + 3 + 1 + 508 + 512 + 1 + 1023
        );
        assert_eq!(whole(&[0, 1, 1 << 20, 1], 1 << 20 | 1, Holes::Whole).unwrap(), 1 << 20 | 1);
        assert_eq!(
            whole(&[0, 1, 1 << 20, 1], 2 << 30, Holes::WholeBeforeData).unwrap(),
            (1 << 20) + 1 + (128 << 10) + 511
        );
        assert!(whole(&[0, 1, gib, 1], gib + 1, Holes::Whole).is_err());
        assert!(whole(&[0, 1, gib, 1], gib + 1, Holes::WholeBeforeData).is_err());
        assert!(whole(&[0, 2], gib, Holes::Whole).is_err());
    }

    #[test]
    fn holes_are_zeros() {
        assert_eq!(expand(&[0, 2, 4, 1, 8, 0], 8, b"abc"), b"ab\0\0c\0\0\0");
        assert_eq!(expand(&[3, 1], 4, b"a"), b"\0\0\0a");
        assert_eq!(expand(&[], 3, b""), b"\0\0\0");
        assert_eq!(expand(&[0, 4], 2, b"abcd"), b"ab");
        let map = SparseMap::new(&[4, 1, 0, 2], 6);
        assert!(!map.is_plain(3) && !map.is_in_order());
        assert_eq!(assemble(&mut &b"cab"[..], &map, Parts::Adjacent, 6).unwrap(), b"ab\0\0c\0");
        assert!(assemble(&mut &b"cab"[..], &map, Parts::Adjacent, 5).is_none());
        assert!(SparseMap::new(&[0, 2, 2, 1, 3, 0], 3).is_identity(3));
        assert!(!SparseMap::new(&[0, 2, 3, 1], 4).is_identity(3));
        assert!(!SparseMap::new(&[0, 3], 4).is_identity(3));
    }

    #[test]
    fn gnu_tar_reads_parts_from_blocks() {
        let data = [&b"ab"[..], &[0; 510], b"c"].concat();
        let map = SparseMap::new(&[0, 2, 4, 1], 6);
        let content = read(map.clone(), Parts::InBlocks, Holes::Whole, &data).unwrap();
        assert_eq!(content, b"ab\0\0c\0");
        assert_eq!(assemble(&mut &data[..], &map, Parts::InBlocks, 6).unwrap(), content);
        assert!(!map.is_plain(3) && SparseMap::new(&[0, 512, 600, 1, 601, 0], 601).is_plain(513));
    }

    #[test]
    fn map_in_the_data() {
        let mut data = b"2\n0\n2\n4\n1\n".to_vec();
        data.resize(512, 0);
        let (map, len) = read_map(&mut &data[..], Some(8)).unwrap().unwrap();
        assert_eq!((len, map.size, map.is_plain(3)), (512, 8, false), "the first part does not fill its block");
        assert_eq!(read_map(&mut &data[..], None).unwrap().unwrap().0.size, 5);
        for malformed in [&b"2\n0\nx"[..], b"\n", b"99999999999999999999999\n", b"9999999\n", b"1\n"] {
            let mut data = malformed.to_vec();
            data.resize(512, 0);
            assert!(read_map(&mut &data[..], Some(8)).unwrap().is_none());
        }
    }
}
