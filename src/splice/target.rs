//! A file that is to be changed: found, locked, and known again.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::WriteError;
use super::journal;
use crate::fs::directory::Place;
use crate::fs::fingerprint::{FileFingerprint, FileId};
use crate::fs::lock::{Lock, Locked, lock, unlock};

/// A regular file, open and locked as long as this lives.
#[derive(Debug)]
pub(super) struct Target {
    /// No symbolic link.
    pub(super) place: Place,
    pub(super) file: Locked,
    pub(super) fingerprint: FileFingerprint,
}

/// What a file is locked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockPurpose {
    /// Another file is to take its place: who forces it need not be able to write to it.
    Replace { force: bool },
    /// It is to be written to.
    Write,
}

impl Target {
    /// Opens and locks a file; of a symbolic link, the file that it leads to.
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
        let file = Locked::alone(file)?;
        // Whoever had the lock before may have put another file in its place.
        let fingerprint = FileFingerprint::new(&file.metadata().map_err(WriteError::Open)?);
        let target = Self { place, file, fingerprint };
        target.check_unchanged()?;
        Ok(target)
    }

    /// What an edit in place calls the file.
    pub(super) fn id(&self) -> io::Result<FileId> {
        let why = "files are edited in place where the system numbers them, as on Unix";
        self.fingerprint.file.ok_or_else(|| io::Error::new(ErrorKind::Unsupported, why))
    }

    /// Refuses what a replacement would pass over.
    pub(super) fn check_replaceable(&self) -> Result<(), WriteError> {
        self.check_writable()?;
        if self.fingerprint.links > 1 { Err(WriteError::HardLinks(self.fingerprint.links)) } else { Ok(()) }
    }

    /// Refuses a file that nobody is meant to write to, whatever the system lets this process do.
    pub(super) fn check_writable(&self) -> Result<(), WriteError> {
        let metadata = self.file.metadata().map_err(WriteError::Open)?;
        if metadata.permissions().readonly() { Err(WriteError::ReadOnly) } else { Ok(()) }
    }

    /// Refuses a file that an edit in place left torn.
    pub(super) fn check_whole(&self) -> Result<(), WriteError> {
        match pending(&self.path(), self.fingerprint)? {
            Some(journal) => Err(WriteError::CutOff { journal }),
            None => Ok(()),
        }
    }

    /// The path, for the names of files beside it.
    pub(super) fn path(&self) -> PathBuf {
        self.place.path()
    }

    /// Whether the path still leads to this file, and that is as it was when it was locked.
    pub(super) fn check_unchanged(&self) -> Result<(), WriteError> {
        match self.place.fingerprint().map_err(WriteError::Open)? {
            Some(fingerprint) if fingerprint == self.fingerprint => Ok(()),
            _ => Err(WriteError::Changed),
        }
    }
}

/// Refuses a file that is being edited in place, or whose edit in place was cut off: what stands in it may be torn, and
/// whatever is made of it too. The functions that change a file do so by themselves; this is for who reads one to write
/// another.
///
/// # Errors
///
/// [`WriteError::Locked`], [`WriteError::CutOff`]; and what the system says.
pub fn check_whole(path: impl AsRef<Path>) -> Result<(), WriteError> {
    let path = fs::canonicalize(path).map_err(WriteError::Open)?;
    let fingerprint = FileFingerprint::new(&fs::symlink_metadata(&path).map_err(WriteError::Open)?);
    if pending(&path, fingerprint)?.is_none() {
        return Ok(());
    }
    // Only now is the lock asked for, so that nobody who wants it meets this.
    let file = Place::Path(path.clone()).open(false).map_err(WriteError::Open)?;
    lock(&file, Lock::Shared)?;
    unlock(&file);
    match pending(&path, fingerprint)? {
        Some(journal) => Err(WriteError::CutOff { journal }),
        None => Ok(()),
    }
}

/// The journal of the file, where there is one.
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

    /// Only what is denied is read-only, and opened to be read where that is forced.
    #[test]
    fn other_open_errors_are_those_of_the_system() {
        let directory = tempfile::tempdir().unwrap();
        let mut paths = vec![directory.path().to_owned()];
        if cfg!(target_os = "linux") {
            paths.push(std::env::current_exe().unwrap()); // nobody may write to what is running
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
