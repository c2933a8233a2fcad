//! Compares the index with the tree of a commit.

use gix::bstr::BString;
use gix::index::State;
use gix::index::entry::Mode;
use gix::objs::tree::EntryKind;
use gix::{ObjectId, Repository};

/// The remaining entries of a tree, the next one last.
struct TreeLevel {
    /// The tree's path with a trailing slash; empty for the root.
    path: BString,
    rest: Vec<(EntryKind, BString, ObjectId)>,
}

/// Whether something is staged. Walks the tree in the order of the index and stops at the first
/// difference. So a tree that contains the same tree many times is never expanded beyond the length
/// of the index.
pub(super) fn is_changed(repository: &Repository, tree: ObjectId, index: &State) -> Result<bool, gix::Error> {
    if is_cached(tree, index) {
        return Ok(false);
    }
    let mut expected = index.entries().iter();
    let mut levels = vec![TreeLevel { path: BString::default(), rest: entries(repository, tree)? }];
    while let Some(level) = levels.last_mut() {
        let Some((kind, name, id)) = level.rest.pop() else {
            levels.pop();
            continue;
        };
        let mut path = level.path.clone();
        path.extend_from_slice(&name);
        let is_tree = kind == EntryKind::Tree;
        if is_tree {
            if id.is_empty_tree() {
                continue; // the index has no entry for an empty tree
            }
            path.push(b'/');
            let next = expected.as_slice().first();
            let Some(next) = next.filter(|next| next.path(index).starts_with(&path)) else { return Ok(true) };
            // A sparse index contains a tree instead of its files.
            if next.mode != Mode::DIR {
                levels.push(TreeLevel { path, rest: entries(repository, id)? });
                continue;
            }
        }
        let agrees = expected.next().is_some_and(|entry| {
            let is_of_kind = if is_tree { entry.mode == Mode::DIR } else { entry.mode.bits() == kind as u32 };
            is_of_kind && entry.id == id && entry.stage_raw() == 0 && *entry.path(index) == path
        });
        if !agrees {
            return Ok(true);
        }
    }
    Ok(expected.next().is_some())
}

/// Whether the index records that its entries are those of this tree. Git writes this record with
/// each commit and checkout, and removes it when a file is staged.
fn is_cached(tree: ObjectId, index: &State) -> bool {
    let recorded = index.tree().filter(|recorded| recorded.id == tree);
    recorded.and_then(|recorded| recorded.num_entries).is_some_and(|count| count as usize == index.entries().len())
}

/// The entries of a tree in reverse order.
fn entries(repository: &Repository, tree: ObjectId) -> Result<Vec<(EntryKind, BString, ObjectId)>, gix::Error> {
    let tree = repository.find_tree(tree)?;
    let decoded = tree.decode()?;
    let owned =
        |entry: &gix::objs::tree::EntryRef<'_>| (entry.mode.kind(), entry.filename.to_owned(), entry.oid.to_owned());
    Ok(decoded.entries.iter().rev().map(owned).collect())
}
