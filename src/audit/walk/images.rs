//! Which images have a blob as a layer, in a store that keeps blobs by their digests.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::audit::blob::{Place, Trouble};
use crate::digest::Digest;
use crate::escape::quoted;
use crate::finding::Code;
use crate::oci::LayoutError;
use crate::oci::layout::index::Entry;
use crate::oci::layout::picked::{Document, MAX_DEPTH, Pointer, WASM};
use crate::oci::layout::read_json;

/// The layers of a store's images, and which images those are.
#[derive(Default)]
pub(super) struct Images {
    names: Vec<OsString>,
    /// Layers, and the numbers of the names of images that have them; sorted.
    layers: Vec<(Digest, u32)>,
    /// Layers that are said to be WebAssembly; sorted.
    wasm: Vec<Digest>,
    /// Whether there are more names than are kept.
    is_cut: bool,
}

/// Names of layers that are kept of one store at the most, at 40 bytes each; and names of documents on one level.
const MOST: usize = 4_000_000;

/// What points to a document, and what that is called by.
pub(super) struct Named {
    pub(super) pointer: Pointer,
    pub(super) name: OsString,
}

/// What points to one document, in which ways, and what it is called by those who do.
#[derive(Default)]
struct Pointed(Vec<(Pointer, Vec<u32>)>);

/// Documents to be read, each once.
#[derive(Default)]
struct Level {
    documents: BTreeMap<Digest, Pointed>,
    /// Names of all of them.
    names: usize,
}

/// Ways to describe one document that are looked at; all but one are wrong.
const WAYS: usize = 16;

impl Images {
    /// Goes from what points to images, through indexes, to their layers. Each document is read once; one that is broken
    /// costs itself alone.
    pub(super) fn resolve(
        directory: &Path,
        named: Vec<Named>,
        blob_path: &dyn Fn(Digest) -> PathBuf,
        trouble: &mut dyn FnMut(Trouble),
    ) -> Self {
        let mut images = Self::default();
        let mut level = Level::default();
        for Named { pointer, name } in named {
            images.is_cut |= !level.add(pointer, &[images.names.len() as u32]);
            images.names.push(name);
        }
        let mut sizes = BTreeMap::new();
        for depth in 0..=MAX_DEPTH + 1 {
            let mut next = Level::default();
            for (digest, mut pointed) in level.documents {
                let path = blob_path(digest);
                let bytes = if depth > MAX_DEPTH { Err(LayoutError::TooDeep) } else { read_json(&path) };
                let bytes = match bytes {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        let all: Vec<u32> = pointed.0.into_iter().flat_map(|(_, names)| names).collect();
                        images.tell(&path, &all, &error, trouble);
                        continue;
                    }
                };
                for (pointer, names) in &mut pointed.0 {
                    names.sort_unstable();
                    names.dedup();
                    let document = pointer.document(&path, &bytes);
                    let result =
                        document.and_then(|document| images.follow(&path, document, names, &mut next, &mut sizes));
                    if let Err(error) = result {
                        images.tell(&path, names, &error, trouble);
                    }
                }
            }
            level = next;
        }
        images.layers.sort_unstable();
        images.layers.dedup();
        images.wasm.sort_unstable();
        images.wasm.dedup();
        if images.is_cut {
            let message = format!("its blobs have more than {MOST} names: further ones are left out");
            trouble(Trouble { place: Place::new(directory), state: None, code: Code::MalformedLayout, message });
        }
        images.check(blob_path, &sizes, trouble);
        images
    }

    /// Adds what a document points to. Where one of its descriptors is broken, nothing behind that is.
    fn follow(
        &mut self,
        path: &Path,
        document: Document,
        names: &[u32],
        next: &mut Level,
        sizes: &mut BTreeMap<Digest, u64>,
    ) -> Result<(), LayoutError> {
        match (document.manifests, document.layers) {
            (Some(entries), None) => {
                for entry in entries {
                    let pointer = pointer(path, entry)?;
                    self.is_cut |= !next.add(pointer, names);
                }
            }
            (None, Some(layers)) => {
                for layer in layers {
                    let Pointer { digest, size, media_type } = pointer(path, layer)?;
                    if media_type.is_some_and(|media_type| WASM.contains(&&*media_type)) {
                        self.wasm.push(digest);
                    }
                    sizes.extend(size.map(|size| (digest, size)));
                    let room = MOST.saturating_sub(self.layers.len());
                    self.is_cut |= names.len() > room;
                    self.layers.extend(names.iter().take(room).map(|&name| (digest, name)));
                }
            }
            _ => return Err(LayoutError::malformed(path, "it is neither an index nor an image".to_owned())),
        }
        Ok(())
    }

    fn tell(&self, path: &Path, names: &[u32], error: &LayoutError, trouble: &mut dyn FnMut(Trouble)) {
        let others = names.iter().take(WAYS).map(|&name| self.names[name as usize].clone()).collect();
        trouble(malformed(Place { file: path.into(), others }, error));
    }

    /// Whether the layers are there, and as long as what points to them says.
    fn check(
        &self,
        blob_path: &dyn Fn(Digest) -> PathBuf,
        sizes: &BTreeMap<Digest, u64>,
        trouble: &mut dyn FnMut(Trouble),
    ) {
        for (&digest, &expected) in sizes {
            let path = blob_path(digest);
            let error = match path.symlink_metadata() {
                Ok(metadata) if metadata.is_file() && metadata.len() != expected => {
                    LayoutError::Size { digest, found: metadata.len(), expected }
                }
                Ok(_) => continue, // what is no file is told where it is met
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => LayoutError::Missing(path.clone()),
                Err(error) => LayoutError::io(&path, error),
            };
            trouble(malformed(Place { file: path.into(), others: self.of(digest) }, &error));
        }
    }

    /// The images that have a blob as a layer.
    pub(super) fn of(&self, digest: Digest) -> Vec<OsString> {
        let start = self.layers.partition_point(|(layer, _)| *layer < digest);
        let of = self.layers[start..].iter().take_while(|(layer, _)| *layer == digest);
        of.map(|&(_, name)| self.names[name as usize].clone()).collect()
    }

    /// Whether a blob is said to be WebAssembly.
    pub(super) fn says_wasm(&self, digest: Digest) -> bool {
        self.wasm.binary_search(&digest).is_ok()
    }
}

impl Level {
    /// Adds what points to a document, by these names; whether there was room for all.
    fn add(&mut self, pointer: Pointer, names: &[u32]) -> bool {
        let room = MOST - self.names;
        let kept = &names[..names.len().min(room)];
        self.names += kept.len();
        let ways = &mut self.documents.entry(pointer.digest).or_default().0;
        let is_same = |other: &Pointer| other.size == pointer.size && other.media_type == pointer.media_type;
        match ways.iter().position(|(other, _)| is_same(other)) {
            Some(at) => ways[at].1.extend(kept),
            None if ways.len() < WAYS => ways.push((pointer, kept.to_vec())),
            None => {}
        }
        kept.len() == names.len()
    }
}

/// What a descriptor points to.
pub(super) fn pointer(path: &Path, entry: Entry) -> Result<Pointer, LayoutError> {
    let digest = entry.digest.parse().map_err(|source| LayoutError::Digest { file: path.to_owned(), source })?;
    Ok(Pointer { digest, size: Some(entry.size), media_type: Some(entry.media_type) })
}

pub(super) fn malformed(place: Place, error: &LayoutError) -> Trouble {
    let code = match error {
        LayoutError::Content { .. } => Code::DigestMismatch,
        LayoutError::Io { .. } => Code::Unreadable,
        _ => Code::MalformedLayout,
    };
    Trouble { place, state: None, code, message: message(error) }
}

/// What an error says, and what it stems from.
pub(super) fn message(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        _ = write!(message, ": {error}");
        source = error.source();
    }
    message
}

/// A name that is shown in a message.
pub(super) fn shown(name: &std::ffi::OsStr) -> String {
    quoted(&name.to_string_lossy())
}
