//! Detects tracked files that differ from a commit.

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

/// Submodules nested deeper than this are not inspected, and count as dirty.
const MAX_DEPTH: u32 = 16;

/// Whether the index differs from the tree of the commit, or files differ from the index.
pub(super) fn is_dirty(repository: &Repository, tree: ObjectId, depth: u32) -> Result<bool, gix::Error> {
    let index = repository.index_or_empty()?;
    if staged::is_changed(repository, tree, &index)? {
        return Ok(true);
    }
    let Some(work_tree) = repository.workdir() else { return Ok(false) };
    if !has_plain_attributes(work_tree, &index) {
        return Ok(true);
    }
    let is_dirty = AtomicBool::new(false); // also ends the walk
    let outcome = repository.index_worktree_status(
        &index,
        None::<&BStr>,
        &mut ChangeFlag(&is_dirty),
        FastEq,
        SubmoduleCheck { work_tree: work_tree.to_owned(), depth },
        &mut gix::progress::Discard,
        &is_dirty,
        Options { sorting: None, dirwalk_options: None, rewrites: None, thread_limit: Some(1) },
    );
    match outcome {
        _ if is_dirty.load(Ordering::Relaxed) => Ok(true),
        outcome => outcome.map(|_| false),
    }
}

/// Whether every `.gitattributes` next to a tracked file is a regular file of acceptable size.
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

/// Records that there is a change.
struct ChangeFlag<'a>(&'a AtomicBool);

impl<'index> worktree::VisitEntry<'index> for ChangeFlag<'_> {
    type ContentChange = ();
    type SubmoduleStatus = ();

    fn visit_entry(&mut self, entry: worktree::Entry<'index, (), ()>) {
        if entry.summary().is_some() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Inspects submodules like the work tree, ignoring their configuration.
#[derive(Clone)]
struct SubmoduleCheck {
    work_tree: PathBuf,
    depth: u32,
}

impl SubmoduleStatus for SubmoduleCheck {
    type Output = ();

    fn status(&mut self, entry: &Entry, path: &BStr) -> Result<Option<()>, gix::Error> {
        let work_tree = self.work_tree.join(gix::path::from_bstr(path).unwrap_or_default());
        if self.depth >= MAX_DEPTH {
            return Ok(Some(()));
        }
        let is_clean = match Revision::for_submodule(&work_tree, self.depth + 1) {
            None => true, // not checked out
            Some(Ok(revision)) => !revision.is_dirty && revision.commit == entry.id,
            Some(Err(_)) => false, // unreadable, so not the recorded commit
        };
        Ok(if is_clean { None } else { Some(()) })
    }
}
