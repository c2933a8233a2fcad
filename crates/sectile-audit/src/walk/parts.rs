//! Lists the parts of roots for other processes, and walks a part that is a file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::file::FileEntry;
use super::listing::{self, ListedEntry, ListedKind};
use super::options::WalkOptions;
use super::tree;
use super::unit::{Units, WalkEntry};
use crate::part::{ListError, Part, PartKind};
use crate::root::{Root, RootKind};
use sectile::internal::fingerprint::{FileFingerprint, FileId};

/// Whether to go on; the end of the listing otherwise.
pub(super) type ListFlow = ControlFlow<Result<(), ListError>>;

/// The receiver of the parts of one root.
pub(super) struct PartSink<'s> {
    /// Index of the root.
    pub(super) root: usize,
    pub(super) should_stop: &'s dyn Fn() -> bool,
    send: &'s mut dyn FnMut(Part) -> ControlFlow<()>,
}

impl PartSink<'_> {
    pub(super) fn add(&mut self, part: Part) -> ListFlow {
        if (self.should_stop)() {
            return ControlFlow::Break(Ok(()));
        }
        (self.send)(part).map_break(Ok)
    }
}

/// Lists the parts of roots, without reading any. Calls `send` with each until it breaks.
pub(crate) fn list(
    roots: &[Root],
    options: &WalkOptions,
    should_stop: &dyn Fn() -> bool,
    send: &mut dyn FnMut(Part) -> ControlFlow<()>,
) -> Result<(), ListError> {
    for (nth, root) in roots.iter().enumerate() {
        let mut sink = PartSink { root: nth, should_stop, send };
        let flow = match &root.0 {
            RootKind::Path(path) => list_tree(path, options, &mut sink),
            #[cfg(feature = "remote")]
            RootKind::Objects(objects) => super::object_listing::list_parts(objects, &mut sink),
            #[cfg(feature = "registry")]
            RootKind::Registry(registry) => super::registry_api::list_parts(registry, options, &mut sink),
            RootKind::File(..) => sink.add(Part::new(nth, PartKind::Root, OsString::new())),
        };
        if let ControlFlow::Break(end) = flow {
            return end;
        }
    }
    Ok(())
}

/// Walks an entry of a directory: a file with all its names, or an entry that is not opened.
pub(super) fn walk_file(path: &Path, other_names: &[PathBuf], units: &mut Units<'_>) -> ControlFlow<()> {
    for path in [path].into_iter().chain(other_names.iter().map(PathBuf::as_path)) {
        let kind = path.symlink_metadata().map_or(ListedKind::File, |metadata| metadata.file_type().into());
        let path = path.to_owned();
        units.add(match kind {
            ListedKind::Link => tree::link(path),
            ListedKind::Other => tree::special_file(path),
            ListedKind::File | ListedKind::Directory => WalkEntry::File(FileEntry::new(path)),
        })?;
    }
    ControlFlow::Continue(())
}

fn list_tree(root: &Path, options: &WalkOptions, sink: &mut PartSink<'_>) -> ListFlow {
    let nth_root = sink.root;
    let whole = |path: &Path| Part::new(nth_root, PartKind::Root, path);
    let file = |path: &Path| Part::new(nth_root, PartKind::File, path);
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(metadata) => {
            let part = whole(root).with_metadata(&metadata);
            return sink.add(part);
        }
        Err(source) => return ControlFlow::Break(Err(ListError::Path { path: root.to_owned(), source })),
    }
    let mut linked: BTreeMap<FileId, LinkedFile> = BTreeMap::new();
    let mut directory_depth = 0;
    let mut covered = None; // depth of a directory that is a part
    for (nth, listed) in listing::list(root, options).enumerate() {
        let part = match listed {
            Ok(ListedEntry { depth, .. }) if covered.is_some_and(|outer| depth > outer) => continue,
            Ok(ListedEntry { path, depth, kind: ListedKind::Directory }) => {
                directory_depth = depth;
                covered = tree::is_store(&path, depth).then_some(depth);
                match covered {
                    Some(_) => whole(&path),
                    None => continue,
                }
            }
            Ok(ListedEntry { path, .. }) => {
                covered = None;
                match path.symlink_metadata() {
                    Ok(metadata) if metadata.is_file() => {
                        let fingerprint = FileFingerprint::new(&metadata);
                        if let Some(id) = fingerprint.file.filter(|_| fingerprint.links > 1) {
                            let file = linked.entry(id).or_insert(LinkedFile { nth, metadata, names: Vec::new() });
                            file.names.push(path.into());
                            continue;
                        }
                        file(&path).with_metadata(&metadata)
                    }
                    _ => file(&path), // the audit has a finding on it
                }
            }
            // The audit of the directory has a finding on it.
            Err(error) => {
                covered = Some(directory_depth);
                if error.path.as_os_str().is_empty() { whole(root) } else { whole(&error.path) }
            }
        };
        sink.add(part)?;
    }
    let mut linked: Vec<LinkedFile> = linked.into_values().collect();
    linked.sort_by_key(|file| file.nth);
    for LinkedFile { metadata, names, .. } in linked {
        let mut names = names.into_iter();
        let name = names.next().unwrap_or_default();
        let part = Part { other_names: names.collect(), ..Part::new(sink.root, PartKind::File, name) };
        sink.add(part.with_metadata(&metadata))?;
    }
    ControlFlow::Continue(())
}

/// A file with several hard links.
struct LinkedFile {
    /// Position of its first name in the walk.
    nth: usize,
    metadata: Metadata,
    names: Vec<OsString>,
}
