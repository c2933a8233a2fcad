//! What lies in a tree of directories, in the order of names.
//!
//! Where ignore rules hold, or one file system is not to be left, `ignore` walks. Otherwise the few lines below do: sorting by
//! names as it does would be a large part of an audit of many small files.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::vec;

use ignore::{DirEntry, WalkBuilder};

use super::WalkOptions;

/// Something in a tree.
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// How many directories it is below the one where the walk began.
    pub(super) depth: usize,
    pub(super) kind: ListedKind,
}

/// What something in a tree is, as far as its directory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListedKind {
    Directory,
    File,
    Link,
    Other,
}

/// A place that cannot be looked into.
pub(super) struct Unlisted {
    pub(super) path: PathBuf,
    pub(super) why: String,
}

/// Lists what lies below a directory, that itself first. A directory that `enters` says no of is left out, with all below it.
pub(super) fn list(root: &Path, options: &WalkOptions, enters: Enters) -> Listing {
    if options.ignore_rules || options.same_file_system {
        return Listing::ByRules(Box::new(by_rules(root, options, enters)));
    }
    let root = Listed { path: root.to_owned(), depth: 0, kind: ListedKind::Directory };
    Listing::Plain(Plain { enters, root: Some(root), enter: None, open: Vec::new() })
}

/// Whether a directory is to be entered, that lies so deep.
pub(super) type Enters = fn(&Path, usize) -> bool;

/// A tree as it is listed.
pub(super) enum Listing {
    ByRules(Box<ignore::Walk>),
    Plain(Plain),
}

impl Iterator for Listing {
    type Item = Result<Listed, Unlisted>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::ByRules(walk) => walk.next().map(|entry| entry.map(Listed::from).map_err(|error| unlisted(&error))),
            Self::Plain(plain) => plain.next(),
        }
    }
}

/// Directories that are open, the outermost first.
pub(super) struct Plain {
    enters: Enters,
    root: Option<Listed>,
    /// The directory that was listed last, which is entered next.
    enter: Option<PathBuf>,
    open: Vec<Open>,
}

/// What of a directory was not listed yet.
struct Open {
    path: PathBuf,
    names: vec::IntoIter<(OsString, ListedKind)>,
}

impl Plain {
    fn next(&mut self) -> Option<Result<Listed, Unlisted>> {
        if let Some(root) = self.root.take() {
            self.enter = Some(root.path.clone());
            return Some(Ok(root));
        }
        if let Some(path) = self.enter.take() {
            let (names, broken) = names(&path);
            let unlisted = broken.map(|error| Unlisted { path: path.clone(), why: error.to_string() });
            self.open.push(Open { path, names: names.into_iter() });
            if let Some(unlisted) = unlisted {
                return Some(Err(unlisted));
            }
        }
        loop {
            let depth = self.open.len();
            let Open { path, names } = self.open.last_mut()?;
            let Some((name, kind)) = names.next() else {
                self.open.pop();
                continue;
            };
            let listed = Listed { path: path.join(name), depth, kind };
            if kind == ListedKind::Directory {
                if !(self.enters)(&listed.path, depth) {
                    continue;
                }
                self.enter = Some(listed.path.clone());
            }
            return Some(Ok(listed));
        }
    }
}

/// What a directory holds, in the order of names, and why that is not all, if it is not.
fn names(directory: &Path) -> (Vec<(OsString, ListedKind)>, Option<io::Error>) {
    let mut names = Vec::new();
    let result = fs::read_dir(directory).and_then(|entries| {
        for entry in entries {
            let entry = entry?;
            // Where the system does not say what it is, who opens it will see.
            let kind = entry.file_type().map_or(ListedKind::File, ListedKind::from);
            names.push((entry.file_name(), kind));
        }
        Ok(())
    });
    names.sort_unstable_by(|(one, _), (other, _)| one.cmp(other)); // no two have the same
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

fn by_rules(root: &Path, options: &WalkOptions, enters: Enters) -> ignore::Walk {
    // To the walker, `-` is standard input.
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
        .filter_entry(move |entry| {
            let is_directory = entry.depth() > 0 && entry.file_type().is_some_and(|file_type| file_type.is_dir());
            !is_directory || enters(entry.path(), entry.depth())
        })
        .build()
}

impl From<DirEntry> for Listed {
    fn from(entry: DirEntry) -> Self {
        let kind = match entry.file_type() {
            _ if entry.depth() == 0 => ListedKind::Directory, // it may be a link to one
            Some(file_type) => file_type.into(),
            None => ListedKind::Other,
        };
        Self { depth: entry.depth(), kind, path: entry.into_path() }
    }
}

fn unlisted(error: &ignore::Error) -> Unlisted {
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
    // The walker says what it wanted of which path; what the system says of that lies below.
    let why = inner.io_error().map(|error| error.source().map_or_else(|| error.to_string(), ToString::to_string));
    Unlisted { path, why: why.unwrap_or_else(|| inner.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever enters the first directory finds the second gone.
    fn enter(path: &Path, _: usize) -> bool {
        if path.ends_with("a") {
            fs::remove_dir(path.with_file_name("gone")).unwrap();
        }
        true
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_told_by_either_walk() {
        for ignore_rules in [false, true] {
            let root = tempfile::tempdir().unwrap();
            for name in ["a", "gone", "z"] {
                fs::create_dir(root.path().join(name)).unwrap();
            }
            let options = WalkOptions { ignore_rules, ..WalkOptions::default() };
            let (mut listed, mut unlisted) = (Vec::new(), Vec::new());
            for met in list(root.path(), &options, enter) {
                match met {
                    Ok(met) => listed.push(met.path),
                    Err(met) => unlisted.push((met.path, met.why)),
                }
            }
            let path = |name: &str| root.path().join(name);
            assert_eq!(listed, [root.path().to_owned(), path("a"), path("gone"), path("z")], "{ignore_rules}");
            let why = fs::read_dir(path("gone")).unwrap_err().to_string();
            assert_eq!(unlisted, [(path("gone"), why)], "{ignore_rules}");
        }
    }
}
