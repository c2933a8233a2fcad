//! Why something could not be done, and what can be done about it.

use std::ffi::OsString;
use std::fmt;
use std::io;

use sectile::Error;
use sectile::edit::EditError;
use sectile::git::GitError;
use sectile::manifest::ManifestError;
#[cfg(feature = "remote")]
use sectile::oci::registry::HeldError;
use sectile::oci::registry::RegistryError;
use sectile::oci::{AnnotationError, ImageError, LayoutError};
use sectile::policy::PolicyError;
#[cfg(feature = "remote")]
use sectile::remote::RemoteError;
use sectile::splice::WriteError;

use crate::human::ShortPath;
use crate::output::escaped;

/// Why something could not be done.
#[derive(Debug)]
pub enum Failure {
    /// An input could not be read.
    Input(Error),
    /// An edit could not be made.
    Edit(EditError),
    /// A manifest gives nothing that can be taken.
    Manifest(ManifestError),
    /// A policy judges nothing.
    Policy(PolicyError),
    /// No revision can be told.
    Git(GitError),
    /// There is no image of a binary.
    Image(ImageError),
    /// An image layout could not be read, or not written.
    Layout(LayoutError),
    /// A registry does not take what was to be pushed.
    Registry(RegistryError),
    /// An image is pushed under this reference, and its SBOM could not be.
    Sbom(String, RegistryError),
    /// A result could not be written; into which file, where that is another one.
    Write(WriteError, Option<OsString>),
    /// Something else, in words.
    Other(String),
    /// Standard output could not be written.
    Output(io::Error),
    /// A binary could not be written to standard output, and is no use in part.
    Result(io::Error),
    /// Something is done, and that could not be said on standard output.
    Unsaid(&'static str, io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Input(error)
    }
}

#[cfg(feature = "remote")]
impl From<HeldError> for Failure {
    fn from(error: HeldError) -> Self {
        Self::Input(io::Error::other(error).into())
    }
}

#[cfg(feature = "remote")]
impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        Self::Input(io::Error::other(error).into())
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
                    EditError::Invalid { .. } => " (--allow-invalid writes it all the same)",
                    EditError::MovesLinked => " (--force does it all the same)",
                    _ => "",
                })
            }
            Self::Manifest(error) => {
                write_chain(f, error)?;
                f.write_str(match error {
                    ManifestError::Refused { .. } => {
                        " (an option wins over it; --allow-invalid writes it all the same)"
                    }
                    _ => "",
                })
            }
            Self::Policy(error) => write_chain(f, error),
            Self::Git(error) => {
                write_chain(f, error)?;
                f.write_str(" (--revision gives one by hand)")
            }
            Self::Image(error) => {
                write_chain(f, error)?;
                f.write_str(match error {
                    ImageError::Annotation(error) if error.is_duplicate() => {
                        " (--duplicates says which, or --annotation what else)"
                    }
                    ImageError::Annotation(error) if error.is_allowable() => {
                        " (--allow-invalid lets it pass; --annotation says something else)"
                    }
                    _ => "",
                })
            }
            Self::Layout(error) => write_chain(f, error),
            Self::Registry(error) => write_chain(f, error),
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
                    WriteError::CutOff { .. } | WriteError::Torn(_) => ": `sectile recover` finishes or undoes it",
                    WriteError::JournalLeft(_) => ": `sectile recover` removes it",
                    WriteError::SameFile => ": without -o, the file itself is changed",
                    error if error.is_forcible() => " (--force does it all the same)",
                    _ => "",
                })
            }
            Self::Other(message) => f.write_str(message),
            Self::Output(error) | Self::Result(error) => write!(f, "standard output cannot be written: {error}"),
            Self::Unsaid(done, error) => write!(f, "{done}, but standard output cannot be: {error}"),
        }
    }
}

/// An error, and what brought it about.
fn write_chain(f: &mut fmt::Formatter<'_>, error: &dyn std::error::Error) -> fmt::Result {
    write!(f, "{error}")?;
    let mut source = error.source();
    while let Some(error) = source {
        write!(f, ": {error}")?;
        source = error.source();
    }
    Ok(())
}
