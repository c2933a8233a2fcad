//! What ends a reading, and what a reading gives nevertheless.

use std::fmt;
use std::io;

use crate::drive::Cost;
use crate::scan::{Fault, Path};

/// Why a reading ended: malformed framing, an exceeded limit, or bytes that could not be had.
///
/// Small (one pointer), with questions to ask of it. `Display` says what is wrong and where.
///
/// ```
/// let error = sectile::read_slice(b"\x7fELF\x02\x01\x01\0", Default::default()).unwrap_err();
/// assert!(error.is_not_wasm());
/// assert_eq!(error.to_string(), "not WebAssembly: it looks like an ELF binary (at offset 0x0)");
/// ```
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: Reason,
    offset: Option<u64>,
    path: Path,
}

/// What is wrong, without the place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error(transparent)]
    Framing(#[from] Fault),
    #[error("cannot be read")]
    Io(#[source] io::Error),
    #[error("the file shrank while it was read: {was} bytes when it was opened")]
    Shrank { was: u64 },
    #[error("the source changed while it was read: it had {was} bytes, and now it has {is}")]
    Resized { was: u64, is: u64 },
    #[error("the source gives more than it was asked for")]
    Unasked,
    #[error("{0}")]
    Unreadable(&'static str),
    /// As many bytes were declared, and there are more.
    #[cfg(feature = "gate")]
    #[error("the input is longer than the {0} bytes that were declared")]
    Longer(u64),
    /// As many bytes were declared, and there are fewer.
    #[cfg(feature = "gate")]
    #[error("the input ends before the {0} bytes that were declared")]
    Shorter(u64),
    #[cfg(feature = "gate")]
    #[error("what comes from here on is not known")]
    Unread,
    /// What another room says that could not even open the input.
    #[cfg(feature = "oci")]
    #[error(transparent)]
    Unopened(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    #[cold]
    pub(crate) fn new(reason: impl Into<Reason>, offset: u64, path: Path) -> Self {
        Self(Box::new(Inner { reason: reason.into(), offset: Some(offset), path }))
    }

    /// Bytes that could not be had; `offset` where they were wanted, if any were.
    #[cold]
    pub(crate) fn io(error: io::Error, offset: Option<u64>) -> Self {
        Self(Box::new(Inner { reason: Reason::Io(error), offset, path: Path::root() }))
    }

    /// An input that is refused before a byte is read.
    #[cold]
    pub(crate) fn unreadable(why: &'static str) -> Self {
        Self(Box::new(Inner { reason: Reason::Unreadable(why), offset: None, path: Path::root() }))
    }

    /// An input that could not even be opened, for what another room says.
    #[cfg(feature = "oci")]
    #[cold]
    pub(crate) fn unopened(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner { reason: Reason::Unopened(error.into()), offset: None, path: Path::root() }))
    }

    /// Where it is wrong, as an absolute byte offset into the input; `None` where no byte is to blame.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// What is wrong, without the place; with what brought it about, such as what the system said.
    pub fn message(&self) -> String {
        let mut message = self.0.reason.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        message
    }

    /// The item in which it is wrong.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whether the input is no WebAssembly module or component at all: empty, shorter than a preamble, some
    /// other format, or a version that is not known.
    pub fn is_not_wasm(&self) -> bool {
        self.fault().is_some_and(Fault::is_not_wasm)
    }

    /// Whether the input ended too early; what came before is sound.
    pub fn is_truncated(&self) -> bool {
        match self.0.reason {
            Reason::Framing(fault) => fault.is_truncated(),
            #[cfg(feature = "gate")]
            Reason::Shorter(_) => true,
            _ => false,
        }
    }

    /// Whether the bytes break a rule of the format, an early end included, or are not as many as was declared.
    pub fn is_malformed(&self) -> bool {
        match self.0.reason {
            Reason::Framing(fault) => !fault.is_limit(),
            #[cfg(feature = "gate")]
            Reason::Longer(_) | Reason::Shorter(_) => true,
            _ => false,
        }
    }

    /// Whether one of the [`Limits`](crate::Limits) was exceeded.
    pub fn is_limit(&self) -> bool {
        self.fault().is_some_and(Fault::is_limit)
    }

    /// Whether the bytes are more, or fewer, than was declared of them.
    #[cfg(feature = "gate")]
    pub fn is_length(&self) -> bool {
        matches!(self.0.reason, Reason::Longer(_) | Reason::Shorter(_))
    }

    /// Whether the bytes could not be had: a failed read, a file that shrank meanwhile, a source that
    /// contradicts itself, a directory.
    pub fn is_io(&self) -> bool {
        !self.is_malformed() && !self.is_limit()
    }

    fn fault(&self) -> Option<Fault> {
        match self.0.reason {
            Reason::Framing(fault) => Some(fault),
            _ => None,
        }
    }
}

/// A source that could not be had, before a byte of it was asked for.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::io(error, None)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.reason)?;
        match (self.0.offset, self.0.path.is_root()) {
            (Some(offset), true) => write!(f, " (at offset {offset:#x})"),
            (Some(offset), false) => write!(f, " (at offset {offset:#x}, in item {})", self.0.path),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.reason.source()
    }
}

/// What a reading gave, and the break that ended it, if one did: what lies behind a break is not known.
///
/// A partial outcome is no success; [`complete`](Self::complete) turns it into an error where nothing less
/// than the whole will do.
#[derive(Debug)]
#[must_use = "a reading may have broken off"]
pub struct Outcome<T> {
    /// What was read up to the break.
    pub value: T,
    /// Why the rest was not read; `None` where all of it was.
    pub broken: Option<Error>,
    /// What the reading cost.
    pub cost: Cost,
}

impl<T> Outcome<T> {
    /// The value if all was read, else the break.
    ///
    /// # Errors
    ///
    /// The break, where there was one.
    pub fn complete(self) -> Result<T, Error> {
        match self.broken {
            None => Ok(self.value),
            Some(error) => Err(error),
        }
    }

    /// Whether all was read.
    pub fn is_complete(&self) -> bool {
        self.broken.is_none()
    }

    /// The same break with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        Outcome { value: change(self.value), broken: self.broken, cost: self.cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn a_source_is_not_repeated_in_display() {
        let error = Error::io(io::Error::other("disk on fire"), Some(26));
        assert_eq!(error.to_string(), "cannot be read (at offset 0x1a)");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("disk on fire"));
    }
}
