//! Where output goes, and complaints.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::mem;

use anstream::{AutoStream, ColorChoice};
use clap::ArgMatches;
use sectile::edit::EditError;
use sectile::git::GitError;
use sectile::manifest::ManifestError;
#[cfg(feature = "remote")]
use sectile::oci::registry::HeldError;
use sectile::oci::registry::PushError;
use sectile::oci::{AnnotationError, ImageError, LayoutError};
use sectile::policy::PolicyError;
use sectile::splice::WriteError;
use sectile::{Error, Escaped};

use crate::args::TABLE;
use crate::human::Shortened;
use crate::input;

/// Standard output, buffered.
pub struct Output {
    stdout: BufWriter<AutoStream<StdoutLock<'static>>>,
    /// A part of what was written is lost, and nobody knows which: nothing more is written.
    is_broken: bool,
}

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
    /// A registry does not have what was to be pushed; and what it has all the same.
    Push(PushError, Option<String>),
    /// A result could not be written; into which file, where that is another one.
    Write(WriteError, Option<OsString>),
    /// Something else, in words.
    Other(String),
    /// Standard output could not be written.
    Output(io::Error),
    /// A binary could not be written to standard output, and is no use in part.
    Result(io::Error),
    /// The file is changed, and that could not be said on standard output.
    Unsaid(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Input(error)
    }
}

#[cfg(feature = "remote")]
impl From<HeldError> for Failure {
    fn from(error: HeldError) -> Self {
        match error {
            HeldError::Registry(error) => Self::Push(error, None),
            HeldError::Image(error) => Self::Layout(error),
            error => Self::Other(error.to_string()),
        }
    }
}

#[cfg(feature = "remote")]
impl From<sectile::remote::RemoteError> for Failure {
    fn from(error: sectile::remote::RemoteError) -> Self {
        Self::Other(error.to_string())
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

impl From<PushError> for Failure {
    fn from(error: PushError) -> Self {
        Self::Push(error, None)
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
                        write!(f, " (at offset {offset:#x}, in item {})", Shortened(error.path()))
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
            Self::Push(error, None) => write_chain(f, error),
            Self::Push(error, Some(reference)) => {
                write!(f, "the image is pushed as {reference}, and its SBOM is not: ")?;
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
            Self::Unsaid(error) => write!(f, "the file is written, but standard output cannot be: {error}"),
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

impl Output {
    /// Output as the arguments ask for it: for people, its styles are dropped where nobody can see them; for machines,
    /// every byte passes.
    pub fn new(matches: &ArgMatches) -> Self {
        let is_binary = matches.try_get_one::<OsString>("output").ok().flatten().is_some_and(|output| output == "-");
        let format = matches.try_get_one::<String>("format").ok().flatten();
        let for_machines = is_binary
            || match format {
                Some(format) => format != TABLE,
                None => matches.try_get_one::<bool>("json").ok().flatten().is_none_or(|json| *json),
            };
        let color = matches.try_get_one::<String>("color").ok().flatten();
        let choice = match color.map(String::as_str) {
            _ if for_machines => ColorChoice::AlwaysAnsi,
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            _ => AutoStream::choice(&io::stdout()),
        };
        let stdout = BufWriter::with_capacity(64 << 10, AutoStream::new(io::stdout().lock(), choice));
        Self { stdout, is_broken: false }
    }

    /// Where to write.
    pub fn out(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.is_broken {
            return Ok(()); // it was said
        }
        self.stdout.flush().map_err(|error| {
            self.is_broken = true;
            // What is left in the buffer is not to be tried again when it is dropped.
            let nothing = BufWriter::new(AutoStream::never(io::stdout().lock()));
            _ = mem::replace(&mut self.stdout, nothing).into_parts();
            Failure::Output(error)
        })
    }

    /// Says on standard error what could not be done, behind what was printed so far.
    pub fn complain(&mut self, file: Option<&OsString>, message: &dyn fmt::Display) {
        _ = self.flush();
        complain(file, message);
    }
}

/// Says on standard error what could not be done.
pub fn complain(file: Option<&OsString>, message: &dyn fmt::Display) {
    // One line, whatever the file's name and the message hold. If standard error is closed, nobody wants to know.
    let message = message.to_string();
    let message = Escaped::new(&message);
    let mut stderr = io::stderr().lock();
    _ = match file {
        Some(file) => writeln!(stderr, "sectile: {}: {message}", escaped(&input::shown(file))),
        None => writeln!(stderr, "sectile: {message}"),
    };
}

/// A file's name, safe to show.
pub fn escaped(file: &OsStr) -> Escaped<'_> {
    Escaped::bytes(if file == "-" { b"standard input" } else { file.as_encoded_bytes() })
}
