use std::ops::Range;

use super::Cost;
use crate::error::Error;
use crate::limits::Limits;
use crate::scan::{Scanner, Visitor, Window};

/// Scans chunks as they arrive, of any size. What a chunk holds and nobody needs is passed over; what is needed and
/// spans chunks is gathered, which takes no more memory than the largest thing that the visitor wants.
///
/// ```
/// # struct Nothing;
/// # impl sectile::scan::Visitor<'_> for Nothing {
/// #     fn section(&mut self, _: &sectile::scan::Section<'_>) -> sectile::scan::Want { sectile::scan::Want::Nothing }
/// # }
/// let mut push = sectile::drive::Push::new(Nothing, Default::default());
/// for chunk in [&b"\0asm\x01"[..], b"\0\0\0\x00", b"\x05\x04no", b"te"] {
///     push.push(chunk)?;
/// }
/// let (_visitor, result) = push.finish();
/// result?;
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct Push<V> {
    scanner: Scanner,
    visitor: V,
    needed: Range<u64>,
    /// The bytes from `needed.start` on that came before the next chunk.
    gathered: Vec<u8>,
    cost: Cost,
}

impl<V: for<'w> Visitor<'w>> Push<V> {
    /// Begins an input.
    pub fn new(visitor: V, limits: Limits) -> Self {
        Self { scanner: Scanner::new(limits), visitor, needed: 0..1, gathered: Vec::new(), cost: Cost::default() }
    }

    /// The next bytes of the input. An empty chunk changes nothing.
    ///
    /// # Errors
    ///
    /// Malformed framing, or an exceeded limit, with the chunk that shows it. After an error nothing may be pushed.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let start = self.cost.bytes;
        let end = start + chunk.len() as u64;
        self.cost.bytes = end;
        self.cost.reads += 1;

        // Cut off what nobody needs, top up what was gathered, then scan the chunk where it lies.
        while self.needed.start < end {
            if self.gathered.is_empty() {
                let window = Window::new(chunk, start);
                if self.needed.end <= end && self.needed.start >= start {
                    self.needed = self.scanner.feed(window, &mut self.visitor)?;
                    continue;
                }
            }
            let have = self.needed.start + self.gathered.len() as u64;
            let rest = &chunk[(have - start) as usize..];
            let missing = (self.needed.end - have).min(rest.len() as u64) as usize;
            self.gathered.extend_from_slice(&rest[..missing]);
            let have = have + missing as u64;
            if have < self.needed.end {
                break; // the chunk is used up
            }
            let window = Window::new(&self.gathered, self.needed.start);
            let needed = self.scanner.feed(window, &mut self.visitor)?;
            let used = (needed.start.min(have) - self.needed.start) as usize;
            self.gathered.drain(..used);
            // What is left lies in this chunk, unless it began before it.
            if needed.start >= start {
                self.gathered.clear();
            }
            self.needed = needed;
        }
        Ok(())
    }

    /// What it cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The input ends here. Gives the visitor back, and whether the input was whole.
    ///
    /// # Errors
    ///
    /// The input ends inside something. To be called once, and not after an error.
    pub fn finish(mut self) -> (V, Result<(), Error>) {
        let result = self.scanner.finish(self.cost.bytes, &mut self.visitor);
        (self.visitor, result)
    }

    /// Gives the visitor back after an error.
    pub fn into_visitor(self) -> V {
        self.visitor
    }
}
