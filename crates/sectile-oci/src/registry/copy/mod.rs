//! Copies of images between registries and layouts, with every byte of the manifests unchanged.

mod layout;
mod repository;

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::blob_upload::BlobTransfer;
use super::client::Client;
use super::image::RegistryImageError;
use super::reference::Reference;
use super::sequential_blob::SequentialBlob;
use crate::layout::index::ParsedDescriptor;
use crate::layout::parse;
use crate::layout::resolve::{MAX_INDEX_DEPTH, Pointer, parse_digest};
use crate::{Annotations, Descriptor, INDEX_MEDIA_TYPE, LayoutError, Locator, MANIFEST_MEDIA_TYPE};
use sectile::digest::Digest;
use sectile::splice::WriteOptions;

use self::layout::{LayoutSink, LayoutSource};
use self::repository::{RepositorySink, RepositorySource};

/// Maximum number of manifests and indexes of one copy.
const MAX_DOCUMENTS: usize = 10_000;

/// A place that an image is copied from or to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ImagePlace<'a> {
    /// An image in a registry. Without a tag and a digest, the tag `latest` is read; the image is
    /// written under its digest only.
    Registry(&'a Client, &'a Reference),
    /// An image in a layout on disk. A layout that does not exist is created.
    Layout(&'a Locator),
}

/// Options of [`copy`].
#[derive(Clone, Copy, Debug, Default)]
pub struct CopyOptions {
    /// Whether to copy the artifacts that refer to the image, such as signatures and SBOMs.
    pub referrers: bool,
    /// How the files of a layout are written.
    pub write: WriteOptions,
}

/// The result of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedImage {
    descriptor: Descriptor,
    is_new: bool,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Manifests and indexes that were read.
    documents: usize,
    /// Manifests and indexes that the destination did not have.
    manifests: u64,
    blobs: u64,
    bytes: u64,
    existing: u64,
    mounted: u64,
}

impl CopiedImage {
    /// Returns the descriptor of the image's manifest or index.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Returns whether the name at the destination did not refer to the image yet.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns the number of manifests and indexes that the destination did not have.
    pub fn manifests(&self) -> u64 {
        self.counts.manifests
    }

    /// Returns the number of blobs that were sent or written.
    pub fn blobs(&self) -> u64 {
        self.counts.blobs
    }

    /// Returns the number of bytes of these blobs.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes
    }

    /// Returns the number of blobs that the destination already had.
    pub fn existing(&self) -> u64 {
        self.counts.existing
    }

    /// Returns the number of blobs that the registry took from another of its repositories.
    pub fn mounted(&self) -> u64 {
        self.counts.mounted
    }
}

/// Copies an image or an index with all its manifests and blobs.
///
/// Manifests keep their bytes, so the image keeps its digest. Blobs are streamed with their sizes
/// and digests checked. Blobs that the destination has are skipped. Blobs of another repository of
/// the same registry are mounted. The name of the image is written last. Layers that may not be
/// distributed are not copied.
///
/// `progress` is called repeatedly with the bytes of the current blob that are done, and its size.
///
/// # Errors
///
/// A place cannot be read or written, or a document or a blob differs from its descriptor.
pub fn copy(
    source: ImagePlace<'_>,
    destination: ImagePlace<'_>,
    options: CopyOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<CopiedImage, RegistryImageError> {
    let from: Box<dyn Source> = match source {
        ImagePlace::Registry(client, reference) => Box::new(RepositorySource::new(client, reference)?),
        ImagePlace::Layout(locator) => Box::new(LayoutSource::open(locator)?),
    };
    let root = from.root()?;
    let mut to: Box<dyn Sink> = match destination {
        ImagePlace::Registry(client, reference) => {
            let mount_source = match source {
                ImagePlace::Registry(_, source) if source.registry() == reference.registry() => {
                    Some(source.repository()).filter(|repository| *repository != reference.repository())
                }
                _ => None,
            };
            Box::new(RepositorySink::new(client, reference, mount_source)?)
        }
        ImagePlace::Layout(locator) => Box::new(LayoutSink::open(locator, options.write)?),
    };
    to.check_root(root.pointer.digest)?;
    let mut copy = Copy {
        from: &*from,
        to: &mut *to,
        referrers: options.referrers,
        progress,
        seen: HashSet::new(),
        counts: Counts::default(),
    };
    let document = copy.copy_tree(root.pointer, root.bytes, 0)?;
    let is_new = copy.to.name_root(&document)?;
    Ok(CopiedImage { descriptor: document.descriptor(), is_new, counts: copy.counts })
}

/// A copy in progress.
struct Copy<'c> {
    from: &'c dyn Source,
    to: &'c mut dyn Sink,
    referrers: bool,
    progress: &'c mut dyn FnMut(u64, u64),
    /// The manifests, indexes and blobs that are already copied.
    seen: HashSet<Digest>,
    counts: Counts,
}

impl Copy<'_> {
    /// Copies a document after everything that it refers to, and then its referrers.
    fn copy_tree(
        &mut self,
        pointer: Pointer,
        bytes: Option<Vec<u8>>,
        depth: usize,
    ) -> Result<CopiedDocument, RegistryImageError> {
        if depth > MAX_INDEX_DEPTH {
            return Err(LayoutError::TooDeep.into());
        }
        if self.counts.documents >= MAX_DOCUMENTS {
            return Err(LayoutError::TooManyManifests(MAX_DOCUMENTS).into());
        }
        self.counts.documents += 1;
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => self.from.document(pointer.digest)?,
        };
        let path = self.from.document_path(pointer.digest);
        pointer.parse_document(&path, &bytes)?;
        let json: DocumentJson = parse(&path, &bytes)?;
        for child in json.manifests.iter().flatten() {
            self.copy_child(&path, child, depth + 1)?;
        }
        for blob in json.config.iter().chain(json.layers.iter().flatten()).chain(json.blobs.iter().flatten()) {
            self.copy_blob(&path, blob)?;
        }
        let document = CopiedDocument::new(&path, pointer, json, bytes)?;
        self.counts.manifests += u64::from(self.to.put_document(&document)?);
        if self.referrers {
            for referrer in self.from.referrers(document.digest)? {
                self.copy_child(&path, &referrer, depth + 1)?;
            }
        }
        Ok(document)
    }

    fn copy_child(&mut self, path: &Path, child: &ParsedDescriptor, depth: usize) -> Result<(), RegistryImageError> {
        let digest = parse_digest(path, &child.digest)?;
        if self.seen.insert(digest) {
            let pointer = Pointer { digest, size: Some(child.size), media_type: Some(child.media_type.clone()) };
            self.copy_tree(pointer, None, depth)?;
        }
        Ok(())
    }

    fn copy_blob(&mut self, path: &Path, blob: &ParsedDescriptor) -> Result<(), RegistryImageError> {
        let (digest, size) = (parse_digest(path, &blob.digest)?, blob.size);
        if is_kept_elsewhere(&blob.media_type) || !self.seen.insert(digest) {
            return Ok(());
        }
        let open = || self.from.blob(digest, size).map_err(io::Error::other);
        let transfer = self.to.put_blob(&SequentialBlob::new(digest, size, &open), digest, self.progress)?;
        let Counts { blobs, bytes, existing, mounted, .. } = &mut self.counts;
        match transfer {
            BlobTransfer::Sent => {
                *blobs += 1;
                *bytes += size;
            }
            BlobTransfer::Existing => *existing += 1,
            BlobTransfer::Mounted => *mounted += 1,
        }
        Ok(())
    }
}

/// Whether layers of this media type may not be distributed. They stay at their URLs.
fn is_kept_elsewhere(media_type: &str) -> bool {
    media_type.contains("nondistributable") || media_type.contains(".foreign.")
}

/// The manifest or index that a place names.
struct Root {
    pointer: Pointer,
    /// The bytes, if they are already read.
    bytes: Option<Vec<u8>>,
}

trait Source {
    fn root(&self) -> Result<Root, RegistryImageError>;

    /// The name of a document in errors.
    fn document_path(&self, digest: Digest) -> PathBuf;

    /// Returns a manifest or an index. The caller checks its digest.
    fn document(&self, digest: Digest) -> Result<Vec<u8>, RegistryImageError>;

    /// Opens a blob. The caller checks its size and its digest.
    fn blob(&self, digest: Digest, size: u64) -> Result<Box<dyn Read + '_>, RegistryImageError>;

    fn referrers(&self, subject: Digest) -> Result<Vec<ParsedDescriptor>, RegistryImageError>;
}

trait Sink {
    /// Checks that the destination accepts an image with this digest.
    fn check_root(&self, digest: Digest) -> Result<(), RegistryImageError>;

    fn put_blob(
        &mut self,
        blob: &SequentialBlob<'_>,
        digest: Digest,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BlobTransfer, RegistryImageError>;

    /// Writes a manifest under its digest. Returns whether the destination did not have it.
    fn put_document(&mut self, document: &CopiedDocument) -> Result<bool, RegistryImageError>;

    /// Gives the image its name. Returns whether the name did not refer to it yet.
    fn name_root(&mut self, document: &CopiedDocument) -> Result<bool, RegistryImageError>;
}

/// An image under this digest is requested, but another one would be copied.
fn check_requested(requested: Option<Digest>, found: Digest) -> Result<(), RegistryImageError> {
    match requested {
        Some(expected) if expected != found => Err(LayoutError::DigestMismatch { expected, found }.into()),
        _ => Ok(()),
    }
}

/// The parts of a manifest or an index that refer to others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DocumentJson {
    media_type: Option<String>,
    artifact_type: Option<String>,
    manifests: Option<Vec<ParsedDescriptor>>,
    config: Option<ParsedDescriptor>,
    layers: Option<Vec<ParsedDescriptor>>,
    /// The blobs of an artifact manifest of a draft of the image specification 1.1.
    blobs: Option<Vec<ParsedDescriptor>>,
    subject: Option<ParsedDescriptor>,
    #[serde(default)]
    annotations: Annotations,
}

/// A manifest or an index.
struct CopiedDocument {
    digest: Digest,
    media_type: String,
    artifact_type: Option<String>,
    annotations: Annotations,
    subject: Option<Digest>,
    bytes: Vec<u8>,
}

impl CopiedDocument {
    fn new(path: &Path, pointer: Pointer, json: DocumentJson, bytes: Vec<u8>) -> Result<Self, LayoutError> {
        let implied = if json.manifests.is_some() { INDEX_MEDIA_TYPE } else { MANIFEST_MEDIA_TYPE };
        let media_type = json.media_type.or(pointer.media_type).unwrap_or_else(|| implied.to_owned());
        let config = json.config.map(|config| config.media_type);
        let subject = json.subject.map(|subject| parse_digest(path, &subject.digest)).transpose()?;
        Ok(Self {
            digest: pointer.digest,
            media_type,
            artifact_type: json.artifact_type.or(config),
            annotations: json.annotations,
            subject,
            bytes,
        })
    }

    fn descriptor(&self) -> Descriptor {
        Descriptor::new(&*self.media_type, self.digest, self.bytes.len() as u64)
    }

    /// The descriptor in a list of referrers.
    fn referrer_descriptor(&self) -> Descriptor {
        let descriptor = self.descriptor().with_annotations(self.annotations.clone());
        match &self.artifact_type {
            Some(artifact_type) => descriptor.with_artifact_type(&**artifact_type),
            None => descriptor,
        }
    }
}
