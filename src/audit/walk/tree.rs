//! Directory trees, and the stores inside them that call their blobs by digests.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::file::{Entry, Stored};
use super::images::Images;
use super::{Met, Units, WalkOptions, layout, registry};
use crate::audit::blob::{Place, Trouble};
use crate::digest::Digest;
use crate::finding::Code;

/// A store inside a tree, whose blobs are called by their digests.
struct Store {
    directory: PathBuf,
    depth: usize,
    shape: Shape,
    images: Images,
}

/// Where a store's blobs lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `blobs/sha256/HEX`.
    Layout,
    /// `blobs/sha256/HE/HEX/data`.
    Registry,
}

/// Walks a path that somebody named: a file, or a directory with all below it, or a link to one of these.
pub(super) fn walk(root: &Path, options: &WalkOptions, units: &mut Units<'_>) -> ControlFlow<()> {
    if !root.is_dir() {
        return units.add(Met::File(Entry { is_root: true, ..Entry::new(root.to_owned()) }));
    }
    let mut stores: Vec<Store> = Vec::new();
    for entry in walker(root, options).build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                units.add(Met::Trouble(unreadable(root, &error)))?;
                continue;
            }
        };
        while stores.last().is_some_and(|store| entry.depth() <= store.depth) {
            stores.pop();
        }
        let file_type = entry.file_type();
        if entry.depth() == 0 || file_type.is_some_and(|file_type| file_type.is_dir()) {
            let (store, troubles) = Store::at(&entry);
            stores.extend(store);
            for trouble in troubles {
                units.add(Met::Trouble(trouble))?;
            }
        } else if file_type.is_some_and(|file_type| file_type.is_file()) {
            let said = stores.last().and_then(|store| store.stored(&entry)).map(Box::new);
            units.add(Met::File(Entry { stored: said, ..Entry::new(entry.into_path()) }))?;
        } else {
            units.add(Met::Trouble(passed_over(entry)))?;
        }
    }
    ControlFlow::Continue(())
}

fn walker(root: &Path, options: &WalkOptions) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root_path(root));
    builder
        .standard_filters(options.ignore_rules)
        .hidden(false)
        .parents(false)
        .git_global(false)
        .require_git(false)
        .follow_links(false)
        .same_file_system(options.same_file_system)
        .sort_by_file_name(std::ffi::OsStr::cmp);
    // What a registry keeps beside its blobs is links, which are read to call the blobs by.
    builder.filter_entry(|entry| {
        !(entry.file_name() == registry::REPOSITORIES
            && entry.file_type().is_some_and(|file_type| file_type.is_dir())
            && entry.path().parent().is_some_and(|parent| may_be_registry(parent, entry.depth() == 1)))
    });
    builder
}

/// To the walker, `-` is standard input.
fn root_path(root: &Path) -> PathBuf {
    if root == Path::new("-") { Path::new(".").join(root) } else { root.to_owned() }
}

fn may_be_registry(directory: &Path, is_root: bool) -> bool {
    (is_root || directory.file_name().is_some_and(|name| name == "v2")) && registry::is_registry(directory)
}

impl Store {
    /// The store that a directory is, if it is one; and what is wrong with it.
    fn at(entry: &DirEntry) -> (Option<Self>, Vec<Trouble>) {
        let directory = entry.path();
        let mut troubles = Vec::new();
        let mut trouble = |trouble| troubles.push(trouble);
        let (shape, images) = if layout::is_layout(directory) {
            (Shape::Layout, layout::images(directory, &mut trouble))
        } else if may_be_registry(directory, entry.depth() == 0) {
            (Shape::Registry, registry::images(directory, &mut trouble))
        } else {
            return (None, troubles);
        };
        (Some(Self { directory: directory.to_owned(), depth: entry.depth(), shape, images }), troubles)
    }

    /// What the store says of a file, if that is one of its blobs.
    fn stored(&self, entry: &DirEntry) -> Option<Stored> {
        let below = entry.path().strip_prefix(&self.directory).ok()?.to_str()?;
        let mut parts = below.split(std::path::MAIN_SEPARATOR);
        if (parts.next(), parts.next()) != (Some("blobs"), Some("sha256")) {
            return None;
        }
        let hex = match self.shape {
            Shape::Layout => parts.next()?,
            Shape::Registry => {
                let start = parts.next()?;
                let hex = parts.next().filter(|hex| hex.starts_with(start))?;
                parts.next().filter(|&file| file == "data").map(|_| hex)?
            }
        };
        let digest: Digest = format!("sha256:{hex}").parse().ok()?;
        let says_wasm = self.images.says_wasm(digest);
        parts.next().is_none().then(|| Stored { digest, others: self.images.of(digest), says_wasm })
    }
}

/// A link, a FIFO, a socket or a device: none is opened.
fn passed_over(entry: DirEntry) -> Trouble {
    let (code, message) = match entry.file_type() {
        Some(file_type) if file_type.is_symlink() => (Code::NotFollowed, "it is a symbolic link"),
        _ => (Code::NotAFile, "it is a FIFO, a socket or a device"),
    };
    Trouble { place: Place::new(entry.into_path()), state: None, code, message: message.to_owned() }
}

fn unreadable(root: &Path, error: &ignore::Error) -> Trouble {
    let mut inner = error;
    let mut path = root;
    loop {
        inner = match inner {
            ignore::Error::WithPath { path: of, err } => {
                path = of;
                err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => break,
        };
    }
    let message = inner.io_error().map_or_else(|| inner.to_string(), ToString::to_string);
    Trouble { place: Place::new(path), state: None, code: Code::Unreadable, message }
}
