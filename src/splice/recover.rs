//! After a cut: an edit in place is finished or undone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::copy::{each_chunk, write_all_at};
use super::file::{check_sound, sync};
use super::in_place::{Undo, UndoJournal};
use super::journal::{self, Journal};
use super::target::{LockPurpose, Target};
use super::{WriteError, WriteOptions};
use crate::input::{self, Link};

/// What an edit in place that was cut off came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// It had not begun to write: the file is the old one.
    NotBegun,
    /// It was undone: the file is the old one.
    Undone,
    /// It had written all: the file is the new one.
    Finished,
}

/// Finishes or undoes an edit in place ([`Plan::write_in_place`](super::Plan::write_in_place)) that was cut off, and
/// removes its journal. Nothing else ever does that, for a journal that somebody planted must not become a write.
///
/// The journal is used where it belongs to the file's owner or to whoever calls this, nobody else may write to it, and
/// it says the file's device, inode, and what stands before the place of the edit; where it is torn, the edit had not
/// begun to write. Unless [`WriteOptions::sync`] is off, what was found whole is written once more and synced: where a
/// sync has failed before, it may have been in memory only.
///
/// # Errors
///
/// There is no journal ([`WriteError::NoJournal`]), or one that is not to be trusted ([`WriteError::Journal`]); the
/// edit is still going on ([`WriteError::Locked`]); the journal cannot be removed ([`WriteError::JournalLeft`]); and
/// what the system says. Whatever was cut off or failed, this can be called again.
pub fn recover(path: impl AsRef<Path>, options: WriteOptions) -> Result<Recovered, WriteError> {
    let target = Target::lock(path.as_ref(), LockPurpose::Write)?;
    let file = target.id().map_err(WriteError::Open)?;
    let path = journal::path(&target.path(), file);
    let saved = UndoJournal::found(open(&path, &target.file)?, path, options)?;
    let Some(journal) = Journal::read(saved.file())? else {
        // It is written and synced before the file is: the file must be whole.
        check_sound(&target.file, target.fingerprint.len)
            .map_err(|_| WriteError::Journal("it is torn, and the file is not whole either"))?;
        saved.remove().map_err(WriteError::JournalLeft)?;
        return Ok(Recovered::NotBegun);
    };
    if journal.file != file {
        return Err(WriteError::Journal("it was made for another file"));
    }
    let lens = journal.old_len.min(journal.new_len)..=journal.old_len.max(journal.new_len);
    if !lens.contains(&target.fingerprint.len) {
        return Err(WriteError::Journal("the file has a length that neither the old nor the new one had"));
    }
    if journal::context(&target.file, journal.runs[0].offset).map_err(WriteError::Open)? != journal.context {
        return Err(WriteError::Journal("the file was changed in front of where it was edited"));
    }
    let state = JournalState::read(&target.file, target.fingerprint.len, &journal).map_err(WriteError::Open)?;
    let recovered = match state {
        JournalState::Old => Recovered::NotBegun,
        JournalState::New => Recovered::Finished,
        JournalState::Torn => {
            check_saved(saved.file(), &journal)?;
            saved.undo(&journal, &target.file, Undo::All).map_err(WriteError::Torn)?;
            Recovered::Undone
        }
    };
    if options.sync {
        // What was read just now may be in memory only; and where a sync has failed before, it would stay there.
        if state != JournalState::Torn {
            write_again(&target.file, state, &journal).map_err(WriteError::Torn)?;
        }
        sync(&target.file, options).map_err(WriteError::Torn)?;
    }
    saved.remove().map_err(WriteError::JournalLeft)?;
    Ok(recovered)
}

/// Opens a journal that is to be trusted.
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
            return Err(WriteError::Journal("it belongs to someone else"));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(WriteError::Journal("others may write to it"));
        }
        if metadata.nlink() != 1 {
            return Err(WriteError::Journal("it has another name elsewhere"));
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

/// Writes what stands in the runs once more.
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

/// Refuses a journal whose old contents are not what was saved.
fn check_saved(saved: &File, journal: &Journal) -> Result<(), WriteError> {
    let mut position = Journal::data(journal.runs.len());
    for run in &journal.runs {
        if sum(saved, position, run.old_len).map_err(WriteError::Open)? != run.old_sum {
            return Err(WriteError::Journal("it is torn, and the file is not whole either"));
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

    /// More than is read at a time.
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

    /// A content, what becomes of it in two runs, and the journal that says so.
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
    fn a_file_is_old_or_new_only_as_a_whole() {
        for growth in [-9, 0, 9] {
            let (old, new, journal) = edit(growth);
            let state = |content: &[u8]| JournalState::read(&file(content), content.len() as u64, &journal).unwrap();
            assert_eq!((state(&old), state(&new)), (JournalState::Old, JournalState::New));
            for run in &journal.runs {
                for (content, len) in [(&old, run.old_len), (&new, run.new_len)] {
                    for place in [run.offset, run.offset + len / 2, run.offset + len - 1] {
                        let mut torn = content.clone();
                        torn[place as usize] ^= 1;
                        assert_eq!(state(&torn), JournalState::Torn, "{growth} {place}");
                    }
                }
                // One run is written, and the other is not.
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
        for place in [Journal::data(2) as usize, Journal::data(2) as usize + LONG as usize, saved.len() - 1] {
            let mut torn = saved.clone();
            torn[place] ^= 1;
            assert!(matches!(check_saved(&file(&torn), &journal), Err(WriteError::Journal(_))), "{place}");
        }
    }
}
