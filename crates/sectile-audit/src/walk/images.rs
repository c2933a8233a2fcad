//! Finds the images that have a blob as a layer, in a content-addressed store.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::blob::{BlobLocation, WalkError};
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::internal::quoted;
use sectile_oci::LayoutError;
use sectile_oci::internal::ParsedDescriptor;
use sectile_oci::internal::UncomputedDigest;
use sectile_oci::internal::{Document, MAX_INDEX_DEPTH, Pointer};
use sectile_oci::internal::{digest_error, io_error, malformed_error, read_json, size_error};
use sectile_oci::shape::is_wasm_layer;

/// The layers of all images in a store, with the names of the images.
#[derive(Default)]
pub(super) struct LayerIndex {
    /// The common prefix of all names.
    prefix: OsString,
    names: Vec<OsString>,
    /// Layers with the names of their images.
    layers: BTreeMap<Digest, LayerNames>,
    /// Layers with a media type of WebAssembly, sorted.
    wasm: Vec<Digest>,
    /// Blobs with digests that are not computed, with the names of their images.
    uncomputed: BTreeMap<UncomputedDigest, LayerNames>,
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

/// The indexes of the first names of a layer, sorted.
#[derive(Default)]
struct LayerNames {
    names: Vec<u32>,
    omits_some: bool,
}

/// Maximum number of names of documents on one level.
const MAX_NAMES: usize = 4_000_000;

/// Maximum number of names of one layer.
const MAX_LAYER_NAMES: usize = 64;

/// Total length of one layer's names at which further names are omitted.
const MAX_LAYER_NAME_BYTES: usize = 4 << 10;

/// A reference to a document, and a name of the document without the common prefix.
pub(super) struct NamedTarget {
    pub(super) target: Target,
    pub(super) name: OsString,
}

/// The blob that a descriptor points to.
pub(super) enum Target {
    Pointer(Pointer),
    Uncomputed(UncomputedDigest),
}

/// The different pointers to one document, each with the indexes of its names.
#[derive(Default)]
struct PointerVariants(Vec<(Pointer, Vec<u32>)>);

/// The documents of one level, without duplicates.
#[derive(Default)]
struct DocumentLevel {
    documents: BTreeMap<Digest, PointerVariants>,
    /// Number of names of all documents.
    names: usize,
}

/// The part of a layer's descriptor that is checked.
struct LayerDescriptor {
    size: u64,
    /// The first of the layer's other locations, shortened.
    url: Option<Box<str>>,
}

/// The path of a blob with a digest of this algorithm and with these hexadecimal digits.
pub(super) type BlobPath<'p> = dyn Fn(&str, &str) -> PathBuf + 'p;

fn computed_path(blob_path: &BlobPath<'_>, digest: Digest) -> PathBuf {
    blob_path("sha256", &digest.hex())
}

/// Maximum number of different pointers to one document. All but one of them are wrong.
const MAX_VARIANTS: usize = 16;

impl LayerIndex {
    /// Resolves pointers through indexes and images to layers. Each document is read once, and a malformed one affects
    /// no other.
    ///
    /// The name of each image is the prefix and its name in `named`.
    pub(super) fn resolve(
        directory: &Path,
        prefix: OsString,
        named: Vec<NamedTarget>,
        blob_path: &BlobPath<'_>,
        report_error: &mut dyn FnMut(WalkError),
    ) -> Self {
        let mut images = Self { prefix, ..Self::default() };
        let mut level = DocumentLevel::default();
        for NamedTarget { target, name } in named {
            let number = [images.names.len() as u32];
            match target {
                Target::Pointer(pointer) => images.is_truncated |= !level.add(pointer, &number),
                Target::Uncomputed(digest) => images.uncomputed.entry(digest).or_default().add(&number),
            }
            images.names.push(name);
        }
        let mut sizes = BTreeMap::new();
        for depth in 0..=MAX_INDEX_DEPTH + 1 {
            let mut next = DocumentLevel::default();
            for (digest, mut variants) in level.documents {
                let path = computed_path(blob_path, digest);
                let bytes = if depth > MAX_INDEX_DEPTH { Err(LayoutError::TooDeep) } else { read_json(&path) };
                let bytes = match bytes {
                    Ok(bytes) => bytes,
                    Err(LayoutError::Missing(_)) => {
                        let all: Vec<u32> = variants.0.into_iter().flat_map(|(_, names)| names).collect();
                        report_error(absent_blob(images.location(&path, &all), None));
                        continue;
                    }
                    Err(error) => {
                        let all: Vec<u32> = variants.0.into_iter().flat_map(|(_, names)| names).collect();
                        images.report(&path, &all, &error, report_error);
                        continue;
                    }
                };
                for (pointer, names) in &mut variants.0 {
                    names.sort_unstable();
                    names.dedup();
                    let document = pointer.parse_document(&path, &bytes);
                    let result =
                        document.and_then(|document| images.follow(&path, document, names, &mut next, &mut sizes));
                    if let Err(error) = result {
                        images.report(&path, names, &error, report_error);
                    }
                }
            }
            level = next;
        }
        images.wasm.sort_unstable();
        images.wasm.dedup();
        if images.is_truncated {
            let message = format!("its images have more than {MAX_NAMES} names: further ones are left out");
            report_error(WalkError::new(BlobLocation::new(directory), FindingCode::MalformedLayout, message));
        }
        let mut links = BlobLinks::default();
        images.check(directory, blob_path, &sizes, &mut links, report_error);
        images.check_uncomputed(directory, blob_path, &mut links, report_error);
        images
    }

    /// Adds the descriptors in a document, up to the first malformed one.
    fn follow(
        &mut self,
        path: &Path,
        document: Document,
        names: &[u32],
        next: &mut DocumentLevel,
        sizes: &mut BTreeMap<Digest, LayerDescriptor>,
    ) -> Result<(), LayoutError> {
        match (document.manifests, document.layers) {
            (Some(entries), None) => {
                for entry in entries {
                    match target(path, entry)? {
                        Target::Pointer(pointer) => self.is_truncated |= !next.add(pointer, names),
                        Target::Uncomputed(digest) => self.uncomputed.entry(digest).or_default().add(names),
                    }
                }
            }
            (None, Some(layers)) => {
                for layer in layers {
                    let url = layer.urls.as_ref().and_then(|urls| urls.first()).map(|url| shortened(url).into());
                    let Pointer { digest, size, media_type } = match target(path, layer)? {
                        Target::Pointer(pointer) => pointer,
                        Target::Uncomputed(digest) => {
                            self.uncomputed.entry(digest).or_default().add(names);
                            continue;
                        }
                    };
                    if media_type.as_deref().is_some_and(is_wasm_layer) {
                        self.wasm.push(digest);
                    }
                    sizes.extend(size.map(|size| (digest, LayerDescriptor { size, url })));
                    self.layers.entry(digest).or_default().add(names);
                }
            }
            _ => return Err(malformed_error(path, "it is neither an index nor an image".to_owned())),
        }
        Ok(())
    }

    fn report(&self, path: &Path, names: &[u32], error: &LayoutError, report_error: &mut dyn FnMut(WalkError)) {
        report_error(layout_error(self.location(path, names), error));
    }

    fn location(&self, path: &Path, names: &[u32]) -> BlobLocation {
        at(path, self.named(names.get(..MAX_VARIANTS).unwrap_or(names), names.len() > MAX_VARIANTS))
    }

    /// Checks that the layers that exist have the sizes in their descriptors, and are files that the walk inspects.
    /// Reports those that do not exist.
    fn check(
        &self,
        directory: &Path,
        blob_path: &BlobPath<'_>,
        sizes: &BTreeMap<Digest, LayerDescriptor>,
        links: &mut BlobLinks,
        report_error: &mut dyn FnMut(WalkError),
    ) {
        for (&digest, &LayerDescriptor { size: expected, ref url }) in sizes {
            let path = computed_path(blob_path, digest);
            let names = || self.image_names(digest);
            if links.report(directory, &path, names, report_error) {
                continue;
            }
            let error = match path.symlink_metadata() {
                Ok(metadata) if metadata.is_file() && metadata.len() != expected => {
                    size_error(digest, metadata.len(), expected)
                }
                Ok(metadata) if metadata.is_dir() => malformed_error(&path, "it is a directory".to_owned()),
                Ok(_) => continue, // the walk reports a layer that is not a regular file
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    report_error(absent_blob(at(&path, self.image_names(digest)), url.as_deref()));
                    continue;
                }
                Err(error) => io_error(&path, error),
            };
            report_error(layout_error(at(&path, self.image_names(digest)), &error));
        }
    }

    /// Reports blobs with digests that are not computed. The walk inspects those that exist as any file.
    fn check_uncomputed(
        &self,
        directory: &Path,
        blob_path: &BlobPath<'_>,
        links: &mut BlobLinks,
        report_error: &mut dyn FnMut(WalkError),
    ) {
        for (digest, of) in &self.uncomputed {
            let path = blob_path(digest.algorithm(), digest.hex());
            if links.report(directory, &path, || self.named(&of.names, of.omits_some), report_error) {
                continue;
            }
            let is_absent = path.symlink_metadata().is_err();
            let location = at(&path, self.named(&of.names, of.omits_some));
            if is_absent {
                report_error(absent_blob(location, None));
                continue;
            }
            let message = format!(
                "{} is not computed: the blob is inspected as a file, and neither its digest nor its images are verified",
                digest.algorithm()
            );
            report_error(WalkError::new(location, FindingCode::UnverifiedDigest, message));
        }
    }

    /// The names of the images that have a blob as a layer.
    pub(super) fn image_names(&self, digest: Digest) -> ImageNames {
        self.layers.get(&digest).map_or_else(ImageNames::default, |of| self.named(&of.names, of.omits_some))
    }

    /// The names with these indexes, up to the limits.
    fn named(&self, indexes: &[u32], omits_some: bool) -> ImageNames {
        let mut image_names = ImageNames { names: Vec::new(), omits_some };
        let mut bytes = 0;
        for &index in indexes {
            if bytes >= MAX_LAYER_NAME_BYTES {
                image_names.omits_some = true;
                break;
            }
            let mut name = self.prefix.clone();
            name.push(&self.names[index as usize]);
            bytes += name.len();
            image_names.names.push(name);
        }
        image_names
    }

    /// Whether a media type says that a blob is WebAssembly.
    pub(super) fn expects_wasm(&self, digest: Digest) -> bool {
        self.wasm.binary_search(&digest).is_ok()
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
            report_error(WalkError::new(at(&link, names), FindingCode::MalformedLayout, message));
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

/// The location of a blob with the names of its images.
fn at(path: &Path, images: ImageNames) -> BlobLocation {
    BlobLocation { other_names: images.names, omits_names: images.omits_some, ..BlobLocation::new(path) }
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

impl DocumentLevel {
    /// Adds a pointer to a document, by these names. Returns whether all names were kept.
    fn add(&mut self, pointer: Pointer, names: &[u32]) -> bool {
        let room = MAX_NAMES - self.names;
        let kept = &names[..names.len().min(room)];
        self.names += kept.len();
        let variants = &mut self.documents.entry(pointer.digest).or_default().0;
        let is_same = |other: &Pointer| other.size == pointer.size && other.media_type == pointer.media_type;
        match variants.iter().position(|(other, _)| is_same(other)) {
            Some(at) => variants[at].1.extend(kept),
            None if variants.len() < MAX_VARIANTS => variants.push((pointer, kept.to_vec())),
            None => {}
        }
        kept.len() == names.len()
    }
}

/// The blob that a descriptor points to.
pub(super) fn target(path: &Path, entry: ParsedDescriptor) -> Result<Target, LayoutError> {
    if let Some(digest) = UncomputedDigest::parse(&entry.digest) {
        return Ok(Target::Uncomputed(digest));
    }
    let digest = entry.digest.parse().map_err(|source| digest_error(path, source))?;
    Ok(Target::Pointer(Pointer { digest, size: Some(entry.size), media_type: Some(entry.media_type) }))
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
fn absent_blob(location: BlobLocation, url: Option<&str>) -> WalkError {
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
