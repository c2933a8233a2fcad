//! Recovery of an interrupted in-place edit.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::copy::{each_chunk, write_all_at};
use super::file::{check_framing, sync};
use super::in_place::{Undo, UndoJournal};
use super::journal::{self, Journal};
use super::target::{LockPurpose, Target};
use super::{WriteError, WriteOptions};
use crate::input::{self, Link};

/// Outcome of recovering an interrupted in-place edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// The edit had not written anything: the file is the old one.
    NotBegun,
    /// The edit was undone: the file is the old one.
    Undone,
    /// The edit was complete: the file is the new one.
    Finished,
}

/// Finishes or undoes an interrupted in-place edit
/// ([`Plan::write_in_place`](super::Plan::write_in_place)) and removes its journal. Recovery is
/// never automatic, so that a planted journal cannot cause a write.
///
/// The journal must belong to the owner of the file or to the caller, and must not be writable by
/// others. It must match the file's device, inode and the bytes before the first change. If the
/// journal is torn, the edit had not started to write. Unless [`WriteOptions::sync`] is off, a
/// complete file is written again and synced, because after a failed sync it may exist only in
/// memory.
///
/// # Errors
///
/// [`WriteError::NoJournal`] if there is no journal. [`WriteError::Journal`] if it is not trusted
/// or does not match. [`WriteError::Locked`] if the edit is still running.
/// [`WriteError::JournalLeft`] if the journal cannot be removed. [`WriteError::Open`] and
/// [`WriteError::Torn`] for other errors of the system. After any failure or interruption, this can
/// be called again.
pub fn recover(path: impl AsRef<Path>, options: WriteOptions) -> Result<Recovered, WriteError> {
    let target = Target::lock(path.as_ref(), LockPurpose::Write)?;
    let file = target.id().map_err(WriteError::Open)?;
    let path = journal::path(&target.path(), file);
    let undo_journal = UndoJournal::from_file(open(&path, &target.file)?, path, options)?;
    let Some(journal) = Journal::read(undo_journal.file())? else {
        // The journal is complete and synced before the file is written, so the file must be
        // complete.
        check_framing(&target.file, target.fingerprint.len)
            .map_err(|_| WriteError::Journal("it is torn, and the file is not complete either"))?;
        undo_journal.remove().map_err(WriteError::JournalLeft)?;
        return Ok(Recovered::NotBegun);
    };
    if journal.file != file {
        return Err(WriteError::Journal("it was made for another file"));
    }
    let lens = journal.old_len.min(journal.new_len)..=journal.old_len.max(journal.new_len);
    if !lens.contains(&target.fingerprint.len) {
        return Err(WriteError::Journal("the length of the file matches neither the old nor the new one"));
    }
    if journal::context(&target.file, journal.runs[0].offset).map_err(WriteError::Open)? != journal.context {
        return Err(WriteError::Journal("the file was changed before the edited part"));
    }
    let state = JournalState::read(&target.file, target.fingerprint.len, &journal).map_err(WriteError::Open)?;
    let recovered = match state {
        JournalState::Old => Recovered::NotBegun,
        JournalState::New => Recovered::Finished,
        JournalState::Torn => {
            check_saved(undo_journal.file(), &journal)?;
            undo_journal.undo(&journal, &target.file, Undo::All).map_err(WriteError::Torn)?;
            Recovered::Undone
        }
    };
    if options.sync {
        // After a failed sync, the data just read may exist only in memory and would not be written
        // again.
        if state != JournalState::Torn {
            write_again(&target.file, state, &journal).map_err(WriteError::Torn)?;
        }
        sync(&target.file, options).map_err(WriteError::Torn)?;
    }
    undo_journal.remove().map_err(WriteError::JournalLeft)?;
    Ok(recovered)
}

/// Opens a journal and checks that it can be trusted.
fn open(path: &Path, target: &File) -> Result<File, WriteError> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let journal = input::open(path, OpenOptions::new().read(true), Link::Refused);
    let journal = journal.map_err(|error| match error.kind() {
        _ if is_link => WriteError::Journal("it is a symbolic link"),
        ErrorKind::NotFound => WriteError::NoJournal,
        _ => WriteError::Open(error),
    })?;
    let metadata = journal.metadata().map_err(WriteError::Open)?;
    if !metadata.is_file() {
        return Err(WriteError::Journal("it is not a regular file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let owner = target.metadata().map_err(WriteError::Open)?.uid();
        if metadata.uid() != owner && metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(WriteError::Journal("it belongs to another user"));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(WriteError::Journal("other users may write to it"));
        }
        if metadata.nlink() != 1 {
            return Err(WriteError::Journal("it has other hard links"));
        }
    }
    #[cfg(not(unix))]
    {
        _ = target;
    }
    Ok(journal)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JournalState {
    Old,
    New,
    Torn,
}

impl JournalState {
    fn read(target: &File, len: u64, journal: &Journal) -> io::Result<Self> {
        let (mut is_old, mut is_new) = (len == journal.old_len, len == journal.new_len);
        for run in &journal.runs {
            is_old = is_old && sum(target, run.offset, run.old_len)? == run.old_sum;
            is_new = is_new && sum(target, run.offset, run.new_len)? == run.new_sum;
        }
        Ok(if is_old {
            Self::Old
        } else if is_new {
            Self::New
        } else {
            Self::Torn
        })
    }
}

/// Rewrites the current contents of the runs.
fn write_again(target: &File, state: JournalState, journal: &Journal) -> io::Result<()> {
    for run in &journal.runs {
        let mut position = run.offset;
        let len = if state == JournalState::New { run.new_len } else { run.old_len };
        each_chunk(target, position, len, |chunk| {
            write_all_at(target, chunk, position)?;
            position += chunk.len() as u64;
            Ok(())
        })?;
    }
    Ok(())
}

/// Rejects a journal whose saved contents do not match their checksums.
fn check_saved(saved: &File, journal: &Journal) -> Result<(), WriteError> {
    let mut position = Journal::data(journal.runs.len());
    for run in &journal.runs {
        if sum(saved, position, run.old_len).map_err(WriteError::Open)? != run.old_sum {
            return Err(WriteError::Journal("it is torn, and the file is not complete either"));
        }
        position += run.old_len;
    }
    Ok(())
}

fn sum(file: &File, offset: u64, len: u64) -> io::Result<u32> {
    let mut sum = crc32fast::Hasher::new();
    each_chunk(file, offset, len, |chunk| {
        sum.update(chunk);
        Ok(())
    })?;
    Ok(sum.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::fingerprint::FileId;
    use crate::splice::journal::RunRecord;

    /// More than one buffer.
    const LONG: u64 = 300_000;
    const OLD_LEN: u64 = 1_000_000;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        write_all_at(&file, bytes, 0).unwrap();
        file
    }

    fn bytes(file: &File) -> Vec<u8> {
        let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
        crate::splice::copy::read_exact_at(file, &mut bytes, 0).unwrap();
        bytes
    }

    /// Returns old and new contents that differ in two runs, and their journal.
    fn edit(growth: i64) -> (Vec<u8>, Vec<u8>, Journal) {
        let old: Vec<u8> = (0..OLD_LEN).map(|nth| (nth % 251) as u8).collect();
        let new_len = OLD_LEN.saturating_add_signed(growth);
        let mut new = old.clone();
        new.resize(new_len as usize, 0);
        let runs = [(1_000, LONG, LONG), (500_000, OLD_LEN - 500_000, new_len - 500_000)];
        let part = |bytes: &[u8], offset, len| crc32fast::hash(&bytes[offset as usize..][..len as usize]);
        for (offset, _, len) in runs {
            new[offset as usize..][..len as usize].iter_mut().for_each(|byte| *byte ^= 0x55);
        }
        let runs = runs.map(|(offset, old_len, new_len)| RunRecord {
            offset,
            old_len,
            new_len,
            old_sum: part(&old, offset, old_len),
            new_sum: part(&new, offset, new_len),
        });
        let id = FileId { device: 0, inode: 0 };
        let journal = Journal { file: id, old_len: OLD_LEN, new_len, context: 0, runs: runs.to_vec() };
        (old, new, journal)
    }

    #[test]
    fn partly_written_files_are_torn() {
        for growth in [-9, 0, 9] {
            let (old, new, journal) = edit(growth);
            let state = |content: &[u8]| JournalState::read(&file(content), content.len() as u64, &journal).unwrap();
            assert_eq!((state(&old), state(&new)), (JournalState::Old, JournalState::New));
            for run in &journal.runs {
                for (content, len) in [(&old, run.old_len), (&new, run.new_len)] {
                    for index in [run.offset, run.offset + len / 2, run.offset + len - 1] {
                        let mut torn = content.clone();
                        torn[index as usize] ^= 1;
                        assert_eq!(state(&torn), JournalState::Torn, "{growth} {index}");
                    }
                }
                // Only one of the runs is written.
                let mut half = old.clone();
                let range = run.offset as usize..(run.offset + run.old_len.min(run.new_len)) as usize;
                half[range.clone()].copy_from_slice(&new[range]);
                assert_eq!(state(&half), JournalState::Torn);
            }
        }
    }

    #[test]
    fn writing_the_current_state_again_changes_nothing() {
        for growth in [-9, 0, 9] {
            let (old, new, journal) = edit(growth);
            for (content, state) in [(old, JournalState::Old), (new, JournalState::New)] {
                let target = file(&content);
                write_again(&target, state, &journal).unwrap();
                assert!(bytes(&target) == content, "{growth} {state:?}");
            }
        }
    }

    #[test]
    fn saved_bytes_are_checked_run_by_run() {
        let (old, _, journal) = edit(0);
        let mut saved = vec![0; Journal::data(journal.runs.len()) as usize];
        for run in &journal.runs {
            saved.extend(&old[run.offset as usize..][..run.old_len as usize]);
        }
        check_saved(&file(&saved), &journal).unwrap();
        for index in [Journal::data(2) as usize, Journal::data(2) as usize + LONG as usize, saved.len() - 1] {
            let mut torn = saved.clone();
            torn[index] ^= 1;
            assert!(matches!(check_saved(&file(&torn), &journal), Err(WriteError::Journal(_))), "{index}");
        }
    }
}
