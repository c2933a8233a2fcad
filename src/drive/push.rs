use std::cmp::Ordering;
use std::ops::Range;

use crate::error::{Error, Reason};
use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{Collector, ItemPath, ScanError, Scanner, Visitor, Window};

/// Scans chunks as they arrive, of any size.
///
/// - What a chunk holds and nobody needs is passed over, and never held.
/// - What is needed and lies within one chunk is handed over where it lies, as a slice of that chunk.
/// - What is needed and spans chunks is gathered: headers and names, and of sections' data what the visitor wants. That
///   takes no more memory than the largest thing that it wants, or the longest name within the limits; it is taken as
///   the bytes arrive, however many a header declares, and given back afterwards.
/// - An error comes with the chunk that shows it, byte by byte at the first bad byte. (What the input is instead of
///   WebAssembly is told by its first eight bytes together.) From then on every call gives the same error.
///
/// A chunk is a `&[u8]`, which a `bytes::Bytes` is, too. Its slices could be kept without a copy, but each of them would
/// pin its whole chunk: what is kept of a stream is better copied, as [`StreamReader`](crate::metadata::StreamReader)
/// does.
///
/// For what is read, written or streamed anyway there is [`Inspected`](super::Inspected), which pushes what passes through.
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
    /// What the scanner needs next; empty once it has failed.
    needed: Range<u64>,
    /// The bytes from `needed.start` on that came before the next chunk.
    gathered: Vec<u8>,
    cost: Cost,
    /// Whether `end` has succeeded. The declared end is then `needed.start`.
    is_ended: bool,
}

/// So much room for what is gathered is kept from one thing to the next: enough for headers and most names.
const KEPT: usize = 4 << 10;

impl<C: Collector + for<'w> Visitor<'w>> PushDriver<C> {
    /// Begins an input that is scanned by the collector's limits.
    pub fn new(collector: C) -> Self {
        let limits = collector.limits();
        Self::with_limits(collector, limits)
    }

    /// Ends the input and returns what was collected. The outcome is partial if the input ends inside an item, or if an
    /// earlier chunk was malformed.
    pub fn finish(self) -> Outcome<C::Value> {
        self.finish_visitor().and_then(Collector::finish)
    }
}

impl<V: for<'w> Visitor<'w>> PushDriver<V> {
    /// Begins an input for any visitor.
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

    /// The next bytes of the input. An empty chunk changes nothing.
    ///
    /// # Errors
    ///
    /// Malformed framing, or an exceeded limit, with the chunk that shows it. What is pushed after an error is not looked
    /// at: the same error is given again. After [`end`](Self::end), bytes past the declared end.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let start = self.cost.bytes;
        let end = start + chunk.len() as u64;
        self.cost.bytes = end;
        self.cost.reads += 1;
        if self.needed.start >= end {
            return Ok(()); // most chunks of a large section
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

    /// Cuts off of a chunk what nobody needs, tops up what was gathered, then scans the chunk where it lies.
    fn scan(&mut self, window: Window<'_>, chunk: &[u8], Range { start, end }: Range<u64>) -> Result<(), ScanError> {
        while self.needed.start < end {
            if self.needed.is_empty() {
                self.needed = self.feed(window)?; // fails again
            } else if self.gathered.is_empty() && self.needed.end <= end {
                self.needed = self.feed(window)?;
                continue;
            }
            let have = self.needed.start + self.gathered.len() as u64;
            let rest = &chunk[(have - start) as usize..];
            let missing = (self.needed.end - have).min(rest.len() as u64) as usize;
            self.gather(&rest[..missing]);
            let needed = self.scanner.feed(Window::new(&self.gathered, self.needed.start), &mut self.visitor)?;
            let have = have + missing as u64;
            if have < self.needed.end {
                break; // the chunk is used up, and what there is so far shows no error
            }
            let used = (needed.start.min(have) - self.needed.start) as usize;
            // What is left lies in this chunk, unless it began before it.
            if needed.start >= start {
                self.gathered.clear();
                self.gathered.shrink_to(KEPT);
            } else {
                self.gathered.drain(..used);
            }
            self.needed = needed;
        }
        Ok(())
    }

    fn feed(&mut self, window: Window<'_>) -> Result<Range<u64>, ScanError> {
        self.scanner.feed(window, &mut self.visitor)
    }

    /// Keeps more of what is needed, in no more room than all of it takes.
    fn gather(&mut self, bytes: &[u8]) {
        let len = self.gathered.len() + bytes.len();
        if len > self.gathered.capacity() {
            let whole = (self.needed.end - self.needed.start) as usize;
            let room = (2 * len).min(whole).max(len);
            self.gathered.reserve_exact(room - self.gathered.len());
        }
        self.gathered.extend_from_slice(bytes);
    }

    /// What it cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Bytes looked at so far: preambles, headers, names, and the data that the visitor wanted. As long as this stays the
    /// same, the visitor was told nothing.
    pub fn looked_at(&self) -> u64 {
        self.scanner.looked_at()
    }

    /// The visitor, with what it knows so far.
    pub fn visitor(&self) -> &V {
        &self.visitor
    }

    pub(crate) fn visitor_mut(&mut self) -> &mut V {
        &mut self.visitor
    }

    /// Ends the input and returns the visitor. The outcome is partial if the input ends inside an item, or if an earlier
    /// chunk was malformed.
    pub fn finish_visitor(mut self) -> Outcome<V> {
        let result = if self.is_ended && self.cost.bytes <= self.needed.start {
            Ok(()) // the rest was declared
        } else {
            self.end(self.cost.bytes)
        };
        Outcome::new(Some(self.visitor), result, self.cost)
    }

    /// Absolute range of bytes that the scanner needs next. Empty after an error.
    pub fn needed(&self) -> Range<u64> {
        self.needed.clone()
    }

    /// Declares the absolute offset where the input ends, before all of it was pushed: the rest of it need not be seen, if
    /// it is the body of the last section. What is pushed afterwards is not examined.
    ///
    /// # Errors
    ///
    /// The input ends inside an item there. Another end was declared before.
    pub fn end(&mut self, end: u64) -> Result<(), Error> {
        if self.is_ended {
            return self.check_end(end);
        }
        self.scanner.finish(end, &mut self.visitor)?;
        self.is_ended = true;
        Ok(())
    }

    /// Compares another end with the one that was declared.
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

    /// Gives the visitor back, whether the input is whole or not.
    pub fn into_visitor(self) -> V {
        self.visitor
    }
}
