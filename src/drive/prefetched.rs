//! A source whose first bytes are already fetched.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::{Fetch, Fetched};

/// A source whose first bytes are already fetched, for example to detect its format or length.
/// Ranges within them are not fetched again.
///
/// With a head of [`PrefetchedHead::DEFAULT_LEN`] bytes and the default
/// [`FetchOptions`](super::FetchOptions), a scan needs no more requests than without the prefetch.
#[derive(Clone, Debug)]
pub struct PrefetchedHead<F> {
    head: Fetched,
    source: F,
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
        Ok(Self { head, source })
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
        let end = range.end.min(self.head.len.unwrap_or(u64::MAX));
        if range.start <= end && end <= self.head.bytes.len() as u64 {
            let part = self.head.bytes.slice(range.start as usize..end as usize);
            return Ok(Fetched::new(part, self.head.len));
        }
        self.source.fetch(range).await
    }
}
