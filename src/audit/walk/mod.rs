//! Where blobs lie: directory trees, image layouts, registries' storages, archives, stores of objects.
//!
//! A walk meets files in an order that depends on names alone, and hands them over in batches, without opening any. A batch is
//! looked into on whatever thread: what a file is, its content tells.

mod archive;
mod file;
mod images;
mod kind;
mod layout;
mod links;
mod listing;
#[cfg(feature = "remote")]
mod objects;
mod registry;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use self::file::{Entry, HEAD};
use self::links::{Links, Ticket};
use super::blob::{Look, Trouble};
use super::reading::Asked;
use super::root::{Kind as RootKind, Root};

/// What to walk, and how far to look into archives.
///
/// ```
/// let mut options = sectile::audit::WalkOptions::default();
/// options.ignore_rules = true;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalkOptions {
    /// Whether files are passed over that `.gitignore` and `.ignore` in the tree, or in the directories above it up to where
    /// the walk begins, say to ignore; not by default.
    pub ignore_rules: bool,
    /// Whether the walk stays on the file system where it begins; not by default.
    pub same_file_system: bool,
    /// So many archives inside one another are looked into; 4 by default, [32](WalkOptions::MOST_NESTED) at the most. A tar that is
    /// compressed is one archive; what is compressed twice is two. With 0, none is.
    pub nested: u32,
    /// Bytes that one file, with all archives in it, may inflate to; 16 GiB by default.
    pub inflated: u64,
    /// Entries of one file, with all archives in it; 100,000,000 by default.
    pub entries: u64,
    /// Bytes that are held in memory of one file, with all archives in it: of a zip inside another archive, which can only be read
    /// at any position, and for the windows of Zstandard. 128 MiB by default, which is the largest window of the program `zstd`.
    pub held: u64,
    /// So many objects are read at once on each thread, where they lie far away (the `remote` feature); 16 by default, and one at
    /// the least. Their rows are held until it is their turn.
    pub in_flight: usize,
}

impl WalkOptions {
    /// So many archives inside one another are looked into at the most, whatever is asked for.
    pub const MOST_NESTED: u32 = 32;
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            ignore_rules: false,
            same_file_system: false,
            nested: 4,
            inflated: 16 << 30,
            entries: 100_000_000,
            held: 128 << 20,
            in_flight: 16,
        }
    }
}

/// A part of a store, to be looked into on any thread.
///
/// Units are to be looked into, or dropped, in the order in which they are handed over: each is begun before the next, however
/// many are under way. The last one waits for those before it.
pub(super) struct Unit {
    number: u64,
    met: Vec<Met>,
    /// Whether files with several names follow.
    is_last: bool,
    ticket: Ticket,
}

/// What a walk meets.
enum Met {
    File(Entry),
    #[cfg(feature = "remote")]
    Objects(objects::Batch),
    Trouble(Trouble),
}

/// Files of a unit: of the first ones few, so that a store of a few large files is shared out among all threads.
const fn batch(number: u64) -> usize {
    const FEW: usize = 4;
    const MANY: usize = 64;
    const FIRST: u64 = 32;
    if number < FIRST { FEW } else { MANY }
}

/// What is used again from file to file, on one thread.
pub(super) struct Scratch {
    head: Box<[u8; HEAD]>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { head: Box::new([0; HEAD]) }
    }
}

/// Walks these roots, one after the other, each once; hands over what is met, until it is told to stop. Where it has to wait, it
/// asks whether to stop.
pub(super) fn walk(
    roots: &[Root],
    options: &WalkOptions,
    stops: &dyn Fn() -> bool,
    hand_over: &mut dyn FnMut(Unit) -> ControlFlow<()>,
) {
    let mut units = Units::new(stops, hand_over);
    let mut walked = HashSet::new();
    for root in roots.iter().filter(|root| walked.insert(root.name())) {
        let result = match &root.0 {
            RootKind::Path(path) => tree::walk(path, options, &mut units),
            #[cfg(feature = "remote")]
            RootKind::Objects(objects) => objects::walk(objects, options, &mut units),
        };
        if result.is_break() {
            return;
        }
    }
    _ = units.end(true);
}

/// Gathers what is met into units.
struct Units<'h> {
    number: u64,
    met: Vec<Met>,
    links: Arc<Links>,
    /// Whether to stop, for what has to wait.
    #[cfg_attr(not(feature = "remote"), allow(dead_code))]
    stops: &'h dyn Fn() -> bool,
    /// Shared by all that is far away.
    #[cfg(feature = "remote")]
    requests: Option<objects::Requests>,
    hand_over: &'h mut dyn FnMut(Unit) -> ControlFlow<()>,
}

impl<'h> Units<'h> {
    fn new(stops: &'h dyn Fn() -> bool, hand_over: &'h mut dyn FnMut(Unit) -> ControlFlow<()>) -> Self {
        Self {
            number: 0,
            met: Vec::new(),
            links: Arc::default(),
            stops,
            #[cfg(feature = "remote")]
            requests: None,
            hand_over,
        }
    }

    fn add(&mut self, met: Met) -> ControlFlow<()> {
        let batch = batch(self.number);
        if self.met.capacity() == 0 {
            self.met.reserve_exact(batch);
        }
        self.met.push(met);
        if self.met.len() < batch { ControlFlow::Continue(()) } else { self.end(false) }
    }

    /// Hands over what there is.
    fn end(&mut self, is_last: bool) -> ControlFlow<()> {
        let (number, met) = (self.number, std::mem::take(&mut self.met));
        self.number += 1;
        (self.hand_over)(Unit { number, met, is_last, ticket: Ticket::new(&self.links) })
    }
}

impl Unit {
    /// How many files it holds, with what was passed over.
    pub(super) fn len(&self) -> usize {
        let len = |met: &Met| match met {
            #[cfg(feature = "remote")]
            Met::Objects(batch) => batch.len(),
            Met::File(_) | Met::Trouble(_) => 1,
        };
        self.met.iter().map(len).sum()
    }

    /// Shows what it holds. What is far away is asked of before it is shown.
    #[cfg_attr(not(feature = "remote"), allow(unused_variables))]
    pub(super) fn look_into(self, options: &WalkOptions, asked: Asked<'_>, scratch: &mut Scratch, look: &mut dyn Look) {
        let links = &self.ticket.0;
        for (nth, met) in self.met.into_iter().enumerate() {
            if look.stops() {
                return;
            }
            match met {
                Met::File(entry) => {
                    let mut keep = |file, entry| links.add(file, (self.number, nth), entry);
                    entry.look_into(options, scratch, look, Some(&mut keep));
                }
                #[cfg(feature = "remote")]
                Met::Objects(batch) => batch.look_into(options, asked, look),
                Met::Trouble(trouble) => look.trouble(trouble),
            }
        }
        if self.is_last {
            look_into_linked(links.take(look), options, scratch, look);
        }
    }
}

/// Files with several names, each once.
fn look_into_linked(files: Vec<Vec<Entry>>, options: &WalkOptions, scratch: &mut Scratch, look: &mut dyn Look) {
    for names in files {
        if look.stops() {
            return;
        }
        let mut names = names.into_iter();
        let Some(mut first) = names.next() else { continue };
        let mut others = Vec::new();
        for name in names {
            let is_stored = first.stored.is_some();
            let place = if is_stored || name.stored.is_none() {
                name.into_place()
            } else {
                // The store's word goes with the row, whichever name is first.
                first.stored = name.stored.map(|stored| Box::new(file::Stored { others: Vec::new(), ..*stored }));
                crate::audit::blob::Place::new(name.path)
            };
            others.push(place.file);
            others.extend(place.others);
        }
        first.others.extend(others);
        first.look_into(options, scratch, look, None);
    }
}
