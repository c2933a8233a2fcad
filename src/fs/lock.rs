//! Locks on files, against other editors: advisory, and waited for by none.

use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file that is unlocked when it is closed. Closing alone may not do that: a process that another thread is just about
/// to start has the file open too, until it is another program.
#[derive(Debug)]
pub struct Locked(File);

impl Locked {
    /// Locks a file for as long as this lives.
    ///
    /// # Errors
    ///
    /// As for [`lock`].
    pub fn alone(file: File) -> Result<Self, LockError> {
        lock(&file, Lock::Alone)?;
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

/// The access that a lock excludes.
#[derive(Clone, Copy)]
pub enum Lock {
    /// Every other lock.
    Alone,
    /// Locks that are not shared.
    Shared,
}

/// Why a file is not locked.
#[derive(Debug)]
#[cfg_attr(not(unix), allow(dead_code))] // nothing is locked there
pub enum LockError {
    /// Someone else has a lock on it that excludes this one.
    Held,
    /// The error of the system.
    Io(io::Error),
}

/// Locks a file against other editors, and waits for none. Where a file system has no locks, the checks of the file's
/// identity are all there is.
///
/// # Errors
///
/// Another lock excludes this one, or the system refuses it.
pub fn lock(file: &File, lock: Lock) -> Result<(), LockError> {
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        use rustix::io::Errno;
        let operation = match lock {
            Lock::Alone => FlockOperation::NonBlockingLockExclusive,
            Lock::Shared => FlockOperation::NonBlockingLockShared,
        };
        loop {
            return match flock(file, operation) {
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Err(LockError::Held),
                // Over a network, a file that is open for reading cannot be locked alone (EBADF).
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
        _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock); // closing it does the same, if not so soon
    }
    #[cfg(not(unix))]
    {
        _ = file;
    }
}
