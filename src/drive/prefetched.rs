//! A source whose first bytes, and maybe its last bytes, are already fetched.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::{Fetch, Fetched};

/// A source whose first bytes are already fetched, for example to detect its format or length.
/// Bytes that are already fetched are not fetched again: a range that begins with some of them is
/// answered by those alone.
///
/// With a head of [`PrefetchedHead::DEFAULT_LEN`] bytes and the default
/// [`FetchOptions`](super::FetchOptions), a scan needs no more requests than without the prefetch.
#[derive(Clone, Debug)]
pub struct PrefetchedHead<F> {
    head: Fetched,
    tail: Option<Tail>,
    bytes_fetched: u64,
    source: F,
}

/// The last bytes.
#[derive(Clone, Debug)]
struct Tail {
    /// Absolute offset of the first byte.
    start: u64,
    bytes: Bytes,
}

impl<F: Fetch> PrefetchedHead<F> {
    /// Length of the head in bytes: the first request of
    /// [`scan_fetch()`](super::scan_fetch()) with default options.
    pub const DEFAULT_LEN: u64 = 64 << 10;

    /// Fetches up to `bytes` bytes, at least one, with one request.
    ///
    /// # Errors
    ///
    /// The error of the source.
    pub async fn prefetch(mut source: F, bytes: u64) -> io::Result<Self> {
        let head = source.fetch(0..bytes.max(1)).await?;
        let bytes_fetched = head.bytes.len() as u64;
        Ok(Self { head, tail: None, bytes_fetched, source })
    }

    /// Extends the head to `bytes` bytes, or to the end of the input if it is shorter. Makes no
    /// request if the head has these bytes.
    ///
    /// # Errors
    ///
    /// The error of the source, or [`UnexpectedEof`](io::ErrorKind::UnexpectedEof).
    pub async fn extend_head(&mut self, bytes: u64) -> io::Result<()> {
        let end = bytes.min(self.len().unwrap_or(bytes));
        let start = self.head.bytes.len() as u64;
        if start < end {
            let head = self.head.bytes.to_vec();
            self.head.bytes = self.fetch_all(head, start..end).await?;
        }
        Ok(())
    }

    /// Fetches the range that ends the input, without the bytes that the head has. Returns all of
    /// the range.
    ///
    /// # Errors
    ///
    /// The error of the source, or [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the input ends
    /// before the range.
    pub async fn prefetch_tail(&mut self, range: Range<u64>) -> io::Result<&Bytes> {
        let head = &self.head.bytes;
        let known = head.slice(range.start.min(head.len() as u64) as usize..);
        let start = range.start + known.len() as u64;
        let bytes = if start < range.end { self.fetch_all(known.to_vec(), start..range.end).await? } else { known };
        Ok(&self.tail.insert(Tail { start: range.start, bytes }).bytes)
    }

    /// Fetches all of a range, and returns it after the known bytes.
    async fn fetch_all(&mut self, mut known: Vec<u8>, mut range: Range<u64>) -> io::Result<Bytes> {
        while range.start < range.end {
            let fetched = self.source.fetch(range.clone()).await?;
            if fetched.bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            range.start += fetched.bytes.len() as u64;
            self.bytes_fetched += fetched.bytes.len() as u64;
            known.extend_from_slice(&fetched.bytes);
        }
        Ok(known.into())
    }
}

impl<F> PrefetchedHead<F> {
    /// The bytes that the first request returned.
    pub fn head(&self) -> &Bytes {
        &self.head.bytes
    }

    /// Length of the input in bytes, if the first answer reported it.
    pub fn len(&self) -> Option<u64> {
        self.head.len
    }

    /// Whether the input is known to be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Number of bytes that were fetched from the source. The caller's own requests are not
    /// counted.
    pub fn bytes_fetched(&self) -> u64 {
        self.bytes_fetched
    }

    /// The source.
    pub fn source(&self) -> &F {
        &self.source
    }

    /// The source, for requests past the head.
    pub fn source_mut(&mut self) -> &mut F {
        &mut self.source
    }
}

impl<F: Fetch> Fetch for PrefetchedHead<F> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        let len = self.head.len.unwrap_or(u64::MAX);
        let range = range.start..range.end.min(len);
        if range.start < self.head.bytes.len() as u64 || range.start >= len {
            return Ok(Fetched::new(part(&self.head.bytes, 0, range), self.head.len));
        }
        let range = match &self.tail {
            Some(Tail { start, bytes }) if range.start >= *start => {
                return Ok(Fetched::new(part(bytes, *start, range), self.head.len));
            }
            Some(Tail { start, .. }) => range.start..range.end.min(*start),
            None => range,
        };
        let fetched = self.source.fetch(range).await?;
        self.bytes_fetched += fetched.bytes.len() as u64;
        Ok(fetched)
    }
}

/// The part of a range that is in these bytes, which begin at `start`.
fn part(bytes: &Bytes, start: u64, range: Range<u64>) -> Bytes {
    let at = |offset: u64| offset.saturating_sub(start).min(bytes.len() as u64) as usize;
    bytes.slice(at(range.start)..at(range.end.max(range.start)))
}
