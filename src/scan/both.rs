//! Two visitors in one pass.

use super::section::Section;
use super::visitor::{Collector, DataRequest, ItemStart, Visitor};
use crate::limits::Limits;

/// Two visitors that share a pass. Both see every section. If the first requests data of a section,
/// a request of the second for the same section is ignored.
///
/// ```
/// use sectile::metadata::StreamReader;
/// use sectile::scan::{Both, DataRequest, Section, Visitor};
///
/// #[derive(Default)]
/// struct Count(u64);
///
/// impl Visitor<'_> for Count {
///     fn section(&mut self, _: &Section<'_>) -> DataRequest {
///         self.0 += 1;
///         DataRequest::Nothing
///     }
/// }
///
/// let mut both = Both::new(StreamReader::new(), Count::default());
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// sectile::drive::scan_slice(module, &mut both, Default::default()).complete()?;
/// assert_eq!(both.second().0, 1);
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct Both<A, B> {
    first: A,
    second: B,
    /// Whether the second visitor requested the data.
    for_second: bool,
}

impl<A, B> Both<A, B> {
    /// Combines two visitors.
    pub fn new(first: A, second: B) -> Self {
        Self { first, second, for_second: false }
    }

    /// The first visitor.
    pub fn first(&self) -> &A {
        &self.first
    }

    /// The second visitor.
    pub fn second(&self) -> &B {
        &self.second
    }

    /// Returns both visitors.
    pub fn into_parts(self) -> (A, B) {
        (self.first, self.second)
    }
}

impl<'w, A: Visitor<'w>, B: Visitor<'w>> Visitor<'w> for Both<A, B> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        self.first.enter(item);
        self.second.enter(item);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        let request = self.first.section(section);
        // The second visitor gets a copy, so that the section stays in registers.
        let second = self.second.section(&Section { item: section.item, ..*section });
        self.for_second = request == DataRequest::Nothing;
        if self.for_second { second } else { request }
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        if self.for_second { self.second.data(bytes, start) } else { self.first.data(bytes, start) }
    }

    fn truncated(&mut self, end: u64) -> DataRequest {
        if self.for_second { self.second.truncated(end) } else { self.first.truncated(end) }
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.first.leave(item, end);
        self.second.leave(item, end);
    }
}

/// The limits are those of the first collector.
impl<A: Collector, B: Collector> Collector for Both<A, B> {
    type Value = (A::Value, B::Value);

    fn limits(&self) -> Limits {
        self.first.limits()
    }

    fn finish(self) -> Option<Self::Value> {
        self.first.finish().zip(self.second.finish())
    }
}

/// A visitor that may be absent.
impl<'w, V: Visitor<'w>> Visitor<'w> for Option<V> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if let Some(visitor) = self {
            visitor.enter(item);
        }
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        self.as_mut().map_or(DataRequest::Nothing, |visitor| visitor.section(section))
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        self.as_mut().map_or(DataRequest::Nothing, |visitor| visitor.data(bytes, start))
    }

    fn truncated(&mut self, end: u64) -> DataRequest {
        self.as_mut().map_or(DataRequest::Nothing, |visitor| visitor.truncated(end))
    }

    fn leave(&mut self, item: u32, end: u64) {
        if let Some(visitor) = self {
            visitor.leave(item, end);
        }
    }
}
