//! Readers, writers, streams and bodies whose bytes are inspected as they pass through.

#[cfg(feature = "http")]
mod body;
#[cfg(feature = "stream")]
mod stream;

use std::convert::Infallible;
use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::PushDriver;
use crate::scan::Visitor;

/// Inspects the chunks that pass through an [`Inspected`], and may refuse them.
pub trait ChunkInspector {
    /// The reason for a refusal; [`Infallible`] for an inspector that never refuses.
    type Refusal;

    /// Inspects the next bytes.
    ///
    /// # Errors
    ///
    /// Refuses these bytes and all that follow.
    fn inspect(&mut self, chunk: &[u8]) -> Result<(), Self::Refusal>;

    /// Called at the end of the bytes.
    ///
    /// # Errors
    ///
    /// Refuses the end, for example because the input is incomplete.
    fn end(&mut self) -> Result<(), Self::Refusal> {
        Ok(())
    }
}

/// Never refuses: [`PushDriver::finish`] returns the error, if any.
impl<V: for<'w> Visitor<'w>> ChunkInspector for PushDriver<V> {
    type Refusal = Infallible;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), Infallible> {
        _ = self.push(chunk); // `finish` returns the error
        Ok(())
    }
}

impl<W: ChunkInspector + ?Sized> ChunkInspector for &mut W {
    type Refusal = W::Refusal;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), W::Refusal> {
        (**self).inspect(chunk)
    }

    fn end(&mut self) -> Result<(), W::Refusal> {
        (**self).end()
    }
}

/// For an inspector whose [`Inspected`] is moved elsewhere, such as the body of a request.
impl<W: ChunkInspector + ?Sized> ChunkInspector for Arc<Mutex<W>> {
    type Refusal = W::Refusal;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), W::Refusal> {
        self.lock().unwrap_or_else(PoisonError::into_inner).inspect(chunk)
    }

    fn end(&mut self) -> Result<(), W::Refusal> {
        self.lock().unwrap_or_else(PoisonError::into_inner).end()
    }
}

/// A reader, writer, stream or body whose bytes pass unchanged after a [`ChunkInspector`] has seen
/// them. The inspector is a [`PushDriver`], or the upload gate of `sectile-policy`, which may
/// refuse them.
///
/// Implements the traits of the inner value: [`io::Read`] and [`io::Write`]; with the feature
/// `stream`, `Stream`; with the feature `http`, `http_body::Body`.
///
/// ```
/// use sectile::drive::{PushDriver, Inspected};
/// use sectile::{Field, metadata::StreamReader};
///
/// let upload = &b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT"[..];
/// let mut inspected = Inspected::new(upload, PushDriver::new(StreamReader::new()));
/// let mut stored = Vec::new();
/// std::io::copy(&mut inspected, &mut stored)?;
/// assert_eq!(stored, upload);
///
/// let (_, push) = inspected.into_parts();
/// let metadata = push.finish().complete()?;
/// assert_eq!(metadata.root().text(Field::Licenses), Some("MIT"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inspected<T, W> {
    inner: T,
    inspector: W,
    state: InspectionState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InspectionState {
    Open,
    Ended,
    Refused,
}

impl<T, W> Inspected<T, W> {
    /// Inspects the bytes that pass through `inner`.
    pub fn new(inner: T, inspector: W) -> Self {
        Self { inner, inspector, state: InspectionState::Open }
    }

    /// The inspector.
    pub fn inspector(&self) -> &W {
        &self.inspector
    }

    /// Returns the inner value and the inspector.
    pub fn into_parts(self) -> (T, W) {
        (self.inner, self.inspector)
    }

    /// Whether the inspector has seen the end or has refused.
    fn is_finished(&self) -> bool {
        self.state != InspectionState::Open
    }

    /// Fails after a refusal.
    fn check(&self) -> io::Result<()> {
        if self.state == InspectionState::Refused { Err(refused("earlier bytes were refused")) } else { Ok(()) }
    }
}

impl<T, W: ChunkInspector> Inspected<T, W> {
    /// Passes a chunk, or the end if `None`, to the inspector.
    fn inspect(&mut self, chunk: Option<&[u8]>) -> Result<(), W::Refusal> {
        let result = match chunk {
            Some(chunk) => self.inspector.inspect(chunk),
            None => self.inspector.end(),
        };
        self.state = match (&result, chunk) {
            (Err(_), _) => InspectionState::Refused,
            (Ok(()), None) => InspectionState::Ended,
            (Ok(()), Some(_)) => InspectionState::Open,
        };
        result
    }
}

/// After a refusal, reads fail with [`InvalidData`](io::ErrorKind::InvalidData). The refused bytes
/// are not returned.
impl<R: Read, W: ChunkInspector<Refusal: Into<Box<dyn StdError + Send + Sync>>>> Read for Inspected<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let len = self.inner.read(buffer)?;
        if len > 0 {
            self.inspect(Some(&buffer[..len])).map_err(refused)?;
        } else if !buffer.is_empty() && !self.is_finished() {
            self.inspect(None).map_err(refused)?;
        }
        Ok(len)
    }
}

/// After a refusal, writes fail with [`InvalidData`](io::ErrorKind::InvalidData). Bytes are
/// inspected once the inner writer has accepted them, so the refused bytes are already written. A
/// writer has no end: [`ChunkInspector::end`] is not called.
impl<T: Write, W: ChunkInspector<Refusal: Into<Box<dyn StdError + Send + Sync>>>> Write for Inspected<T, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        let len = self.inner.write(bytes)?;
        self.inspect(Some(&bytes[..len])).map_err(refused)?;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn refused(refusal: impl Into<Box<dyn StdError + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, refusal)
}

/// The error that ended an [`Inspected`] stream or body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectedError<E, R> {
    /// The inner stream or body failed.
    #[error(transparent)]
    Source(E),
    /// The inspector refused the bytes.
    #[error(transparent)]
    Refused(R),
}
