use std::io;
use std::path::PathBuf;

use crate::escape::Escaped;

/// Why no revision can be told. `Display` is safe to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is no such file.
    #[error("{} cannot be read", Escaped::file(.path))]
    #[non_exhaustive]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file lies in no work tree.
    #[error("{} lies in no Git work tree", Escaped::file(.path))]
    #[non_exhaustive]
    NoRepository {
        /// The file.
        path: PathBuf,
    },
    /// The repository has no work tree, so that nothing can have been built from one.
    #[error("the Git repository at {} is bare: it has no work tree", Escaped::file(.path))]
    #[non_exhaustive]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// There is no commit yet.
    #[error("the Git work tree at {} has no commit yet", Escaped::file(.path))]
    #[non_exhaustive]
    Unborn {
        /// The work tree.
        path: PathBuf,
    },
    /// The repository keeps its references in another way than in files.
    #[error("the Git repository keeps its references as `{}`, which is not supported", Escaped::new(storage))]
    #[non_exhaustive]
    References {
        /// The way.
        storage: String,
    },
    /// What is to be a file of the repository is a FIFO, a device, or too large.
    #[error("{} is no regular file of a plausible size", Escaped::file(.path))]
    #[non_exhaustive]
    NotPlain {
        /// The file.
        path: PathBuf,
    },
    /// The repository cannot be read.
    #[error("the Git repository of {} cannot be read", Escaped::file(.path))]
    #[non_exhaustive]
    Repository {
        /// The work tree.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
