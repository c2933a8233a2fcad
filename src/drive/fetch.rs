//! The driver over "give me bytes a..b", asynchronous: for what lies far away, and is paid for by the request.

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

/// Something that gives ranges of bytes when it is asked: an object in a bucket, a blob in a registry.
///
/// It may run on any runtime, or on none: the library polls, and spawns nothing.
pub trait Fetch: Send {
    /// Fetches the bytes of this range, by absolute offsets; it is never empty. Fewer may be given, none only where
    /// the range begins at the end of the input or behind it; more are an error.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes from being had. It is final: to try again is up to the source.
    fn fetch(&mut self, range: Range<u64>) -> impl Future<Output = io::Result<Fetched>> + Send;
}

impl<F: Fetch> Fetch for &mut F {
    fn fetch(&mut self, range: Range<u64>) -> impl Future<Output = io::Result<Fetched>> + Send {
        (**self).fetch(range)
    }
}

/// What a [`Fetch`] gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    pub(super) bytes: Bytes,
    pub(super) len: Option<u64>,
}

impl Fetched {
    /// The bytes from the beginning of the requested range, and the length of the input in bytes, if the source told it. The
    /// length must be the same in every answer.
    pub fn new(bytes: impl Into<Bytes>, len: Option<u64>) -> Self {
        Self { bytes: bytes.into(), len }
    }

    /// The bytes from the beginning of the requested range.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Length of the input in bytes, if the source told it.
    pub fn input_len(&self) -> Option<u64> {
        self.len
    }
}

/// What requests cost, from which follows how much to ask for at once; and how much may be asked for.
///
/// ```
/// use std::time::Duration;
/// use sectile::drive::FetchOptions;
///
/// let far = FetchOptions { request: Duration::from_millis(150), ..Default::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// Bytes that arrive in a second once they arrive; 5 MiB by default.
    pub bytes_per_second: u64,
    /// So long a request takes beside its bytes; 50 milliseconds by default. With the bytes of the default, a request
    /// costs as much as 256 KiB: 64 KiB are asked for where nothing is known of what follows, and up to 1 MiB where
    /// headers follow one another closely.
    pub request: Duration,
    /// Bytes that are asked for of one input at the most; 64 MiB by default.
    pub max_bytes: u64,
    /// Requests that are made for one input at the most; 1,000 by default.
    pub max_requests: u64,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self { bytes_per_second: 5 << 20, request: Duration::from_millis(50), max_bytes: 64 << 20, max_requests: 1_000 }
    }
}

impl FetchOptions {
    /// The bytes that arrive in the time of a request: what its [`WindowSizer`] goes by.
    fn price(&self) -> u64 {
        let price = u128::from(self.bytes_per_second).saturating_mul(self.request.as_micros()) / 1_000_000;
        u64::try_from(price).unwrap_or(u64::MAX)
    }
}

/// Scans what a source gives when it is asked for ranges: a window at the beginning, then one at each header that lies in
/// none of the windows before. How large they are follows from what a request costs. The input's length is learnt from
/// the first answer that says it; where none does, its end is looked for when it is met.
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
/// As for [`slice`](super::scan_slice()); what the source says when it fails; an answer that contradicts one before, or what
/// was asked; a budget of the options that is used up, which is an exceeded limit.
pub async fn scan_fetch<F: Fetch, V: for<'w> Visitor<'w>>(
    source: &mut F,
    visitor: &mut V,
    options: FetchOptions,
    limits: Limits,
) -> Outcome<()> {
    let mut asking = Asking { source, options, len: None, reaches: 0, cost: Cost::default() };
    let result = scan(&mut asking, visitor, limits).await;
    Outcome::new(Some(()), result, asking.cost)
}

async fn scan<F: Fetch, V: for<'w> Visitor<'w>>(
    asking: &mut Asking<'_, F>,
    visitor: &mut V,
    limits: Limits,
) -> Result<(), Error> {
    let mut scanner = Scanner::new(limits);
    let mut pace = WindowSizer::new(asking.options.price());
    let mut buffer = Buffer::default();
    let mut needed = 0..1;
    while asking.len.is_none_or(|len| needed.end <= len) {
        let read = pace.next(&needed, asking.len.unwrap_or(u64::MAX));
        buffer.advance(read.start);
        let filled = asking.fill(&mut buffer, read.end, needed.end).await;
        // What came before a request failed is not lost.
        needed = scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
        filled?;
    }
    let len = asking.len.unwrap_or(asking.reaches);
    if needed.start < len && scanner.may_fail_early() {
        buffer.advance(needed.start);
        let filled = asking.fill(&mut buffer, len, len).await;
        scanner.feed(Window::new(buffer.bytes(), buffer.start()), visitor)?;
        filled?;
    }
    Ok(scanner.finish(len, visitor)?)
}

/// A source, and what was asked of it.
struct Asking<'s, F> {
    source: &'s mut F,
    options: FetchOptions,
    /// The input's length, as soon as it is known.
    len: Option<u64>,
    /// So long the input is at least.
    reaches: u64,
    cost: Cost,
}

impl<F: Fetch> Asking<'_, F> {
    /// Fills the buffer up to `needed` at least, or to the end of the input; up to `end` where one answer does it.
    async fn fill(&mut self, buffer: &mut Buffer, end: u64, needed: u64) -> Result<(), Error> {
        while buffer.end() < needed {
            let start = buffer.end();
            let bytes = self.ask(start..end.max(needed), needed).await?;
            if bytes.is_empty() {
                return self.find_end(start).await;
            }
            buffer.spare(start + bytes.len() as u64).copy_from_slice(&bytes);
            buffer.filled(bytes.len());
            if self.len.is_some_and(|len| len < needed) {
                return Ok(()); // the end is known, and lies before
            }
        }
        Ok(())
    }

    /// One request, within the budget, and its answer, if it can be one. It is for no less than what is needed.
    async fn ask(&mut self, mut range: Range<u64>, needed: u64) -> Result<Bytes, Error> {
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
            return Err(fail(Reason::Unasked));
        }
        match (self.len, len) {
            (Some(was), Some(is)) if was != is => return Err(fail(Reason::Resized { was, is })),
            (None, Some(len)) if len < self.reaches => {
                return Err(fail(Reason::Resized { was: self.reaches, is: len }));
            }
            (known, told) => self.len = known.or(told),
        }
        match self.len {
            Some(len) if !bytes.is_empty() && end > len => Err(fail(Reason::Resized { was: len, is: end })),
            Some(len) if bytes.is_empty() && start < len => Err(fail(Reason::Shrank { was: len })),
            _ => {
                if !bytes.is_empty() {
                    self.reaches = self.reaches.max(end);
                }
                Ok(bytes)
            }
        }
    }

    /// Finds where the input ends, which is at this offset or before: mostly there, where a section's body was skipped.
    async fn find_end(&mut self, mut at_most: u64) -> Result<(), Error> {
        let mut at = at_most.saturating_sub(1);
        while self.len.is_none() && self.reaches < at_most {
            if self.ask(at..at + 1, at + 1).await?.is_empty() {
                at_most = at;
            }
            at = self.reaches + (at_most.max(self.reaches) - self.reaches) / 2;
        }
        self.len.get_or_insert(self.reaches);
        Ok(())
    }
}
