//! A source whose first bytes were fetched already.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::{Fetch, Fetched};

/// A source whose first bytes were fetched to learn what it is, or how long: a range that lies in them is not asked for
/// again.
///
/// Where as many were fetched as [`scan_fetch()`](super::scan_fetch()) asks for first, [`FetchOptions`](super::FetchOptions) being the
/// default, so [`PrefetchedHead::FIRST`], a reading costs no request more than without.
#[derive(Clone, Debug)]
pub struct PrefetchedHead<F> {
    head: Fetched,
    source: F,
}

impl<F: Fetch> PrefetchedHead<F> {
    /// Bytes that the driver asks for first, by default.
    pub const FIRST: u64 = 64 << 10;

    /// Fetches so many bytes (and one at the least), or all that there are, in one request, which may give fewer.
    ///
    /// # Errors
    ///
    /// What the source says.
    pub async fn begin(mut source: F, bytes: u64) -> io::Result<Self> {
        let head = source.fetch(0..bytes.max(1)).await?;
        Ok(Self { head, source })
    }
}

impl<F> PrefetchedHead<F> {
    /// The first bytes: as many as the first request gave.
    pub fn head(&self) -> &Bytes {
        &self.head.bytes
    }

    /// How many bytes there are in all, if the first answer said it.
    pub fn len(&self) -> Option<u64> {
        self.head.len
    }

    /// Whether it is known that there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The source.
    pub fn source(&self) -> &F {
        &self.source
    }

    /// The source, to be asked past the head.
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
