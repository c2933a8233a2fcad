//! Directory trees, and the stores inside them that call their blobs by digests.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::file::{Entry, Stored};
use super::images::Images;
use super::listing::{self, Listed, ListedKind, Unlisted};
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
    for listed in listing::list(root, options, enters) {
        let Listed { path, depth, kind } = match listed {
            Ok(listed) => listed,
            Err(unlisted) => {
                units.add(Met::Trouble(unreadable(root, unlisted)))?;
                continue;
            }
        };
        while stores.last().is_some_and(|store| depth <= store.depth) {
            stores.pop();
        }
        match kind {
            ListedKind::Directory => {
                let (store, troubles) = Store::at(&path, depth);
                stores.extend(store);
                for trouble in troubles {
                    units.add(Met::Trouble(trouble))?;
                }
            }
            ListedKind::File => {
                let said = stores.last().and_then(|store| store.stored(&path)).map(Box::new);
                units.add(Met::File(Entry { stored: said, ..Entry::new(path) }))?;
            }
            ListedKind::Link => units.add(passed_over(path, Code::NotFollowed, "it is a symbolic link"))?,
            ListedKind::Other => units.add(passed_over(path, Code::NotAFile, "it is a FIFO, a socket or a device"))?,
        }
    }
    ControlFlow::Continue(())
}

/// What a registry keeps beside its blobs is links, which are read to call the blobs by.
fn enters(directory: &Path, depth: usize) -> bool {
    let is_beside_blobs = directory.file_name().is_some_and(|name| name == registry::REPOSITORIES)
        && directory.parent().is_some_and(|parent| may_be_registry(parent, depth == 1));
    !is_beside_blobs
}

fn may_be_registry(directory: &Path, is_root: bool) -> bool {
    (is_root || directory.file_name().is_some_and(|name| name == "v2")) && registry::is_registry(directory)
}

impl Store {
    /// The store that a directory is, if it is one; and what is wrong with it.
    fn at(directory: &Path, depth: usize) -> (Option<Self>, Vec<Trouble>) {
        let mut troubles = Vec::new();
        let mut trouble = |trouble| troubles.push(trouble);
        let (shape, images) = if layout::is_layout(directory) {
            (Shape::Layout, layout::images(directory, &mut trouble))
        } else if may_be_registry(directory, depth == 0) {
            (Shape::Registry, registry::images(directory, &mut trouble))
        } else {
            return (None, troubles);
        };
        (Some(Self { directory: directory.to_owned(), depth, shape, images }), troubles)
    }

    /// What the store says of a file, if that is one of its blobs.
    fn stored(&self, file: &Path) -> Option<Stored> {
        let below = file.strip_prefix(&self.directory).ok()?.to_str()?;
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

/// What is not opened.
fn passed_over(path: PathBuf, code: Code, message: &str) -> Met {
    Met::Trouble(Trouble { place: Place::new(path), state: None, code, message: message.to_owned() })
}

fn unreadable(root: &Path, Unlisted { path, why }: Unlisted) -> Trouble {
    let path = if path.as_os_str().is_empty() { root.to_owned() } else { path };
    Trouble { place: Place::new(path), state: None, code: Code::Unreadable, message: why }
}
