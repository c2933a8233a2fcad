//! Finds the images that have a blob as a layer, in a content-addressed store.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use super::docker_save::SavedImage;
use super::embedded::{Embedded, EmbeddedEntry, check_bytes, decode_data};
use super::file::StoredBlob;
use super::store_files::{FileState, StoreFiles};
use crate::blob::{BlobLocation, WalkError};
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::internal::quoted;
use sectile_oci::LayoutError;
use sectile_oci::internal::ParsedDescriptor;
use sectile_oci::internal::UncomputedDigest;
use sectile_oci::internal::{Document, MAX_INDEX_DEPTH, choose_manifest};
use sectile_oci::internal::{digest_error, io_error, malformed_error, size_error};
use sectile_oci::shape::is_wasm_layer;

/// The layers of all images in a store, with the names of the images.
#[derive(Default)]
pub(super) struct LayerIndex {
    /// The common prefix of all names.
    prefix: OsString,
    names: Vec<ImageName>,
    /// The blob of each document that a reader of the image takes: the manifest in an index, the layer in an image.
    chosen: BTreeMap<BlobId, BlobId>,
    /// Layers with the names of their images.
    layers: BTreeMap<BlobId, LayerNames>,
    /// Layers with a media type of WebAssembly, sorted.
    wasm: Vec<BlobId>,
    /// Blobs that are not files of the store, in the descriptors that contain them.
    embedded: BTreeMap<BlobId, Embedded>,
    /// Whether some names of documents were dropped.
    is_truncated: bool,
}

/// The names of the images that have a blob as a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ImageNames {
    pub(super) names: Vec<OsString>,
    /// Whether there are more.
    pub(super) omits_some: bool,
}

/// A name of an image without the common prefix.
struct ImageName {
    text: OsString,
    /// The document that the name alone stands for; `None` if it stands for several.
    document: Option<BlobId>,
}

/// The digest of a blob, or its path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BlobId {
    Computed(Digest),
    Uncomputed(UncomputedDigest),
    /// A blob that is named by its path in the store.
    File(Box<str>),
}

/// The indexes of the first names of a layer, sorted.
#[derive(Default)]
struct LayerNames {
    names: Vec<u32>,
    omits_some: bool,
}

/// Maximum number of names of documents on one level.
pub(super) const MAX_NAMES: usize = 4_000_000;

/// Maximum number of names of one layer.
pub(super) const MAX_LAYER_NAMES: usize = 64;

/// Total length of one layer's names at which further names are omitted.
pub(super) const MAX_LAYER_NAME_BYTES: usize = 4 << 10;

/// A reference to a document, and a name of the document without the common prefix.
pub(super) struct NamedTarget {
    pub(super) target: Target,
    pub(super) name: OsString,
    /// Whether the name alone stands for this target. Several targets may have the same name.
    pub(super) is_chosen: bool,
    /// The place of the descriptor, if the blob may be in it.
    pub(super) embedded: Option<Embedded>,
}

/// The blob that a descriptor points to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) blob: BlobId,
    /// Its size, if known.
    size: Option<u64>,
    /// Its media type, if known.
    media_type: Option<String>,
}

/// The different pointers to one document, each with the indexes of its names.
#[derive(Default)]
struct PointerVariants(Vec<(Target, Vec<u32>)>);

/// The documents of one level, without duplicates.
#[derive(Default)]
struct DocumentLevel {
    documents: BTreeMap<BlobId, PointerVariants>,
    /// Number of names of all documents.
    names: usize,
}

/// The part of a layer's descriptor that is checked.
struct LayerDescriptor {
    size: Option<u64>,
    /// The first of the layer's other locations, shortened.
    url: Option<Box<str>>,
}

/// Maximum number of blobs in the descriptors of one document. The document is read again for each.
const MAX_EMBEDDED: usize = 16;

/// Maximum number of different pointers to one document. All but one of them are wrong.
const MAX_VARIANTS: usize = 16;

impl LayerIndex {
    /// Resolves pointers through indexes and images to layers. Each document is read once, and a malformed one affects
    /// no other.
    ///
    /// The name of each image is the prefix and its name in `named`.
    pub(super) fn resolve(
        files: &StoreFiles<'_>,
        prefix: OsString,
        named: Vec<NamedTarget>,
        saved: Vec<SavedImage>,
        report_error: &mut dyn FnMut(WalkError),
    ) -> Self {
        let mut images = Self { prefix, ..Self::default() };
        let mut level = DocumentLevel::default();
        let mut layers = BTreeMap::new();
        for image in saved {
            images.add_saved(image, &mut layers);
        }
        for NamedTarget { target, name, is_chosen, embedded } in named {
            let number = [images.names.len() as u32];
            let document = is_chosen.then(|| target.blob.clone());
            images.embedded.extend(embedded.map(|embedded| (target.blob.clone(), embedded)));
            images.is_truncated |= !level.add(target, &number);
            images.names.push(ImageName { text: name, document });
        }
        for depth in 0..=MAX_INDEX_DEPTH + 1 {
            let mut next = DocumentLevel::default();
            for (blob, variants) in level.documents {
                let path = files.path(&blob);
                let bytes = if depth > MAX_INDEX_DEPTH { Err(LayoutError::TooDeep) } else { files.read_json(&path) };
                let embedded = images.embedded.get(&blob).filter(|_| matches!(bytes, Err(LayoutError::Missing(_))));
                let (source, bytes) = match embedded {
                    Some(embedded) => (embedded.clone(), embedded.read(files)),
                    None => (Embedded::file(&path), bytes),
                };
                let bytes = match bytes {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        let location = images.location(&path, &blob, &variants.all_names());
                        report_error(match error {
                            LayoutError::Missing(_) => absent_blob(location, None),
                            error => layout_error(location, &error),
                        });
                        continue;
                    }
                };
                if let BlobId::Uncomputed(digest) = &blob
                    && digest.matches(&bytes).is_none()
                {
                    report_error(unverified(images.location(&path, &blob, &variants.all_names()), digest));
                }
                for (target, mut numbers) in variants.0 {
                    numbers.sort_unstable();
                    numbers.dedup();
                    let document = target.parse_document(&path, &bytes);
                    let errors = match document {
                        Ok(document) => {
                            images.follow(&path, &source, &blob, document, &numbers, &mut next, &mut layers)
                        }
                        Err(error) => vec![error],
                    };
                    for error in errors {
                        report_error(layout_error(images.location(&path, &blob, &numbers), &error));
                    }
                }
            }
            level = next;
        }
        images.wasm.sort_unstable();
        images.wasm.dedup();
        if images.is_truncated {
            let message = format!("its images have more than {MAX_NAMES} names: further ones are left out");
            report_error(WalkError::new(BlobLocation::new(&files.directory), FindingCode::MalformedLayout, message));
        }
        images.check(files, &layers, report_error);
        images
    }

    /// Adds the layers of an image of `docker save`.
    fn add_saved(&mut self, image: SavedImage, layers: &mut BTreeMap<BlobId, LayerDescriptor>) {
        let SavedImage { names, layers: blobs } = image;
        let only = blobs.first().filter(|first| blobs.iter().all(|other| other == *first)).cloned();
        let numbers: Vec<u32> = (self.names.len() as u32..).take(names.len()).collect();
        self.names.extend(names.into_iter().map(|text| ImageName { text, document: only.clone() }));
        for blob in blobs {
            self.layers.entry(blob.clone()).or_default().add(&numbers);
            layers.entry(blob).or_insert(LayerDescriptor { size: None, url: None });
        }
    }

    /// Adds the descriptors in a document, up to the first malformed one.
    #[allow(clippy::too_many_arguments)] // the state of one walk
    fn follow(
        &mut self,
        path: &Path,
        source: &Embedded,
        blob: &BlobId,
        document: Document,
        names: &[u32],
        next: &mut DocumentLevel,
        layers: &mut BTreeMap<BlobId, LayerDescriptor>,
    ) -> Vec<LayoutError> {
        let (entries, is_index) = match (document.manifests, document.layers) {
            (Some(entries), None) => (entries, true),
            (None, Some(entries)) => (entries, false),
            _ => return vec![malformed_error(path, "it is neither an index nor an image".to_owned())],
        };
        let chosen = if is_index { choose_manifest(&entries) } else { main_layer(&entries) };
        if let Some(chosen) = chosen.and_then(|entry| BlobId::parse(&entry.digest)) {
            self.chosen.insert(blob.clone(), chosen);
        }
        let (mut errors, mut embedded) = (Vec::new(), 0);
        for entry in entries {
            let url = entry.urls.as_ref().and_then(|urls| urls.first()).map(|url| shortened(url).into());
            let is_wasm = is_wasm_layer(&entry.media_type);
            if let Some(data) = &entry.data {
                embedded += 1;
                match decode_data(path, &entry, data) {
                    _ if embedded > MAX_EMBEDDED => {} // reported below
                    Ok(_) => self.embedded.extend(source.with_blob(&entry.digest)),
                    Err(error) => errors.push(error),
                }
            }
            let target = match target(path, entry) {
                Ok(target) => target,
                Err(error) => {
                    errors.push(error);
                    break;
                }
            };
            if is_index {
                self.is_truncated |= !next.add(target, names);
                continue;
            }
            if is_wasm {
                self.wasm.push(target.blob.clone());
            }
            self.layers.entry(target.blob.clone()).or_default().add(names);
            layers.insert(target.blob, LayerDescriptor { size: target.size, url });
        }
        if embedded > MAX_EMBEDDED {
            let reason = format!("it contains {embedded} blobs in its descriptors, and {MAX_EMBEDDED} are inspected");
            errors.push(malformed_error(path, reason));
        }
        errors
    }

    /// The location of a document.
    fn location(&self, path: &Path, blob: &BlobId, names: &[u32]) -> BlobLocation {
        let first = names.get(..MAX_VARIANTS).unwrap_or(names);
        BlobLocation::of_images(path, self.named(blob, first, names.len() > MAX_VARIANTS))
    }

    /// Checks that the layers that exist have the sizes in their descriptors, and are files that the walk inspects.
    /// Reports those that do not exist.
    fn check(
        &self,
        files: &StoreFiles<'_>,
        layers: &BTreeMap<BlobId, LayerDescriptor>,
        report_error: &mut dyn FnMut(WalkError),
    ) {
        let mut links = BlobLinks::default();
        for (blob, &LayerDescriptor { size: expected, ref url }) in layers {
            let path = files.path(blob);
            let names = || self.image_names(blob);
            if files.is_on_disk() && links.report(&files.directory, &path, names, report_error) {
                continue;
            }
            let location = || BlobLocation::of_images(&path, self.image_names(blob));
            let error = match files.state(&path) {
                Ok(FileState::Directory) => malformed_error(&path, "it is a directory".to_owned()),
                Ok(FileState::Regular(len)) => match (blob, expected) {
                    (BlobId::Computed(digest), Some(expected)) if len != expected => size_error(*digest, len, expected),
                    (BlobId::Uncomputed(digest), _) => {
                        report_error(unverified(location(), digest));
                        continue;
                    }
                    _ => continue,
                },
                Ok(FileState::Other) => continue, // the walk reports a layer that is not a regular file
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if !self.embedded.contains_key(blob) {
                        report_error(absent_blob(location(), url.as_deref()));
                    }
                    continue;
                }
                Err(error) => io_error(&path, error),
            };
            report_error(layout_error(location(), &error));
        }
    }

    /// The layers that are not files of the store, but in descriptors.
    pub(super) fn embedded_layers(&self, files: &StoreFiles<'_>) -> impl Iterator<Item = EmbeddedEntry> {
        let is_layer = |blob: &BlobId| self.is_layer(blob) && files.state(&files.path(blob)).is_err();
        self.embedded.iter().filter(move |(blob, _)| is_layer(blob)).map(|(blob, place)| EmbeddedEntry {
            blob: blob.clone(),
            place: place.clone(),
            stored: StoredBlob::new(blob, self),
        })
    }

    /// Whether a blob is a layer of an image.
    pub(super) fn is_layer(&self, blob: &BlobId) -> bool {
        self.layers.contains_key(blob)
    }

    /// The names of the images that have a blob as a layer.
    pub(super) fn image_names(&self, blob: &BlobId) -> ImageNames {
        self.layers.get(blob).map_or_else(ImageNames::default, |of| self.named(blob, &of.names, of.omits_some))
    }

    /// The blobs of all images, without the documents.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &BlobId> {
        self.layers.keys()
    }

    /// The names of a blob by these indexes, up to the limits: the image, and the digest of the blob if the image alone
    /// stands for another one.
    fn named(&self, blob: &BlobId, indexes: &[u32], omits_some: bool) -> ImageNames {
        let mut image_names = ImageNames { names: Vec::new(), omits_some };
        let mut bytes = 0;
        for &index in indexes {
            if bytes >= MAX_LAYER_NAME_BYTES {
                image_names.omits_some = true;
                break;
            }
            let mut name = self.prefix.clone();
            let ImageName { text, document } = &self.names[index as usize];
            name.push(text);
            if !document.as_ref().is_some_and(|document| self.leads_to(document, blob)) {
                name.push(format!("@{blob}"));
            }
            bytes += name.len();
            image_names.names.push(name);
        }
        image_names
    }

    /// Whether a reader that follows a document passes this blob, or ends there.
    fn leads_to(&self, document: &BlobId, blob: &BlobId) -> bool {
        std::iter::successors(Some(document), |at| self.chosen.get(at)).take(MAX_INDEX_DEPTH + 3).any(|at| at == blob)
    }

    /// Whether a media type says that a blob is WebAssembly.
    pub(super) fn expects_wasm(&self, blob: &BlobId) -> bool {
        self.wasm.binary_search(blob).is_ok()
    }
}

/// The symbolic links on the paths of blobs.
#[derive(Default)]
struct BlobLinks {
    /// Directories that are not links, without the innermost ones, of which a registry has one for each blob.
    directories: HashSet<PathBuf>,
    reported: HashSet<PathBuf>,
}

impl BlobLinks {
    /// Reports the symbolic link on the path of a blob, once. Readers follow it, and the walk does not. Returns whether
    /// there is one.
    fn report(
        &mut self,
        directory: &Path,
        path: &Path,
        names: impl FnOnce() -> ImageNames,
        report_error: &mut dyn FnMut(WalkError),
    ) -> bool {
        let Some(link) = self.find(directory, path) else { return false };
        if self.reported.insert(link.clone()) {
            let names = if link == path { names() } else { ImageNames::default() };
            let message = "this symbolic link leads to blobs of images and is not followed";
            let location = BlobLocation::of_images(&link, names);
            report_error(WalkError::new(location, FindingCode::MalformedLayout, message));
        }
        true
    }

    /// The first symbolic link below the directory on the path.
    fn find(&mut self, directory: &Path, path: &Path) -> Option<PathBuf> {
        let mut part = directory.to_owned();
        let names: Vec<_> = path.strip_prefix(directory).ok()?.components().collect();
        for (nth, name) in names.iter().enumerate() {
            part.push(name);
            if self.directories.contains(&part) {
                continue;
            }
            if part.is_symlink() {
                return Some(part);
            }
            if nth + 2 < names.len() {
                self.directories.insert(part.clone());
            }
        }
        None
    }
}

/// The layer that the image alone stands for: the only one of WebAssembly, or the only one.
fn main_layer(layers: &[ParsedDescriptor]) -> Option<&ParsedDescriptor> {
    only(layers.iter().filter(|layer| is_wasm_layer(&layer.media_type))).or_else(|| only(layers.iter()))
}

/// The only blob of these descriptors.
fn only<'d>(mut descriptors: impl Iterator<Item = &'d ParsedDescriptor>) -> Option<&'d ParsedDescriptor> {
    let first = descriptors.next()?;
    descriptors.all(|other| other.digest == first.digest).then_some(first)
}

impl BlobLocation {
    /// The location of a blob: the first of its images, its path, and its other images.
    pub(super) fn of_images(path: &Path, images: ImageNames) -> Self {
        let mut names = images.names.into_iter();
        let Some(first) = names.next() else {
            return Self { omits_names: images.omits_some, ..Self::new(path) };
        };
        let other_names = [path.as_os_str().to_owned()].into_iter().chain(names).collect();
        Self { file: first, other_names, omits_names: images.omits_some }
    }
}

impl BlobId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uncomputed = UncomputedDigest::parse(text).map(Self::Uncomputed);
        uncomputed.or_else(|| text.parse().ok().map(Self::Computed))
    }

    /// The digest, if it can be computed.
    pub(super) fn computed(&self) -> Option<Digest> {
        match self {
            Self::Computed(digest) => Some(*digest),
            Self::Uncomputed(_) | Self::File(_) => None,
        }
    }
}

impl Target {
    /// The target of a digest, with an unknown size.
    pub(super) fn new(blob: BlobId) -> Self {
        Self { blob, size: None, media_type: None }
    }

    /// The target as a pointer, if its digest is computed.
    #[cfg(feature = "registry")]
    pub(super) fn into_pointer(self) -> Option<sectile_oci::internal::Pointer> {
        let BlobId::Computed(digest) = self.blob else { return None };
        Some(sectile_oci::internal::Pointer { digest, size: self.size, media_type: self.media_type })
    }

    /// Checks a document, and parses it.
    fn parse_document(&self, path: &Path, bytes: &[u8]) -> Result<Document, LayoutError> {
        check_bytes(path, &self.blob, self.size, bytes)?;
        Document::parse(path, bytes, self.media_type.as_deref())
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Computed(digest) => digest.fmt(f),
            Self::Uncomputed(digest) => digest.fmt(f),
            Self::File(path) => path.fmt(f),
        }
    }
}

impl LayerNames {
    /// Adds names, which are sorted. Those that come first are kept.
    fn add(&mut self, names: &[u32]) {
        self.names.extend(names.iter().take(MAX_LAYER_NAMES + 1));
        self.names.sort_unstable();
        self.names.dedup();
        self.omits_some |= self.names.len() > MAX_LAYER_NAMES;
        self.names.truncate(MAX_LAYER_NAMES);
    }
}

impl PointerVariants {
    /// The indexes of the names of all variants.
    fn all_names(&self) -> Vec<u32> {
        self.0.iter().flat_map(|(_, names)| names).copied().collect()
    }
}

impl DocumentLevel {
    /// Adds a pointer to a document, by these names. Returns whether all names were kept.
    fn add(&mut self, target: Target, names: &[u32]) -> bool {
        let room = MAX_NAMES - self.names;
        let kept = &names[..names.len().min(room)];
        self.names += kept.len();
        let variants = &mut self.documents.entry(target.blob.clone()).or_default().0;
        let is_same = |other: &Target| other.size == target.size && other.media_type == target.media_type;
        match variants.iter().position(|(other, _)| is_same(other)) {
            Some(at) => variants[at].1.extend(kept),
            None if variants.len() < MAX_VARIANTS => variants.push((target, kept.to_vec())),
            None => {}
        }
        kept.len() == names.len()
    }
}

/// The blob that a descriptor points to.
pub(super) fn target(path: &Path, entry: ParsedDescriptor) -> Result<Target, LayoutError> {
    let blob = match UncomputedDigest::parse(&entry.digest) {
        Some(digest) => BlobId::Uncomputed(digest),
        None => BlobId::Computed(entry.digest.parse().map_err(|source| digest_error(path, source))?),
    };
    Ok(Target { blob, size: Some(entry.size), media_type: Some(entry.media_type) })
}

/// A blob whose digest is not computed.
fn unverified(location: BlobLocation, digest: &UncomputedDigest) -> WalkError {
    let algorithm = digest.algorithm();
    let message = format!("its digest is not verified: {algorithm} is not computed for blobs");
    WalkError::new(location, FindingCode::UnverifiedDigest, message)
}

pub(super) fn layout_error(location: BlobLocation, error: &LayoutError) -> WalkError {
    let code = match error {
        LayoutError::DigestMismatch { .. } => FindingCode::DigestMismatch,
        LayoutError::Io { .. } => FindingCode::Unreadable,
        _ => FindingCode::MalformedLayout,
    };
    WalkError::new(location, code, error_chain(error))
}

/// A blob that an image names and its store does not have. The image specification lets a layout omit blobs; an index
/// names those of other platforms, and a layer may be kept elsewhere.
pub(super) fn absent_blob(location: BlobLocation, url: Option<&str>) -> WalkError {
    let message = match url {
        Some(url) => format!("the blob is not in this store; it is kept at {}", quoted(url)),
        None => "the blob is not in this store".to_owned(),
    };
    WalkError::new(location, FindingCode::AbsentBlob, message)
}

fn shortened(url: &str) -> &str {
    const MAX_LEN: usize = 200;
    sectile::internal::beginning(url, MAX_LEN)
}

/// The message of an error with those of its sources.
pub(super) fn error_chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        _ = write!(message, ": {error}");
        source = error.source();
    }
    message
}

/// A name in quotes for a message.
pub(super) fn quoted_name(name: &std::ffi::OsStr) -> String {
    quoted(&name.to_string_lossy())
}
