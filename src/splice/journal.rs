//! The undo journal of an in-place edit: the overwritten bytes and the identity of the file.
//!
//! The journal is in the directory of the file. It is named by the file's inode, so that recovery
//! finds it and long file names do not matter. All numbers are little-endian:
//!
//! | bytes | |
//! | --- | --- |
//! | 16 | `MAGIC` |
//! | 8 + 8 | the file's device and inode |
//! | 8 + 8 | the file's length before and after |
//! | 4 | checksum of up to 4 KiB directly before the first run, which the edit does not change |
//! | 4 | number of runs |
//! | 32 each | a run: offset, length before and after (8 each), checksums of both contents (4 each) |
//! | 4 | checksum of all the above |
//! | | old content of each run |
//!
//! The checksums are CRC-32. They detect a torn journal, not a forged one. Against forgery, recovery
//! checks the owner and mode of the journal.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::WriteError;
use super::copy::{read_exact_at, write_all_at};
use crate::fs::atomic;
use crate::fs::fingerprint::FileId;

const MAGIC: [u8; 16] = *b"\0sectile-undo-1\n";
const FIXED: usize = 56;
const RUN_LEN: usize = 32;

/// Maximum number of runs in a journal. Their records are read into memory.
pub(super) const MAX_RUNS: usize = 1 << 14;

/// Maximum number of bytes before the first run that identify the file.
const CONTEXT: u64 = 4096;

/// Decoded header of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) file: FileId,
    pub(super) old_len: u64,
    pub(super) new_len: u64,
    pub(super) context: u32,
    pub(super) runs: Vec<RunRecord>,
}

/// A rewritten part of the file. The lengths before and after differ only at the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunRecord {
    pub(super) offset: u64,
    pub(super) old_len: u64,
    pub(super) new_len: u64,
    pub(super) old_sum: u32,
    pub(super) new_sum: u32,
}

/// Returns the path of a file's journal.
pub(super) fn path(target: &Path, file: FileId) -> PathBuf {
    atomic::directory(target).join(format!(".sectile-{:x}.journal", file.inode))
}

/// Returns the checksum of the bytes directly before an offset.
pub(super) fn context(file: &File, offset: u64) -> io::Result<u32> {
    let start = offset.saturating_sub(CONTEXT);
    let mut bytes = vec![0; (offset - start) as usize];
    read_exact_at(file, &mut bytes, start)?;
    Ok(crc32fast::hash(&bytes))
}

impl Journal {
    /// Offset of the old contents in a journal with this number of runs.
    pub(super) fn data(runs: usize) -> u64 {
        (FIXED + runs * RUN_LEN + 4) as u64
    }

    /// Length of the journal in bytes. Cannot overflow if the journal is consistent.
    fn len(&self) -> u64 {
        Self::data(self.runs.len()) + self.runs.iter().map(|run| run.old_len).sum::<u64>()
    }

    /// Writes the header. It is written last: without it the journal is not valid.
    pub(super) fn write(&self, out: &File) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        for number in [self.file.device, self.file.inode, self.old_len, self.new_len] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.context.to_le_bytes());
        bytes.extend((self.runs.len() as u32).to_le_bytes());
        for run in &self.runs {
            for number in [run.offset, run.old_len, run.new_len] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(run.old_sum.to_le_bytes());
            bytes.extend(run.new_sum.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        write_all_at(out, &bytes, 0)
    }

    /// Reads a journal. Returns `None` if it is torn, since writing it was interrupted.
    /// Inconsistent contents with a valid checksum are an error, because no interruption can cause
    /// them.
    pub(super) fn read(source: &File) -> Result<Option<Self>, WriteError> {
        const INCONSISTENT: WriteError = WriteError::Journal("its contents are inconsistent");
        let read = |bytes: &mut [u8]| read_exact_at(source, bytes, 0).map_err(WriteError::Open);
        let len = source.metadata().map_err(WriteError::Open)?.len();
        let mut fixed = [0; FIXED];
        if len < FIXED as u64 {
            return Ok(None);
        }
        read(&mut fixed)?;
        let runs = u64::from(u32::from_le_bytes(fixed[52..].try_into().unwrap_or_default()));
        let header = FIXED as u64 + runs * RUN_LEN as u64;
        if fixed[..16] != MAGIC {
            return Ok(None);
        }
        if runs > MAX_RUNS as u64 {
            return Err(INCONSISTENT); // checked before allocating
        }
        if len < header + 4 {
            return Ok(None);
        }
        let mut bytes = vec![0; header as usize + 4];
        read(&mut bytes)?;
        let (bytes, sum) = bytes.split_at(header as usize);
        if crc32fast::hash(bytes).to_le_bytes() != sum {
            return Ok(None);
        }
        let mut numbers = Numbers(&bytes[16..]);
        let mut journal = Self {
            file: FileId { device: numbers.u64(), inode: numbers.u64() },
            old_len: numbers.u64(),
            new_len: numbers.u64(),
            context: numbers.u32(),
            runs: Vec::new(),
        };
        numbers.u32();
        journal.runs.extend((0..runs).map(|_| RunRecord {
            offset: numbers.u64(),
            old_len: numbers.u64(),
            new_len: numbers.u64(),
            old_sum: numbers.u32(),
            new_sum: numbers.u32(),
        }));
        if !journal.is_consistent() {
            return Err(INCONSISTENT);
        }
        Ok((journal.len() == len).then_some(journal))
    }

    /// Whether the lengths are valid for a file, and the runs are ordered and within them.
    fn is_consistent(&self) -> bool {
        if self.old_len.max(self.new_len) > i64::MAX as u64 {
            return false;
        }
        let mut end = 0;
        for (index, run) in self.runs.iter().enumerate() {
            let is_last = index + 1 == self.runs.len();
            let ends = (run.offset.checked_add(run.old_len), run.offset.checked_add(run.new_len));
            let fits = match ends {
                (Some(old), Some(_)) if run.old_len == run.new_len => old <= self.old_len.min(self.new_len),
                (Some(old), Some(new)) => is_last && (old, new) == (self.old_len, self.new_len),
                _ => false,
            };
            if !fits || run.offset < end {
                return false;
            }
            end = run.offset + run.old_len;
        }
        let last_differs = self.runs.last().is_some_and(|run| run.old_len != run.new_len);
        last_differs || (self.old_len == self.new_len && !self.runs.is_empty())
    }
}

struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn u64(&mut self) -> u64 {
        self.next().map_or(0, u64::from_le_bytes)
    }

    fn u32(&mut self) -> u32 {
        self.next().map_or(0, u32::from_le_bytes)
    }

    fn next<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(offset: u64, old_len: u64, new_len: u64) -> RunRecord {
        RunRecord { offset, old_len, new_len, old_sum: 7, new_sum: 8 }
    }

    fn journal(old_len: u64, new_len: u64, runs: &[RunRecord]) -> Journal {
        Journal { file: FileId { device: 1, inode: 2 }, old_len, new_len, context: 3, runs: runs.to_vec() }
    }

    fn written(journal: &Journal) -> File {
        let file = tempfile::tempfile().unwrap();
        journal.write(&file).unwrap();
        let old: u64 = journal.runs.iter().fold(0, |sum, run| sum.wrapping_add(run.old_len));
        file.set_len(Journal::data(journal.runs.len()) + old % 1000).unwrap();
        file
    }

    #[test]
    fn torn_journals_are_not_read() {
        let journal = journal(100, 120, &[run(8, 5, 5), run(13, 10, 10), run(90, 10, 30)]);
        let file = written(&journal);
        assert_eq!(Journal::read(&file).unwrap().as_ref(), Some(&journal));
        let len = file.metadata().unwrap().len();
        for byte in 0..Journal::data(3) {
            let mut old = [0];
            read_exact_at(&file, &mut old, byte).unwrap();
            write_all_at(&file, &[old[0] ^ 1], byte).unwrap();
            // An excessive number of runs is an error before the checksum is checked.
            assert!(!matches!(Journal::read(&file), Ok(Some(_))), "byte {byte}");
            write_all_at(&file, &old, byte).unwrap();
        }
        for cut in 0..len {
            let file = written(&journal);
            file.set_len(cut).unwrap();
            assert_eq!(Journal::read(&file).unwrap(), None, "cut at {cut}");
        }
    }

    #[test]
    fn the_number_of_runs_is_limited() {
        let runs: Vec<_> = (0..MAX_RUNS as u64).map(|nth| run(2 * nth, 1, 1)).collect();
        let len = 2 * MAX_RUNS as u64;
        let most = journal(len, len, &runs);
        let file = written(&most);
        file.set_len(most.len()).unwrap();
        assert_eq!(Journal::read(&file).unwrap(), Some(most));

        // A larger number is an error even if no runs follow.
        let file = tempfile::tempfile().unwrap();
        let mut fixed = [0; FIXED];
        fixed[..16].copy_from_slice(&MAGIC);
        fixed[52..].copy_from_slice(&(MAX_RUNS as u32 + 1).to_le_bytes());
        write_all_at(&file, &fixed, 0).unwrap();
        assert!(matches!(Journal::read(&file), Err(WriteError::Journal(_))));
    }

    #[test]
    fn inconsistent_journals_are_rejected() {
        for (old_len, new_len, runs) in [
            (100, 100, vec![]),
            (100, 120, vec![]),
            (100, 120, vec![run(8, 5, 5)]),
            (100, 100, vec![run(8, 5, 6)]),
            (100, 101, vec![run(8, 5, 6)]),
            (100, 100, vec![run(20, 5, 5), run(8, 5, 5)]),
            (100, 100, vec![run(8, 5, 5), run(12, 5, 5)]),
            (100, 100, vec![run(96, 5, 5)]),
            (100, 100, vec![run(u64::MAX, 5, 5)]),
            (u64::MAX - 10, u64::MAX - 10, vec![run(0, u64::MAX - 10, u64::MAX - 10)]),
            (100, 90, vec![run(80, 20, 10), run(100, 5, 5)]),
        ] {
            let journal = journal(old_len, new_len, &runs);
            assert!(matches!(Journal::read(&written(&journal)), Err(WriteError::Journal(_))), "{journal:?}");
        }
    }
}
