use std::io;
use std::path::PathBuf;

use crate::error::Error;
use crate::fs::lock::LockError;

/// Why a file was not written. Unless it says otherwise, the file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The plan was made for another source than the one given, or for another state of it.
    #[error("the plan was made for another file, or for another state of it")]
    OtherSource,
    /// The file was written to, or another took its place, while it was being edited.
    #[error("the file was changed meanwhile by someone else")]
    Changed,
    /// Someone else holds the file's lock.
    #[error("the file is being edited by someone else")]
    Locked,
    /// The output is the input.
    #[error("the output is the input itself")]
    SameFile,
    /// The output is another file that is read, and not an earlier output.
    #[error("the output is a file that is read")]
    AmongInputs,
    /// It is no regular file.
    #[error("it is not a regular file")]
    NotRegular,
    /// The file is read-only, which a replacement would pass over. Forcing it is possible.
    #[error("the file is read-only")]
    ReadOnly,
    /// The file has other names, which would keep the old content. Forcing it is possible.
    #[error("the file has {0} hard links, and a replacement would part it from the others")]
    HardLinks(u64),
    /// An edit in place was cut off, and left its journal.
    #[error("an edit in place of this file was cut off, and waits to be recovered")]
    #[non_exhaustive]
    CutOff {
        /// The file that it can be undone with.
        journal: PathBuf,
    },
    /// There is no journal that belongs to the file.
    #[error("there is no edit in place to be recovered")]
    NoJournal,
    /// There is a journal, and it is not to be trusted with the file.
    #[error("the journal is not used: {0}")]
    Journal(&'static str),
    /// What was written cannot be read as WebAssembly. Only a defect or a broken disk can bring this about.
    #[error("what was written cannot be read again")]
    Unsound(#[source] Box<Error>),
    /// The file, or its directory, cannot be opened.
    #[error("the file cannot be opened for writing")]
    Open(#[source] io::Error),
    /// The temporary file or the journal cannot be created.
    #[error("no file can be created beside it")]
    Create(#[source] io::Error),
    /// Writing failed.
    #[error("writing failed")]
    Write(#[source] io::Error),
    /// The mode, the owner or an extended attribute of the old file cannot be given to the new one. Forcing it is
    /// possible.
    #[error("the new file cannot be given the old one's {0}")]
    Attribute(&'static str, #[source] io::Error),
    /// The system could not say that what was written has reached the disk; it is dropped.
    #[error("what was written may not have reached the disk, and is dropped")]
    Sync(#[source] io::Error),
    /// The new file cannot be put into the place of the old one.
    #[error("the new file cannot be put in place")]
    Place(#[source] io::Error),
    /// The file was replaced, and whether it will be so after a power cut is not known.
    #[error("the file is replaced, but whether that survives a power cut is not known")]
    SyncDirectory(#[source] io::Error),
    /// The file is written in place or recovered, whole and for good, and its journal is still there, or may be after a
    /// power cut: recovering removes it.
    #[error("the file is written, but its journal may still be there")]
    JournalLeft(#[source] io::Error),
    /// Writing in place failed, and so did undoing it, or removing its journal: the file may be neither the old nor the
    /// new one, and the journal is there to recover it with.
    #[error("writing in place failed, and so did undoing it: the file waits to be recovered")]
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
    /// Whether [`WriteOptions::force`](super::WriteOptions::force) would do it all the same.
    pub fn is_forcible(&self) -> bool {
        matches!(self, Self::ReadOnly | Self::HardLinks(_) | Self::Attribute(..))
    }

    /// Whether the file is no longer as it was.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::SyncDirectory(_) | Self::JournalLeft(_) | Self::Torn(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_whether_force_helps_and_the_file_is_written() {
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
