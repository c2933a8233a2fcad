//! In-place edits: overwrites only the bytes that differ, under an undo journal.

use std::fs::{self, File, FileTimes};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::copy::{Copier, each_chunk, read_at_most, write_all_at};
use super::file::{check_framing, sync};
use super::journal::{self, Journal, RunRecord};
use super::target::{LockPurpose, Target};
use super::{Piece, Plan, WriteError, WriteOptions};
use crate::fs::atomic::{self, Access, Directory};

impl Plan {
    /// Overwrites the changed parts of the plan's source file. Fastest if the first change is near
    /// the end of the file.
    ///
    /// **This is not atomic.** Other readers may see torn bytes during the write. The overwritten
    /// bytes are first saved in a journal in the directory of `path` (`.sectile-INODE.journal`,
    /// with the inode in hexadecimal digits). After a kill or a power loss the file may be torn
    /// until [`recover`](super::recover()) is called; nothing else recovers it. With
    /// [`WriteOptions::sync`] off, a power loss can lose the journal too. If a write fails, it is
    /// undone immediately. If the file has hard links in other directories, the journal is not
    /// found through them.
    ///
    /// If the plan changes nothing, nothing is written.
    ///
    /// # Errors
    ///
    /// As for [`replace`](Self::replace), except for hard links and attributes, which are
    /// preserved. Also [`WriteError::Torn`] and [`WriteError::JournalLeft`]. On systems without
    /// inode numbers, such as Windows, [`WriteError::Open`].
    pub fn write_in_place(&self, path: impl AsRef<Path>, options: WriteOptions) -> Result<(), WriteError> {
        let target = Target::lock(path.as_ref(), LockPurpose::Write)?;
        if self.fingerprint != Some(target.fingerprint) {
            return Err(WriteError::OtherSource);
        }
        target.check_whole()?;
        if !options.force {
            target.check_writable()?;
        }
        let runs = self.runs();
        if runs.is_empty() {
            return Ok(());
        }
        let undo_journal = UndoJournal::create(&target, options)?;
        let journal = undo_journal.save(self, &runs, &target, options)?;
        let written = self
            .write_runs(&runs, &undo_journal, &target.file, options)
            .and_then(|()| check_framing(&target.file, self.len()));
        match written {
            Ok(()) => undo_journal.remove().map_err(WriteError::JournalLeft),
            // A second sync cannot tell whether the data of the failed one is on the disk, so the
            // journal stays.
            Err(WriteError::Sync(error)) => {
                _ = undo_journal.undo(&journal, &target.file, Undo::All);
                Err(WriteError::Torn(error))
            }
            Err(error) => {
                let undone = undo_journal.undo(&journal, &target.file, Undo::Differences);
                undone.and_then(|()| sync(&target.file, options)).map_err(WriteError::Torn)?;
                undo_journal.remove().map_err(WriteError::Torn)?;
                Err(error)
            }
        }
    }

    fn write_runs(
        &self,
        runs: &[Run<'_>],
        undo_journal: &UndoJournal,
        target: &File,
        options: WriteOptions,
    ) -> Result<(), WriteError> {
        let mut old = Journal::data(runs.len());
        for run in runs {
            let mut position = run.offset;
            let mut copier = Copier::new(&undo_journal.file, target);
            for piece in run.pieces {
                match piece {
                    Piece::Insert(bytes) => write_all_at(target, bytes, position),
                    Piece::Keep(range) => copier.copy(old + (range.start - run.offset), position, piece.len()),
                }
                .map_err(WriteError::Write)?;
                position += piece.len();
            }
            old += run.old_len;
        }
        if self.len() < self.source_len {
            target.set_len(self.len()).map_err(WriteError::Write)?;
        }
        update_modified_time(target);
        sync(target, options).map_err(WriteError::Sync)
    }

    /// Returns the parts of the file to rewrite: ranges in which the output differs from the source
    /// at the same offset. Ranges kept within a run come from the same run of the source.
    fn runs(&self) -> Vec<Run<'_>> {
        let mut runs = Vec::new();
        let mut started = None;
        let mut position = 0;
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                // The last run that fits into a journal extends to the end.
                Piece::Keep(range) if range.start == position && runs.len() + 1 < journal::MAX_RUNS => {
                    if let Some((offset, first)) = started.take() {
                        let len = position - offset;
                        runs.push(Run { offset, old_len: len, new_len: len, pieces: &self.pieces[first..index] });
                    }
                }
                Piece::Keep(_) | Piece::Insert(_) => _ = started.get_or_insert((position, index)),
            }
            position += piece.len();
        }
        // Without a started run, only the source's excess at the end remains.
        let (offset, first) = started.unwrap_or((position, self.pieces.len()));
        let (old_len, new_len) = (self.source_len - offset, position - offset);
        if old_len + new_len > 0 {
            runs.push(Run { offset, old_len, new_len, pieces: &self.pieces[first..] });
        }
        runs
    }
}

/// A rewritten part of the file.
#[derive(Debug, PartialEq, Eq)]
struct Run<'p> {
    offset: u64,
    old_len: u64,
    new_len: u64,
    pieces: &'p [Piece],
}

/// An open journal file.
pub(super) struct UndoJournal {
    file: File,
    path: PathBuf,
    directory: Directory,
}

/// The bytes to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// Only bytes that differ. Avoids needless writes if the disk is full or a limit is reached.
    Differences,
    /// All bytes. After a failed sync the page cache may differ from the disk and would not be
    /// written again.
    All,
}

impl UndoJournal {
    fn create(target: &Target, options: WriteOptions) -> Result<Self, WriteError> {
        let path = journal::path(&target.path(), target.id().map_err(WriteError::Open)?);
        let directory = Directory::open_parent(&path, options.sync).map_err(WriteError::Sync)?;
        let file = atomic::create_new(&path, Access::Private).map_err(WriteError::Create)?;
        Ok(Self { file, path, directory })
    }

    /// Wraps an existing journal, which the caller has checked.
    pub(super) fn from_file(file: File, path: PathBuf, options: WriteOptions) -> Result<Self, WriteError> {
        let directory = Directory::open_parent(&path, options.sync).map_err(WriteError::Open)?;
        Ok(Self { file, path, directory })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Saves the bytes to be overwritten. Removes the journal on failure.
    fn save(
        &self,
        plan: &Plan,
        runs: &[Run<'_>],
        target: &Target,
        options: WriteOptions,
    ) -> Result<Journal, WriteError> {
        let saved = self.write(plan, runs, target).map_err(WriteError::Write).and_then(|journal| {
            sync(&self.file, options).and_then(|()| self.directory.sync()).map_err(WriteError::Sync)?;
            target.check_unchanged()?;
            Ok(journal)
        });
        if saved.is_err() {
            fs::remove_file(&self.path).map_err(WriteError::Torn)?;
        }
        saved
    }

    fn write(&self, plan: &Plan, runs: &[Run<'_>], target: &Target) -> io::Result<Journal> {
        let mut position = Journal::data(runs.len());
        let mut records = Vec::new();
        for run in runs {
            let mut old_sum = crc32fast::Hasher::new();
            each_chunk(&*target.file, run.offset, run.old_len, |chunk| {
                old_sum.update(chunk);
                write_all_at(&self.file, chunk, position)?;
                position += chunk.len() as u64;
                Ok(())
            })?;
            let mut new_sum = crc32fast::Hasher::new();
            for piece in run.pieces {
                match piece {
                    Piece::Insert(bytes) => new_sum.update(bytes),
                    Piece::Keep(range) => each_chunk(&*target.file, range.start, piece.len(), |chunk| {
                        new_sum.update(chunk);
                        Ok(())
                    })?,
                }
            }
            let &Run { offset, old_len, new_len, .. } = run;
            let (old_sum, new_sum) = (old_sum.finalize(), new_sum.finalize());
            records.push(RunRecord { offset, old_len, new_len, old_sum, new_sum });
        }
        let context = journal::context(&target.file, runs[0].offset)?;
        let journal =
            Journal { file: target.id()?, old_len: plan.source_len, new_len: plan.len(), context, runs: records };
        journal.write(&self.file)?;
        Ok(journal)
    }

    /// Restores the overwritten bytes.
    pub(super) fn undo(&self, journal: &Journal, target: &File, undo: Undo) -> io::Result<()> {
        let mut old = Journal::data(journal.runs.len());
        for run in &journal.runs {
            let mut position = run.offset;
            each_chunk(&self.file, old, run.old_len, |chunk| {
                let differs = if undo == Undo::All { 0..chunk.len() } else { difference(target, chunk, position)? };
                write_all_at(target, &chunk[differs.clone()], position + differs.start as u64)?;
                position += chunk.len() as u64;
                Ok(())
            })?;
            old += run.old_len;
        }
        if undo == Undo::All || target.metadata()?.len() != journal.old_len {
            target.set_len(journal.old_len)?;
        }
        update_modified_time(target);
        Ok(())
    }

    /// Removes the journal at the end of the edit.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        self.directory.sync()
    }
}

/// Returns the range from the first to the last of `bytes` that differs from the file at this
/// position.
fn difference(file: &File, bytes: &[u8], position: u64) -> io::Result<Range<usize>> {
    let mut found = vec![0; bytes.len()];
    let len = read_at_most(file, &mut found, position)?;
    let differs = |index: &usize| *index >= len || found[*index] != bytes[*index];
    let Some(first) = (0..bytes.len()).find(differs) else { return Ok(0..0) };
    let last = (first..bytes.len()).rfind(differs).unwrap_or(first);
    Ok(first..last + 1)
}

/// Sets the modification time with the full precision of the clock. The kernel's own timestamp has
/// a granularity of a few milliseconds, so that two changes in one tick would look the same.
/// Ignores errors: only the owner may set the time.
fn update_modified_time(file: &File) {
    _ = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::fingerprint::FileId;
    use crate::splice::Patch;

    fn runs(len: u64, patches: &[(Range<u64>, &str)]) -> Vec<(u64, u64, u64, usize)> {
        let patch =
            |(range, bytes): &(Range<u64>, &str)| Patch { range: range.clone(), bytes: bytes.as_bytes().into() };
        let plan = Plan::new(len, patches.iter().map(patch).collect());
        plan.runs().iter().map(|run| (run.offset, run.old_len, run.new_len, run.pieces.len())).collect()
    }

    #[test]
    fn only_differences_are_written() {
        assert_eq!(runs(100, &[]), []);
        assert_eq!(runs(100, &[(10..13, "abc")]), [(10, 3, 3, 1)]);
        assert_eq!(runs(100, &[(10..13, "abc"), (20..21, "d")]), [(10, 3, 3, 1), (20, 1, 1, 1)]);
        assert_eq!(runs(100, &[(10..13, "ab"), (20..21, "de"), (30..31, "f")]), [(10, 11, 11, 3), (30, 1, 1, 1)]);
        assert_eq!(runs(100, &[(90..93, "abcd")]), [(90, 10, 11, 2)]);
        assert_eq!(runs(100, &[(90..93, "")]), [(90, 10, 7, 1)]);
        assert_eq!(runs(100, &[(100..100, "abc")]), [(100, 0, 3, 1)]);
        assert_eq!(runs(100, &[(97..100, "")]), [(97, 3, 0, 0)]);
        assert_eq!(runs(100, &[(10..13, "abc"), (97..100, "")]), [(10, 3, 3, 1), (97, 3, 0, 0)]);
    }

    #[test]
    fn a_journal_limits_the_number_of_runs() {
        let many = journal::MAX_RUNS as u64 + 10;
        let patches: Vec<_> = (0..many).map(|nth| (nth * 2..nth * 2 + 1, "x")).collect();
        for end in [many * 2, many * 2 + 7] {
            let runs = runs(end, &patches);
            assert_eq!(runs.len(), journal::MAX_RUNS);
            let last = (runs.len() as u64 - 1) * 2;
            assert_eq!(
                runs.last().map(|&(offset, old, new, _)| (offset, old, new)),
                Some((last, end - last, end - last))
            );
        }
    }

    #[test]
    fn only_differences_are_restored() {
        let file = tempfile::tempfile().unwrap();
        write_all_at(&file, b"0123456789", 0).unwrap();
        let difference = |bytes: &[u8], position| difference(&file, bytes, position).unwrap();
        assert_eq!(difference(b"345", 3), 0..0);
        assert_eq!(difference(b"3x5", 3), 1..2);
        assert_eq!(difference(b"x45x7", 3), 0..4);
        assert_eq!(difference(b"89ab", 8), 2..4);
        assert_eq!(difference(b"ab", 20), 0..2);
    }

    /// Covers more than one buffer, and two runs of which the last changes its length.
    #[test]
    fn overwritten_bytes_are_restored() {
        let old: Vec<u8> = (0..700_000u32).map(|nth| (nth % 251) as u8).collect();
        for growth in [-5_000, 0, 5_000] {
            let old_len = old.len() as u64;
            let new_len = old_len.saturating_add_signed(growth);
            let runs = [(1_000, 300_000, 300_000), (400_000, old_len - 400_000, new_len - 400_000)];
            let record = |(offset, old_len, new_len)| RunRecord { offset, old_len, new_len, old_sum: 0, new_sum: 0 };
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("journal");
            let journal_file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
            let file = FileId { device: 0, inode: 0 };
            let runs = runs.map(record).to_vec();
            let journal = Journal { file, old_len, new_len, context: 0, runs };
            journal.write(&journal_file).unwrap();
            let mut end = Journal::data(journal.runs.len());
            for run in &journal.runs {
                let range = run.offset as usize..(run.offset + run.old_len) as usize;
                write_all_at(&journal_file, &old[range], end).unwrap();
                end += run.old_len;
            }
            let undo_journal =
                UndoJournal::from_file(journal_file, path, WriteOptions { sync: false, force: false }).unwrap();

            for undo in [Undo::Differences, Undo::All] {
                let target = tempfile::tempfile().unwrap();
                write_all_at(&target, &old, 0).unwrap();
                for run in &journal.runs {
                    write_all_at(&target, &vec![0xff; run.new_len as usize], run.offset).unwrap();
                }
                target.set_len(new_len).unwrap();
                undo_journal.undo(&journal, &target, undo).unwrap();
                let mut found = vec![0; old.len() + 1];
                let len = read_at_most(&target, &mut found, 0).unwrap();
                assert!(found[..len] == old, "{growth} {undo:?}");
            }
        }
    }
}
