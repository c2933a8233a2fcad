//! Bytes on their way to somebody else, shown to somebody as they pass.

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

/// Who is shown the chunks that pass through a [`Inspected`].
pub trait ChunkInspector {
    /// What it says where nothing more may pass; [`Infallible`] of one that only looks on.
    type Refusal;

    /// The next bytes.
    ///
    /// # Errors
    ///
    /// Neither they nor what follows may pass.
    fn inspect(&mut self, chunk: &[u8]) -> Result<(), Self::Refusal>;

    /// The bytes end here.
    ///
    /// # Errors
    ///
    /// They may not end here.
    fn end(&mut self) -> Result<(), Self::Refusal> {
        Ok(())
    }
}

/// Looks on, whatever passes: what was wrong, [`PushDriver::finish`] says.
impl<V: for<'w> Visitor<'w>> ChunkInspector for PushDriver<V> {
    type Refusal = Infallible;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), Infallible> {
        _ = self.push(chunk); // is said again at the end
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

/// For what passes through a tee that is given away, as the body of a request is.
impl<W: ChunkInspector + ?Sized> ChunkInspector for Arc<Mutex<W>> {
    type Refusal = W::Refusal;

    fn inspect(&mut self, chunk: &[u8]) -> Result<(), W::Refusal> {
        self.lock().unwrap_or_else(PoisonError::into_inner).inspect(chunk)
    }

    fn end(&mut self) -> Result<(), W::Refusal> {
        self.lock().unwrap_or_else(PoisonError::into_inner).end()
    }
}

/// Bytes that pass through to another reader, after a [`ChunkInspector`] has read them: a [`PushDriver`], or the gate (`gate::Gate`). They pass
/// untouched, as long as it lets them.
///
/// It is, of what it is made of: [`io::Read`], [`io::Write`]; with the feature `stream` a stream of `bytes::Bytes` (or
/// other bytes), and with the feature `http` an `http_body::Body`.
///
/// ```
/// use sectile::drive::{PushDriver, Inspected};
/// use sectile::{Field, metadata::StreamReader};
///
/// let upload = &b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT"[..];
/// let mut tee = Inspected::new(upload, PushDriver::new(StreamReader::new()));
/// let mut stored = Vec::new();
/// std::io::copy(&mut tee, &mut stored)?;
/// assert_eq!(stored, upload);
///
/// let (_, push) = tee.into_parts();
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
    /// Shows what passes through `inner` to a watch.
    pub fn new(inner: T, inspector: W) -> Self {
        Self { inner, inspector, state: InspectionState::Open }
    }

    /// Who is watching.
    pub fn inspector(&self) -> &W {
        &self.inspector
    }

    /// What the bytes pass through, and who was watching.
    pub fn into_parts(self) -> (T, W) {
        (self.inner, self.inspector)
    }

    /// Whether the watch was told of the end, or has refused.
    fn is_over(&self) -> bool {
        self.state != InspectionState::Open
    }

    /// Behind what was refused nothing passes.
    fn check(&self) -> io::Result<()> {
        if self.state == InspectionState::Refused { Err(refused("what came before it was refused")) } else { Ok(()) }
    }
}

impl<T, W: ChunkInspector> Inspected<T, W> {
    /// Shows bytes, or with `None` the end.
    fn show(&mut self, chunk: Option<&[u8]>) -> Result<(), W::Refusal> {
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

/// Where the watch refuses, reading fails ([`InvalidData`](io::ErrorKind::InvalidData)), and what was read last is not
/// given, nor anything behind it.
impl<R: Read, W: ChunkInspector<Refusal: Into<Box<dyn StdError + Send + Sync>>>> Read for Inspected<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let len = self.inner.read(buffer)?;
        if len > 0 {
            self.show(Some(&buffer[..len])).map_err(refused)?;
        } else if !buffer.is_empty() && !self.is_over() {
            self.show(None).map_err(refused)?;
        }
        Ok(len)
    }
}

/// Where the watch refuses, writing fails ([`InvalidData`](io::ErrorKind::InvalidData)). It is shown what was written, and
/// so what it refuses is written already; nothing is behind it. A writer does not say where it ends: nobody is told of the
/// end.
impl<T: Write, W: ChunkInspector<Refusal: Into<Box<dyn StdError + Send + Sync>>>> Write for Inspected<T, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        let len = self.inner.write(bytes)?;
        self.show(Some(&bytes[..len])).map_err(refused)?;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn refused(refusal: impl Into<Box<dyn StdError + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, refusal)
}

/// Why nothing more passes through a [`Inspected`] over a stream or a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectedError<E, R> {
    /// It broke off by itself.
    #[error(transparent)]
    Source(E),
    /// The watch refuses it.
    #[error(transparent)]
    Refused(R),
}
