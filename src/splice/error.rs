use std::io;
use std::path::PathBuf;

use crate::error::Error;
use crate::fs::lock::LockError;

/// Error of writing a file. The file is unchanged unless [`is_written`](Self::is_written) returns
/// true.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The plan is for another source, or another state of the source.
    #[error("the plan was made for another file, or for another state of it")]
    OtherSource,
    /// The file was changed or replaced during the edit.
    #[error("the file was changed by another process")]
    Changed,
    /// Another process holds the lock of the file.
    #[error("the file is being edited by another process")]
    Locked,
    /// The output is the input.
    #[error("the output is the input itself")]
    SameFile,
    /// The output is another input of the same run.
    #[error("the output is one of the inputs")]
    AmongInputs,
    /// Not a regular file.
    #[error("not a regular file")]
    NotRegular,
    /// The file is read-only, which a replacement would ignore. Can be forced.
    #[error("the file is read-only")]
    ReadOnly,
    /// The file has several hard links; the others would keep the old content. Can be forced.
    #[error("the file has {0} hard links; replacing it would break them")]
    HardLinks(u64),
    /// An in-place edit was interrupted and left its journal. Call [`recover`](super::recover()).
    #[error("an in-place edit of this file was interrupted; the file needs recovery")]
    #[non_exhaustive]
    CutOff {
        /// Path of the journal.
        journal: PathBuf,
    },
    /// The file has no journal.
    #[error("nothing to recover: the file has no journal of an in-place edit")]
    NoJournal,
    /// The journal of the file is not trusted or does not match it.
    #[error("cannot use the journal: {0}")]
    Journal(&'static str),
    /// The written file is not valid WebAssembly, because of a defect or a broken disk.
    #[error("the written file is not readable as WebAssembly")]
    Unsound(#[source] Box<Error>),
    /// The file or its directory cannot be opened.
    #[error("cannot open the file for writing")]
    Open(#[source] io::Error),
    /// The temporary file or the journal cannot be created.
    #[error("cannot create a file in the same directory")]
    Create(#[source] io::Error),
    /// Writing failed.
    #[error("cannot write")]
    Write(#[source] io::Error),
    /// The owner, mode or an extended attribute of the old file cannot be preserved. Can be forced.
    #[error("cannot preserve the file's {0}")]
    Attribute(&'static str, #[source] io::Error),
    /// Syncing the new file failed, so its data may not be on the disk. The new file is discarded.
    #[error("cannot sync the new file to the disk; it is discarded")]
    Sync(#[source] io::Error),
    /// The new file cannot be moved to its destination.
    #[error("cannot move the new file to its destination")]
    Place(#[source] io::Error),
    /// The file was replaced, but syncing its directory failed: a power loss may undo the
    /// replacement.
    #[error("the file is replaced, but cannot sync its directory: a power loss may undo the replacement")]
    SyncDirectory(#[source] io::Error),
    /// The file is completely written or recovered, but its journal may still exist, at least after
    /// a power loss. [`recover`](super::recover()) removes it.
    #[error("the file is written, but its journal may still exist")]
    JournalLeft(#[source] io::Error),
    /// Writing in place failed and cannot be undone. The file may be torn; call
    /// [`recover`](super::recover()).
    #[error("writing in place failed and cannot be undone; the file needs recovery")]
    Torn(#[source] io::Error),
}

impl From<LockError> for WriteError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held => Self::Locked,
            LockError::Io(error) => Self::Open(error),
        }
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        Self::other(error)
    }
}

impl WriteError {
    /// Whether [`WriteOptions::force`](super::WriteOptions::force) avoids this error.
    pub fn is_forcible(&self) -> bool {
        matches!(self, Self::ReadOnly | Self::HardLinks(_) | Self::Attribute(..))
    }

    /// Whether the file may have changed.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::SyncDirectory(_) | Self::JournalLeft(_) | Self::Torn(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_state_if_force_helps_and_the_file_is_written() {
        let error = || io::Error::from(io::ErrorKind::StorageFull);
        for (error, is_forcible, is_written) in [
            (WriteError::ReadOnly, true, false),
            (WriteError::HardLinks(2), true, false),
            (WriteError::Attribute("mode", error()), true, false),
            (WriteError::OtherSource, false, false),
            (WriteError::Write(error()), false, false),
            (WriteError::Sync(error()), false, false),
            (WriteError::SyncDirectory(error()), false, true),
            (WriteError::JournalLeft(error()), false, true),
            (WriteError::Torn(error()), false, true),
        ] {
            assert_eq!((error.is_forcible(), error.is_written()), (is_forcible, is_written), "{error}");
        }
    }
}
