//! Failures, with hints for the user.

use std::ffi::OsString;
use std::fmt;
use std::io;

use sectile::Error;
use sectile::edit::EditError;
use sectile::splice::WriteError;
use sectile_manifest::ManifestError;
use sectile_oci::registry::{CredentialError, RegistryError, RegistryImageError};
use sectile_oci::{AnnotationError, ImageError, LayoutError};
use sectile_policy::PolicyError;
#[cfg(feature = "remote")]
use sectile_remote::RemoteError;

use crate::display::{ShortPath, escaped};
use crate::git::GitError;

/// The reason why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// An input could not be read.
    Input(Error),
    /// An edit could not be made.
    Edit(EditError),
    /// A manifest could not be used.
    Manifest(ManifestError),
    /// An environment variable has a value that is not valid for its field.
    Variable(String, EditError),
    /// A policy could not be loaded.
    Policy(PolicyError),
    /// A Git revision could not be determined.
    Git(GitError),
    /// A binary could not be turned into an image.
    Image(ImageError),
    /// An image layout could not be read or written.
    Layout(LayoutError),
    /// A registry rejected a request.
    Registry(RegistryError),
    /// Credentials could not be stored or removed.
    Credentials(CredentialError),
    /// An image was pushed under this reference, but its SBOM could not be.
    Sbom(String, RegistryError),
    /// A result could not be written. Names the file unless it is the input.
    Write(WriteError, Option<OsString>),
    /// Any other failure, as a message.
    Other(String),
    /// Standard output could not be written.
    Output(io::Error),
    /// A binary could not be written to standard output. Unlike text, a partial binary is useless.
    BinaryOutput(io::Error),
    /// The work is done, but its report could not be written to standard output.
    Unreported(&'static str, io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Input(error)
    }
}

impl Failure {
    /// A failure to read or to copy an image. As an input, it would be an
    /// [`Input`](Self::Input).
    pub fn from_image(error: RegistryImageError) -> Self {
        match error {
            RegistryImageError::Registry(error) => Self::Registry(error),
            RegistryImageError::Image(error) => Self::Layout(error),
            error => error.into(),
        }
    }
}

impl From<RegistryImageError> for Failure {
    fn from(error: RegistryImageError) -> Self {
        Self::Input(io::Error::other(error).into())
    }
}

#[cfg(feature = "remote")]
impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        Self::Input(io::Error::other(error).into())
    }
}

#[cfg(feature = "remote")]
impl Failure {
    /// Whether an object does not exist.
    pub fn is_missing_object(&self) -> bool {
        let Self::Input(error) = self else { return false };
        std::error::Error::source(error).and_then(RemoteError::find_in) == Some(&RemoteError::Missing)
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Source(error) => Self::Input(error),
            error => Self::Edit(error),
        }
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        Self::Manifest(error)
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Write(error, None)
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Read(error) => Self::Input(error),
            error => Self::Image(error),
        }
    }
}

impl From<AnnotationError> for Failure {
    fn from(error: AnnotationError) -> Self {
        Self::Image(error.into())
    }
}

impl From<LayoutError> for Failure {
    fn from(error: LayoutError) -> Self {
        match error {
            LayoutError::Image(error) => error.into(),
            error => Self::Layout(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => {
                f.write_str(&error.message())?;
                match (error.offset(), error.path().is_root()) {
                    (Some(offset), true) => write!(f, " (at offset {offset:#x})"),
                    (Some(offset), false) => {
                        write!(f, " (at offset {offset:#x}, in item {})", ShortPath(error.path()))
                    }
                    (None, _) => Ok(()),
                }
            }
            Self::Edit(error) => {
                write_chain(f, error)?;
                f.write_str(match error {
                    EditError::Invalid { .. } => "; use --allow-invalid to write it anyway",
                    EditError::MovesLinked => "; use --force to edit it anyway",
                    _ => "",
                })
            }
            Self::Manifest(error) => {
                write_chain(f, error)?;
                f.write_str(match error {
                    ManifestError::InvalidValue { .. } => {
                        "; give another value by an option, or use --allow-invalid to write it anyway"
                    }
                    _ => "",
                })
            }
            Self::Variable(variable, error) => {
                write!(f, "{variable}: ")?;
                write_chain(f, error)
            }
            Self::Policy(error) => write_chain(f, error),
            Self::Git(error) => {
                write_chain(f, error)?;
                f.write_str("; use --revision to give one")
            }
            Self::Image(error) => {
                write_chain(f, error)?;
                f.write_str(match error {
                    ImageError::Annotation(error) if error.is_duplicate() => {
                        "; choose one with --duplicates, or give a value with --annotation"
                    }
                    ImageError::Annotation(error) if error.is_allowable() => {
                        "; use --allow-invalid to accept it, or --annotation to give another value"
                    }
                    _ => "",
                })
            }
            Self::Layout(error) => {
                write_chain(f, error)?;
                f.write_str(match error {
                    LayoutError::Write { source, .. } if source.is_forcible() => "; use --force to replace it anyway",
                    _ => "",
                })
            }
            Self::Registry(error) => write_chain(f, error),
            Self::Credentials(error) => write_chain(f, error),
            Self::Sbom(image, error) => {
                write!(f, "the image is pushed as {image}, and its SBOM is not: ")?;
                write_chain(f, error)
            }
            Self::Write(error, into) => {
                if let Some(into) = into {
                    write!(f, "{}: ", escaped(into))?;
                }
                write_chain(f, error)?;
                f.write_str(match error {
                    WriteError::CutOff { .. } | WriteError::Torn(_) => {
                        "; run `sectile recover` to finish or undo the edit"
                    }
                    WriteError::JournalLeft(_) => "; run `sectile recover` to remove it",
                    WriteError::SameFile => "; leave out -o to change the file itself",
                    WriteError::AmongInputs => "; give another file",
                    error if error.is_forcible() => "; use --force to replace it anyway",
                    _ => "",
                })
            }
            Self::Other(message) => f.write_str(message),
            Self::Output(error) | Self::BinaryOutput(error) => write!(f, "cannot write standard output: {error}"),
            Self::Unreported(done, error) => {
                write!(f, "{done}, but not reported: cannot write standard output: {error}")
            }
        }
    }
}

/// Writes an error and its sources.
fn write_chain(f: &mut fmt::Formatter<'_>, error: &dyn std::error::Error) -> fmt::Result {
    write!(f, "{error}")?;
    let mut source = error.source();
    while let Some(error) = source {
        write!(f, ": {error}")?;
        source = error.source();
    }
    Ok(())
}
