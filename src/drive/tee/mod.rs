//! Bytes on their way to somebody else, shown to somebody as they pass.

#[cfg(feature = "http")]
mod body;
#[cfg(feature = "stream")]
mod stream;

use std::convert::Infallible;
use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::Push;
use crate::scan::Visitor;

/// Who is shown the chunks that pass through a [`Tee`].
pub trait Watch {
    /// What it says where nothing more may pass; [`Infallible`] of one that only looks on.
    type Refusal;

    /// The next bytes.
    ///
    /// # Errors
    ///
    /// Neither they nor what follows may pass.
    fn watch(&mut self, chunk: &[u8]) -> Result<(), Self::Refusal>;

    /// The bytes end here.
    ///
    /// # Errors
    ///
    /// They may not end here.
    fn end(&mut self) -> Result<(), Self::Refusal> {
        Ok(())
    }
}

/// Looks on, whatever passes: what was wrong, [`Push::finish`] says.
impl<V: for<'w> Visitor<'w>> Watch for Push<V> {
    type Refusal = Infallible;

    fn watch(&mut self, chunk: &[u8]) -> Result<(), Infallible> {
        _ = self.push(chunk); // is said again at the end
        Ok(())
    }
}

impl<W: Watch + ?Sized> Watch for &mut W {
    type Refusal = W::Refusal;

    fn watch(&mut self, chunk: &[u8]) -> Result<(), W::Refusal> {
        (**self).watch(chunk)
    }

    fn end(&mut self) -> Result<(), W::Refusal> {
        (**self).end()
    }
}

/// For what passes through a tee that is given away, as the body of a request is.
impl<W: Watch + ?Sized> Watch for Arc<Mutex<W>> {
    type Refusal = W::Refusal;

    fn watch(&mut self, chunk: &[u8]) -> Result<(), W::Refusal> {
        self.lock().unwrap_or_else(PoisonError::into_inner).watch(chunk)
    }

    fn end(&mut self) -> Result<(), W::Refusal> {
        self.lock().unwrap_or_else(PoisonError::into_inner).end()
    }
}

/// Bytes on their way to somebody else, which a [`Watch`] is shown: a [`Push`], or the gate (`gate::Gate`). They pass
/// untouched, as long as it lets them.
///
/// It is, of what it is made of: [`io::Read`], [`io::Write`]; with the feature `stream` a stream of `bytes::Bytes` (or
/// other bytes), and with the feature `http` an `http_body::Body`.
///
/// ```
/// use sectile::drive::{Push, Tee};
/// use sectile::{Limits, metadata::{Field, Reader}};
///
/// let upload = &b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT"[..];
/// let mut tee = Tee::new(upload, Push::new(Reader::copying(Limits::default()), Limits::default()));
/// let mut stored = Vec::new();
/// std::io::copy(&mut tee, &mut stored)?;
/// assert_eq!(stored, upload);
///
/// let (_, push) = tee.into_parts();
/// let (reader, result) = push.finish();
/// result?;
/// let metadata = reader.finish().expect("the preamble was read");
/// assert_eq!(metadata.root().annotation(Field::Licenses).and_then(|value| value.as_str()), Some("MIT"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tee<T, W> {
    inner: T,
    watch: W,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Refused,
}

impl<T, W> Tee<T, W> {
    /// Shows what passes through `inner` to a watch.
    pub fn new(inner: T, watch: W) -> Self {
        Self { inner, watch, state: State::Open }
    }

    /// Who is watching.
    pub fn watch(&self) -> &W {
        &self.watch
    }

    /// What the bytes pass through, and who was watching.
    pub fn into_parts(self) -> (T, W) {
        (self.inner, self.watch)
    }

    /// Whether the watch was told of the end, or has refused.
    fn is_over(&self) -> bool {
        self.state != State::Open
    }

    /// Behind what was refused nothing passes.
    fn check(&self) -> io::Result<()> {
        if self.state == State::Refused { Err(refused("what came before it was refused")) } else { Ok(()) }
    }
}

impl<T, W: Watch> Tee<T, W> {
    /// Shows bytes, or with `None` the end.
    fn show(&mut self, chunk: Option<&[u8]>) -> Result<(), W::Refusal> {
        let result = match chunk {
            Some(chunk) => self.watch.watch(chunk),
            None => self.watch.end(),
        };
        self.state = match (&result, chunk) {
            (Err(_), _) => State::Refused,
            (Ok(()), None) => State::Ended,
            (Ok(()), Some(_)) => State::Open,
        };
        result
    }
}

/// Where the watch refuses, reading fails ([`InvalidData`](io::ErrorKind::InvalidData)), and what was read last is not
/// given, nor anything behind it.
impl<R: Read, W: Watch<Refusal: Into<Box<dyn StdError + Send + Sync>>>> Read for Tee<R, W> {
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
impl<T: Write, W: Watch<Refusal: Into<Box<dyn StdError + Send + Sync>>>> Write for Tee<T, W> {
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

/// Why nothing more passes through a [`Tee`] over a stream or a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TeeError<E, R> {
    /// It broke off by itself.
    #[error(transparent)]
    Source(E),
    /// The watch refuses it.
    #[error(transparent)]
    Refused(R),
}
