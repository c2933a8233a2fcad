//! Advisory locks on files, against other editors. Taking a lock never blocks.

use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file that is unlocked when it is dropped. Closing it may not be enough: a child process that
/// another thread starts has the file open as well, until it executes its program.
#[derive(Debug)]
pub struct Locked(File);

impl Locked {
    /// Locks a file exclusively until the value is dropped.
    ///
    /// # Errors
    ///
    /// As for [`lock`].
    pub fn exclusive(file: File) -> Result<Self, LockError> {
        lock(&file, Lock::Exclusive)?;
        Ok(Self(file))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        unlock(&self.0);
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

/// Kind of lock.
#[derive(Clone, Copy)]
pub enum Lock {
    /// Excludes every other lock.
    Exclusive,
    /// Excludes exclusive locks.
    Shared,
}

/// The error of locking a file.
#[derive(Debug)]
#[cfg_attr(not(unix), allow(dead_code))] // nothing is locked there
pub enum LockError {
    /// Another lock excludes this one.
    Held,
    /// The error of the system.
    Io(io::Error),
}

/// Locks a file, without blocking. Succeeds without a lock if the file system does not support
/// locks: the file's identity is checked as well before it is replaced.
///
/// # Errors
///
/// Another lock excludes this one, or the error of the system.
pub fn lock(file: &File, lock: Lock) -> Result<(), LockError> {
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        use rustix::io::Errno;
        let operation = match lock {
            Lock::Exclusive => FlockOperation::NonBlockingLockExclusive,
            Lock::Shared => FlockOperation::NonBlockingLockShared,
        };
        loop {
            return match flock(file, operation) {
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Err(LockError::Held),
                // EBADF: a network file system refuses an exclusive lock on a file that is open for
                // reading.
                Ok(()) | Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::NOLCK | Errno::INVAL | Errno::BADF) => Ok(()),
                Err(error) => Err(LockError::Io(error.into())),
            };
        }
    }
    #[cfg(not(unix))]
    {
        _ = (file, lock);
        Ok(())
    }
}

/// Releases the lock on a file.
pub fn unlock(file: &File) {
    #[cfg(unix)]
    {
        _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock); // on an error, the lock ends when the file is closed
    }
    #[cfg(not(unix))]
    {
        _ = file;
    }
}
