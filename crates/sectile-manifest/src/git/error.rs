use std::io;
use std::path::PathBuf;

use sectile::Escaped;

/// The reason why the revision cannot be determined. `Display` is safe on a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The file does not exist, or cannot be read.
    #[error("cannot read {}", Escaped::file(.path))]
    #[non_exhaustive]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not in a work tree.
    #[error("{} is not in a Git work tree", Escaped::file(.path))]
    #[non_exhaustive]
    NoRepository {
        /// The file.
        path: PathBuf,
    },
    /// The repository is bare.
    #[error("the Git repository at {} is bare: it has no work tree", Escaped::file(.path))]
    #[non_exhaustive]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// The repository has no commit yet.
    #[error("the Git work tree at {} has no commit yet", Escaped::file(.path))]
    #[non_exhaustive]
    Unborn {
        /// The work tree.
        path: PathBuf,
    },
    /// The repository does not store its references as files.
    #[error("the Git repository keeps its references as `{}`, which is not supported", Escaped::new(storage))]
    #[non_exhaustive]
    References {
        /// The storage format.
        storage: String,
    },
    /// A file of the repository is a FIFO, a device, or too large.
    #[error("{} is not a regular file of a plausible size", Escaped::file(.path))]
    #[non_exhaustive]
    NotPlain {
        /// The file.
        path: PathBuf,
    },
    /// The repository cannot be read.
    #[error("cannot read the Git repository of {}", Escaped::file(.path))]
    #[non_exhaustive]
    Repository {
        /// The work tree.
        path: PathBuf,
        /// The problem.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
