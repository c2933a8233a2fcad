//! Errors of reading and storing credentials.

use std::path::PathBuf;

use sectile::splice::WriteError;

/// The reason why credentials cannot be read or stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A credentials file cannot be read.
    #[error("cannot read the credentials file {}", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// A credentials file cannot be written.
    #[error("cannot write the credentials file {}", .0.display())]
    Unwritable(PathBuf, #[source] WriteError),
    /// A credentials file is not in the format of Docker and Podman. The error does not quote the
    /// file, because it may contain secrets.
    #[error("{} is not a credentials file: {reason}", file.display())]
    #[non_exhaustive]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The problem and its position.
        reason: String,
    },
    /// A credential helper failed.
    #[error("the credential helper `{program}`, which {} names, {reason}", file.display())]
    #[non_exhaustive]
    Helper {
        /// The program.
        program: String,
        /// The file that names the program.
        file: PathBuf,
        /// The failure.
        reason: String,
    },
}
