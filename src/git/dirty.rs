//! Whether tracked files are what they are in a commit.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use gix::bstr::{BStr, ByteSlice};
use gix::index::{Entry, State};
use gix::status::index_worktree::Options;
use gix::status::plumbing::index_as_worktree::traits::{FastEq, SubmoduleStatus};
use gix::status::plumbing::index_as_worktree_with_renames as worktree;
use gix::{ObjectId, Repository};

use super::{Revision, plain, staged};

/// Submodules in one another beyond this depth are not looked into, and are called dirty.
const DEEPEST: u32 = 16;

/// Whether the index is not the tree of the commit, or files are not what the index says.
pub(super) fn is_dirty(repository: &Repository, tree: ObjectId, depth: u32) -> Result<bool, gix::Error> {
    let index = repository.index_or_empty()?;
    if staged::is_changed(repository, tree, &index)? {
        return Ok(true);
    }
    let Some(work_tree) = repository.workdir() else { return Ok(false) };
    if !has_plain_attributes(work_tree, &index) {
        return Ok(true);
    }
    let is_dirty = AtomicBool::new(false); // which also ends the walk
    let outcome = repository.index_worktree_status(
        &index,
        None::<&BStr>,
        &mut Flag(&is_dirty),
        FastEq,
        Submodule { work_tree: work_tree.to_owned(), depth },
        &mut gix::progress::Discard,
        &is_dirty,
        Options { sorting: None, dirwalk_options: None, rewrites: None, thread_limit: Some(1) },
    );
    match outcome {
        _ if is_dirty.load(Ordering::Relaxed) => Ok(true),
        outcome => outcome.map(|_| false),
    }
}

/// Whether no `.gitattributes` beside a tracked file is something that would be waited for, or is too large.
fn has_plain_attributes(work_tree: &Path, index: &State) -> bool {
    let mut directories = HashSet::new();
    let is_plain = |directory: &[u8]| {
        let directory = gix::path::from_byte_slice(directory).unwrap_or(Path::new(""));
        plain::is_plain_attributes(&work_tree.join(directory).join(".gitattributes"))
    };
    if !is_plain(b"") {
        return false;
    }
    index.entries().iter().all(|entry| {
        let path = entry.path(index);
        let ends = path.find_iter(b"/");
        ends.map(|end| &path[..end]).all(|directory| !directories.insert(directory) || is_plain(directory))
    })
}

/// Notes that there is a change, whatever it is.
struct Flag<'a>(&'a AtomicBool);

impl<'index> worktree::VisitEntry<'index> for Flag<'_> {
    type ContentChange = ();
    type SubmoduleStatus = ();

    fn visit_entry(&mut self, entry: worktree::Entry<'index, (), ()>) {
        if entry.summary().is_some() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Looks into submodules in the way that the work tree is looked at; not by their configuration.
#[derive(Clone)]
struct Submodule {
    work_tree: PathBuf,
    depth: u32,
}

impl SubmoduleStatus for Submodule {
    type Output = ();

    fn status(&mut self, entry: &Entry, path: &BStr) -> Result<Option<()>, gix::Error> {
        let work_tree = self.work_tree.join(gix::path::from_bstr(path).unwrap_or_default());
        if self.depth >= DEEPEST {
            return Ok(Some(()));
        }
        let is_clean = match Revision::of_submodule(&work_tree, self.depth + 1) {
            None => true, // it is not checked out
            Some(Ok(revision)) => !revision.is_dirty && revision.commit == entry.id,
            Some(Err(_)) => false, // whatever it is, it is not what is recorded
        };
        Ok(if is_clean { None } else { Some(()) })
    }
}
