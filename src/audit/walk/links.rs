//! Files with several names. The first that meets one does not know the others: they are gathered, and looked into last.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::file::Entry;
use crate::audit::blob::Look;
use crate::stamp::FileId;

/// Files with several names that are worth to be looked into.
#[derive(Default)]
pub(super) struct Links {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Units that are not looked into yet.
    units: u64,
    /// The names of a file, each with its place in the walk.
    files: BTreeMap<FileId, Vec<(Place, Entry)>>,
}

/// A place in the walk: the number of the unit, and that within it.
pub(super) type Place = (u64, usize);

/// Says, when it is dropped, that a unit is done with.
pub(super) struct Ticket(pub(super) Arc<Links>);

impl Ticket {
    pub(super) fn new(links: &Arc<Links>) -> Self {
        links.lock().units += 1;
        Self(Arc::clone(links))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.lock().units -= 1;
        self.0.ended.notify_all();
    }
}

impl Links {
    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one of a file's names.
    pub(super) fn add(&self, file: FileId, place: Place, entry: Entry) {
        self.lock().files.entry(file).or_default().push((place, entry));
    }

    /// All files with all their names, in the order of the walk, once all other units are done with.
    pub(super) fn take(&self, look: &dyn Look) -> Vec<Vec<Entry>> {
        let mut state = self.lock();
        while state.units > 1 {
            if look.stops() {
                return Vec::new();
            }
            let waited = self.ended.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut files: Vec<_> = std::mem::take(&mut state.files).into_values().collect();
        for names in &mut files {
            names.sort_by_key(|(place, _)| *place);
        }
        files.sort_by_key(|names| names[0].0);
        files.into_iter().map(|names| names.into_iter().map(|(_, entry)| entry).collect()).collect()
    }
}
