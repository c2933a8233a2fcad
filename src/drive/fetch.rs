//! The asynchronous driver over byte ranges, for remote sources where every request has a cost.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::buffer::Buffer;
use super::window_sizer::WindowSizer;
use crate::error::{Error, Reason};
use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{Fault, ItemPath, Scanner, Visitor, Window};

/// A source of byte ranges, such as an object in a bucket or a blob in a registry.
///
/// Any asynchronous runtime can run it. The library only polls and spawns no tasks.
pub trait Fetch: Send {
    /// Fetches the bytes of an absolute range, which is never empty. The answer may have fewer
    /// bytes. It must have none if the range starts at or after the end of the input, and at least
    /// one otherwise. More bytes than requested are an error.
    ///
    /// # Errors
    ///
    /// The bytes cannot be fetched. The error ends the scan: retries are up to the source.
    fn fetch(&mut self, range: Range<u64>) -> impl Future<Output = io::Result<Fetched>> + Send;
}

impl<F: Fetch> Fetch for &mut F {
    fn fetch(&mut self, range: Range<u64>) -> impl Future<Output = io::Result<Fetched>> + Send {
        (**self).fetch(range)
    }
}

/// The answer of a [`Fetch`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    pub(super) bytes: Bytes,
    pub(super) len: Option<u64>,
}

impl Fetched {
    /// Creates an answer of the bytes from the start of the requested range, and the length of the
    /// input in bytes if the source reports it. The length must be the same in every answer.
    pub fn new(bytes: impl Into<Bytes>, len: Option<u64>) -> Self {
        Self { bytes: bytes.into(), len }
    }

    /// The bytes from the start of the requested range.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Length of the input in bytes, if the source reported it.
    pub fn input_len(&self) -> Option<u64> {
        self.len
    }
}

/// Cost and budget of the requests for one input. The cost decides how many bytes each request is
/// for.
///
/// ```
/// use std::time::Duration;
/// use sectile::drive::FetchOptions;
///
/// let far = FetchOptions { latency: Duration::from_millis(150), ..Default::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// Transfer rate in bytes per second; 5 MiB by default.
    pub bytes_per_second: u64,
    /// Latency of a request, without the transfer of its bytes; 50 milliseconds by default. At the
    /// default rate, a request costs as much as 256 KiB. The first request is then for 64 KiB, and
    /// requests grow up to 1 MiB while section headers are close together.
    pub latency: Duration,
    /// Most bytes to fetch from one input; 64 MiB by default.
    pub max_bytes: u64,
    /// Most requests for one input; 1,000 by default.
    pub max_requests: u64,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self { bytes_per_second: 5 << 20, latency: Duration::from_millis(50), max_bytes: 64 << 20, max_requests: 1_000 }
    }
}

impl FetchOptions {
    /// Sets latency and rate so that one more request costs as much as the transfer of this many
    /// bytes. Only this product of both decides how many bytes a request is for.
    #[must_use]
    pub fn with_request_cost(self, bytes: u64) -> Self {
        Self { bytes_per_second: bytes, latency: Duration::from_secs(1), ..self }
    }

    /// Cost of one more request: the number of bytes that are transferred during its latency.
    pub fn request_cost(&self) -> u64 {
        let bytes = u128::from(self.bytes_per_second).saturating_mul(self.latency.as_micros()) / 1_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// Scans a source of byte ranges. It requests a window at the start, then one at each header that
/// no earlier window holds. The cost of a request decides the size of the windows. The first answer
/// that reports the input's length fixes it; if none does, an empty answer starts a search for the
/// end.
///
/// ```
/// # use std::{io, ops::Range};
/// use bytes::Bytes;
/// use sectile::drive::{Fetch, Fetched, FetchOptions};
/// use sectile::metadata::StreamReader;
///
/// struct Memory(Bytes);
///
/// impl Fetch for Memory {
///     async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
///         let len = self.0.len();
///         let (start, end) = ((range.start as usize).min(len), (range.end as usize).min(len));
///         Ok(Fetched::new(self.0.slice(start..end), Some(len as u64)))
///     }
/// }
///
/// # async fn example() -> Result<(), sectile::Error> {
/// let mut memory = Memory(Bytes::from_static(b"\0asm\x01\0\0\0"));
/// let outcome = sectile::drive::collect_fetch(&mut memory, StreamReader::new(), FetchOptions::default()).await;
/// assert_eq!((outcome.cost().bytes, outcome.cost().reads), (8, 1));
/// assert_eq!(outcome.complete()?.items().len(), 1);
/// # Ok(())
/// # }
/// # let mut example = std::pin::pin!(example());
/// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// # assert!(matches!(example.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(()))));
/// ```
///
/// # Errors
///
/// As for [`scan_slice`](super::scan_slice()). Also: the source fails, contradicts an earlier
/// answer, or returns more than requested; a budget of the options is exhausted
/// ([`Error::is_limit`]).
pub async fn scan_fetch<F: Fetch, V: for<'w> Visitor<'w>>(
    source: &mut F,
    visitor: &mut V,
    options: FetchOptions,
    limits: Limits,
) -> Outcome<()> {
    let mut source = BudgetedSource { source, options, len: None, min_len: 0, cost: Cost::default() };
    let result = scan(&mut source, visitor, limits).await;
    Outcome::new(Some(()), result, source.cost)
}

async fn scan<F: Fetch, V: for<'w> Visitor<'w>>(
    source: &mut BudgetedSource<'_, F>,
    visitor: &mut V,
    limits: Limits,
) -> Result<(), Error> {
    let mut scanner = Scanner::new(limits);
    let mut sizer = WindowSizer::new(source.options.request_cost());
    let mut buffer = Buffer::default();
    let mut needed = 0..1;
    let len = loop {
        while source.len.is_none_or(|len| needed.end <= len) {
            let read = sizer.next(&needed, source.len.unwrap_or(u64::MAX));
            buffer.advance(read.start);
            let filled = source.fill(&mut buffer, read.end, needed.end).await;
            sizer.end_at(buffer.end());
            // Bytes that arrived before a failed request are scanned first.
            needed = scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
            filled?;
        }
        let len = source.len.unwrap_or(source.min_len);
        match scanner.truncate(len, visitor) {
            Some(range) => needed = range,
            None => break len,
        }
    };
    if needed.start < len && scanner.may_fail_early() {
        buffer.advance(needed.start);
        let filled = source.fill(&mut buffer, len, len).await;
        scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
        filled?;
    }
    Ok(scanner.finish(len, visitor)?)
}

/// A source with a budget, and the facts known from its answers.
struct BudgetedSource<'s, F> {
    source: &'s mut F,
    options: FetchOptions,
    /// Length of the input, once it is known.
    len: Option<u64>,
    /// Lower bound of the length: the end of the bytes received.
    min_len: u64,
    cost: Cost,
}

impl<F: Fetch> BudgetedSource<'_, F> {
    /// Fills the buffer up to the absolute offset `needed`, or to the end of the input. Requests go
    /// up to `end`, but only as many are made as `needed` takes.
    async fn fill(&mut self, buffer: &mut Buffer, end: u64, needed: u64) -> Result<(), Error> {
        while buffer.end() < needed {
            let start = buffer.end();
            let bytes = self.request(start..end.max(needed), needed).await?;
            if bytes.is_empty() {
                return self.find_end(start).await;
            }
            buffer.spare(start + bytes.len() as u64).copy_from_slice(&bytes);
            buffer.add_filled(bytes.len());
            if self.len.is_some_and(|len| len < needed) {
                return Ok(()); // the input ends before `needed`
            }
        }
        Ok(())
    }

    /// Makes one request within the budget and checks the answer. The budget may shorten the range
    /// down to `needed`.
    async fn request(&mut self, mut range: Range<u64>, needed: u64) -> Result<Bytes, Error> {
        let start = range.start;
        let fail = |reason: Reason| Error::new(reason, start, ItemPath::root());
        let FetchOptions { max_bytes, max_requests, .. } = self.options;
        if self.cost.reads >= max_requests {
            return Err(fail(Fault::Limit { what: "requests for one input", max: max_requests }.into()));
        }
        let left = max_bytes - self.cost.bytes;
        if needed - start > left {
            return Err(fail(Fault::Limit { what: "bytes fetched of one input", max: max_bytes }.into()));
        }
        range.end = range.end.min(start.saturating_add(left));

        self.cost.reads += 1;
        let fetched = self.source.fetch(range.clone()).await.map_err(|error| Error::io(error, Some(start)))?;
        let Fetched { bytes, len } = fetched;
        let end = start.saturating_add(bytes.len() as u64);
        self.cost.bytes += (bytes.len() as u64).min(range.end - start);
        if end > range.end {
            return Err(fail(Reason::MoreThanRequested));
        }
        match (self.len, len) {
            (Some(was), Some(is)) if was != is => return Err(fail(Reason::Resized { was, is })),
            (None, Some(len)) if len < self.min_len => {
                return Err(fail(Reason::Resized { was: self.min_len, is: len }));
            }
            (known, reported) => self.len = known.or(reported),
        }
        match self.len {
            Some(len) if !bytes.is_empty() && end > len => Err(fail(Reason::Resized { was: len, is: end })),
            Some(len) if bytes.is_empty() && start < len => Err(fail(Reason::Shrank { was: len })),
            _ => {
                if !bytes.is_empty() {
                    self.min_len = self.min_len.max(end);
                }
                Ok(bytes)
            }
        }
    }

    /// Finds the end of the input by bisection. It is at `at_most` or before: usually there, after
    /// a skipped payload.
    async fn find_end(&mut self, mut at_most: u64) -> Result<(), Error> {
        let mut at = at_most.saturating_sub(1);
        while self.len.is_none() && self.min_len < at_most {
            if self.request(at..at + 1, at + 1).await?.is_empty() {
                at_most = at;
            }
            at = self.min_len + (at_most.max(self.min_len) - self.min_len) / 2;
        }
        self.len.get_or_insert(self.min_len);
        Ok(())
    }
}
