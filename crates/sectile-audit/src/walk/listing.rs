//! Lists a directory tree in the order of names.
//!
//! `ignore` walks the tree if ignore rules or file system borders apply. Otherwise this module does, because `ignore`
//! spends much of the time of an audit of many small files on sorting.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::vec;

use ignore::{DirEntry, WalkBuilder};

use super::options::WalkOptions;

/// A file or a directory in a tree.
pub(super) struct ListedEntry {
    pub(super) path: PathBuf,
    /// Number of directories between it and the root.
    pub(super) depth: usize,
    pub(super) kind: ListedKind,
}

/// The type of a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListedKind {
    Directory,
    File,
    Link,
    Other,
}

/// A directory that cannot be listed.
pub(super) struct ListError {
    pub(super) path: PathBuf,
    pub(super) reason: String,
}

/// Lists everything below a directory, with the directory first.
pub(super) fn list(root: &Path, options: &WalkOptions) -> TreeListing {
    if options.ignore_rules || options.same_file_system {
        return TreeListing::Ignore(Box::new(ignore_walk(root, options)));
    }
    let root = ListedEntry { path: root.to_owned(), depth: 0, kind: ListedKind::Directory };
    TreeListing::Sorted(SortedWalk { root: Some(root), enter: None, open: Vec::new() })
}

/// An iterator over a tree.
pub(super) enum TreeListing {
    Ignore(Box<ignore::Walk>),
    Sorted(SortedWalk),
}

impl Iterator for TreeListing {
    type Item = Result<ListedEntry, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Ignore(walk) => {
                walk.next().map(|entry| entry.map(ListedEntry::from).map_err(|error| list_error(&error)))
            }
            Self::Sorted(walk) => walk.next(),
        }
    }
}

/// A walk with one open directory per level.
pub(super) struct SortedWalk {
    root: Option<ListedEntry>,
    /// The directory that was returned last, which is entered next.
    enter: Option<PathBuf>,
    open: Vec<OpenDirectory>,
}

/// The rest of a directory.
struct OpenDirectory {
    path: PathBuf,
    names: vec::IntoIter<(OsString, ListedKind)>,
}

impl SortedWalk {
    fn next(&mut self) -> Option<Result<ListedEntry, ListError>> {
        if let Some(root) = self.root.take() {
            self.enter = Some(root.path.clone());
            return Some(Ok(root));
        }
        if let Some(path) = self.enter.take() {
            let (names, error) = names(&path);
            let error = error.map(|error| ListError { path: path.clone(), reason: error.to_string() });
            self.open.push(OpenDirectory { path, names: names.into_iter() });
            if let Some(error) = error {
                return Some(Err(error));
            }
        }
        loop {
            let depth = self.open.len();
            let OpenDirectory { path, names } = self.open.last_mut()?;
            let Some((name, kind)) = names.next() else {
                self.open.pop();
                continue;
            };
            let listed = ListedEntry { path: path.join(name), depth, kind };
            if kind == ListedKind::Directory {
                self.enter = Some(listed.path.clone());
            }
            return Some(Ok(listed));
        }
    }
}

/// The names in a directory, sorted, and the error that made them incomplete.
fn names(directory: &Path) -> (Vec<(OsString, ListedKind)>, Option<io::Error>) {
    let mut names = Vec::new();
    let result = fs::read_dir(directory).and_then(|entries| {
        for entry in entries {
            let entry = entry?;
            // If the system does not know the type, opening the file reveals it.
            let kind = entry.file_type().map_or(ListedKind::File, ListedKind::from);
            names.push((entry.file_name(), kind));
        }
        Ok(())
    });
    names.sort_unstable_by(|(one, _), (other, _)| one.cmp(other)); // names are unique
    (names, result.err())
}

impl From<FileType> for ListedKind {
    fn from(file_type: FileType) -> Self {
        if file_type.is_file() {
            Self::File
        } else if file_type.is_dir() {
            Self::Directory
        } else if file_type.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}

fn ignore_walk(root: &Path, options: &WalkOptions) -> ignore::Walk {
    // `ignore` interprets `-` as standard input.
    let root = if root == Path::new("-") { Path::new(".").join(root) } else { root.to_owned() };
    WalkBuilder::new(root)
        .standard_filters(options.ignore_rules)
        .hidden(false)
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .follow_links(false)
        .same_file_system(options.same_file_system)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .build()
}

impl From<DirEntry> for ListedEntry {
    fn from(entry: DirEntry) -> Self {
        let kind = match entry.file_type() {
            _ if entry.depth() == 0 => ListedKind::Directory, // the root may be a link to a directory
            Some(file_type) => file_type.into(),
            None => ListedKind::Other,
        };
        Self { depth: entry.depth(), kind, path: entry.into_path() }
    }
}

fn list_error(error: &ignore::Error) -> ListError {
    let mut inner = error;
    let mut path = PathBuf::new();
    loop {
        inner = match inner {
            ignore::Error::WithPath { path: of, err } => {
                path.clone_from(of);
                err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => break,
        };
    }
    // The source is the error of the system, without the path.
    let reason = inner.io_error().map(|error| error.source().map_or_else(|| error.to_string(), ToString::to_string));
    ListError { path, reason: reason.unwrap_or_else(|| inner.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_directory_is_reported_by_both_walks() {
        for ignore_rules in [false, true] {
            let root = tempfile::tempdir().unwrap();
            for name in ["a", "gone", "z"] {
                fs::create_dir(root.path().join(name)).unwrap();
            }
            let options = WalkOptions { ignore_rules, ..WalkOptions::default() };
            let (mut listed, mut errors) = (Vec::new(), Vec::new());
            for result in list(root.path(), &options) {
                match result {
                    Ok(entry) => {
                        // Removes the second directory when the walk lists the first.
                        if entry.path.ends_with("a") {
                            fs::remove_dir(entry.path.with_file_name("gone")).unwrap();
                        }
                        listed.push(entry.path);
                    }
                    Err(error) => errors.push((error.path, error.reason)),
                }
            }
            let path = |name: &str| root.path().join(name);
            assert_eq!(listed, [root.path().to_owned(), path("a"), path("gone"), path("z")], "{ignore_rules}");
            let reason = fs::read_dir(path("gone")).unwrap_err().to_string();
            assert_eq!(errors, [(path("gone"), reason)], "{ignore_rules}");
        }
    }
}
