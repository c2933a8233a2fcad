//! A plan carried out in the file itself: only what differs is written, under an undo journal.

use std::fs::{self, File, FileTimes};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::copy::{Copier, each_chunk, read_at_most, write_all_at};
use super::file::{check_sound, sync};
use super::journal::{self, Journal, RunRecord};
use super::target::{LockPurpose, Target};
use super::{Piece, Plan, WriteError, WriteOptions};
use crate::fs::atomic::{self, Access, Directory};

impl Plan {
    /// Writes into the file that the plan was made for, from the first byte that differs on: the fastest way where that
    /// lies near the file's end.
    ///
    /// **This is not atomic.** Other readers see torn bytes while it is written. What is overwritten is first saved in a
    /// journal beside the file (`.sectile-INODE.journal`, the inode in hexadecimal digits); after a kill or, unless
    /// [`WriteOptions::sync`] is off, a power cut, the file may be torn until [`recover`](super::recover()) is called, which nothing else does. Where writing
    /// fails, it is undone at once. Of a file with hard links in several directories, the journal stands in that of the
    /// path given here, and is not seen from the others.
    ///
    /// Where the plan changes nothing, nothing is written.
    ///
    /// # Errors
    ///
    /// As for [`replace`](Self::replace), but for those of hard links and attributes, which stay; and
    /// [`WriteError::Torn`] and [`WriteError::JournalLeft`]. Where the system does not number files, as Windows does not in
    /// a way that can be asked for, this is [`WriteError::Open`], and nothing is written.
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
        let saved = UndoJournal::create(&target, options)?;
        let journal = saved.save(self, &runs, &target, options)?;
        let written =
            self.write_runs(&runs, &saved, &target.file, options).and_then(|()| check_sound(&target.file, self.len()));
        match written {
            Ok(()) => saved.remove().map_err(WriteError::JournalLeft),
            // Whether a failed sync has reached the disk cannot be known by another one: the journal stays.
            Err(WriteError::Sync(error)) => {
                _ = saved.undo(&journal, &target.file, Undo::All);
                Err(WriteError::Torn(error))
            }
            Err(error) => {
                let undone = saved.undo(&journal, &target.file, Undo::Differences);
                undone.and_then(|()| sync(&target.file, options)).map_err(WriteError::Torn)?;
                saved.remove().map_err(WriteError::Torn)?;
                Err(error)
            }
        }
    }

    fn write_runs(
        &self,
        runs: &[Run<'_>],
        saved: &UndoJournal,
        target: &File,
        options: WriteOptions,
    ) -> Result<(), WriteError> {
        let mut old = Journal::data(runs.len());
        for run in runs {
            let mut position = run.offset;
            let mut copier = Copier::new(&saved.file, target);
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
        touch(target);
        sync(target, options).map_err(WriteError::Sync)
    }

    /// The parts of the file that are written: from where what stands in it is no longer what stood there, to where it
    /// is again. What a run keeps stood within the run.
    fn runs(&self) -> Vec<Run<'_>> {
        let mut runs = Vec::new();
        let mut begun = None;
        let mut position = 0;
        for (place, piece) in self.pieces.iter().enumerate() {
            match piece {
                // The last that a journal has room for goes on to the end.
                Piece::Keep(range) if range.start == position && runs.len() + 1 < journal::MAX_RUNS => {
                    if let Some((offset, first)) = begun.take() {
                        let len = position - offset;
                        runs.push(Run { offset, old_len: len, new_len: len, pieces: &self.pieces[first..place] });
                    }
                }
                Piece::Keep(_) | Piece::Insert(_) => _ = begun.get_or_insert((position, place)),
            }
            position += piece.len();
        }
        // Without one begun, what is left is what the source has beyond it.
        let (offset, first) = begun.unwrap_or((position, self.pieces.len()));
        let (old_len, new_len) = (self.source_len - offset, position - offset);
        if old_len + new_len > 0 {
            runs.push(Run { offset, old_len, new_len, pieces: &self.pieces[first..] });
        }
        runs
    }
}

/// A part of the file that is written anew.
#[derive(Debug, PartialEq, Eq)]
struct Run<'p> {
    offset: u64,
    old_len: u64,
    new_len: u64,
    pieces: &'p [Piece],
}

/// A journal that is being made or used.
pub(super) struct UndoJournal {
    file: File,
    path: PathBuf,
    directory: Directory,
}

/// What is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// Only what is no longer there: where a disk is full or a limit met, nothing is written that need not be.
    Differences,
    /// All: after a failed sync, what is in memory need not be on the disk, and would not be written again by itself.
    All,
}

impl UndoJournal {
    fn create(target: &Target, options: WriteOptions) -> Result<Self, WriteError> {
        let path = journal::path(&target.path(), target.id().map_err(WriteError::Open)?);
        let directory = Directory::open_parent(&path, options.sync).map_err(WriteError::Sync)?;
        let file = atomic::create_new(&path, Access::Private).map_err(WriteError::Create)?;
        Ok(Self { file, path, directory })
    }

    /// One that was found at this path, and is to be trusted.
    pub(super) fn found(file: File, path: PathBuf, options: WriteOptions) -> Result<Self, WriteError> {
        let directory = Directory::open_parent(&path, options.sync).map_err(WriteError::Open)?;
        Ok(Self { file, path, directory })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Saves what is overwritten. Where that fails, the journal is removed.
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

    /// Puts back what was overwritten.
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
        touch(target);
        Ok(())
    }

    /// Removes the journal: the edit is over.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        self.directory.sync()
    }
}

/// From the first to the last byte that does not stand in the file at this position.
fn difference(file: &File, bytes: &[u8], position: u64) -> io::Result<Range<usize>> {
    let mut found = vec![0; bytes.len()];
    let len = read_at_most(file, &mut found, position)?;
    let differs = |place: &usize| *place >= len || found[*place] != bytes[*place];
    let Some(first) = (0..bytes.len()).find(differs) else { return Ok(0..0) };
    let last = (first..bytes.len()).rfind(differs).unwrap_or(first);
    Ok(first..last + 1)
}

/// Gives the file the time of now as exactly as the clock has it. The system's own stamp may be the one that the file
/// had before, where both changes fall into one tick of a few milliseconds: whoever has read the old content would not
/// know. Who may write to the file and does not own it cannot, and then the system's has to do.
fn touch(file: &File) {
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

    /// More than is read at a time, in two runs of which the last has another length than before.
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
            let saved = UndoJournal::found(journal_file, path, WriteOptions { sync: false, force: false }).unwrap();

            for undo in [Undo::Differences, Undo::All] {
                let target = tempfile::tempfile().unwrap();
                write_all_at(&target, &old, 0).unwrap();
                for run in &journal.runs {
                    write_all_at(&target, &vec![0xff; run.new_len as usize], run.offset).unwrap();
                }
                target.set_len(new_len).unwrap();
                saved.undo(&journal, &target, undo).unwrap();
                let mut found = vec![0; old.len() + 1];
                let len = read_at_most(&target, &mut found, 0).unwrap();
                assert!(found[..len] == old, "{growth} {undo:?}");
            }
        }
    }
}
