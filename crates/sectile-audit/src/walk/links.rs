//! Collects files with several hard links. They are inspected last, when all their names are known.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::file::FileEntry;
use crate::blob::BlobLocation;
use sectile::internal::fingerprint::FileId;

/// Files with several hard links that are not skipped.
#[derive(Default)]
pub(super) struct HardLinks {
    state: Mutex<LinkState>,
    ended: Condvar,
}

#[derive(Default)]
struct LinkState {
    /// Number of units that are not finished.
    units: u64,
    /// The names of each file, with their positions in the walk.
    files: BTreeMap<FileId, Vec<(WalkPosition, FileEntry)>>,
}

/// A position in the walk: the number of the unit, and the index within it.
pub(super) type WalkPosition = (u64, usize);

/// Counts a unit as finished when it is dropped.
pub(super) struct UnitTicket(pub(super) Arc<HardLinks>);

impl UnitTicket {
    pub(super) fn new(links: &Arc<HardLinks>) -> Self {
        links.lock().units += 1;
        Self(Arc::clone(links))
    }
}

impl Drop for UnitTicket {
    fn drop(&mut self) {
        self.0.lock().units -= 1;
        self.0.ended.notify_all();
    }
}

impl HardLinks {
    /// A panic of another thread leaves no partial change here.
    fn lock(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a name of a file.
    pub(super) fn add(&self, file: FileId, position: WalkPosition, entry: FileEntry) {
        self.lock().files.entry(file).or_default().push((position, entry));
    }

    /// Waits for all units, and returns each file with all its names in the order of the walk. Returns no files if the
    /// audit stops.
    pub(super) fn take(&self, should_stop: &dyn Fn() -> bool) -> impl Iterator<Item = FileEntry> + use<> {
        let mut state = self.lock();
        while state.units > 0 && !should_stop() {
            let waited = self.ended.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut files: Vec<_> = std::mem::take(&mut state.files).into_values().collect();
        if state.units > 0 {
            files.clear();
        }
        for names in &mut files {
            names.sort_by_key(|(position, _)| *position);
        }
        files.sort_by_key(|names| names[0].0);
        files.into_iter().filter_map(|names| merge(names.into_iter().map(|(_, entry)| entry)))
    }
}

/// Merges the names of one file into its first entry.
fn merge(mut names: impl Iterator<Item = FileEntry>) -> Option<FileEntry> {
    let mut first = names.next()?;
    for name in names {
        let is_stored = first.stored.is_some();
        let location = if is_stored || name.stored.is_none() {
            name.into_location()
        } else {
            // The images and the digest of the store apply to the row, whichever name is first.
            first.stored = name.stored;
            BlobLocation::new(name.path)
        };
        first.omits_names |= location.omits_names;
        first.other_names.push(location.file);
        first.other_names.extend(location.other_names);
    }
    Some(first)
}
