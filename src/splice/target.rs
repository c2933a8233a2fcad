//! A file to be changed: opened, locked and checked for changes by others.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::WriteError;
use super::journal;
use crate::fs::directory::Place;
use crate::fs::fingerprint::{FileFingerprint, FileId};
use crate::fs::lock::{Lock, Locked, lock, unlock};

/// A regular file, open and locked until dropped.
#[derive(Debug)]
pub(super) struct Target {
    /// Without symbolic links.
    pub(super) place: Place,
    pub(super) file: Locked,
    pub(super) fingerprint: FileFingerprint,
}

/// Purpose of locking a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockPurpose {
    /// Replacement by another file. With `force`, the file need not be writable.
    Replace { force: bool },
    /// Writing to it.
    Write,
}

impl Target {
    /// Opens and locks a file. Follows symbolic links.
    pub(super) fn lock(path: &Path, purpose: LockPurpose) -> Result<Self, WriteError> {
        Self::lock_place(Place::Path(fs::canonicalize(path).map_err(WriteError::Open)?), purpose)
    }

    /// Opens and locks the file at a place, which must not be a symbolic link.
    pub(super) fn lock_place(place: Place, purpose: LockPurpose) -> Result<Self, WriteError> {
        let is_denied =
            |error: &io::Error| matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
        let file = match (place.open(true), purpose) {
            (Err(error), LockPurpose::Replace { force })
                if is_denied(&error) && matches!(place.fingerprint(), Ok(Some(_))) =>
            {
                if !force {
                    return Err(WriteError::ReadOnly);
                }
                place.open(false)
            }
            (file, _) => file,
        }
        .map_err(WriteError::Open)?;
        if !file.metadata().map_err(WriteError::Open)?.is_file() {
            return Err(WriteError::NotRegular);
        }
        let file = Locked::exclusive(file)?;
        // The previous holder of the lock may have replaced the file.
        let fingerprint = FileFingerprint::new(&file.metadata().map_err(WriteError::Open)?);
        let target = Self { place, file, fingerprint };
        target.check_unchanged()?;
        Ok(target)
    }

    /// Returns the identity of the file, which names its journal.
    pub(super) fn id(&self) -> io::Result<FileId> {
        let why = "in-place edits need inode numbers, which this system does not provide";
        self.fingerprint.file.ok_or_else(|| io::Error::new(ErrorKind::Unsupported, why))
    }

    /// Rejects a file whose read-only mode or hard links a replacement would ignore.
    pub(super) fn check_replaceable(&self) -> Result<(), WriteError> {
        self.check_writable()?;
        if self.fingerprint.links > 1 { Err(WriteError::HardLinks(self.fingerprint.links)) } else { Ok(()) }
    }

    /// Rejects a read-only file, even if the process may write to it, as root may.
    pub(super) fn check_writable(&self) -> Result<(), WriteError> {
        let metadata = self.file.metadata().map_err(WriteError::Open)?;
        if metadata.permissions().readonly() { Err(WriteError::ReadOnly) } else { Ok(()) }
    }

    /// Rejects a file with an interrupted in-place edit.
    pub(super) fn check_whole(&self) -> Result<(), WriteError> {
        match pending(&self.path(), self.fingerprint)? {
            Some(journal) => Err(WriteError::CutOff { journal }),
            None => Ok(()),
        }
    }

    /// Returns the path, for the names of files in the same directory.
    pub(super) fn path(&self) -> PathBuf {
        self.place.path()
    }

    /// Rejects a file that was changed or replaced since it was locked.
    pub(super) fn check_unchanged(&self) -> Result<(), WriteError> {
        match self.place.fingerprint().map_err(WriteError::Open)? {
            Some(fingerprint) if fingerprint == self.fingerprint => Ok(()),
            _ => Err(WriteError::Changed),
        }
    }
}

/// Rejects a file that is being edited in place, or whose in-place edit was interrupted: it may be
/// torn. Functions that change a file check this themselves. Call it before copying a file by other
/// means.
///
/// # Errors
///
/// [`WriteError::Locked`] during an in-place edit, [`WriteError::CutOff`] after an interrupted one,
/// or the error of the system.
pub fn check_whole(path: impl AsRef<Path>) -> Result<(), WriteError> {
    let path = fs::canonicalize(path).map_err(WriteError::Open)?;
    let fingerprint = FileFingerprint::new(&fs::symlink_metadata(&path).map_err(WriteError::Open)?);
    if pending(&path, fingerprint)?.is_none() {
        return Ok(());
    }
    // Locks only if there is a journal, to avoid blocking other processes.
    let file = Place::Path(path.clone()).open(false).map_err(WriteError::Open)?;
    lock(&file, Lock::Shared)?;
    unlock(&file);
    match pending(&path, fingerprint)? {
        Some(journal) => Err(WriteError::CutOff { journal }),
        None => Ok(()),
    }
}

/// Returns the path of the file's journal if it exists.
fn pending(path: &Path, fingerprint: FileFingerprint) -> Result<Option<PathBuf>, WriteError> {
    let Some(file) = fingerprint.file else { return Ok(None) };
    let journal = journal::path(path, file);
    match fs::symlink_metadata(&journal) {
        Ok(_) => Ok(Some(journal)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WriteError::Open(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only permission errors are reported as read-only, and retried with read access if forced.
    #[test]
    fn other_open_errors_are_passed_on() {
        let directory = tempfile::tempdir().unwrap();
        let mut paths = vec![directory.path().to_owned()];
        if cfg!(target_os = "linux") {
            paths.push(std::env::current_exe().unwrap()); // ETXTBSY
        }
        for path in paths {
            for purpose in
                [LockPurpose::Replace { force: false }, LockPurpose::Replace { force: true }, LockPurpose::Write]
            {
                let error = Target::lock(&path, purpose).map(|_| ()).unwrap_err();
                assert!(matches!(error, WriteError::Open(_)), "{purpose:?} {error:?}");
            }
        }
    }
}
