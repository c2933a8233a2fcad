//! The error of reading.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::iter;

use crate::metadata::Metadata;
use crate::scan::error::fmt_located;
use crate::scan::{Fault, ItemPath, ScanError};

/// The error of reading an input: malformed framing, an exceeded limit, or bytes that cannot be
/// read.
///
/// One pointer in size; methods classify it. `Display` shows the fault, its offset and its item.
///
/// ```
/// let error = sectile::read_slice(b"\x7fELF\x02\x01\x01\0").unwrap_err();
/// assert!(error.is_not_wasm());
/// assert_eq!(error.to_string(), "not WebAssembly: it looks like an ELF binary (at offset 0x0)");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    reason: Reason,
    offset: Option<u64>,
    path: ItemPath,
    /// The part that was read before the error.
    partial: Option<Box<Metadata<'static>>>,
}

/// The fault, without its offset and item.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error(transparent)]
    Framing(#[from] Fault),
    #[error("cannot be read")]
    Io(#[source] io::Error),
    #[error("the file shrank while it was read: {was} bytes when it was opened")]
    Shrank { was: u64 },
    #[error("the source changed while it was read: from {was} to {is} bytes")]
    Resized { was: u64, is: u64 },
    #[error("the source returned more bytes than requested")]
    MoreThanRequested,
    #[error("{0}")]
    Unreadable(&'static str),
    /// The declared length in bytes.
    #[error("the input is longer than the {0} bytes that were declared")]
    Longer(u64),
    /// The declared length in bytes.
    #[error("the input ends before the {0} bytes that were declared")]
    Shorter(u64),
    #[error("the rest of the input was not read")]
    Unread,
    /// An error of an operation around reading, such as opening, editing or writing.
    #[error(transparent)]
    Other(Box<dyn StdError + Send + Sync>),
}

impl Error {
    #[cold]
    pub(crate) fn new(reason: impl Into<Reason>, offset: u64, path: ItemPath) -> Self {
        Self::from_parts(reason.into(), Some(offset), path)
    }

    /// Bytes that cannot be read; `offset` where they were requested, if at all.
    #[cold]
    pub(crate) fn io(error: io::Error, offset: Option<u64>) -> Self {
        Self::from_parts(Reason::Io(error), offset, ItemPath::root())
    }

    /// An input that is rejected before any byte is read.
    #[cold]
    pub(crate) fn unreadable(why: &'static str) -> Self {
        Self::from_parts(Reason::Unreadable(why), None, ItemPath::root())
    }

    /// An error of an operation around reading.
    #[cold]
    pub(crate) fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::from_parts(Reason::Other(error.into()), None, ItemPath::root())
    }

    fn from_parts(reason: Reason, offset: Option<u64>, path: ItemPath) -> Self {
        Self(Box::new(Inner { reason, offset, path, partial: None }))
    }

    pub(crate) fn with_partial(mut self, metadata: Metadata<'static>) -> Self {
        self.0.partial = Some(Box::new(metadata));
        self
    }

    /// The metadata that was read before the error. Only functions that return [`Metadata`], such
    /// as [`read`](crate::read()), set it. Always `Some` if they fail because the input is
    /// truncated after the root's preamble.
    pub fn partial(&self) -> Option<&Metadata<'static>> {
        self.0.partial.as_deref()
    }

    /// Returns the metadata that was read before the error. See [`partial`](Self::partial).
    ///
    /// ```
    /// use sectile::Field;
    ///
    /// let truncated = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT\x0a\x7f";
    /// let error = sectile::read_slice(truncated).unwrap_err();
    /// assert!(error.is_truncated());
    /// let metadata = error.into_partial().expect("the preamble was read");
    /// assert_eq!(metadata.root().text(Field::Licenses), Some("MIT"));
    /// ```
    pub fn into_partial(self) -> Option<Metadata<'static>> {
        self.0.partial.map(|metadata| *metadata)
    }

    /// Absolute byte offset of the fault; `None` if it is not at an offset.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// Returns the message without offset and item, followed by the messages of the sources, such
    /// as the system's error.
    pub fn message(&self) -> String {
        let mut message = self.0.reason.to_string();
        let mut source = StdError::source(self);
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        message
    }

    /// Path of the item that contains the fault.
    pub fn path(&self) -> &ItemPath {
        &self.0.path
    }

    /// Whether the input is not WebAssembly: it is empty, shorter than a preamble, of another
    /// format, or of an unknown version.
    pub fn is_not_wasm(&self) -> bool {
        self.fault().is_some_and(Fault::is_not_wasm)
    }

    /// Whether the input is truncated. Everything before the cut is valid.
    pub fn is_truncated(&self) -> bool {
        match self.0.reason {
            Reason::Framing(fault) => fault.is_truncated(),
            Reason::Shorter(_) => true,
            _ => false,
        }
    }

    /// Whether the bytes violate the format, are truncated, or do not have the declared length.
    pub fn is_malformed(&self) -> bool {
        match self.0.reason {
            Reason::Framing(fault) => !fault.is_limit(),
            Reason::Longer(_) | Reason::Shorter(_) => true,
            _ => false,
        }
    }

    /// Whether one of the [`Limits`](crate::Limits) was exceeded.
    pub fn is_limit(&self) -> bool {
        self.fault().is_some_and(Fault::is_limit)
    }

    /// Whether the input is longer or shorter than the declared length.
    pub fn is_length(&self) -> bool {
        matches!(self.0.reason, Reason::Longer(_) | Reason::Shorter(_))
    }

    /// Whether the bytes cannot be read: a read failed, the file shrank or the source changed
    /// during the read, or the path is not a regular file.
    pub fn is_io(&self) -> bool {
        !self.is_malformed() && !self.is_limit() && !matches!(self.0.reason, Reason::Other(_))
    }

    /// The system's error behind this one, with its kind and its `errno`: of a read, or of opening or
    /// writing a file. `None` if the system reported none.
    ///
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// let error = sectile::read("no-such-file.wasm").unwrap_err();
    /// assert_eq!(error.io_error().map(std::io::Error::kind), Some(ErrorKind::NotFound));
    /// ```
    pub fn io_error(&self) -> Option<&io::Error> {
        if let Some(error) = self.downcast_ref() {
            return Some(error);
        }
        iter::successors(StdError::source(self), |error| (*error).source()).find_map(|error| error.downcast_ref())
    }

    /// The error of another operation as an `E`, such as a
    /// [`WriteError`](crate::splice::WriteError) of [`Edit::apply`](crate::edit::Edit::apply).
    /// `None` for errors of reading, or if the type differs.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match &self.0.reason {
            Reason::Other(error) => error.downcast_ref(),
            _ => None,
        }
    }

    fn fault(&self) -> Option<Fault> {
        match self.0.reason {
            Reason::Framing(fault) => Some(fault),
            _ => None,
        }
    }
}

/// An error before any byte was requested, such as of opening a file.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::io(error, None)
    }
}

impl From<ScanError> for Error {
    fn from(error: ScanError) -> Self {
        let (fault, offset, path) = error.into_parts();
        Self::new(fault, offset, path)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_located(f, &self.0.reason, self.0.offset, &self.0.path)
    }
}

/// As `Display`, followed by the sources, so that a `main` that returns the error prints a readable
/// line.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut source = StdError::source(self);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.reason.source()
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

    #[test]
    fn the_system_error_of_every_operation_is_found() {
        use crate::splice::WriteError;

        let system = || io::Error::from_raw_os_error(13);
        for error in [
            Error::io(system(), Some(26)),
            Error::other(system()),
            WriteError::Open(system()).into(),
            WriteError::Unsound(Box::new(Error::io(system(), None))).into(),
        ] {
            assert_eq!(error.io_error().and_then(io::Error::raw_os_error), Some(13), "{error:?}");
        }
        for error in [Error::unreadable("a directory"), WriteError::Locked.into()] {
            assert!(error.io_error().is_none(), "{error:?}");
        }
    }
}
