//! Whether the index is the tree of a commit.

use gix::bstr::BString;
use gix::index::State;
use gix::index::entry::Mode;
use gix::objs::tree::EntryKind;
use gix::{ObjectId, Repository};

/// What a tree still holds, the next last.
struct Level {
    /// The tree's path, with a slash behind it; empty for the root.
    path: BString,
    rest: Vec<(EntryKind, BString, ObjectId)>,
}

/// Whether something is staged. A tree is walked in the index's order as long as both agree, so that what a tree could be
/// expanded to (trees that hold one tree many times grow beyond all bounds) is never more than the index has.
pub(super) fn is_changed(repository: &Repository, tree: ObjectId, index: &State) -> Result<bool, gix::Error> {
    let mut expected = index.entries().iter();
    let mut levels = vec![Level { path: BString::default(), rest: entries(repository, tree)? }];
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
                continue; // which the index has no way to say
            }
            path.push(b'/');
            let next = expected.as_slice().first();
            let Some(next) = next.filter(|next| next.path(index).starts_with(&path)) else { return Ok(true) };
            // A sparse index has a tree in place of what that holds.
            if next.mode != Mode::DIR {
                levels.push(Level { path, rest: entries(repository, id)? });
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

/// What a tree holds, the first last.
fn entries(repository: &Repository, tree: ObjectId) -> Result<Vec<(EntryKind, BString, ObjectId)>, gix::Error> {
    let tree = repository.find_tree(tree)?;
    let decoded = tree.decode()?;
    let owned =
        |entry: &gix::objs::tree::EntryRef<'_>| (entry.mode.kind(), entry.filename.to_owned(), entry.oid.to_owned());
    Ok(decoded.entries.iter().rev().map(owned).collect())
}
