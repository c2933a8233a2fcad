use std::cmp::Ordering;
use std::ops::Range;

use crate::error::{Error, Reason};
use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{Collector, ItemPath, ScanError, Scanner, Visitor, Window};

/// Scans chunks of any size as they arrive.
///
/// - Bytes that are not needed are skipped and never buffered.
/// - Needed bytes within one chunk are passed to the visitor as a slice of that chunk.
/// - Needed bytes that span chunks are buffered: headers, names, and requested data. The buffer
///   grows with the bytes that arrive, not with declared sizes. Its size is bounded by the largest
///   request and the longest name within the limits. It is released after use.
/// - Malformed input is an error as soon as the chunk with the first malformed byte is pushed. As
///   an exception, the root's preamble is checked only when it is complete. Every later call
///   returns the same error.
///
/// A visitor that keeps data should copy it, as [`StreamReader`](crate::metadata::StreamReader)
/// does. A `bytes::Bytes` slice of a chunk would keep the whole chunk in memory.
///
/// To scan bytes that pass through a reader, a writer or a stream, use
/// [`Inspected`](super::Inspected).
///
/// ```
/// use sectile::drive::PushDriver;
/// use sectile::metadata::StreamReader;
/// use sectile::Field;
///
/// let mut push = PushDriver::new(StreamReader::new());
/// for chunk in [&b"\0asm\x01"[..], b"\0\0\0\x00", b"\x0c\x08lice", b"nsesMIT"] {
///     push.push(chunk)?;
/// }
/// let metadata = push.finish().complete()?;
/// assert_eq!(metadata.root().text(Field::Licenses), Some("MIT"));
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct PushDriver<V> {
    scanner: Scanner,
    visitor: V,
    /// The range that the scanner needs next; empty after an error.
    needed: Range<u64>,
    /// Buffered bytes of the needed range, up to the start of the next chunk.
    gathered: Vec<u8>,
    cost: Cost,
    /// Whether `end` has succeeded. If so, `needed.start` is the declared end.
    is_ended: bool,
}

/// Capacity that the buffer keeps between uses: enough for headers and most names.
const RETAINED_CAPACITY: usize = 4 << 10;

impl<C: Collector + for<'w> Visitor<'w>> PushDriver<C> {
    /// Creates a driver for a new input, with the limits of the collector.
    pub fn new(collector: C) -> Self {
        let limits = collector.limits();
        Self::with_limits(collector, limits)
    }

    /// Ends the input and returns the collected value. The outcome is partial if the input is
    /// truncated, or if an earlier chunk was malformed.
    pub fn finish(self) -> Outcome<C::Value> {
        self.finish_visitor().and_then(Collector::finish)
    }
}

impl<V: for<'w> Visitor<'w>> PushDriver<V> {
    /// Creates a driver for a new input, with any visitor.
    pub fn with_limits(visitor: V, limits: Limits) -> Self {
        Self {
            scanner: Scanner::new(limits),
            visitor,
            needed: 0..1,
            gathered: Vec::new(),
            cost: Cost::default(),
            is_ended: false,
        }
    }

    /// Scans the next bytes of the input. An empty chunk has no effect.
    ///
    /// # Errors
    ///
    /// The framing is malformed, or a limit is exceeded. Later calls return the same error and do
    /// not examine their chunks. After [`end`](Self::end), a chunk that extends past the declared
    /// end is an error.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let start = self.cost.bytes;
        let end = start + chunk.len() as u64;
        self.cost.bytes = end;
        self.cost.reads += 1;
        if self.needed.start >= end {
            return Ok(()); // skips most chunks of a large section
        }
        if self.is_ended {
            return self.check_end(end);
        }
        let result = self.scan(Window::new(chunk, start), chunk, start..end);
        if result.is_err() {
            self.needed = 0..0;
            self.gathered = Vec::new();
        }
        Ok(result?)
    }

    /// Number of the next bytes that are not needed. [`skip`](Self::skip) passes over them.
    pub fn skippable(&self) -> u64 {
        self.needed.start.saturating_sub(self.cost.bytes)
    }

    /// Passes over the next bytes of the input without seeing them. They count as pushed.
    ///
    /// # Errors
    ///
    /// More than [`skippable`](Self::skippable) bytes.
    pub fn skip(&mut self, len: u64) -> Result<(), Error> {
        if len > self.skippable() {
            return Err(Error::new(Reason::Unread, self.needed.start, ItemPath::root()));
        }
        self.cost.bytes += len;
        Ok(())
    }

    /// Completes the buffered bytes from the chunk, then scans the rest of the chunk in place.
    fn scan(&mut self, window: Window<'_>, chunk: &[u8], Range { start, end }: Range<u64>) -> Result<(), ScanError> {
        while self.needed.start < end {
            if self.needed.is_empty() {
                self.needed = self.feed(window)?; // always fails with the earlier error
            } else if self.gathered.is_empty() && self.needed.end <= end {
                self.needed = self.feed(window)?;
                continue;
            }
            let have = self.needed.start + self.gathered.len() as u64;
            let rest = &chunk[(have - start) as usize..];
            let missing = (self.needed.end - have).min(rest.len() as u64) as usize;
            self.gather(&rest[..missing]);
            let needed =
                self.scanner.feed(Window::new(&self.gathered, self.needed.start), scanned(&mut self.visitor))?;
            let have = have + missing as u64;
            if have < self.needed.end {
                break; // the chunk is used up, and the bytes so far are not malformed
            }
            let used = (needed.start.min(have) - self.needed.start) as usize;
            // If the next range starts in this chunk, the buffer is no longer needed.
            if needed.start >= start {
                self.gathered.clear();
                self.gathered.shrink_to(RETAINED_CAPACITY);
            } else {
                self.gathered.drain(..used);
            }
            self.needed = needed;
        }
        Ok(())
    }

    fn feed(&mut self, window: Window<'_>) -> Result<Range<u64>, ScanError> {
        self.scanner.feed(window, scanned(&mut self.visitor))
    }

    /// Buffers more of the needed range. The capacity grows by doubling, up to the length of the
    /// range.
    fn gather(&mut self, bytes: &[u8]) {
        let len = self.gathered.len() + bytes.len();
        if len > self.gathered.capacity() {
            let whole = (self.needed.end - self.needed.start) as usize;
            let capacity = (2 * len).min(whole).max(len);
            self.gathered.reserve_exact(capacity - self.gathered.len());
        }
        self.gathered.extend_from_slice(bytes);
    }

    /// The cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Number of bytes examined so far: preambles, section headers, names, and requested data. A
    /// [`push`](Self::push) that does not increase this number does not call the visitor.
    pub fn bytes_examined(&self) -> u64 {
        self.scanner.bytes_examined()
    }

    /// The visitor.
    pub fn visitor(&self) -> &V {
        &self.visitor
    }

    pub(crate) fn visitor_mut(&mut self) -> &mut V {
        &mut self.visitor
    }

    /// Ends the input and returns the visitor. The outcome is partial if the input is truncated, or
    /// if an earlier chunk was malformed.
    pub fn finish_visitor(mut self) -> Outcome<V> {
        let result = if self.is_ended && self.cost.bytes <= self.needed.start {
            Ok(()) // `end` has checked the end
        } else {
            self.end(self.cost.bytes)
        };
        Outcome::new(Some(self.visitor), result, self.cost)
    }

    /// Absolute range that the scanner needs next. Empty after an error.
    pub fn needed(&self) -> Range<u64> {
        self.needed.clone()
    }

    /// Declares the absolute end offset of the input before all of its bytes are pushed. After this
    /// call, the rest of the last section's payload may be omitted, because it is not examined.
    ///
    /// # Errors
    ///
    /// The input would be truncated at this offset, or another offset was declared before.
    pub fn end(&mut self, end: u64) -> Result<(), Error> {
        if self.is_ended {
            return self.check_end(end);
        }
        if self.scanner.truncate(end, scanned(&mut self.visitor)).is_some() {
            self.scanner.feed(Window::new(&self.gathered, self.needed.start), scanned(&mut self.visitor))?;
        }
        self.scanner.finish(end, scanned(&mut self.visitor))?;
        self.is_ended = true;
        Ok(())
    }

    /// Checks that `end` equals the declared end.
    #[cold]
    fn check_end(&self, end: u64) -> Result<(), Error> {
        let declared = self.needed.start;
        let reason = match end.cmp(&declared) {
            Ordering::Less => Reason::Shorter(declared),
            Ordering::Equal => return Ok(()),
            Ordering::Greater => Reason::Longer(declared),
        };
        Err(Error::new(reason, end.min(declared), ItemPath::root()))
    }

    /// Returns the visitor without ending the input.
    pub fn into_visitor(self) -> V {
        self.visitor
    }
}

/// The visitor as the scanner takes it.
#[cfg(not(target_family = "wasm"))]
fn scanned<V>(visitor: &mut V) -> &mut V {
    visitor
}

/// On WebAssembly, where size counts, one scanner serves all visitors.
#[cfg(target_family = "wasm")]
fn scanned<'v, V: for<'w> Visitor<'w>>(visitor: &'v mut V) -> &'v mut (dyn for<'w> Visitor<'w> + 'v) {
    visitor
}
