//! Units of a walk: batches of files and objects that any thread may inspect.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::embedded::EmbeddedEntry;
use super::file::{FileEntry, Scratch};
use super::last_directory::LastDirectory;
use super::links::{HardLinks, UnitTicket};
#[cfg(feature = "remote")]
use super::objects::{ObjectBatch, RequestRuntime};
use super::options::WalkOptions;
#[cfg(feature = "registry")]
use super::registry_blobs::RegistryBatch;
use crate::blob::{BlobSink, WalkError};
use crate::reading::ReadOptions;

/// A batch of files or objects that any thread may inspect.
///
/// The walk waits until all units are inspected or dropped. Then it sends the files with several hard links.
pub(in super::super) struct Unit {
    number: u64,
    entries: Vec<WalkEntry>,
    ticket: UnitTicket,
}

/// An entry of a walk.
pub(super) enum WalkEntry {
    File(FileEntry),
    /// A file with several hard links, after all its names were found.
    Linked(FileEntry),
    /// A layer in a descriptor.
    Embedded(Box<EmbeddedEntry>),
    #[cfg(feature = "remote")]
    Objects(ObjectBatch),
    #[cfg(feature = "registry")]
    RegistryBlobs(RegistryBatch),
    Error(WalkError),
    /// An object without bytes that is not requested.
    #[cfg(feature = "remote")]
    Empty,
}

/// Number of files in a unit. The first units are small, so that a store of a few large files uses all threads. Later
/// ones are large, because each has a batch of columns: the columns bench shows the gain.
pub(super) const fn batch(number: u64) -> usize {
    match number {
        0..16 => 1,
        16..48 => 4,
        48..80 => 64,
        _ => 256,
    }
}

/// Number of files with several hard links in a unit. Each has data to inspect.
const LINKED_FILES: usize = 4;

/// Collects entries into units.
pub(super) struct Units<'h> {
    number: u64,
    entries: Vec<WalkEntry>,
    links: Arc<HardLinks>,
    /// Whether to stop while waiting.
    pub(super) should_stop: &'h dyn Fn() -> bool,
    /// The runtime that all remote roots share.
    #[cfg(feature = "remote")]
    pub(super) requests: Option<RequestRuntime>,
    send: &'h mut dyn FnMut(Unit) -> ControlFlow<()>,
}

impl<'h> Units<'h> {
    pub(super) fn new(should_stop: &'h dyn Fn() -> bool, send: &'h mut dyn FnMut(Unit) -> ControlFlow<()>) -> Self {
        Self {
            number: 0,
            entries: Vec::new(),
            links: Arc::default(),
            should_stop,
            #[cfg(feature = "remote")]
            requests: None,
            send,
        }
    }

    pub(super) fn add(&mut self, entry: WalkEntry) -> ControlFlow<()> {
        self.add_to_batch(entry, batch(self.number))
    }

    fn add_to_batch(&mut self, entry: WalkEntry, batch: usize) -> ControlFlow<()> {
        if self.entries.capacity() == 0 {
            self.entries.reserve_exact(batch);
        }
        self.entries.push(entry);
        if self.entries.len() < batch { ControlFlow::Continue(()) } else { self.end() }
    }

    /// Sends the current unit, unless it is empty.
    pub(super) fn end(&mut self) -> ControlFlow<()> {
        if self.entries.is_empty() {
            return ControlFlow::Continue(());
        }
        let (number, entries) = (self.number, std::mem::take(&mut self.entries));
        self.number += 1;
        (self.send)(Unit { number, entries, ticket: UnitTicket::new(&self.links) })
    }

    /// Sends the current unit, waits until all units are inspected, and sends each file with several hard links once.
    pub(super) fn finish(mut self) -> ControlFlow<()> {
        self.end()?;
        for file in self.links.take(self.should_stop) {
            self.add_to_batch(WalkEntry::Linked(file), LINKED_FILES)?;
        }
        self.end()
    }
}

impl Unit {
    /// Number of files, including skipped ones.
    pub(in super::super) fn len(&self) -> usize {
        let len = |entry: &WalkEntry| match entry {
            #[cfg(feature = "remote")]
            WalkEntry::Objects(batch) => batch.len(),
            #[cfg(feature = "registry")]
            WalkEntry::RegistryBlobs(batch) => batch.len(),
            #[cfg(feature = "remote")]
            WalkEntry::Empty => 1,
            WalkEntry::File(_) | WalkEntry::Embedded(_) | WalkEntry::Error(_) => 1,
            WalkEntry::Linked(_) => 0, // each of its names was counted
        };
        self.entries.iter().map(len).sum()
    }

    /// Inspects all entries. Remote objects are requested ahead of their turn.
    #[cfg_attr(not(any(feature = "registry", feature = "remote")), allow(unused_variables))]
    pub(in super::super) fn inspect(
        self,
        options: &WalkOptions,
        read_options: ReadOptions<'_>,
        scratch: &mut Scratch,
        sink: &mut dyn BlobSink,
    ) {
        let links = &self.ticket.0;
        scratch.directory = LastDirectory::default(); // it may have been replaced since the last unit
        for (nth, entry) in self.entries.into_iter().enumerate() {
            if sink.should_stop() {
                return;
            }
            match entry {
                WalkEntry::File(entry) => {
                    let mut keep = |file, entry| links.add(file, (self.number, nth), entry);
                    entry.inspect(options, scratch, sink, Some(&mut keep));
                }
                WalkEntry::Linked(entry) => entry.inspect(options, scratch, sink, None),
                #[cfg(feature = "remote")]
                WalkEntry::Objects(batch) => batch.inspect(options, read_options, sink),
                WalkEntry::Embedded(entry) => entry.inspect(options, sink),
                #[cfg(feature = "registry")]
                WalkEntry::RegistryBlobs(batch) => batch.inspect(options, read_options, sink),
                WalkEntry::Error(error) => sink.add_error(error),
                #[cfg(feature = "remote")]
                WalkEntry::Empty => {
                    sink.begin_file(0);
                    sink.skip(0);
                }
            }
        }
    }
}
