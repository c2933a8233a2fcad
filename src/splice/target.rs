//! A file that is to be changed: found, locked, and known again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::WriteError;
use super::journal;
use crate::stamp::Stamp;

/// A regular file, open for reading and writing, and locked as long as this lives.
#[derive(Debug)]
pub(super) struct Target {
    /// No symbolic link.
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) stamp: Stamp,
}

impl Target {
    /// Opens and locks a file; of a symbolic link, the file that it leads to.
    pub(super) fn lock(path: &Path) -> Result<Self, WriteError> {
        let path = fs::canonicalize(path).map_err(WriteError::Open)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        #[cfg(unix)]
        {
            use rustix::fs::OFlags;
            let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW; // nobody waits for a FIFO
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
        }
        let file = options.open(&path).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => WriteError::ReadOnly,
            _ => WriteError::Open(error),
        })?;
        if !file.metadata().map_err(WriteError::Open)?.is_file() {
            return Err(WriteError::NotRegular);
        }
        lock(&file)?;
        // Whoever had the lock before may have put another file in its place.
        let stamp = Stamp::of(&file.metadata().map_err(WriteError::Open)?);
        let target = Self { path, file, stamp };
        target.check_unchanged()?;
        Ok(target)
    }

    /// Refuses what a replacement would pass over.
    pub(super) fn check_replaceable(&self) -> Result<(), WriteError> {
        self.check_writable()?;
        #[cfg(unix)]
        {
            let metadata = self.file.metadata().map_err(WriteError::Open)?;
            let links = std::os::unix::fs::MetadataExt::nlink(&metadata);
            if links > 1 {
                return Err(WriteError::HardLinks(links));
            }
        }
        Ok(())
    }

    /// Refuses a file that nobody is meant to write to, whatever the system lets this process do.
    pub(super) fn check_writable(&self) -> Result<(), WriteError> {
        let metadata = self.file.metadata().map_err(WriteError::Open)?;
        if metadata.permissions().readonly() { Err(WriteError::ReadOnly) } else { Ok(()) }
    }

    /// Refuses a file that an edit in place left torn.
    pub(super) fn check_whole(&self) -> Result<(), WriteError> {
        let Some(file) = self.stamp.file else { return Ok(()) };
        let journal = journal::path(&self.path, file);
        match fs::symlink_metadata(&journal) {
            Ok(_) => Err(WriteError::CutOff { journal }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(WriteError::Open(error)),
        }
    }

    /// Whether the path still leads to this file, and that is as it was when it was locked.
    pub(super) fn check_unchanged(&self) -> Result<(), WriteError> {
        let metadata = fs::symlink_metadata(&self.path).map_err(WriteError::Open)?;
        if metadata.is_file() && Stamp::of(&metadata) == self.stamp { Ok(()) } else { Err(WriteError::Changed) }
    }
}

/// Locks a file against other editors, and waits for none. Where a file system has no locks, the checks of the file's
/// identity are all there is.
fn lock(file: &File) -> Result<(), WriteError> {
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        use rustix::io::Errno;
        loop {
            return match flock(file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Err(WriteError::Locked),
                Ok(()) | Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::NOLCK | Errno::INVAL) => Ok(()),
                Err(error) => Err(WriteError::Open(io::Error::from(error))),
            };
        }
    }
    #[cfg(not(unix))]
    {
        _ = file;
        Ok(())
    }
}
