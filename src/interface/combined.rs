//! Metadata and interface in one pass.

use super::{Interface, InterfaceReader};
use crate::limits::Limits;
use crate::metadata::{Metadata, StreamReader};
use crate::scan::{Both, Collector, DataRequest, ItemStart, Section, Visitor};

/// Reads custom sections and the interface in one pass. Combines a visitor that requests data of
/// custom sections only with an [`InterfaceReader`], which requests data of other sections only.
///
/// ```
/// use sectile::{drive, interface::CombinedReader, Limits};
///
/// let module = &b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT"[..];
/// let reader = CombinedReader::with_limits(Limits::default());
/// let (metadata, interface) = drive::collect_at(module, 22, reader).complete()?;
/// assert_eq!((metadata.items().len(), interface.imports().len()), (1, 0));
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct CombinedReader<V = StreamReader>(Both<V, Option<InterfaceReader>>);

impl CombinedReader {
    /// Reads metadata and the interface within these limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self::new(StreamReader::with_limits(limits), Some(InterfaceReader::with_limits(limits)))
    }
}

impl<V> CombinedReader<V> {
    /// Combines a visitor of custom sections with an interface reader, if there is one.
    pub fn new(custom: V, interface: Option<InterfaceReader>) -> Self {
        Self(Both::new(custom, interface))
    }

    /// The visitor of custom sections.
    pub fn custom(&self) -> &V {
        self.0.first()
    }

    /// The interface read so far; `None` without an interface reader, or before the root's
    /// preamble.
    pub fn interface_so_far(&self) -> Option<&Interface> {
        self.0.second().as_ref().and_then(InterfaceReader::so_far)
    }

    /// Returns the visitor of custom sections and the interface reader.
    pub fn into_parts(self) -> (V, Option<InterfaceReader>) {
        self.0.into_parts()
    }
}

impl Collector for CombinedReader {
    type Value = (Metadata<'static>, Interface);

    fn limits(&self) -> Limits {
        self.custom().limits()
    }

    fn finish(self) -> Option<Self::Value> {
        let (custom, interface) = self.into_parts();
        custom.finish().zip(interface.and_then(Collector::finish))
    }
}

impl<'w, V: Visitor<'w>> Visitor<'w> for CombinedReader<V> {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        self.0.enter(entry);
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        self.0.section(section)
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        self.0.data(bytes, start)
    }

    fn truncated(&mut self, end: u64) -> DataRequest {
        self.0.truncated(end)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.0.leave(item, end);
    }
}
