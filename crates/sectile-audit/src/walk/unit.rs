//! Units of a walk: batches of files and objects that any thread may inspect.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::embedded::EmbeddedEntry;
use super::file::{FileEntry, Scratch};
use super::links::{HardLinks, UnitTicket};
#[cfg(feature = "remote")]
use super::objects::{ObjectBatch, RequestRuntime};
use super::options::WalkOptions;
#[cfg(feature = "registry")]
use super::registry_blobs::RegistryBatch;
use crate::blob::{BlobLocation, BlobSink, WalkError};
use crate::reading::ReadOptions;

/// A batch of files or objects that any thread may inspect.
///
/// Units must be inspected or dropped in their order: each one begins before the next. The last one waits for those
/// before it.
pub(in super::super) struct Unit {
    number: u64,
    entries: Vec<WalkEntry>,
    /// Whether files with several hard links follow.
    pub(super) is_last: bool,
    ticket: UnitTicket,
}

/// An entry of a walk.
pub(super) enum WalkEntry {
    File(FileEntry),
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

/// Number of files in a unit. The first units are small, so that a store of a few large files uses all threads.
pub(super) const fn batch(number: u64) -> usize {
    match number {
        0..16 => 1,
        16..48 => 4,
        _ => 64,
    }
}

/// Collects entries into units.
pub(super) struct Units<'h> {
    number: u64,
    entries: Vec<WalkEntry>,
    links: Arc<HardLinks>,
    /// Whether to stop while waiting.
    #[cfg_attr(not(any(feature = "registry", feature = "remote")), allow(dead_code))]
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
        let batch = batch(self.number);
        if self.entries.capacity() == 0 {
            self.entries.reserve_exact(batch);
        }
        self.entries.push(entry);
        if self.entries.len() < batch { ControlFlow::Continue(()) } else { self.end(false) }
    }

    /// Sends the current unit.
    pub(super) fn end(&mut self, is_last: bool) -> ControlFlow<()> {
        let (number, entries) = (self.number, std::mem::take(&mut self.entries));
        self.number += 1;
        (self.send)(Unit { number, entries, is_last, ticket: UnitTicket::new(&self.links) })
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
        for (nth, entry) in self.entries.into_iter().enumerate() {
            if sink.should_stop() {
                return;
            }
            match entry {
                WalkEntry::File(entry) => {
                    let mut keep = |file, entry| links.add(file, (self.number, nth), entry);
                    entry.inspect(options, scratch, sink, Some(&mut keep));
                }
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
        if self.is_last {
            inspect_linked(links.take(sink), options, scratch, sink);
        }
    }
}

/// Inspects each file with several hard links once.
fn inspect_linked(files: Vec<Vec<FileEntry>>, options: &WalkOptions, scratch: &mut Scratch, sink: &mut dyn BlobSink) {
    for names in files {
        if sink.should_stop() {
            return;
        }
        let mut names = names.into_iter();
        let Some(mut first) = names.next() else { continue };
        let (mut other_names, mut omits_names) = (Vec::new(), false);
        for name in names {
            let is_stored = first.stored.is_some();
            let location = if is_stored || name.stored.is_none() {
                name.into_location()
            } else {
                // The images and the digest of the store apply to the row, whichever name is first.
                first.stored = name.stored;
                BlobLocation::new(name.path)
            };
            omits_names |= location.omits_names;
            other_names.push(location.file);
            other_names.extend(location.other_names);
        }
        first.other_names.extend(other_names);
        first.omits_names = omits_names;
        first.inspect(options, scratch, sink, None);
    }
}
